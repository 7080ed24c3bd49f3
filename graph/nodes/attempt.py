"""One attempt: the engineer proposes, the gates judge, a person may be asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Literal

from langgraph.types import interrupt

from sigmaloop.errors import InadmissibleChange, SpecialistError
from sigmaloop.gate.finding import Finding
from sigmaloop.graph.briefing import brief_for, tools_for
from sigmaloop.graph.judging import clusters_of, measure, prepare_inputs, run_due_canaries
from sigmaloop.graph.outage import cause_of, with_cause
from sigmaloop.graph.rehearsal import rehearse
from sigmaloop.graph.rollouts import RESUME
from sigmaloop.graph.services import Services
from sigmaloop.graph.state import LoopState
from sigmaloop.graph.tracing import note
from sigmaloop.records import (
    Candidate,
    Cluster,
    GateName,
    Judgement,
    LedgerEntry,
    Proposal,
    Verdict,
    agent_hash,
    digest,
)
from sigmaloop.tools.changes.edits import check_change, unified_diff
from sigmaloop.tools.changes.programs import edit_of, same_program

Emit = Callable[[dict[str, Any]], None]
FAULT = "fault"
"""Reason of the verdict on an attempt that died twice of one exception."""


def propose(state: LoopState, services: Services, emit: Emit) -> dict[str, Any]:
    """Phase C: the harness engineer makes one focused change to the one editable file."""
    assert state["cluster_id"] is not None
    number, attempt = state["attempts_total"] + 1, state["attempt"] + 1
    run_due_canaries(services, state, emit)
    cluster = clusters_of(services, state["incumbent"])[state["cluster_id"]]
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
        proposal = _proposed(services, state, candidate_id, attempt, cluster, parent_source)
        candidate = _record(services, state, candidate_id, attempt, cluster, parent_source, proposal)
        emit({"event": "proposal", "id": candidate_id, "kind": candidate.kind, "summary": candidate.summary})
        _admit(services, parent_source, candidate, proposal.source)
    except (SpecialistError, InadmissibleChange) as problem:
        code = problem.code if isinstance(problem, InadmissibleChange) else "no_proposal"
        verdict = Verdict(
            candidate_id=candidate_id, gate="admission", outcome="failed", reason=code, message=str(problem)[:500]
        )
        names = _rule(services, state, [], verdict, emit)
        return {**outcome, "verdicts": names, "next": "unusable", "reason": code}
    return {**outcome, "verdicts": [], "next": "ready", "reason": "proposed"}


def regression_gate(state: LoopState, services: Services, emit: Emit) -> dict[str, Any]:
    """First gate: the change helps what it was made for, and at least 80 % of the regression suite still passes."""
    candidate = candidate_of(services, state)
    inputs = prepare_inputs(services, state, emit, candidate)
    names = _names(state)
    aimed, _ = measure(services, emit, candidate, inputs, "cluster_tasks")
    if aimed.total or aimed.outcome != "passed":  # the published rule has no targets
        names = _rule(services, state, names, aimed.verdict(candidate.id), emit)
    if aimed.outcome != "passed":
        return _sent("regression_gate", aimed, names)
    finding, _ = measure(services, emit, candidate, inputs, "regression")
    names = _rule(services, state, names, finding.verdict(candidate.id), emit)
    return _sent("regression_gate", finding, names)


def validation_gate(state: LoopState, services: Services, emit: Emit) -> dict[str, Any]:
    """Second gate: held-out validation is not below the best seen."""
    candidate = candidate_of(services, state)
    inputs = prepare_inputs(services, state, emit, candidate)
    finding, _ = measure(services, emit, candidate, inputs, "validation")
    names = _rule(services, state, _names(state), finding.verdict(candidate.id), emit)
    return _sent("validation_gate", finding, names)


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
    verdict = Verdict(
        candidate_id=candidate.id, gate=gate, outcome="failed", reason=reason, message=message[:500]  # type: ignore[arg-type]
    )  # fmt: skip
    return {"verdicts": _rule(services, state, _names(state), verdict, emit), "next": "declined", "reason": reason}


def propose_nothing(state: LoopState, services: Services, emit: Emit, said: str) -> dict[str, Any]:
    """How an attempt ends that died twice of one exception while its change was made or admitted."""
    assert state["cluster_id"] is not None
    number, attempt = state["attempts_total"] + 1, state["attempt"] + 1
    cluster = clusters_of(services, state["incumbent"])[state["cluster_id"]]
    candidate_id = _intend(services, state, number, attempt, cluster)
    names = _rule(services, state, [], _fault(candidate_id, "admission", said), emit)
    return {
        "attempt": attempt,
        "attempts_total": number,
        "candidate_id": candidate_id,
        "verdicts": names,
        "next": "unusable",
        "reason": FAULT,
    }


def stop_at_regression(state: LoopState, services: Services, emit: Emit, said: str) -> dict[str, Any]:
    """The same at the first gate."""
    return _stopped(state, services, emit, _fault(str(state["candidate_id"]), "regression", said), "failed")


def stop_at_validation(state: LoopState, services: Services, emit: Emit, said: str) -> dict[str, Any]:
    """The same at the second gate."""
    return _stopped(state, services, emit, _fault(str(state["candidate_id"]), "validation", said), "failed")


def stop_at_review(state: LoopState, services: Services, emit: Emit, said: str) -> dict[str, Any]:
    """The same where the judge reads the change."""
    return _stopped(state, services, emit, _fault(str(state["candidate_id"]), "judge", said), "declined")


def _stopped(
    state: LoopState, services: Services, emit: Emit, verdict: Verdict, sent: Literal["failed", "declined"]
) -> dict[str, Any]:
    names = _rule(services, state, _names(state), verdict, emit)
    return {"verdicts": names, "next": sent, "reason": verdict.reason, "paused_gate": None}


def _fault(candidate_id: str, gate: GateName, said: str) -> Verdict:
    return Verdict(candidate_id=candidate_id, gate=gate, outcome="failed", reason=FAULT, message=said)


def judge(services: Services, state: LoopState) -> Judgement:
    """The gate judge's reading of this attempt; asked once, then read from the journal."""
    candidate = candidate_of(services, state)
    stored = services.journal.get("judgement", candidate.id)
    if stored is not None:
        return Judgement.model_validate(stored)
    cluster = clusters_of(services, state["incumbent"])[candidate.cluster_id]
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
    """Every verdict on this attempt on this way through the graph, in the order of the gates."""
    found = [services.journal.get("verdict", name) for name in _names(state)]
    return [Verdict.model_validate(payload) for payload in found if payload is not None]


def _names(state: LoopState) -> list[str]:
    """What the attempt's verdicts are called in the journal. A state of before they had names of their own has none."""
    if "verdicts" in state:
        return state["verdicts"]
    gates = ("admission", "cluster_tasks", "regression", "validation", "judge", "review")
    return [f"{state['candidate_id']}:{gate}" for gate in gates]


def _sent(gate: str, finding: Finding, names: list[str]) -> dict[str, Any]:
    """Where a finding sends the attempt."""
    paused = gate if finding.outcome == "indecisive" else None
    return {"verdicts": names, "next": finding.outcome, "reason": finding.reason, "paused_gate": paused}


def _rule(services: Services, state: LoopState, names: list[str], verdict: Verdict, emit: Emit) -> list[str]:
    """Write a verdict down; returns the attempt's verdicts with it, in place of an earlier one of its gate.

    It is named by what it says, so that another way through the graph cannot replace it.
    """
    gate, said = f"{verdict.candidate_id}:{verdict.gate}", verdict.model_dump(mode="json")
    name = f"{gate}:{digest(said)}"
    services.journal.put("verdict", name, said, batch=state["batch"])
    note(verdict=verdict.outcome, gate=verdict.gate, reason=verdict.reason, candidate_id=verdict.candidate_id)
    emit({"event": "verdict", **said})
    return [*(known for known in names if known != gate and not known.startswith(f"{gate}:")), name]


def _intend(services: Services, state: LoopState, number: int, attempt: int, cluster: Cluster) -> str:
    """Write down what is about to be tried. A fork gets an id of its own when it tries something else here, or when
    the attempt is over; one that was merely interrupted is taken up again."""
    intent = {
        "number": number,
        "batch": state["batch"],
        "attempt": attempt,
        "cluster_id": cluster.id,
        "parent": state["incumbent"],
        "best_micros": state["best_micros"],
    }
    for fork in count():
        candidate_id = f"A{number:04d}" if fork == 0 else f"A{fork}{number:04d}"
        known = services.journal.event(f"attempt:{candidate_id}")
        if known is None:
            services.journal.append("attempt", f"attempt:{candidate_id}", intent, batch=state["batch"])
            return candidate_id
        if {"number": number, **known.payload} == intent and not services.journal.event(f"ended:{candidate_id}"):
            return candidate_id
    raise AssertionError("there is always another id")


def _proposed(
    services: Services, state: LoopState, candidate_id: str, attempt: int, cluster: Cluster, parent_source: str
) -> Proposal:
    """The engineer's change; asked for once, then read from the journal: an attempt is about one change."""
    stored = services.journal.get("proposal", candidate_id)
    if stored is not None:
        return Proposal.model_validate(stored)
    incumbent = state["incumbent"]
    brief = brief_for(services, incumbent, cluster, attempt, len(parent_source))
    hands = tools_for(services, incumbent, parent_source)
    proposal = services.engineer.propose(brief, hands, scope=f"propose:{candidate_id}")
    services.journal.put("proposal", candidate_id, proposal.model_dump(mode="json"), batch=state["batch"])
    return proposal


def _admit(services: Services, parent: str, candidate: Candidate, source: str) -> None:
    """Free checks before any rollout is paid. Raises InadmissibleChange."""
    texts, policies = services.task_texts
    check_change(parent, source, task_ids=services.tasks.keys(), texts=texts, public=policies)
    before = repeated(services, candidate, parent, source)
    if before:
        raise InadmissibleChange("repeated", f"this change was rejected before, as {before}; try a different approach")
    tried = rehearse(services, parent, source)
    if not tried.ok:
        raise InadmissibleChange("smoke_test", f"the changed agent fails its smoke test: {tried.detail}")


def repeated(services: Services, candidate: Candidate, parent: str, source: str) -> str:
    """Id of a rejected attempt that was this change: the same program on the same incumbent, or the same edit of
    another one, comments and layout aside. Empty when there is none."""
    edit, source_of = edit_of(parent, source), services.versions.source
    for event in services.journal.events("ledger"):
        entry = LedgerEntry.model_validate(event.payload)
        if entry.outcome != "rejected" or not entry.commit or entry.candidate_id == candidate.id:
            continue
        other = source_of(entry.commit)
        if entry.parent == candidate.parent:
            same = same_program(source, other)
        else:
            same = bool(edit) and edit_of(source_of(entry.parent), other) == edit
        if same:
            return entry.candidate_id
    return ""


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
    """Ask a person; anything but a clear yes declines, and "resume", which ends a pause, is no answer."""
    question = {
        "question": f"Keep {candidate.id}?",
        "summary": candidate.summary,
        "hypothesis": candidate.hypothesis,
        "judge": explanation,
        "diff": candidate.diff,
        "answers": ["approve", "decline"],
    }
    while (answer := str(interrupt(question)).strip().lower()) == RESUME:
        pass  # that was the answer to an outage which paused this node before
    return answer in {"approve", "approved", "yes"}
