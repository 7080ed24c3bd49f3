"""The simulated model: an OpenAI-shaped chat completion, a deterministic function of the request alone.

Start here. A request of one of SigmaLoop's specialists goes to `simulation.specialists`; every other one is answered
as the target, a customer service agent with habits (`simulation.actor`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping

import orjson

from sigmaloop.simulation.actor import next_message
from sigmaloop.simulation.messages import JsonObject, Message
from sigmaloop.simulation.specialists import answer, is_specialist


class SimulatedModel:
    """Any request gets an answer; equal requests get equal answers. Nothing is remembered between calls."""

    def __init__(self, *, forced: Collection[str] | None = None, redraw: bool = True) -> None:
        self._forced = None if forced is None else frozenset(forced)
        """For tests: exactly these habits strike, whenever they can."""
        self._redraw = redraw
        """For measurements: whether another wording of the harness has other luck."""

    def complete(self, request: Mapping[str, object]) -> JsonObject:
        """A full response dict to a request dict of the chat completions API."""
        if is_specialist(request):
            return _response(request, answer(request))
        message = next_message(request, forced=self._forced, redraw=self._redraw)
        return _response(request, message)


def _response(request: Mapping[str, object], message: Message) -> JsonObject:
    prompt = _tokens(request.get("messages")) + _tokens(request.get("tools"))
    completion = _tokens(message.get("content")) + _tokens(message.get("tool_calls"))
    model = request.get("model")
    return {
        "id": f"chatcmpl-{_name(request)}",
        "object": "chat.completion",
        "created": 0,
        "model": model if isinstance(model, str) else "simulated",
        "choices": [
            {
                "index": 0,
                "message": dict(message),
                "finish_reason": "tool_calls" if message.get("tool_calls") else "stop",
                "logprobs": None,
            }
        ],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        },
    }


def _name(request: Mapping[str, object]) -> str:
    return hashlib.sha256(_json([request.get("messages"), request.get("seed")])).hexdigest()[:24]


def _tokens(part: object) -> int:
    """A token is about four characters."""
    text = part if isinstance(part, str) else _json(part) if part else ""
    return (len(text) + 3) // 4


def _json(part: object) -> bytes:
    try:
        return orjson.dumps(part)
    except TypeError:  # what came past the gateway may be odd
        return json.dumps(part, default=str).encode()
