"""Chat messages, as OpenAI's API has them, as steps: the form in which most programs keep a conversation.

A tool's result joins its call, by id or else by order; system messages are the instructions and no step.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from sigmaloop.clean_text import DEEPEST, clean, clean_json
from sigmaloop.records import JsonObject, Step

LONGEST = 20_000
"""Most characters of a step's text, as in our own traces."""


class Chat(NamedTuple):
    """A list of messages, read."""

    steps: tuple[Step, ...]
    instructions: str
    odd: str
    """What of it could not be read; empty when nothing."""


def read_chat(messages: Sequence[object]) -> Chat:
    """Steps and instructions of a list of messages; what is none is left out and told."""
    steps: list[Step] = []
    open_calls: dict[str, int] = {}
    instructions: list[str] = []
    odd: list[str] = []
    for place, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            odd.append(f"message {place} has no role")
            continue
        role, text = message["role"], text_of(message.get("content"))
        if role in ("system", "developer"):
            instructions.append(text)
        elif role in ("tool", "function"):
            _result(steps, open_calls, message, text)
        elif role in ("assistant", "ai", "model"):
            if text.strip():
                steps.append(Step(index=len(steps), kind="say", text=text))
            for name, arguments, call_id in _calls(message):
                open_calls[call_id or f"at {len(steps)}"] = len(steps)
                steps.append(Step(index=len(steps), kind="act", tool=name, arguments=arguments))
        elif role in ("user", "human"):
            steps.append(Step(index=len(steps), kind="user", text=text))
        else:
            odd.append(f"message {place} has the role {role[:20]!r}")
    return Chat(tuple(steps), "\n\n".join(instructions), "; ".join(odd[:3]))


def text_of(content: object) -> str:
    """A message's content: a text, or the texts of its parts."""
    if content is None:
        return ""
    if isinstance(content, str):
        return shortened(clean(content))
    if isinstance(content, list):
        return shortened("\n".join(filter(None, map(_part, content))))
    return shortened(clean(json.dumps(content, ensure_ascii=False, default=str)))


def arguments_of(given: object) -> JsonObject:
    """A call's arguments as an object, whether they came as one or as JSON text."""
    if isinstance(given, str):
        try:
            given = json.loads(given or "{}")
        except (ValueError, RecursionError):
            return {"arguments": shortened(clean(str(given)))}
    value = _cleaned(given)
    return value if isinstance(value, dict) else {} if value is None else {"arguments": value}


def shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def _part(part: object) -> str:
    if isinstance(part, str):
        return clean(part)
    if not isinstance(part, dict):
        return ""
    for field in ("text", "content", "refusal"):
        if isinstance(part.get(field), str):
            return clean(part[field])
    return f"[{clean(str(part.get('type', 'part')))}]"


def _calls(message: JsonObject) -> list[tuple[str, JsonObject, str]]:
    """(name, arguments, id) of every tool that a message calls."""
    given = message.get("tool_calls")
    found = list(given) if isinstance(given, list) else []
    if isinstance(message.get("function_call"), dict):
        found.append({"function": message["function_call"]})
    calls = []
    for call in found:
        if isinstance(call, dict):
            function = call["function"] if isinstance(call.get("function"), dict) else call
            name = clean(str(function.get("name") or "unnamed tool"))[:200]
            arguments = arguments_of(function.get("arguments", function.get("args")))
            calls.append((name, arguments, str(call.get("id") or "")))
    return calls


def _result(steps: list[Step], open_calls: dict[str, int], message: JsonObject, text: str) -> None:
    """Put a result to its call; one whose call is not there becomes a step of its own."""
    wanted = str(message.get("tool_call_id") or "")
    name = clean(str(message.get("name") or ""))[:200]
    key = wanted if wanted in open_calls else next(iter(open_calls), None) if not wanted else None
    if key is None:
        steps.append(Step(index=len(steps), kind="act", tool=name or "unnamed tool", text=text))
        return
    place = open_calls.pop(key)
    steps[place] = steps[place].model_copy(update={"text": text})


def _cleaned(value: object) -> Any:
    try:
        return clean_json(value)
    except ValueError:
        return {"arguments": f"[nested more than {DEEPEST} levels deep]"}
