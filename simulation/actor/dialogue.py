"""Replays a conversation: a procedure is plain code that runs from the start on every request.

Each `call` and `say` of the procedure consumes the next recorded event of the conversation; the first one that finds
none becomes the model's answer (`Emit`). Since every decision depends on the request alone, the replay is consistent.
What the agent's own code puts in (a tool result `Not done: ...`, a message that the customer did not write) is read
as an objection: the point is decided again, with the objection in mind.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sigmaloop.simulation import chance
from sigmaloop.simulation.actor.transcript import Event, Transcript
from sigmaloop.simulation.reading import Reading

NOT_DONE = "Not done:"
MOST_OBJECTIONS, MOST_ALIKE = 12, 3
"""Objections after which the model gives up on a request: in all, and in the same words."""


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


class Dialogue:
    """The conversation as a procedure sees it."""

    def __init__(
        self, transcript: Transcript, reading: Reading, *, seed: int, forced: frozenset[str] | None = None
    ) -> None:
        self.opening = transcript.opening
        self.tools = transcript.tools
        self.objections: list[str] = list(transcript.reminders)
        self._events: Sequence[Event] = transcript.events
        self._reading, self._seed, self._forced = reading, seed, forced
        self._at = 0
        self._read: dict[str, str] = {}

    def strikes(self, habit: str) -> bool:
        """Whether the habit strikes here. An objection of the agent's code counts from where it was made."""
        if self._forced is not None:
            return habit in self._forced
        rate = self._reading.rate(habit, tuple(self.objections))
        return chance.strikes(habit, rate=rate, opening=self.opening, seed=self._seed)

    def call(self, tool: str, **arguments: Any) -> str:
        """The result of a tool call, as text."""
        for at in range(self._at, len(self._events)):
            event = self._events[at]
            if event.kind == "call" and event.name == tool and event.arguments == arguments:
                self._advance(at)
                return event.text
        raise Emit(tool=tool, arguments=arguments)

    def look_up(self, tool: str, **arguments: Any) -> Any:
        """A call that only reads, made once: its JSON, or None for an error."""
        key = json.dumps([tool, arguments], sort_keys=True)
        if key not in self._read:
            self._read[key] = self.call(tool, **arguments)
            if self._read[key].startswith(NOT_DONE):
                self.object(self._read.pop(key))
        return parsed(self._read[key])

    def say(self, words: Callable[[], str] | str) -> str:
        """Say something and return the customer's answer. A message that code held back is composed again."""
        while True:
            text = words if isinstance(words, str) else words()
            at = next((i for i in range(self._at, len(self._events)) if self._events[i].kind == "say"), None)
            if at is None:
                raise Emit(text=text)
            event = self._events[at]
            self._advance(at)
            if event.answered:
                return event.text

    def object(self, text: str) -> None:
        """The agent's code refused a call: try again with that in mind, or give up on the request."""
        objection = text.removeprefix(NOT_DONE).strip()
        self.objections.append(objection)
        if len(self.objections) > MOST_OBJECTIONS or self.objections.count(objection) > MOST_ALIKE:
            raise Refusal("I am sorry, I cannot do this for you at the moment.")
        raise Redo

    def _advance(self, at: int) -> None:
        """Move past an event and note what the agent's code wrote after it."""
        self._at = at + 1
        while self._at < len(self._events) and self._events[self._at].kind == "note":
            self.objections.append(self._events[self._at].text)
            self._at += 1


def parsed(result: str) -> Any:
    """The JSON of a tool result; None when it is an error or no JSON."""
    try:
        return json.loads(result)
    except ValueError:
        return None
