"""One attempt: the engineer proposes, the gates judge, a person may be asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langgraph.types import interrupt

from sigmaloop.errors import InadmissibleChange, SpecialistError
from sigmaloop.eval.finding import Finding
from sigmaloop.graph.briefing import brief_for, hands_for
from sigmaloop.graph.law import measure, sing, standing_of
from sigmaloop.graph.observe import clusters_of
from sigmaloop.graph.outage import RESUMED, cause_of, with_cause
from sigmaloop.graph.prepare import smoke_session
from sigmaloop.graph.services import Services
from sigmaloop.graph.state import LoopState
from sigmaloop.graph.tracing import note
from sigmaloop.records import (
    Candidate,
    Cluster,
    Judgement,
    LedgerEntry,
    Proposal,
    Verdict,
    agent_hash,
)
from sigmaloop.tools.dry_run import dry_run
from sigmaloop.tools.edits import check_change, unified_diff

Emit = Callable[[dict[str, Any]], None]


def propose(state: LoopState, services: Services, emit: Emit) -> dict[str, Any]:
    """Phase C: the harness engineer makes one focused change to the one editable file."""
    assert state["cluster_id"] is not None
    number, attempt = state["attempts_total"] + 1, state["attempt"] + 1
    sing(services, state, emit)
    cluster = clusters_of(services)[state["cluster_id"]]
    candidate_id = _intend(services, state, number, attempt, cluster)
    emit(
        {
            "event": "attempt",
            "id": candidate_id,
            "attempt": attempt,
            "cluster_id": cluster.id,
            "title": cluster.title,
        }
    )
    parent_source = services.versions.source(state["incumbent"])
    outcome: dict[str, Any] = {"attempt": attempt, "attempts_total": number, "candidate_id": candidate_id}
    try:
        brief = brief_for(services, cluster, attempt, len(parent_source))
        proposal = services.engineer.propose(brief, hands_for(services, parent_source), scope=f"propose:{candidate_id}")
        candidate = _record(services, state, candidate_id, attempt, cluster, parent_source, proposal)
        emit({"event": "proposal", "id": candidate_id, "kind": candidate.kind, "summary": candidate.summary})
        _admit(services, parent_source, candidate, proposal.source)
    except (SpecialistError, InadmissibleChange) as problem:
        code = problem.code if isinstance(problem, InadmissibleChange) else "no_proposal"
        _rule(services, state, Verdict(
            candidate_id=candidate_id, gate="admission", outcome="failed", reason=code, message=str(problem)[:500]
        ), emit)  # fmt: skip
        return {**outcome, "next": "unusable", "reason": code}
    return {**outcome, "next": "ready", "reason": "proposed"}


def regression_gate(state: LoopState, services: Services, emit: Emit) -> dict[str, Any]:
    """First gate: the change helps what it was made for, and at least 80 % of the regression suite still passes."""
    candidate = candidate_of(services, state)
    standing = standing_of(services, state, emit, candidate)
    aimed, _ = measure(services, emit, candidate, standing, "targets")
    if aimed.total:  # the published rule has no targets
        _rule(services, state, aimed.verdict(candidate.id), emit)
    if aimed.outcome != "passed":
        return _sent("regression_gate", aimed)
    finding, _ = measure(services, emit, candidate, standing, "regression")
    _rule(services, state, finding.verdict(candidate.id), emit)
    return _sent("regression_gate", finding)


def validation_gate(state: LoopState, services: Services, emit: Emit) -> dict[str, Any]:
    """Second gate: held-out validation is not below the best seen."""
    candidate = candidate_of(services, state)
    standing = standing_of(services, state, emit, candidate)
    finding, _ = measure(services, emit, candidate, standing, "validation")
    _rule(services, state, finding.verdict(candidate.id), emit)
    return _sent("validation_gate", finding)


def pause(state: LoopState, services: Services, emit: Emit) -> dict[str, Any]:
    """An infrastructure fault is no verdict: wait for a person, then try the same gate again."""
    verdict = verdicts_of(services, state)[-1]
    message = with_cause(verdict.message, cause_of(services, candidate_of(services, state).agent))
    emit({"event": "paused", "gate": verdict.gate, "message": message})
    interrupt({"reason": verdict.reason, "message": message, "then": "resume tries the same gate again"})
    return {"reason": "resumed"}


def review(state: LoopState, services: Services, emit: Emit) -> dict[str, Any]:
    """The gate judge reads the change and may veto it; a person is asked where the settings say so."""
    candidate = candidate_of(services, state)
    judgement = judge(services, state)
    emit({"event": "judged", "classification": judgement.classification, "veto": judgement.veto})
    if judgement.veto:
        gate, reason, message = "judge", f"vetoed_{judgement.classification}", judgement.explanation
    elif services.settings.review == "person" and not _approved(candidate, judgement.explanation):
        gate, reason, message = "review", "declined_by_person", "A person declined the change."
    else:
        return {"next": "approved", "reason": "approved"}
    _rule(services, state, Verdict(
        candidate_id=candidate.id, gate=gate, outcome="failed", reason=reason, message=message[:500]  # type: ignore[arg-type]
    ), emit)  # fmt: skip
    return {"next": "declined", "reason": reason}


def judge(services: Services, state: LoopState) -> Judgement:
    """The gate judge's reading of this attempt; asked once, then read from the journal."""
    candidate = candidate_of(services, state)
    stored = services.journal.get("judgement", candidate.id)
    if stored is not None:
        return Judgement.model_validate(stored)
    cluster = clusters_of(services)[candidate.cluster_id]
    judgement = services.judge.judge(
        candidate=candidate,
        cluster=cluster,
        verdicts=verdicts_of(services, state),
        scope=f"judge:{candidate.id}",
    )
    services.journal.put("judgement", candidate.id, judgement.model_dump(mode="json"), batch=candidate.batch)
    return judgement


def candidate_of(services: Services, state: LoopState) -> Candidate:
    """The attempt's candidate; it exists once the proposal was admitted."""
    payload = services.journal.get("candidate", str(state["candidate_id"]))
    assert payload is not None, f"candidate {state['candidate_id']} was recorded before its gates"
    return Candidate.model_validate(payload)


def verdicts_of(services: Services, state: LoopState) -> list[Verdict]:
    """Every verdict on this attempt, in the order of the gates."""
    found = []
    for gate in ("admission", "targets", "regression", "validation", "judge", "review"):
        payload = services.journal.get("verdict", f"{state['candidate_id']}:{gate}")
        if payload is not None:
            found.append(Verdict.model_validate(payload))
    return found


def _sent(gate: str, finding: Finding) -> dict[str, Any]:
    """Where a finding sends the attempt."""
    paused = gate if finding.outcome == "indecisive" else None
    return {"next": finding.outcome, "reason": finding.reason, "paused_gate": paused}


def _rule(services: Services, state: LoopState, verdict: Verdict, emit: Emit) -> None:
    services.journal.put(
        "verdict",
        f"{verdict.candidate_id}:{verdict.gate}",
        verdict.model_dump(mode="json"),
        batch=state["batch"],
    )
    note(verdict=verdict.outcome, gate=verdict.gate, reason=verdict.reason, candidate_id=verdict.candidate_id)
    emit({"event": "verdict", **verdict.model_dump(mode="json")})


def _intend(services: Services, state: LoopState, number: int, attempt: int, cluster: Cluster) -> str:
    """Write down what is about to be tried. A fork that tries something else here gets an id of its own."""
    intent = {
        "batch": state["batch"],
        "attempt": attempt,
        "cluster_id": cluster.id,
        "parent": state["incumbent"],
        "best_units": state["best_units"],
    }
    for fork in range(100):
        candidate_id = f"A{number:04d}" if fork == 0 else f"A{fork}{number:04d}"
        known = services.journal.event(f"attempt:{candidate_id}")
        if known is None or known.payload == intent:
            services.journal.append("attempt", f"attempt:{candidate_id}", intent, batch=state["batch"])
            return candidate_id
    raise AssertionError("a hundred forks of one attempt")


def _admit(services: Services, parent: str, candidate: Candidate, source: str) -> None:
    """Free checks before any rollout is paid. Raises InadmissibleChange."""
    texts, policies = services.task_texts
    check_change(parent, source, task_ids=services.tasks.keys(), texts=texts, public=policies)
    rejected = [LedgerEntry.model_validate(e.payload) for e in services.journal.events("ledger")]
    if any(e.diff_hash == candidate.diff_hash and e.outcome == "rejected" for e in rejected):
        raise InadmissibleChange("repeated", "this very change was rejected before; try a different approach")
    tried = dry_run(services.supervisor, source, **smoke_session(services.benchmark))
    if not tried.ok:
        raise InadmissibleChange("smoke_test", f"the changed agent fails its smoke test: {tried.detail}")


def _record(
    services: Services,
    state: LoopState,
    candidate_id: str,
    attempt: int,
    cluster: Cluster,
    parent_source: str,
    proposal: Proposal,
) -> Candidate:
    """Keep the attempt as an object of the run's repository, with its evidence in the message."""
    failures: Sequence[str] = [f.id for f in cluster.failures]
    message = (
        f"{candidate_id}: {proposal.summary}\n\n{proposal.hypothesis}\n\n"
        f"Cluster: {cluster.id} {cluster.title}\nFailures: {', '.join(failures)}\n"
        f"Kind: {proposal.kind}\nBatch: {state['batch']}\nAttempt: {attempt}\n"
    )
    commit = services.versions.record(candidate_id, state["incumbent"], proposal.source, message)
    candidate = Candidate(
        id=candidate_id,
        batch=state["batch"],
        attempt=attempt,
        cluster_id=cluster.id,
        parent=state["incumbent"],
        commit=commit,
        agent=agent_hash(proposal.source),
        hypothesis=proposal.hypothesis,
        kind=proposal.kind,
        summary=proposal.summary,
        diff=unified_diff(parent_source, proposal.source),
    )
    services.journal.put("candidate", candidate_id, candidate.model_dump(mode="json"), batch=state["batch"])
    return candidate


def _approved(candidate: Candidate, explanation: str) -> bool:
    """Ask a person; anything but a clear yes declines."""
    question = {
        "question": f"Keep {candidate.id}?",
        "summary": candidate.summary,
        "hypothesis": candidate.hypothesis,
        "judge": explanation,
        "diff": candidate.diff,
        "answers": ["approve", "decline"],
    }
    while (answer := interrupt(question)) == RESUMED:
        pass  # that was the answer to an outage which paused this node before
    return str(answer).strip().lower() in {"approve", "approved", "yes"}
