"""A chat completion request in its parts: what the harness wrote, the opening, and the events since then."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sigmaloop.records import Record
from sigmaloop.simulation.messages import JsonObject, json_object

_FROM_CODE = re.compile(
    r"\s*[\[(<*]*\s*(reminder|system|note|check|not done|harness|instruction|important|internal|warning|before you)\b",
    re.I,
)


class Event(Record):
    """One recorded step: a tool call with its result, a message with the customer's answer, or a note from code."""

    kind: Literal["call", "say", "note"]
    name: str = ""
    arguments: JsonObject = {}
    text: str = ""
    """Result, answer, or the note itself."""
    answered: bool = True
    """False for a message that code held back from the customer."""


class Transcript(Record):
    """A request as the model sees it."""

    system: tuple[str, ...]
    """Everything that the harness wrote before the conversation."""
    tools: tuple[tuple[str, str], ...]
    """Names and descriptions."""
    opening: str
    events: tuple[Event, ...]
    reminders: tuple[str, ...] = ()
    """What code wrote right after the opening."""


def transcript(request: Mapping[str, object]) -> Transcript:
    """The request in its parts. Never raises: what does not look like a message is skipped."""
    messages = [m for m in _list(request.get("messages")) if isinstance(m, Mapping)]
    start = next((i for i, m in enumerate(messages) if _is_opening(m)), len(messages))
    system = [_text(m) for m in messages[:start] if m.get("role") in ("system", "developer")]
    events = _events(messages[start + 1 :])
    notes = 0
    while notes < len(events) and events[notes].kind == "note":
        notes += 1
    return Transcript(
        system=tuple(system),
        tools=tuple(_tools(request.get("tools"))),
        opening=_text(messages[start]) if start < len(messages) else "",
        events=tuple(events[notes:]),
        reminders=tuple(event.text for event in events[:notes]),
    )


def _is_opening(message: Mapping[str, Any]) -> bool:
    name = str(message.get("name") or "")
    return message.get("role") == "user" and not name.startswith("example") and not _FROM_CODE.match(_text(message))


def _events(messages: Sequence[Mapping[str, Any]]) -> list[Event]:
    results = {str(m.get("tool_call_id")): _text(m) for m in messages if m.get("role") == "tool"}
    events: list[Event] = []
    for i, message in enumerate(messages):
        role = message.get("role")
        if role == "assistant" and message.get("tool_calls"):
            events += _calls(message, results)
        elif role == "assistant":
            answer = _answer(messages[i + 1 :])
            events.append(Event(kind="say", text=answer or "", answered=answer is not None))
        elif role in ("system", "developer") or (role == "user" and _FROM_CODE.match(_text(message))):
            events.append(Event(kind="note", text=_text(message)))
    return events


def _calls(message: Mapping[str, Any], results: Mapping[str, str]) -> list[Event]:
    events = []
    for call in _list(message.get("tool_calls")):
        function = call.get("function") if isinstance(call, Mapping) else None
        if isinstance(function, Mapping):
            result = results.get(str(call.get("id")), "Error: no result")
            arguments = _arguments(function.get("arguments"))
            events.append(Event(kind="call", name=str(function.get("name")), arguments=arguments, text=result))
    return events


def _answer(following: Sequence[Mapping[str, Any]]) -> str | None:
    """What the customer answered: the user messages up to the next turn of the model."""
    texts = []
    for message in following:
        if message.get("role") == "assistant":
            break
        if message.get("role") == "user" and not _FROM_CODE.match(_text(message)):
            texts.append(_text(message))
    return "\n".join(texts) if texts else None


def _tools(tools: object) -> list[tuple[str, str]]:
    pairs = []
    for tool in _list(tools):
        function = tool.get("function") if isinstance(tool, Mapping) else None
        if isinstance(function, Mapping):
            pairs.append((str(function.get("name") or ""), str(function.get("description") or "")))
    return pairs


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = [p.get("text") for p in _list(content) if isinstance(p, Mapping)]
    return "\n".join(p for p in parts if isinstance(p, str))


def _arguments(raw: object) -> JsonObject:
    if isinstance(raw, str):
        return json_object(raw)
    return dict(raw) if isinstance(raw, Mapping) else {}


def _list(value: object) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []
