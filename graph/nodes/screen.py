"""Between drafts and gates: everything that was written side by side joins here, is measured on training tasks, and
becomes a candidate, goes back to the engineer with a reason, or ends the round."""

from __future__ import annotations

from sigmaloop.graph.canaries import run_due_canaries
from sigmaloop.graph.choosing import choose
from sigmaloop.graph.drafting import gather_drafts
from sigmaloop.graph.events import DraftDone, Emit, RoundBegan
from sigmaloop.graph.screening import measure_groups, measure_parts
from sigmaloop.graph.search_facts import DRAFTED, DraftsWritten, SlotsAsked
from sigmaloop.graph.searching import Search, draft_ids, searching
from sigmaloop.graph.services import Services
from sigmaloop.graph.state import LoopState, LoopUpdate
from sigmaloop.graph.verdicts import write_verdict
from sigmaloop.search.words import Candidate, Measure, Nothing, ProbeParts, Redraft


def screen(state: LoopState, services: Services, emit: Emit) -> LoopUpdate:
    """Phase C: drafts are compared on training tasks; what survives becomes one candidate.

    The plain loop has one draft, nothing to compare, and passes through.
    """
    if not searching(services):
        return {}
    search = Search(services, state["search"])
    if search.asked:
        _gather(services, emit, search)
    while True:
        pick = search.strategy.pick(search.field)
        match pick:
            case Measure():
                measure_groups(services, emit, search, state["incumbent"])
            case ProbeParts():
                measure_parts(services, emit, search, pick)
            case Redraft():
                search.write(SlotsAsked(batch=search.batch, slots=pick.slots))
                emit(RoundBegan(round=search.field.round, slots=len(pick.slots), again=True))
                return {"search": search.head, "slots": draft_ids(search), "outcome": "redraft", "reason": "redraft"}
            case Candidate():
                if (update := _chosen(state, services, emit, search, pick)) is not None:
                    return update
            case Nothing():
                return {
                    "search": search.head,
                    "slots": [],
                    "candidate_id": None,
                    "verdicts": [],
                    "kept": False,
                    "outcome": "nothing",
                    "reason": "no_candidate",
                }


def _gather(services: Services, emit: Emit, search: Search) -> None:
    """What the parallel engineers wrote, as one fact."""
    drafts = gather_drafts(services, search)
    search.write(DraftsWritten(batch=search.batch, drafts=drafts))
    for draft in drafts:
        found = services.journal.load(DRAFTED, draft.id)
        if found is not None:
            emit(
                DraftDone(
                    id=draft.id,
                    cluster_id=draft.clusters[0],
                    kind=found.kind,
                    summary=found.summary,
                    refused=found.refused,
                )
            )


def _chosen(state: LoopState, services: Services, emit: Emit, search: Search, pick: Candidate) -> LoopUpdate | None:
    """The attempt that goes to the gates, or was refused before them; None where a merge left nothing."""
    if not pick.ungated:
        run_due_canaries(services, state, emit)
    chosen = choose(services, emit, state, search, pick)
    if chosen is None:
        return None
    intent, refusal = chosen
    begun: LoopUpdate = {
        "search": search.head,
        "slots": [],
        "attempt": intent.attempt,
        "attempts_total": intent.number,
        "candidate_id": intent.candidate_id,
        "verdicts": [],
        "kept": False,
    }
    if refusal is not None:
        names = write_verdict(services, emit, state, [], refusal)
        return {**begun, "verdicts": names, "outcome": "nothing", "reason": refusal.reason}
    if pick.ungated:
        return {**begun, "outcome": "ungated", "reason": "ungated"}
    return {**begun, "outcome": "ready", "reason": "screened"}
