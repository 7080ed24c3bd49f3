"""A recorded conversation as a miner reads it out of a prompt: who said what, which call returned what."""

from __future__ import annotations

import datetime
import re
from typing import Any, Literal, NamedTuple

from sigmaloop.simulation.messages import JsonObject, json_object

_LINE = re.compile(r"^\[(\d+)\] (USER:|AGENT:|CALL|RESULT|REFUSED|FAULT:|SUBMIT:) ?(.*)$")
_READING = ("find_", "get_", "list_", "search_", "check_", "verify_")
HELD_BACK = "Not done: "
"""How a call that the agent's own code refused is told from one that was made."""
Kind = Literal["customer", "agent", "call", "other"]
_KINDS: dict[str, Kind] = {"USER:": "customer", "AGENT:": "agent"}


class Event(NamedTuple):
    """One step of the conversation."""

    step: int
    kind: Kind
    text: str
    """What was said, or the raw result of a call."""
    tool: str = ""
    arguments: JsonObject = {}

    @property
    def failed(self) -> bool:
        return self.kind == "call" and self.text.startswith("Error")

    @property
    def held_back(self) -> bool:
        """The agent's own check refused the call."""
        return self.kind == "call" and self.text.startswith(HELD_BACK)

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
    def result(self) -> JsonObject:
        """The call's JSON result; empty for an error or a text that was cut off."""
        return json_object(self.text)


class Matter(NamedTuple):
    """One thing that the customer wanted, up to the question whether there is anything else."""

    events: list[Event]
    wish: str
    """What the customer said about it, in lower case."""

    @property
    def writes(self) -> list[Event]:
        return [e for e in self.events if e.writes]

    def agent(self, *, before: int = 10**9) -> str:
        return " ".join(e.text.lower() for e in self.events if e.kind == "agent" and e.step < before)


class Conversation:
    """The events of a trace up to the customer's first complaint, with what a reader asks of them."""

    def __init__(self, trace: str, ending: str = "", request_type: str = "", policy: str = "") -> None:
        self.whole = _events(trace)
        self.events = _until_complaint(self.whole)
        self.ending = ending.lower()
        self.request_type = request_type
        self.today = _today(policy)

    @property
    def calls(self) -> list[Event]:
        return [e for e in self.events if e.kind == "call"]

    @property
    def writes(self) -> list[Event]:
        return [e for e in self.calls if e.writes]

    @property
    def matters(self) -> list[Matter]:
        """What was dealt with, one after the other; the wishes of an opening with two are told apart."""
        parts: list[list[Event]] = [[]]
        for event in self.events:
            parts[-1].append(event)
            if event.kind == "agent" and (MORE.search(event.text.lower()) or _NEXT.search(event.text.lower())):
                parts.append([])
        wishes = [" ".join(e.text.lower() for e in part if e.kind == "customer") for part in parts]
        first, *rest = SECOND.split(self.opening, maxsplit=1)
        if rest and len(parts) > 1:
            wishes[0] = wishes[0].replace(self.opening, first)
            wishes[1] = f"{rest[-1]} {wishes[1]}"
        return [
            Matter(part, wish)
            for part, wish in zip(parts, wishes, strict=True)
            if any(e.kind != "customer" for e in part)
        ]

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

    def thing(self, event: Event) -> tuple[str, JsonObject]:
        """Id and record of the order, reservation or line that a call is about, as far as it was looked up."""
        for key, tool in THINGS.items():
            if key in event.arguments:
                value = event.arguments[key]
                look_ups = [e for e in self.of(tool) if e.arguments.get(key) == value and e.step <= event.step]
                return str(value), look_ups[-1].result if look_ups else {}
        return "", {}

    def opened(self, *, before: int = 10**9) -> list[JsonObject]:
        """Every order, reservation and line that was looked up before a step."""
        return [e.result for e in self.of(*THINGS.values()) if e.step < before]

    @property
    def owner(self) -> str:
        """The customer's first name, as on file."""
        names = [str(e.result.get("name", "")) for e in self.of("get_customer", "find_customer")]
        return names[-1].split(" ")[0] if names and names[-1] else ""


THINGS = {"order_id": "get_order", "reservation_id": "get_reservation", "line_id": "get_line"}
"""Argument that names a thing, and the tool that looks it up."""
MORE = re.compile(r"anything else|something else|anything more|further|any other|else i can|else (?:that )?you")
SECOND = re.compile(
    r"\b(?:also|another thing|one more|besides|as well|in addition|after that|plus|at the same time|furthermore|"
    r"on top|by the way|oh, and|second(?:ly)?)\b"
)
_NEXT = re.compile(r"other matter|other request|next (matter|request)|second request|moving on")
_COMPLAINT = re.compile(r"another look|you have not|you did not|still (not|no|wrong)|that is not what i")


def described(thing: JsonObject, text: str, *, owner: str = "") -> bool:
    """Whether a customer's words (lower case) fit an order, a reservation or a line."""
    for key in THINGS:
        number_of = str(thing.get(key, "")).lower().partition("_")[2]
        if number_of and number_of in text:
            return True
    if any(str(item.get("name", "?")).lower() in text for item in thing.get("items", ())):
        return True
    segments = thing.get("segments") or []
    if segments and all(str(segments[0].get(end, "?")).lower() in text for end in ("origin", "destination")):
        return True
    user, phone = str(thing.get("user", "")).lower(), str(thing.get("number", ""))
    mine = bool(re.search(r"\bmy (phone|line|number|internet|data|contract|plan)\b", text)) and user == owner.lower()
    return bool(user) and (re.search(rf"\b{re.escape(user)}\b", text) is not None or phone in text or mine)


def number(text: str, amount: float) -> bool:
    """Whether a text states an amount, however it is written."""
    wanted = abs(float(amount))
    return any(abs(float(n.replace(",", "")) - wanted) < 0.005 for n in re.findall(r"\d[\d,]*(?:\.\d+)?", text))


def _events(trace: str) -> list[Event]:
    events: list[Event] = []
    for line in trace.splitlines():
        match = _LINE.match(line)
        if not match:
            continue
        index, mark, rest = int(match.group(1)), match.group(2), match.group(3)
        if mark == "CALL":
            tool, _, raw = rest.partition(" ")
            events.append(Event(index, "call", "", tool, json_object(raw)))
        elif mark == "RESULT" and events and events[-1].kind == "call":
            events[-1] = events[-1]._replace(text=rest)
        elif mark == "REFUSED" and events and events[-1].kind == "call":
            events[-1] = events[-1]._replace(text=HELD_BACK + rest.partition(": ")[2])
        else:
            events.append(Event(index, _KINDS.get(mark, "other"), rest))
    return events


def _until_complaint(events: list[Event]) -> list[Event]:
    """What happened until the customer asked for the same once more: the mistake lies before that."""
    heard: list[set[str]] = []
    for at, event in enumerate(events):
        if event.kind != "customer":
            continue
        words = set(re.findall(r"[a-z0-9']{3,}", event.text.lower()))
        after_close = at > 0 and events[at - 1].kind == "agent" and MORE.search(events[at - 1].text.lower())
        again = after_close and len(words) > 4 and any(len(words & old) >= 0.6 * len(words) for old in heard)
        if at and (again or _COMPLAINT.search(event.text.lower())):
            return events[:at]
        heard.append(words)
    return events


def _today(policy: str) -> datetime.date | None:
    match = re.search(r"[Tt]oday is \D{0,30}?(\d{4})-(\d\d)-(\d\d)", policy)
    return datetime.date(*map(int, match.groups())) if match else None
