"""What of an agent's model calls no other step shows: calls that its own code refused, and calls made beside the talk.

Everything that an agent asks its model passes the parent, and so does everything that the agent then does. What was
asked for and not done, done and not asked for, or said by the model and never passed on, is found by comparing the two;
the agent has no word in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sigmaloop.records import JsonObject

MOST_HIDDEN = 200
"""Such steps of one rollout that are kept: an agent that loops must not fill the journal."""
LONGEST = 2_000
"""Characters of one such step's text."""
NOT_MADE = "(not made, and the model was told nothing)"


class Refused(NamedTuple):
    """A call that the model asked for and the agent's code did not make."""

    tool: str
    arguments: JsonObject
    told: str
    """What the model was told instead."""


class Aside(NamedTuple):
    """A reply of the model that was neither said nor acted on: a plan, a self-check, an answer asked for again."""

    text: str


Hidden = Refused | Aside


class ModelTurns:
    """Follows one rollout; each method returns what came to light, in the order in which it happened."""

    def __init__(self) -> None:
        self._calls: list[tuple[str, str, JsonObject]] = []  # id, name, arguments that were asked for and not made
        self._text = ""
        self._heard = False
        self._kept = 0

    def request(self, messages: object) -> list[Hidden]:
        """Before a model call: what became of the last reply, as the new request tells it."""
        told = _told(messages)
        hidden: list[Hidden] = []
        asides = []
        for call_id, name, arguments in self._calls:
            if call_id in told:
                hidden.append(Refused(name, arguments, told[call_id][:LONGEST]))
            else:
                asides.append(f"{name}({_json(arguments)})")
        if self._text and not self._calls:
            hidden.append(Aside(self._text[:LONGEST]))
        if asides:
            hidden.append(Aside(f"asks for {', '.join(asides)} {NOT_MADE}"[:LONGEST]))
        self._calls, self._text = [], ""
        return self._bounded(hidden)

    def reply(self, answer: object) -> None:
        """After a model call."""
        message = _message(answer)
        self._heard = True
        self._calls = list(_calls(message))
        self._text = str(message.get("content") or "") if not self._calls else ""

    def failed(self, fault: str) -> list[Hidden]:
        """A model call that was refused; the agent hears of it and may go on."""
        return self._bounded([Aside(f"(the call was refused: {fault})"[:LONGEST])])

    def act(self, name: str, arguments: object) -> bool:
        """A call was made; whether the model had asked for it, as far as anybody can tell."""
        for at, (_, asked, with_arguments) in enumerate(self._calls):
            if asked == name and with_arguments == arguments:
                del self._calls[at]
                return True
        return not self._heard

    def say(self, text: str) -> list[Hidden]:
        """Something was said: an earlier reply that it is not made of stands beside it."""
        last, self._text = self._text, ""
        if not last or last.strip() in text or text.strip() in last:
            return []
        return self._bounded([Aside(last[:LONGEST])])

    def _bounded(self, hidden: list[Hidden]) -> list[Hidden]:
        room = MOST_HIDDEN - self._kept
        self._kept += len(hidden[:room])
        return hidden[: max(0, room)]


def _message(answer: object) -> Mapping[str, Any]:
    try:
        message = answer["choices"][0]["message"]  # type: ignore[index]
    except (LookupError, TypeError):
        return {}
    return message if isinstance(message, Mapping) else {}


def _calls(message: Mapping[str, Any]) -> list[tuple[str, str, JsonObject]]:
    found = []
    asked = message.get("tool_calls")
    for call in asked if isinstance(asked, list) else ():
        function = call.get("function") if isinstance(call, Mapping) else None
        if isinstance(function, Mapping):
            found.append((str(call.get("id", "")), str(function.get("name", "")), _arguments(function)))
    return found


def _arguments(function: Mapping[str, Any]) -> JsonObject:
    raw = str(function.get("arguments") or "{}")
    try:
        arguments = json.loads(raw)
    except (ValueError, RecursionError):
        return {"(not JSON)": raw[:LONGEST]}
    return arguments if isinstance(arguments, dict) else {"(no object)": raw[:LONGEST]}


def _told(messages: object) -> dict[str, str]:
    """Answers to tool calls, by the call's id, of the messages since the model spoke last."""
    told: dict[str, str] = {}
    for message in reversed(messages if isinstance(messages, Sequence) else ()):
        if not isinstance(message, Mapping) or message.get("role") == "assistant":
            break
        if message.get("role") == "tool":
            told[str(message.get("tool_call_id", ""))] = _text(message.get("content"))
    return told


def _text(content: object) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
    return str(content or "")


def _json(arguments: JsonObject) -> str:
    return json.dumps(arguments, sort_keys=True, ensure_ascii=False)
