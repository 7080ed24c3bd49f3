"""The words in which a request type is declared: what the customer knows, what must be done and said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pydantic import JsonValue

from sigmaloop.eval.benchmarks.helpdesk.plain_text import compiled
from sigmaloop.eval.benchmarks.helpdesk.things import Thing

if TYPE_CHECKING:
    from sigmaloop.eval.benchmarks.helpdesk.scene import Scene

Domain = Literal["retail", "airline", "telecom"]


@dataclass(frozen=True)
class Call:
    """A tool call of the gold script."""

    tool: str
    arguments: Mapping[str, JsonValue]


@dataclass(frozen=True)
class Need:
    """Something that the agent has to say, in any wording."""

    kind: Literal["amount", "day", "phrase"]
    values: tuple[str, ...]
    """One amount ("64.5"), one ISO day, or alternatives of a phrase."""


def amount(dollars: float) -> Need:
    """A sum that must be named; signs do not matter."""
    return Need("amount", (f"{abs(dollars):.2f}",))


def day(iso: str) -> Need:
    return Need("day", (iso,))


def phrase(*alternatives: str) -> Need:
    return Need("phrase", alternatives)


@dataclass(frozen=True)
class Respect:
    """One respect in which a proposal can be wrong, as regular expressions over lower-case text."""

    right: str
    wrong: str
    answer: str
    """What the customer says then; starts with "No"."""
    strict: bool = False
    """Something wrong is too much, even beside what is right."""

    def met(self, text: str) -> bool:
        if not compiled(self.wrong).search(text):
            return True
        return not self.strict and compiled(self.right).search(text) is not None


@dataclass(frozen=True)
class Case:
    """One request of a customer, with everything filled in."""

    opening: str
    """The request as the conversation's first words."""
    later: str
    """The same as a second request; a whole sentence that starts with "I"."""
    topic: str
    """Regular expression for what an agent calls this matter."""
    facts: Mapping[str, str]
    """Slot to what the customer says when asked for it."""
    writes: tuple[Call, ...] = ()
    reads: tuple[Call, ...] = ()
    said: tuple[Need, ...] = ()
    confirm: str = ""
    """The gold script's question for a yes; empty: nothing is written."""
    tell: str = "This is done."
    """The gold script's closing statement; holds all that must be said."""
    correction: str = ""
    """Said once, in place of the yes."""
    insists: tuple[str, ...] = ()
    """Said one after the other when the agent refuses."""
    called: str = ""
    """The matter in two words, for a customer who is asked about two at once."""
    things: tuple[Thing, ...] = ()
    """What it is about."""
    respects: tuple[Respect, ...] = ()
    """In which respects a proposal for it can be wrong."""


@dataclass(frozen=True)
class RequestType:
    """A kind of request; `build` lays out its world and returns the case."""

    name: str
    domain: Domain
    weight: float
    """Relative frequency in production traffic."""
    build: Callable[[Scene, str], Case]
    variants: tuple[str, ...] = ("plain",)
    corrects: bool = False
    """Its builder makes a correction when the scene asks for one."""
    second: bool = True
    """May also be a customer's second request."""
    write: str = ""
    """The first write tool of its gold script; empty: it writes nothing."""
    called: str = "the request"
    """The matter in two words, as its customer calls it."""
    habits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Variant (or "" for all) to habits of weak agents that change its outcome."""

    def exposed(self, variant: str) -> tuple[str, ...]:
        """Habits that change the outcome in a variant."""
        return (*self.habits.get("", ()), *self.habits.get(variant, ()))
