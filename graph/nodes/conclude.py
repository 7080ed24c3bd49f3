"""After the verdict: keep or revert, promote, learn."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from itertools import count
from typing import Any

from sigmaloop.agents.lessons import lesson
from sigmaloop.agents.prompt import prompt_hashes
from sigmaloop.graph.judging import asked_for, clusters_of, log_decision, prepare_inputs, promotion_of, suite_of
from sigmaloop.graph.nodes.attempt import FAULT, candidate_of, judge, verdicts_of
from sigmaloop.graph.nodes.observe import choose_cluster
from sigmaloop.graph.prepare import STARTED
from sigmaloop.graph.rollouts import score_tasks
from sigmaloop.graph.services import Services
from sigmaloop.graph.state import LoopState
from sigmaloop.memory.suite import SUITE_FULL
from sigmaloop.records import Candidate, Judgement, LedgerEntry, Verdict
from sigmaloop.report.files import write_views

Emit = Callable[[dict[str, Any]], None]


def keep(state: LoopState, services: Services, emit: Emit) -> dict[str, Any]:
    """The candidate becomes the kept agent; its validation score becomes the bar."""
    candidate = candidate_of(services, state)
    verdict = next(v for v in verdicts_of(services, state) if v.gate == "validation")
    versions = services.versions
    if candidate.commit not in [version.commit for version in versions.log()]:
        versions.fork(state["incumbent"])  # does nothing unless this checkpoint is older than the newest keep
    versions.keep(candidate.commit)
    emit({"event": "kept", "id": candidate.id, "summary": candidate.summary, "reward_micros": verdict.reward_micros})
    return {
        "incumbent": candidate.commit,
        "best_micros": verdict.reward_micros,
        "best_tasks": verdict.evaluated,
        "kept": True,
        "reason": "kept",
    }


def promote(state: LoopState, services: Services, emit: Emit) -> dict[str, Any]:
    """Phase D: known failures that the kept agent passes, as often as the law asks, join the suite for ever."""
    candidate = candidate_of(services, state)
    in_suite = {case.task_id for case in suite_of(services, candidate.parent)}
    clusters = clusters_of(services, state["incumbent"])
    cluster_of = {f.task_id: c.id for c in clusters.values() for f in c.failures}
    inputs = prepare_inputs(services, state, emit, candidate)
    passing, seen = promotion_of(services, emit, candidate, inputs)
    score_tasks(services, seen, state["batch"])
    room = max(0, services.settings.suite_cap - len(in_suite))
    promoted, refused = passing[:room], passing[room:]
    for task_id in promoted:
        services.journal.append(
            "promoted",
            f"promoted:{candidate.id}:{task_id}",
            {
                "task_id": task_id,
                "candidate_id": candidate.id,
                "cluster_id": cluster_of[task_id],
                "batch": state["batch"],
                "passes": 1 if services.settings.policy == "reference" else services.settings.promotion_passes,
            },
            batch=state["batch"],
        )
    if refused:
        full = {"candidate_id": candidate.id, "tasks": list(refused), "cap": services.settings.suite_cap}
        services.journal.append(SUITE_FULL, f"{SUITE_FULL}:{candidate.id}", full, batch=state["batch"])
    emit(
        {
            "event": "promoted",
            "tasks": len(promoted),
            "suite": len(in_suite) + len(promoted),
            "refused": len(refused),
            "cap": services.settings.suite_cap,
        }
    )
    return {"reason": "promoted"}


def revert(state: LoopState, services: Services, emit: Emit) -> dict[str, Any]:
    """The incumbent stays: `main` is simply not moved, and the attempt remains as an object."""
    emit({"event": "reverted", "id": state["candidate_id"], "reason": state["reason"]})
    return {"kept": False}


def learn(state: LoopState, services: Services, emit: Emit) -> dict[str, Any]:
    """Write down what the attempt taught, whatever became of it, and choose the next cluster."""
    return _conclude(state, services, emit, read=True)


def learn_unread(state: LoopState, services: Services, emit: Emit, said: str) -> dict[str, Any]:
    """The same without the judge, whose reading died twice of one exception."""
    return _conclude(state, services, emit, read=False)


def _conclude(state: LoopState, services: Services, emit: Emit, *, read: bool) -> dict[str, Any]:
    candidate_id = str(state["candidate_id"])
    intent = services.journal.event(f"attempt:{candidate_id}")
    assert intent is not None
    verdicts = verdicts_of(services, state)
    failing = next((v for v in verdicts if v.outcome == "failed"), None)
    candidate = candidate_of(services, state) if services.journal.get("candidate", candidate_id) else None
    died = failing is not None and failing.reason == FAULT
    judgement = judge(services, state) if candidate and read and not died else None
    entry = _entry(services, state, intent.payload, candidate, verdicts, failing, judgement)
    journal, batch, turn = services.journal, state["batch"], _turn(services, entry)
    if candidate and entry.reason != FAULT:  # nothing was decided by that, so nothing is learned
        stopped = entry.gate if entry.gate in ("judge", "review") else ""
        log_decision(services, state, candidate, veto="person" if stopped == "review" else stopped or "", turn=turn)
        entry = entry.model_copy(update={"rollouts": asked_for(services, f"{candidate.id}{turn}")})
    ended = {"candidate_id": candidate_id, "cluster_id": entry.cluster_id, "outcome": entry.outcome, "batch": batch}
    learning = lesson(entry, judgement)
    with journal.transaction():  # an attempt has ended with all of this, or not yet
        journal.append("ledger", f"ledger:{candidate_id}{turn}", entry.model_dump(mode="json"), batch=batch)
        journal.append("attempt_ended", f"ended:{candidate_id}{turn}", ended, batch=batch)
        journal.append("learning", f"learning:{candidate_id}{turn}", learning.model_dump(mode="json"), batch=batch)
    services.index.add("learning", learning.id, learning.embedding_text, {"batch": batch, "outcome": entry.outcome})
    attempt_text = f"{entry.cluster_title}. {entry.summary}. {entry.outcome} {entry.gate or ''}"
    services.index.add("attempt", candidate_id, attempt_text, {"batch": batch, "outcome": entry.outcome})
    target = choose_cluster(services, state["incumbent"], batch)
    emit(
        {
            "event": "learned",
            "id": candidate_id,
            "outcome": entry.outcome,
            "gate": entry.gate,
            "reason": entry.reason,
        }
    )
    write_views(services.paths, journal, incumbent=state["incumbent"])
    return {"cluster_id": target.id if target else None, "reason": f"learned_{entry.outcome}"}


def _turn(services: Services, entry: LedgerEntry) -> str:
    """Tells the endings of one attempt apart, in the ids of their events: empty for the first.

    A fork behind the proposal may end the attempt otherwise than before; ending it the same way is no news.
    """
    own = {"rollouts"}  # counted from the decision, whose id needs the turn first
    payload = entry.model_dump(mode="json", exclude=own)
    turns = ("" if number == 0 else f":{number}" for number in count())
    known = ((turn, services.journal.event(f"ledger:{entry.candidate_id}{turn}")) for turn in turns)
    return next(turn for turn, event in known if event is None or _without(event.payload, own) == payload)


def _without(payload: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in payload.items() if name not in names}


def _entry(
    services: Services,
    state: LoopState,
    intent: dict[str, Any],
    candidate: Candidate | None,
    verdicts: list[Verdict],
    failing: Verdict | None,
    judgement: Judgement | None,
) -> LedgerEntry:
    cluster = clusters_of(services, state["incumbent"])[intent["cluster_id"]]
    started = services.journal.event(STARTED)
    assert started is not None
    validation = next((v for v in verdicts if v.gate == "validation"), None)
    return LedgerEntry(
        candidate_id=str(state["candidate_id"]),
        batch=state["batch"],
        attempt=state["attempt"],
        cluster_id=cluster.id,
        cluster_title=cluster.title,
        parent=intent["parent"],
        commit=candidate.commit if candidate else "",
        agent=candidate.agent if candidate else "",
        kind=candidate.kind if candidate else None,
        summary=candidate.summary if candidate else "(no usable change)",
        hypothesis=candidate.hypothesis if candidate else "",
        outcome="kept" if state["kept"] else "rejected",
        gate=failing.gate if failing else None,
        reason=failing.reason if failing else "kept",
        verdicts=tuple(verdicts),
        judgement=judgement,
        best_micros=intent["best_micros"],
        score_micros=validation.reward_micros if validation and state["kept"] else None,
        diff_hash=candidate.diff_hash if candidate else "",
        tier=started.payload["tier"],
        prompts=prompt_hashes(),
    )
