"""The simulated model: an OpenAI-shaped chat completion, a deterministic function of the request alone.

Start here. A request of one of SigmaLoop's specialists goes to `simulation.specialists`; every other one is answered
as the target, a customer service agent with habits (`simulation.target`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

import orjson

from sigmaloop.simulation.actor.agent import answer

SPECIALISTS = ("failure miner", "failure clusterer", "harness engineer", "gate judge")


class SimulatedModel:
    """Any request gets an answer; equal requests get equal answers. Nothing is remembered between calls."""

    def __init__(self, *, forced: Collection[str] | None = None) -> None:
        self._forced = None if forced is None else frozenset(forced)
        """For tests: exactly these habits strike, whenever they can."""

    def complete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """A full response dict to a request dict of the chat completions API."""
        if _is_specialist(request):
            from sigmaloop.simulation import specialists

            message = specialists.answer(dict(request))
        else:
            message = answer(request, forced=self._forced)
        return _response(request, message)


def _is_specialist(request: Mapping[str, Any]) -> bool:
    messages = request.get("messages")
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, Mapping) and message.get("role") in ("system", "developer"):
            first_line = str(message.get("content") or "").lstrip().split("\n", 1)[0].lower()
            return first_line.startswith(tuple(f"you are the {role}" for role in SPECIALISTS))
    return False


def _response(request: Mapping[str, Any], message: Mapping[str, Any]) -> dict[str, Any]:
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


def _name(request: Mapping[str, Any]) -> str:
    return hashlib.sha256(_json([request.get("messages"), request.get("seed")])).hexdigest()[:24]


def _tokens(part: Any) -> int:
    """A token is about four characters."""
    text = part if isinstance(part, str) else _json(part) if part else ""
    return (len(text) + 3) // 4


def _json(part: Any) -> bytes:
    try:
        return orjson.dumps(part)
    except TypeError:  # what came past the gateway may be odd
        return json.dumps(part, default=str).encode()
