"""One attempt: the engineer proposes, the gates judge, a person may be asked."""

from __future__ import annotations

from typing import cast

from langgraph.types import interrupt

from sigmaloop.errors import InadmissibleChange, SpecialistError
from sigmaloop.gate.finding import Finding
from sigmaloop.graph.canaries import run_due_canaries
from sigmaloop.graph.drafting import refuse_draft, write_draft
from sigmaloop.graph.events import AttemptStarted, ChangeJudged, Emit, Paused, Proposed
from sigmaloop.graph.judging import AttemptJudge
from sigmaloop.graph.outage import cause_of, with_cause
from sigmaloop.graph.proposing import admit, intend, propose_change
from sigmaloop.graph.rollouts import RESUME
from sigmaloop.graph.searching import Search
from sigmaloop.graph.services import Services
from sigmaloop.graph.state import DraftTask, Gate, LoopState, LoopUpdate
from sigmaloop.graph.verdicts import FAULT, ask_judge, candidate_of, fault_verdict, write_verdict
from sigmaloop.memory.facts import AttemptIntended
from sigmaloop.records import Candidate, Cluster, GateName, Verdict
from sigmaloop.search.words import Slot

_YES = frozenset({"approve", "approved", "yes"})
_NO = frozenset({"decline", "declined", "no"})
LONGEST_MESSAGE = 500
"""Characters of a verdict's message that come from somebody else's error."""


def propose(state: LoopState | DraftTask, services: Services, emit: Emit) -> LoopUpdate:
    """Phase C: the harness engineer makes one focused change to the one editable file."""
    if "draft_id" in state:
        task = cast(DraftTask, state)
        search = Search(services, task["search"])
        write_draft(services, emit, search, _slot(search, task["draft_id"]))
        return {}
    return _attempted(state, services, emit)


def _attempted(state: LoopState, services: Services, emit: Emit) -> LoopUpdate:
    """The one change of the plain loop."""
    run_due_canaries(services, state, emit)
    cluster = _cluster(services, state)
    intent = intend(services, state, cluster)
    emit(AttemptStarted(id=intent.candidate_id, attempt=intent.attempt, cluster_id=cluster.id, title=cluster.title))
    parent = services.versions.source(state["incumbent"])
    try:
        candidate = propose_change(services, emit, intent, cluster, parent)
        emit(Proposed(id=candidate.id, kind=candidate.kind, summary=candidate.summary))
        admit(services, candidate, parent)
    except (SpecialistError, InadmissibleChange) as problem:
        code = problem.code if isinstance(problem, InadmissibleChange) else "no_proposal"
        verdict = Verdict(
            candidate_id=intent.candidate_id,
            gate="admission",
            outcome="failed",
            reason=code,
            message=str(problem)[:LONGEST_MESSAGE],
        )
        return _unusable(services, emit, state, intent, verdict)
    return {**_begun(intent), "verdicts": [], "outcome": "ready", "reason": "proposed"}


def regression_gate(state: LoopState, services: Services, emit: Emit) -> LoopUpdate:
    """First gate: the change helps what it was made for, and at least 80 % of the regression suite still passes."""
    candidate, attempt_judge = candidate_of(services, state), AttemptJudge(services, emit)
    inputs = attempt_judge.prepare_inputs(candidate, batch=state["batch"])
    names = state["verdicts"]
    aimed = attempt_judge.measure(candidate, inputs, "cluster_tasks")
    if aimed.total or aimed.outcome != "passed":  # the published rule has no cluster tasks
        names = write_verdict(services, emit, state, names, aimed.verdict(candidate.id))
    if aimed.outcome != "passed":
        return _decided("regression_gate", aimed, names)
    finding = attempt_judge.measure(candidate, inputs, "regression")
    names = write_verdict(services, emit, state, names, finding.verdict(candidate.id))
    return _decided("regression_gate", finding, names)


def validation_gate(state: LoopState, services: Services, emit: Emit) -> LoopUpdate:
    """Second gate: held-out validation is not below the best seen."""
    candidate, attempt_judge = candidate_of(services, state), AttemptJudge(services, emit)
    inputs = attempt_judge.prepare_inputs(candidate, batch=state["batch"])
    finding = attempt_judge.measure(candidate, inputs, "validation")
    names = write_verdict(services, emit, state, state["verdicts"], finding.verdict(candidate.id))
    return _decided("validation_gate", finding, names)


def pause(state: LoopState, services: Services, emit: Emit) -> LoopUpdate:
    """An infrastructure fault is no verdict: wait for a person, then try the same gate again."""
    verdict = services.history.verdicts(state["verdicts"])[-1]
    message = with_cause(verdict.message, cause_of(services, candidate_of(services, state).agent))
    emit(Paused(stage=verdict.gate, message=message))
    interrupt({"reason": verdict.reason, "message": message, "then": "resume tries the same gate again"})
    return {"reason": "resumed"}


def review(state: LoopState, services: Services, emit: Emit) -> LoopUpdate:
    """The gate judge reads the change and may veto it; a person is asked where the settings say so."""
    candidate = candidate_of(services, state)
    judgement = ask_judge(services, state, candidate)
    emit(ChangeJudged(classification=judgement.classification, veto=judgement.veto))
    figures = [f"{v.gate}: {v.outcome}. {v.message}" for v in services.history.verdicts(state["verdicts"])]
    gate: GateName
    if judgement.veto:
        gate, reason, message = "judge", f"vetoed_{judgement.classification}", judgement.explanation
    elif services.settings.review == "person" and not _approved(candidate, judgement.explanation, figures):
        gate, reason, message = "review", "declined_by_person", "A person declined the change."
    else:
        return {"outcome": "approved", "reason": "approved"}
    verdict = Verdict(
        candidate_id=candidate.id, gate=gate, outcome="failed", reason=reason, message=message[:LONGEST_MESSAGE]
    )
    names = write_verdict(services, emit, state, state["verdicts"], verdict)
    return {"verdicts": names, "outcome": "declined", "reason": reason}


# How an attempt ends that died twice of one exception; `fault` describes it.


def propose_nothing(state: LoopState | DraftTask, services: Services, emit: Emit, fault: str) -> LoopUpdate:
    """While its change was made or admitted."""
    if "draft_id" in state:
        task = cast(DraftTask, state)
        search = Search(services, task["search"])
        refuse_draft(services, search, _slot(search, task["draft_id"]), fault)
        return {}
    intent = intend(services, state, _cluster(services, state))
    return _unusable(services, emit, state, intent, fault_verdict(intent.candidate_id, "admission", fault))


def stop_at_regression(state: LoopState, services: Services, emit: Emit, fault: str) -> LoopUpdate:
    """At the first gate."""
    return {**_stopped(state, services, emit, "regression", fault), "outcome": "failed"}


def stop_at_validation(state: LoopState, services: Services, emit: Emit, fault: str) -> LoopUpdate:
    """At the second gate."""
    return {**_stopped(state, services, emit, "validation", fault), "outcome": "failed"}


def stop_at_review(state: LoopState, services: Services, emit: Emit, fault: str) -> LoopUpdate:
    """Where the judge reads the change."""
    return {**_stopped(state, services, emit, "judge", fault), "outcome": "declined"}


def _stopped(state: LoopState, services: Services, emit: Emit, gate: GateName, fault: str) -> LoopUpdate:
    verdict = fault_verdict(str(state["candidate_id"]), gate, fault)
    names = write_verdict(services, emit, state, state["verdicts"], verdict)
    return {"verdicts": names, "reason": FAULT, "paused_gate": None}


def _slot(search: Search, draft_id: str) -> Slot:
    return next(slot for slot in search.asked if slot.draft_id == draft_id)


def _cluster(services: Services, state: LoopState) -> Cluster:
    assert state["cluster_id"] is not None, "an attempt is made for a cluster"
    return services.history.clusters(state["incumbent"])[state["cluster_id"]]


def _begun(intent: AttemptIntended) -> LoopUpdate:
    return {"attempt": intent.attempt, "attempts_total": intent.number, "candidate_id": intent.candidate_id}


def _unusable(
    services: Services, emit: Emit, state: LoopState, intent: AttemptIntended, verdict: Verdict
) -> LoopUpdate:
    names = write_verdict(services, emit, state, [], verdict)
    return {**_begun(intent), "verdicts": names, "outcome": "unusable", "reason": verdict.reason}


def _decided(gate: Gate, finding: Finding, names: list[str]) -> LoopUpdate:
    """Where a finding sends the attempt."""
    paused = gate if finding.outcome == "indecisive" else None
    return {"verdicts": names, "outcome": finding.outcome, "reason": finding.reason, "paused_gate": paused}


def _approved(candidate: Candidate, explanation: str, figures: list[str]) -> bool:
    """Ask a person until the answer is a clear one; "resume", which ends a pause, is no answer."""
    question: dict[str, object] = {
        "question": f"Keep {candidate.id}?",
        "summary": candidate.summary,
        "hypothesis": candidate.hypothesis,
        "figures": figures,
        "judge": explanation,
        "diff": candidate.diff,
        "answers": ["approve", "decline"],
    }
    while True:
        answer = str(interrupt(question)).strip().lower()
        if answer in _YES | _NO:
            return answer in _YES
        # "resume" was the answer to an outage which paused this node before.
        problem = "" if answer == RESUME else f"{answer[:60]!r} is no answer: give approve or decline"
        question = {**question, "problem": problem} if problem else question
