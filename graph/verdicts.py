"""Verdicts on an attempt, as its way through the graph gives them, and the judge's reading of it."""

from __future__ import annotations

from sigmaloop.agents.lessons import training_figures
from sigmaloop.graph.briefing import BRIEFING
from sigmaloop.graph.events import Emit, VerdictGiven
from sigmaloop.graph.services import Services
from sigmaloop.graph.shown import target_trace
from sigmaloop.graph.state import LoopState
from sigmaloop.graph.tracing import note
from sigmaloop.memory.facts import JUDGEMENT, VERDICT
from sigmaloop.records import Candidate, GateName, Judgement, Verdict, digest

_TRACE = 14_000
"""Characters of the recording that the judge is shown."""
FAULT = "fault"
"""Reason of the verdict on an attempt that died twice of one exception."""


def write_verdict(services: Services, emit: Emit, state: LoopState, names: list[str], verdict: Verdict) -> list[str]:
    """Write a verdict down; returns the attempt's verdicts with it, in place of an earlier one of its gate.

    It is named by what it says, so that another way through the graph cannot replace it.
    """
    gate = f"{verdict.candidate_id}:{verdict.gate}"
    name = f"{gate}:{digest(verdict.model_dump(mode='json'))}"
    services.journal.save(VERDICT, name, verdict, batch=state["batch"])
    note(verdict=verdict.outcome, gate=verdict.gate, reason=verdict.reason, candidate_id=verdict.candidate_id)
    emit(VerdictGiven(verdict=verdict))
    return [*(known for known in names if known != gate and not known.startswith(f"{gate}:")), name]


def fault_verdict(candidate_id: str, gate: GateName, fault: str) -> Verdict:
    """The verdict on an attempt that died twice of one exception; `fault` describes it."""
    return Verdict(candidate_id=candidate_id, gate=gate, outcome="failed", reason=FAULT, message=fault)


def candidate_of(services: Services, state: LoopState) -> Candidate:
    """The attempt's candidate; it exists once the proposal was admitted."""
    candidate = services.history.candidate(state["candidate_id"])
    assert candidate is not None, f"candidate {state['candidate_id']} was recorded before its gates"
    return candidate


def ask_judge(services: Services, state: LoopState, candidate: Candidate) -> Judgement:
    """The gate judge's reading of this attempt; asked once, then read from the journal."""
    stored = services.journal.load(JUDGEMENT, candidate.id)
    if stored is not None:
        return stored
    verdicts = services.history.verdicts(state["verdicts"])
    brief = services.journal.load(BRIEFING, candidate.id)
    failed = any(verdict.outcome == "failed" for verdict in verdicts)
    # A change that failed at validation has targets that passed: then the recording shows what it did there.
    ways = (False, True) if failed else (True, False)
    traces = (target_trace(services, candidate.id, candidate.agent, passed=way, limit=_TRACE) for way in ways)
    judgement = services.judge.judge(
        candidate=candidate,
        cluster=services.history.clusters(state["incumbent"])[candidate.cluster_id],
        verdicts=verdicts,
        figures=training_figures(verdicts),
        trace=next(filter(None, traces), ""),
        program=brief.program if brief else "",
        scope=f"judge:{candidate.id}",
    )
    services.journal.save(JUDGEMENT, candidate.id, judgement, batch=candidate.batch)
    return judgement
