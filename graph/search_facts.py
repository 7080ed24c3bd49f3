"""What the search of a run has done, as facts: each names the one before it, so that a fork goes on from its own.

The state of the graph carries the id of the newest one; `graph/searching.py` folds the chain behind it.
"""

from __future__ import annotations

from typing import NamedTuple

from pydantic import Field

from sigmaloop.memory.facts import Briefed, Fact, RecordKind
from sigmaloop.memory.journal import Journal
from sigmaloop.records import ChangeKind, LedgerPart, Outcome, Record, digest
from sigmaloop.search.words import Candidate, Draft, OpenCluster, Screening, Slot


class SearchFact(Fact):
    """One step of the search."""

    after: str = ""
    """Id of the step before; empty for the first."""

    @property
    def id(self) -> str:
        return f"{self.kind}:{digest(self.payload(), size=16)}"


class RoundOpened(SearchFact):
    """A round begins with these clusters, in rank order."""

    kind = "round_opened"
    number: int = Field(ge=1)
    incumbent: str
    """Commit that the round's drafts are written on."""
    clusters: tuple[OpenCluster, ...]
    suite: tuple[str, ...] = ()
    diversify: bool = False


class SlotsAsked(SearchFact):
    """What the engineer is asked for next; written before anybody is asked."""

    kind = "slots_asked"
    slots: tuple[Slot, ...]


class DraftsWritten(SearchFact):
    """What came back for every slot, those that cannot be used included."""

    kind = "drafts_written"
    drafts: tuple[Draft, ...]


class GroupsScreened(SearchFact):
    """What groups showed on training tasks."""

    kind = "groups_screened"
    screenings: tuple[Screening, ...]
    incumbent: str
    """`agent_hash` of the incumbent."""
    banked: tuple[tuple[str, int], ...] = ()
    """Task and trial of its own rollouts beside them."""
    rollouts: int = Field(default=0, ge=0)


class CandidateChosen(SearchFact):
    """Drafts go to the gate, or kept parts are to be taken out."""

    kind = "candidate_chosen"
    candidate_id: str
    """Of the attempt; empty where the merge left nothing."""
    candidate: Candidate
    conflicts: dict[str, str] = {}
    """Why a draft was left out, by its id."""


class CandidateJudged(SearchFact):
    """The gate's last word."""

    kind = "candidate_judged"
    candidate_id: str
    outcome: Outcome
    reason: str
    rollouts: int = Field(default=0, ge=0)
    """That the attempt cost."""


class PartsTested(SearchFact):
    """What kept parts do, measured in halves."""

    kind = "parts_tested"
    effects: dict[str, tuple[float, float]]
    """Effect and standard error by draft, in shares of score."""
    rollouts: int = Field(ge=0)


class RoundEnded(SearchFact):
    """Nothing more is to be done in this batch."""

    kind = "round_ended"
    why: str


SEARCH_FACTS: dict[str, type[SearchFact]] = {
    fact.kind: fact
    for fact in (
        RoundOpened, SlotsAsked, DraftsWritten, GroupsScreened, CandidateChosen, CandidateJudged, PartsTested,
        RoundEnded,
    )
}  # fmt: skip


def chain(journal: Journal, head: str) -> list[SearchFact]:
    """The steps up to `head`, the oldest first; none for an empty head. Raises KeyError for an unknown one."""
    found: list[SearchFact] = []
    while head:
        event = journal.event(head)
        if event is None:
            raise KeyError(head)
        found.append(fact := SEARCH_FACTS[event.kind].of(event))
        head = fact.after
    return found[::-1]


class Drafted(Record):
    """What a slot was answered with, and why it cannot be used."""

    source: str = ""
    """The whole changed text; empty where nothing was handed in."""
    kind: ChangeKind = "prompt"
    summary: str = "(no usable change)"
    hypothesis: str = ""
    refused: str = ""
    """Why it is not admitted; empty: it is."""
    briefed: Briefed | None = None
    """What the engineer was shown; None where none was asked."""


class Composed(Record):
    """What a candidate is made of."""

    parts: tuple[LedgerPart, ...] = ()
    removes: tuple[str, ...] = ()
    """Kept parts that it takes out."""
    ungated: bool = False


class Layer(NamedTuple):
    """Parts that were kept together, and the commit that they were written on."""

    base: str
    drafts: tuple[str, ...]


DRAFTED = RecordKind("drafted", Drafted)
"""By draft id."""
COMPOSED = RecordKind("composed", Composed)
"""By attempt id; an attempt of one draft that nobody screened has none."""
