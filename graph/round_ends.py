"""What the search does between an attempt and the next: learn from the gate, go on with the round, or open another."""

from __future__ import annotations

from itertools import takewhile

from sigmaloop.graph.events import Emit, RoundBegan
from sigmaloop.graph.routing import goes_on
from sigmaloop.graph.search_facts import CandidateJudged, GroupsScreened, RoundEnded, RoundOpened, chain
from sigmaloop.graph.searching import Search, draft_ids, open_round
from sigmaloop.graph.services import Services
from sigmaloop.graph.state import LoopState, LoopUpdate
from sigmaloop.records import LedgerEntry
from sigmaloop.search.words import Nothing


def begin_round(services: Services, emit: Emit, state: LoopState) -> LoopUpdate | None:
    """The next round of this batch; None when there is nothing to do."""
    opened = open_round(
        services,
        state.get("search", ""),
        incumbent=state["incumbent"],
        batch=state["batch"],
        diversify=state.get("plateau") == "diversify",
    )
    return _going(emit, opened) if opened else None


def after_attempt(services: Services, emit: Emit, state: LoopState, entry: LedgerEntry) -> LoopUpdate:
    """What the gate's last word leads to. Appends facts; the caller's transaction holds them beside the ledger's."""
    search = Search(services, state["search"])
    made = services.history.rollouts_paid(f"decision:{entry.candidate_id}")
    search.write(
        CandidateJudged(
            batch=state["batch"],
            candidate_id=entry.candidate_id,
            outcome="passed" if entry.outcome == "kept" else "failed",
            reason=entry.reason,
            rollouts=made,
        )
    )
    return _next(services, emit, state, search)


def end_round(services: Services, emit: Emit, state: LoopState) -> LoopUpdate:
    """A round that led to no candidate, or to no other one: another begins, if this one measured anything."""
    search = Search(services, state["search"])
    steps = reversed(chain(services.journal, search.head))
    of_round = takewhile(lambda fact: not isinstance(fact, RoundOpened), steps)
    measured = any(isinstance(fact, GroupsScreened) and fact.rollouts for fact in of_round)
    return {**_next(services, emit, state, search, another=measured), "reason": "round_ended"}


def _next(services: Services, emit: Emit, state: LoopState, search: Search, *, another: bool = True) -> LoopUpdate:
    if goes_on(state):
        if not isinstance(search.strategy.pick(search.field), Nothing):
            return {"search": search.head, "slots": [], "outcome": "regroup"}
        opened = None
        if another:
            opened = open_round(
                services,
                search.head,
                incumbent=state["incumbent"],
                batch=state["batch"],
                diversify=state.get("plateau") == "diversify",
            )
        if opened:
            return _going(emit, opened)
    search.write(RoundEnded(batch=state["batch"], why="nothing more in this batch"))
    return {"search": search.head, "slots": [], "outcome": "onward"}


def _going(emit: Emit, opened: Search) -> LoopUpdate:
    if opened.asked:
        emit(RoundBegan(round=opened.field.round, slots=len(opened.asked), again=False))
        return {"search": opened.head, "slots": draft_ids(opened), "outcome": "try_again"}
    return {"search": opened.head, "slots": [], "outcome": "regroup"}
