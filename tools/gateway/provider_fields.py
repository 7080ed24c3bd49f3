"""What a provider adds to its answers and wants to see again: signatures and reasoning of a tool loop.

Kept for one lease and put back on a message that says the same as the answer did: same content, same calls, same ids.
What the caller itself writes there was dropped before, so it can neither forge such a field nor hide a memory in it.
"""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

import orjson

from sigmaloop.records import digest
from sigmaloop.tools.json_types import Json

NAMES = (
    *("reasoning_content", "reasoning", "reasoning_details", "extra_content"),
    *("thinking_blocks", "provider_specific_fields"),
)
"""Of a message or of a call in it."""


class _Added(NamedTuple):
    message: Json
    calls: list[Json]


class ProviderFields:
    """The additions of one lease's answers. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, _Added] = {}

    def keep(self, answer: Json) -> None:
        """Remember what a chat completion carries beside what everybody's does."""
        message = answer["choices"][0]["message"]
        calls = message.get("tool_calls") or []
        added = _Added(_added(message), [_added(call) for call in calls])
        if added.message or any(added.calls):
            with self._lock:
                self._known[_name(message)] = added

    def put_back(self, request: Json) -> None:
        """Complete the answers that a normalised request quotes; in place."""
        if not self._known:
            return
        for message in request["messages"]:
            if message["role"] != "assistant":
                continue
            with self._lock:
                added = self._known.get(_name(message))
            if added is not None:
                message |= added.message
                for call, more in zip(message.get("tool_calls", ()), added.calls, strict=False):
                    call |= more


def _added(part: Json) -> Json:
    return {name: part[name] for name in NAMES if part.get(name) is not None}


def _name(message: Json) -> str:
    calls = [
        [call.get("id") or "", call["function"]["name"], _arguments(call["function"]["arguments"])]
        for call in message.get("tool_calls") or []
    ]
    return digest("answer", _text(message.get("content")), calls)


def _text(content: object) -> str:
    """Clients write an empty text as null, and a text as a list of one part."""
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content)
    return content if isinstance(content, str) else ""


def _arguments(text: str) -> Any:
    """Clients parse arguments and write them again, with other blanks."""
    try:
        return orjson.loads(text)
    except ValueError:
        return text
