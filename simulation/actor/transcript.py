"""A chat completion request in its parts: what the harness wrote, the opening, and the events since then.

Who is speaking is told from role, position and content, not from markers: the customer speaks of themselves and
answers what the agent said aloud; whoever speaks of "the customer", or between a call and its result, is code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from sigmaloop.records import Record
from sigmaloop.simulation.messages import JsonObject, json_object
from sigmaloop.simulation.reading import part_policy

_FIRST_PERSON = re.compile(r"\b(I|I'm|I'd|I've|I'll|my|me|mine|we|our|us|i'm|i'd|i)\b")
_GREETS = re.compile(r"^\W*(hi|hello|hey|good (morning|afternoon|evening)|dear)\b", re.I)
_SPEAKS_OF_CUSTOMER = re.compile(
    r"\b(the|a|every|each|this) (customer|user|caller)('s|s)?\b|\bcustomers\b|\byou are (a|an|the)\b|\bthe policy\b|"
    r"\btool calls?\b|\byour (last|previous|next|draft) (answer|reply|message|response|call|draft)\b|\bthe assistant\b|"
    r"^\W*(rules?|examples?|reminder|system|note|instructions?|plan|summary)\b[^\n.]{0,30}:",
    re.I | re.M,
)
_ASKS_FOR_A_CHECK = re.compile(
    r"\b(check|review|verify|look over|reconsider|re-?read|examine)\b.{0,60}"
    r"\b(answer|draft|reply|response|message|step|call)\b",
    re.I | re.S,
)
_CUSTOMER_LINE = re.compile(r"^\W{0,3}(customer|user|caller|client)\b[^:\n]{0,30}:\s*", re.I)
_AGENT_LINE = re.compile(r"^\W{0,3}(agent|assistant|bot)\b[^:\n]{0,30}:", re.I | re.M)
_BULLETS = re.compile(r"\A[ \t]*([-*•]|\d+[.)])[ \t]|:\n[ \t]*([-*•]|\d+[.)])[ \t]")
_ADDRESSES = re.compile(r"\b(you|your)\b", re.I)


class Event(Record):
    """One recorded step: a tool call with its result, a message with the customer's answer, or a note from code."""

    kind: Literal["call", "say", "note", "check"]
    """A check asks the model to look at its last answer again."""
    name: str = ""
    arguments: JsonObject = {}
    text: str = ""
    """Result, answer, or the note itself."""
    said: str = ""
    """What the agent said."""
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
    gap: bool = False
    """Whether the beginning of the conversation is missing."""


class _Heard(NamedTuple):
    """A message with the part of it that the customer wrote, and the part that code wrote."""

    role: str
    customer: str
    code: str
    message: Mapping[str, Any]


def transcript(request: Mapping[str, object]) -> Transcript:
    """The request in its parts. Never raises: what does not look like a message is skipped."""
    heard = _hear([m for m in _list(request.get("messages")) if isinstance(m, Mapping)])
    start = next((i for i, h in enumerate(heard) if h.customer), len(heard))
    talked = _talked(heard, start)
    before = heard[: min(start + 1, len(heard))]
    events = _events(heard[start + 1 :] if start < talked else heard[talked:])
    notes = 0
    while notes < len(events) and events[notes].kind == "note":
        notes += 1
    orphan = start < len(heard) and any(h.role == "tool" for h in heard[start + 1 : start + 2])
    return Transcript(
        system=tuple(h.code for h in before if h.code and h.role in ("system", "user")),
        tools=tuple(_tools(request.get("tools"))),
        opening=_opening(heard, start, talked),
        events=tuple(events[notes:]),
        reminders=tuple(event.text for event in events[:notes]),
        gap=talked < start or orphan,
    )


def _talked(heard: Sequence[_Heard], start: int) -> int:
    """Where the agent begins to talk. What stands in its mouth before the customer's first words, and asks nothing,
    has not been said to anybody."""
    for i, (role, _, _, message) in enumerate(heard):
        if role == "tool" or (
            role == "assistant" and (i > start or message.get("tool_calls") or "?" in _text(message))
        ):
            return i
    return len(heard)


def _opening(heard: Sequence[_Heard], start: int, talked: int) -> str:
    """What the customer wrote first; of a conversation without its beginning, the longest that they wrote."""
    if start < talked:
        return heard[start].customer
    return max((h.customer for h in heard[start:]), key=len, default="")


def _hear(messages: Sequence[Mapping[str, Any]]) -> list[_Heard]:
    heard: list[_Heard] = []
    aloud = False
    """Whether the agent has just spoken to the customer."""
    opened = any(m.get("role") in ("assistant", "tool") for m in messages[:1])
    for message in messages:
        role, text = str(message.get("role")), _text(message)
        if role in ("system", "developer"):
            heard.append(_Heard("system", "", text, message))
        elif role == "user" and not str(message.get("name") or "").startswith("example"):
            customer, code = _parted(text, aloud=aloud, opened=opened)
            opened |= bool(customer)
            heard.append(_Heard("user", customer, code, message))
        elif role in ("assistant", "tool"):
            # an assistant message before the opening is an example, or words put into the agent's mouth
            aloud = role == "assistant" and not message.get("tool_calls")
            heard.append(_Heard(role, "", "", message))
    return heard if any(h.customer for h in heard) else [_unless_policy(h) for h in heard]


def _unless_policy(heard: _Heard) -> _Heard:
    """Where nobody sounds like a customer, the users are customers."""
    if heard.role != "user" or part_policy(heard.code).policy:
        return heard
    return heard._replace(customer=heard.code, code="")


@lru_cache(maxsize=4096)
def _parted(text: str, *, aloud: bool, opened: bool) -> tuple[str, str]:
    """What the customer wrote in a message of a user, and what code wrote."""
    found = part_policy(text)
    if not found.policy and not _sounds_like_code(text):
        return ("", text) if opened and not aloud and not _personal(text) else (text, "")
    customer: list[str] = []
    code = [found.policy] if found.policy else []
    for block in found.rest.split("\n\n"):
        if _AGENT_LINE.search(block) or not block.strip():
            code.append(block)
        elif _sounds_like_code(block):
            said, told = _first_words(block) if aloud else ("", block)
            customer += [said] if said else []
            code.append(told)
        else:
            customer.append(_CUSTOMER_LINE.sub("", block).strip())
    return "\n\n".join(customer), "\n\n".join(part for part in code if part.strip())


def _first_words(block: str) -> tuple[str, str]:
    """An answer of the customer to which code has added something: the sentences before those of code, and the rest."""
    sentences = re.split(r"(?<=[.!?])\s+", block)
    end = next((n for n, s in enumerate(sentences) if _SPEAKS_OF_CUSTOMER.search(s) or _ASKS_FOR_A_CHECK.search(s)), 0)
    return " ".join(sentences[:end]), " ".join(sentences[end:])


def _personal(text: str) -> bool:
    return bool(_FIRST_PERSON.search(text) or _GREETS.match(text))


def _sounds_like_code(text: str) -> bool:
    """Who speaks of the customer is not the customer."""
    if _CUSTOMER_LINE.match(text) and not _AGENT_LINE.search(text):
        return False
    if _BULLETS.search(text):
        return True
    return (
        bool(_SPEAKS_OF_CUSTOMER.search(text) or _ASKS_FOR_A_CHECK.search(text))
        and not _GREETS.match(text)
        and (len(_FIRST_PERSON.findall(text)) * 40 < len(text))
    )


def objects(result: str) -> bool:
    """Whether a tool's result is code that stands up against the call: neither data nor a tool's own error."""
    text = result.strip()
    if text.startswith(("{", "[")) or not text:
        return False
    if re.match(r"error\b", text, re.I):
        return bool(_ADDRESSES.search(text))
    try:
        json.loads(text)
    except ValueError:
        return True
    return False


def _events(heard: Sequence[_Heard]) -> list[Event]:
    events: list[Event] = []
    for i, (role, _, code, message) in enumerate(heard):
        if role == "assistant" and message.get("tool_calls"):
            events += _calls(message, heard[i + 1 :])
        elif role == "assistant":
            answer = _answer(heard[i + 1 :])
            events.append(Event(kind="say", text=answer or "", said=_text(message), answered=answer is not None))
        elif code.strip():
            kind: Literal["note", "check"] = "check" if _is_check(code, heard, i) else "note"
            events.append(Event(kind=kind, text=code))
    return events


def _is_check(code: str, heard: Sequence[_Heard], i: int) -> bool:
    """Whether a note asks the model to look at the answer that stands right before it."""
    return bool(_ASKS_FOR_A_CHECK.search(code)) and i > 0 and heard[i - 1].role == "assistant" and len(code) < 600


def _calls(message: Mapping[str, Any], following: Sequence[_Heard]) -> list[Event]:
    """The calls of a message that were made. Those without a result were only drafted."""
    results: dict[str, str] = {}
    for later in following:
        if later.role == "assistant":
            break
        if later.role == "tool":
            results[str(later.message.get("tool_call_id"))] = _text(later.message)
    events = []
    for call in _list(message.get("tool_calls")):
        function = call.get("function") if isinstance(call, Mapping) else None
        if isinstance(function, Mapping) and str(call.get("id")) in results:
            arguments = _arguments(function.get("arguments"))
            name, text = str(function.get("name")), results[str(call.get("id"))]
            events.append(Event(kind="call", name=name, arguments=arguments, text=text))
    return events


def _answer(following: Sequence[_Heard]) -> str | None:
    """What the customer answered: the user messages up to the next turn of the model."""
    texts = []
    for later in following:
        if later.role == "assistant":
            break
        if later.role == "user" and (later.customer or not later.code):
            texts.append(later.customer)
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
