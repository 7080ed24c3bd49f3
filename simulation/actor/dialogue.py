"""Replays a conversation: a procedure is plain code that runs from the start on every request.

Each `call` and `say` of the procedure consumes the next recorded event of the conversation; the first one that finds
none becomes the model's answer (`Emit`). Since every decision depends on the request alone, the replay is consistent;
where the harness has changed the history, what it shows wins over what the procedure would have done.

What the agent's own code puts in is read for what it says. Before a decision it is a note, worth a rule. In place of
a tool's result, or after a message that was held back, it is an objection: the request is decided again with it in
mind. An objection that names no fault costs: the model tries the same again, and in the end gives up.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sigmaloop.simulation import chance
from sigmaloop.simulation.actor.transcript import Event, Transcript, objects
from sigmaloop.simulation.messages import JsonObject
from sigmaloop.simulation.reading import objects as asks_to_cure
from sigmaloop.simulation.reading import read

_DECODER = json.JSONDecoder()
MOST_OBJECTIONS, MOST_ALIKE = 12, 3
"""Objections after which the model gives up on a request: in all, and in the same words."""
GIVES_UP = 0.05
"""Probability that the model gives up at its first objection without a fault; at the n-th it is n times that."""


class Emit(Exception):
    """The next thing that the model does: a tool call, or words to the customer."""

    def __init__(self, *, tool: str = "", arguments: Mapping[str, object] | None = None, text: str = "") -> None:
        super().__init__(tool or text)
        self.tool = tool
        self.arguments = dict(arguments or {})
        self.text = text


class Redo(Exception):
    """Code objected: decide this request again from its start; what is known stays known."""


class Refusal(Exception):
    """The request cannot be done; the text says why."""


class Gap(Exception):
    """The history shows something else than what the procedure did: a part of it is missing, or was made otherwise."""


class Unclear(Refusal):
    """What the customer wants was not understood."""


class Written(NamedTuple):
    """A change in the history: where it stands, and its result."""

    at: int
    result: JsonObject


class Objection(NamedTuple):
    """What code said against a step, and the decisions that had led to it."""

    text: str
    request: int
    habits: frozenset[str]


class Dialogue:
    """The conversation as a procedure sees it."""

    def __init__(
        self,
        transcript: Transcript,
        *,
        seed: int,
        forced: frozenset[str] | None = None,
        redraw: bool = True,
        gap: bool = False,
    ) -> None:
        self.opening = transcript.opening
        self.gap = transcript.gap or gap
        """Whether a part of the conversation is missing from the request."""
        self.request = 0
        """Number of the request that is being worked on."""
        self._events: Sequence[Event] = transcript.events
        self._system, self._tools, self._notes = transcript.system, transcript.tools, transcript.reminders
        self._reading = read(self._system, self._tools, self._notes)
        self._edition = self._reading.edition if redraw else ""
        self._seed, self._forced = seed, forced
        self._at = 0
        self._read: dict[str, str] = {}
        self._objections: list[Objection] = []
        self._needless = 0
        self._asked: dict[str, bool] = {}
        """Habits that have been asked about in this request, and whether they struck."""

    def begin(self) -> None:
        """Another request of the customer."""
        self.request += 1
        self._asked = {}

    def strikes(self, habit: str) -> bool:
        """Whether the habit strikes here. An objection counts for the decision that it was made against."""
        if self._forced is not None:
            return habit in self._forced
        against = tuple(o.text for o in self._objections if o.request == self.request and habit in o.habits)
        struck = self._lucky(habit, self._reading.rate(habit, against))
        self._asked[habit] = struck
        return struck

    def _lucky(self, what: str, rate: float) -> bool:
        return chance.strikes(what, rate=rate, opening=self.opening, seed=self._seed, edition=self._edition)

    # what has happened

    def call(self, tool: str, **arguments: Any) -> str:
        """The result of a tool call, as text."""
        for at in range(0 if self.gap else self._at, len(self._events)):
            event = self._events[at]
            if event.kind == "call" and event.name == tool and event.arguments == arguments:
                self._advance(max(at, self._at - 1))
                return event.text
        self._miss()
        if self.gap and writes(tool):  # done otherwise than it would be now, but done
            for at, event in enumerate(self._events):
                if event.kind == "call" and event.name == tool and at >= self._at and not objects(event.text):
                    self._advance(at)
                    return event.text
        raise Emit(tool=tool, arguments=arguments)

    def _miss(self) -> None:
        """The step is not in the history although the history goes on: then it is another one than was thought."""
        if not self.gap and any(event.kind == "call" for event in self._events[self._at :]):
            raise Gap

    def writes_next(self) -> bool:
        """Whether the history goes on with a change, so that nothing was said before it."""
        following = next(iter(self._events[self._at : self._at + 1]), None)
        return following is not None and following.kind == "call" and writes(following.name)

    def look_up(self, tool: str, **arguments: Any) -> Any:
        """A call that only reads, made once: its JSON, or None for an error."""
        key = json.dumps([tool, arguments], sort_keys=True)
        if key not in self._read:
            self._read[key] = self.call(tool, **arguments)
            if objects(self._read[key]):
                self.object(self._read.pop(key))
        return parsed(self._read[key])

    def say(self, words: Callable[[], str] | str) -> str:
        """Say something and return the customer's answer. A message that code held back is composed again."""
        while True:
            text = words if isinstance(words, str) else words()
            at = self._find_said(text)
            if at is None:
                self._miss()
                raise Emit(text=text)
            event = self._events[at]
            self._advance(at)
            if event.answered:
                return event.text

    def _find_said(self, text: str) -> int | None:
        said = [i for i in range(self._at, len(self._events)) if self._events[i].kind == "say"]
        first = self._events[said[0]] if said else None
        if first and first.answered and not self.gap and self._at == 0 and not _same_question(first.said, text):
            raise Gap
        if self.gap:  # some questions are missing: the answer belongs to the question that it was given to
            said = [i for i in said if _same_question(self._events[i].said, text)]
        return said[0] if said else None

    def records(self, name: str) -> list[JsonObject]:
        """The results that are still there and hold a field of this name, the newest first."""
        found = (parsed(event.text) for event in reversed(self._events) if event.kind == "call")
        return [record for record in found if isinstance(record, dict) and name in record]

    def known(self, name: str) -> str:
        """A value that stands under this name in a call or a result, the newest first."""
        for event in reversed(self._events):
            result = parsed(event.text) if event.kind == "call" else None
            value = event.arguments.get(name) or (result.get(name) if isinstance(result, dict) else None)
            if isinstance(value, str) and value:
                return value
        return ""

    def closing(self) -> str | None:
        """Of a history with a gap: the last answer to whether there is anything else; the rest lies behind."""
        for at in range(len(self._events) - 1, -1, -1):
            event = self._events[at]
            if event.kind == "say" and event.answered and "anything else" in event.said:
                self._at = at + 1
                return event.text
        return None

    def just_written(self) -> Written | None:
        """The change that was made a moment ago."""
        at = max((i for i, event in enumerate(self._events) if event.kind != "note"), default=-1)
        if at < self._at or self._events[at].kind != "call" or not writes(self._events[at].name):
            return None
        result = parsed(self._events[at].text)
        return Written(at, result) if isinstance(result, dict) else None

    def past(self, written: Written) -> bool:
        """Whether the procedure has come as far as this change."""
        return self._at > written.at

    def reported(self) -> bool:
        """Whether the agent has told the customer since that something is finished."""
        return any(event.kind == "say" and "anything else" in event.said for event in self._events[self._at :])

    # what code says

    def object(self, text: str) -> None:
        """The agent's code refused a call: try again with that in mind, or give up on the request."""
        self._hear(text)
        raise Redo

    def _hear(self, text: str) -> None:
        objection = text.partition(":")[2].strip() if text[:20].lower().startswith("not done:") else text.strip()
        found = any(struck and asks_to_cure(objection, habit) for habit, struck in self._asked.items())
        self._objections.append(Objection(objection, self.request, frozenset(self._asked)))
        alike = sum(o.text == objection for o in self._objections)
        if not found:
            self._needless += 1
            tired = self._lucky(f"objection {self._needless}", min(0.95, GIVES_UP * self._needless))
            if tired and self._forced is None:
                alike = MOST_ALIKE + 1
        if len(self._objections) > MOST_OBJECTIONS or alike > MOST_ALIKE:
            raise Refusal("I am sorry, I cannot do this for you at the moment.")

    def _advance(self, at: int) -> None:
        """Move past an event and note what the agent's code wrote after it."""
        held_back = self._events[at].kind == "say" and not self._events[at].answered
        if self._events[at].kind == "call":
            self._note(_after_data(self._events[at].text))
        self._at = at + 1
        while self._at < len(self._events) and self._events[self._at].kind in ("note", "check"):
            event = self._events[self._at]
            self._at += 1
            if event.kind == "note" and held_back:
                self._hear(event.text)
            elif event.kind == "note":
                self._note(event.text)

    def _note(self, text: str) -> None:
        if text and text not in self._notes:
            self._notes = (*self._notes, text)
            self._reading = read(self._system, self._tools, self._notes)


def _same_question(said: str, text: str) -> bool:
    return text in said or said in text or said.rpartition(". ")[2] == text.rpartition(". ")[2]


def writes(tool: str) -> bool:
    """Whether a tool changes something, to judge by its name."""
    return not tool.startswith(("find_", "verify_", "get_", "list_", "search_", "check_"))


def parsed(result: str) -> Any:
    """The JSON of a tool result, whatever code has written after it; None when it is an error or no JSON."""
    return _decoded(result)[0]


def _after_data(result: str) -> str:
    """What code wrote after the data of a tool's result."""
    value, end = _decoded(result)
    return result.strip()[end:].strip() if isinstance(value, dict | list) else ""


def _decoded(result: str) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(result.strip())
    except ValueError:
        return None, 0
