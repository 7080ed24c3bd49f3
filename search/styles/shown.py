"""What a style reads and what it shows. Everything here is of training and of the run's own texts."""

from __future__ import annotations

from typing import Literal, Protocol

from sigmaloop.records import Record
from sigmaloop.search.words import Slot

StyleName = Literal["directed", "reflexion", "expel", "opro", "voyager"]
Writes = Literal["critique", "insight", "vote", "piece"]


class Critique(Record):
    """What the engineer said of a draft of its own that failed."""

    draft: str
    cluster: str
    number: int
    """Counted over the run: larger is newer."""
    text: str


class Insight(Record):
    """A rule drawn from a failed and a passed attempt at one task, and how often it was confirmed."""

    id: str
    text: str
    votes: int = 0


class Success(Record):
    """A trace that passed, and how near it lies to this slot's clusters."""

    rollout: str
    text: str
    similarity: float


class ScoredText(Record):
    """An earlier draft's added text and the z of its probes."""

    draft: str
    text: str
    z: float


class Piece(Record):
    """A kept addition, and how near it lies to this slot's clusters."""

    draft: str
    text: str
    similarity: float


class Memory(Record):
    """What the run remembers; the graph fills it from the journal and the index."""

    critiques: tuple[Critique, ...] = ()
    insights: tuple[Insight, ...] = ()
    successes: tuple[Success, ...] = ()
    texts: tuple[ScoredText, ...] = ()
    pieces: tuple[Piece, ...] = ()


class Item(Record):
    """One thing that is shown."""

    of: str
    """Id of what it is about."""
    text: str
    score: float | None = None


class Shown(Record):
    """What the engineer sees beside the clusters, in this order; and what it may write down besides its draft."""

    heading: str = ""
    items: tuple[Item, ...] = ()
    examples: tuple[Item, ...] = ()
    may_write: tuple[Writes, ...] = ()


class Style(Protocol):
    """Pure: the same memory and slot show the same."""

    def shows(self, slot: Slot, memory: Memory) -> Shown: ...
