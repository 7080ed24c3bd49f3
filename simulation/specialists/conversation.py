"""A recorded conversation as a miner reads it out of a prompt: who said what, which call returned what."""

from __future__ import annotations

import json
import re
from typing import Any, Literal, NamedTuple

_LINE = re.compile(r"^\[(\d+)\] (CUSTOMER:|AGENT:|CALL|RESULT|FAULT:|SUBMIT:) ?(.*)$")
_READING = ("find_", "get_", "list_", "search_", "check_", "verify_")
Kind = Literal["customer", "agent", "call", "other"]
_KINDS: dict[str, Kind] = {"CUSTOMER:": "customer", "AGENT:": "agent"}


class Event(NamedTuple):
    """One step of the conversation."""

    step: int
    kind: Kind
    text: str
    """What was said, or the raw result of a call."""
    tool: str = ""
    arguments: dict[str, Any] = {}

    @property
    def failed(self) -> bool:
        return self.kind == "call" and self.text.startswith("Error")

    @property
    def held_back(self) -> bool:
        """The agent's own check refused the call."""
        return self.kind == "call" and self.text.startswith("Not done")

    @property
    def writes(self) -> bool:
        """A call that changed something."""
        return (
            self.kind == "call"
            and not self.tool.startswith(_READING)
            and self.tool != "transfer_to_human"
            and not (self.failed or self.held_back)
        )

    @property
    def result(self) -> dict[str, Any]:
        """The call's JSON result; empty for an error or a text that was cut off."""
        try:
            data = json.loads(self.text)
        except ValueError:
            return {}
        return data if isinstance(data, dict) else {}


class Conversation:
    """The events of a trace, with what a reader asks of them."""

    def __init__(self, trace: str, ending: str = "", request_type: str = "") -> None:
        self.events = _events(trace)
        self.ending = ending.lower()
        self.request_type = request_type

    @property
    def calls(self) -> list[Event]:
        return [e for e in self.events if e.kind == "call"]

    @property
    def writes(self) -> list[Event]:
        return [e for e in self.calls if e.writes]

    def of(self, *tools: str) -> list[Event]:
        """Successful calls of these tools, in order."""
        return [e for e in self.calls if e.tool in tools and not (e.failed or e.held_back)]

    def said(self, by: Kind, *, after: int = -1, before: int = 10**9) -> str:
        """Everything that one side said between two steps, in lower case."""
        return " ".join(e.text.lower() for e in self.events if e.kind == by and after < e.step < before)

    def owned(self, field: str) -> list[Any]:
        """A list of the customer's profile, such as `order_ids`; empty when the profile was not read."""
        return next((list(e.result[field]) for e in self.of("get_customer") if e.result.get(field)), [])

    @property
    def customer(self) -> str:
        return self.said("customer")

    @property
    def agent(self) -> str:
        return self.said("agent")

    @property
    def opening(self) -> str:
        return next((e.text.lower() for e in self.events if e.kind == "customer"), "")

    def latest(self, tool: str, key: str, value: object, *, before: int = 10**9) -> dict[str, Any]:
        """The last result of a look-up for one id before a step."""
        found = [e for e in self.of(tool) if e.arguments.get(key) == value and e.step < before]
        return found[-1].result if found else {}


def number(text: str, amount: float) -> bool:
    """Whether a text states an amount, however it is written."""
    wanted = abs(float(amount))
    return any(abs(float(n.replace(",", "")) - wanted) < 0.005 for n in re.findall(r"\d[\d,]*(?:\.\d+)?", text))


def _events(trace: str) -> list[Event]:
    events: list[Event] = []
    for line in trace.splitlines():
        found = _LINE.match(line)
        if not found:
            continue
        index, mark, rest = int(found.group(1)), found.group(2), found.group(3)
        if mark == "CALL":
            tool, _, raw = rest.partition(" ")
            events.append(Event(index, "call", "", tool, _loads(raw)))
        elif mark == "RESULT" and events and events[-1].kind == "call":
            events[-1] = events[-1]._replace(text=rest)
        else:
            events.append(Event(index, _KINDS.get(mark, "other"), rest))
    return events


def _loads(raw: str) -> dict[str, Any]:
    try:
        data = json.loads(raw)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
