"""After the verdict: keep or revert, promote, learn."""

from __future__ import annotations

from itertools import count

from sigmaloop.agents.lessons import lesson
from sigmaloop.agents.prompt import prompt_hashes
from sigmaloop.graph.events import Emit, Kept, Learned, OnPlateau, Reverted, SuiteGrown, Warned
from sigmaloop.graph.judging import AttemptJudge
from sigmaloop.graph.rollouts import score_tasks
from sigmaloop.graph.round_ends import after_attempt, end_round
from sigmaloop.graph.searching import searching
from sigmaloop.graph.services import Services
from sigmaloop.graph.state import LoopState, LoopUpdate
from sigmaloop.graph.targets import Step, newly, plateau_step, since_keep
from sigmaloop.graph.verdicts import FAULT, ask_judge, candidate_of
from sigmaloop.memory.facts import AttemptEnded, PlateauReached, Promoted, SuiteFull
from sigmaloop.records import Candidate, Judgement, LedgerEntry, Verdict
from sigmaloop.report.files import write_views

UNGATED = "ungated"
"""Reason of an attempt that was kept without a gate."""


def keep(state: LoopState, services: Services, emit: Emit) -> LoopUpdate:
    """The candidate becomes the kept agent; its validation score becomes the bar."""
    candidate = candidate_of(services, state)
    measured = [v for v in services.history.verdicts(state["verdicts"]) if v.gate == "validation"]
    versions = services.versions
    if candidate.commit not in [version.commit for version in versions.log()]:
        versions.fork(state["incumbent"])  # does nothing unless this checkpoint is older than the newest keep
    versions.keep(candidate.commit)
    if not measured:  # `paste` alone: the bar stays what it was
        emit(Warned(message=f"{candidate.id} is kept without a gate: nobody measured whether it helps"))
        return {"incumbent": candidate.commit, "kept": True, "reason": UNGATED}
    verdict = measured[0]
    emit(Kept(id=candidate.id, summary=candidate.summary, reward_micros=verdict.reward_micros))
    return {
        "incumbent": candidate.commit,
        "best_micros": verdict.reward_micros,
        "best_tasks": verdict.evaluated,
        "kept": True,
        "reason": "kept",
    }


def promote(state: LoopState, services: Services, emit: Emit) -> LoopUpdate:
    """Phase D: known failures that the kept agent passes, as often as the policy asks, join the suite for ever."""
    candidate, batch, settings = candidate_of(services, state), state["batch"], services.settings
    if _ungated(services, candidate.id):
        return {"reason": UNGATED}
    in_suite = services.history.suite(candidate.parent)
    clusters = services.history.clusters(state["incumbent"])
    # A task may have failed for several causes: it guards the one that decided it.
    found = sorted((f.decisive, c.id, f.task_id) for c in clusters.values() for f in c.failures)
    cluster_of = {task_id: cluster_id for _, cluster_id, task_id in found}
    attempt_judge = AttemptJudge(services, emit)
    inputs = attempt_judge.prepare_inputs(candidate, batch=batch)
    passing, seen = attempt_judge.promotion(candidate, inputs)
    score_tasks(services, seen, batch)
    room = max(0, settings.suite_cap - len(in_suite))
    promoted, refused = passing[:room], passing[room:]
    for task_id in promoted:
        services.journal.write(
            Promoted(
                batch=batch,
                task_id=task_id,
                candidate_id=candidate.id,
                cluster_id=cluster_of[task_id],
                passes=1 if settings.policy == "reference" else settings.promotion_passes,
            )
        )
    if refused:
        full = SuiteFull(batch=batch, candidate_id=candidate.id, tasks=refused, cap=settings.suite_cap)
        services.journal.write(full)
    emit(SuiteGrown(tasks=len(promoted), suite=len(in_suite) + len(promoted), refused=len(refused)))
    return {"reason": "promoted"}


def revert(state: LoopState, services: Services, emit: Emit) -> LoopUpdate:
    """The incumbent stays: `main` is simply not moved, and the attempt remains as an object."""
    if state["candidate_id"] is not None:  # a round of the search may end without a candidate
        emit(Reverted(id=state["candidate_id"], reason=state["reason"]))
    return {"kept": False}


def learn(state: LoopState, services: Services, emit: Emit) -> LoopUpdate:
    """Write down what the attempt taught, whatever became of it, and choose what is next."""
    if state["candidate_id"] is None:
        return end_round(services, emit, state)
    return _conclude(state, services, emit, read=not _ungated(services, state["candidate_id"]))


def learn_unread(state: LoopState, services: Services, emit: Emit, fault: str) -> LoopUpdate:
    """The same without the judge, whose reading died twice of one exception."""
    if state["candidate_id"] is None:
        return end_round(services, emit, state)
    return _conclude(state, services, emit, read=False)


def _conclude(state: LoopState, services: Services, emit: Emit, *, read: bool) -> LoopUpdate:
    history, journal, batch = services.history, services.journal, state["batch"]
    verdicts = history.verdicts(state["verdicts"])
    failing = next((v for v in verdicts if v.outcome == "failed"), None)
    candidate = history.candidate(state["candidate_id"])
    died = failing is not None and failing.reason == FAULT
    judgement = ask_judge(services, state, candidate) if candidate and read and not died else None
    entry = _entry(services, state, candidate, verdicts, failing, judgement)
    turn = _turn(services, entry)
    if candidate and entry.reason != FAULT:  # nothing was decided by that, so nothing is learned
        veto = {"review": "person", "judge": "judge"}.get(entry.gate or "", "")
        judge = AttemptJudge(services, emit)
        judge.log_decision(candidate, kept=state["kept"], batch=batch, veto=veto, turn=turn)
        asked = history.rollouts_asked_for(f"decision:{candidate.id}{turn}")
        entry = entry.model_copy(update={"rollouts": asked})
    with journal.transaction():  # what the search makes of it stands beside it, whenever the process dies
        journal.write(AttemptEnded(batch=batch, entry=entry, turn=turn))
        going = after_attempt(services, emit, state, entry) if searching(services) else LoopUpdate()
    _index(services, entry, batch)
    step = _ladder(services, state, emit, entry)
    target = history.next_target(state["incumbent"], batch, services.settings.plateau)
    emit(Learned(id=entry.candidate_id, outcome=entry.outcome, gate=entry.gate, reason=entry.reason))
    write_views(services.paths, journal, incumbent=state["incumbent"], learnings=history.lessons(state["incumbent"]))
    return {
        **going,
        "cluster_id": target.id if target else None,
        "plateau": step,
        "reason": f"learned_{entry.outcome}",
    }


def _ungated(services: Services, candidate_id: str) -> bool:
    composed = services.history.composed(candidate_id)
    return composed is not None and composed.ungated


def _ladder(services: Services, state: LoopState, emit: Emit, entry: LedgerEntry) -> Step:
    """How long nothing was kept; a step that is taken now is written down and told."""
    plateau, ended = services.settings.plateau, services.history.ledger(state["incumbent"])
    attempts = since_keep(ended)
    taken = newly(attempts, plateau)
    if taken:
        fact = PlateauReached(batch=state["batch"], step=taken, candidate_id=entry.candidate_id, attempts=attempts)
        services.journal.write_once(fact)
        emit(OnPlateau(step=taken, attempts=attempts))
    return plateau_step(attempts, plateau)


def _index(services: Services, entry: LedgerEntry, batch: int) -> None:
    """Make what was tried and learned findable for later attempts."""
    learning = lesson(entry, entry.judgement)
    about = {"batch": batch, "outcome": entry.outcome}
    services.index.add("learning", learning.id, learning.embedding_text, about)
    attempt_text = f"{entry.cluster_title}. {entry.summary}. {entry.outcome} {entry.gate or ''}"
    services.index.add("attempt", entry.candidate_id, attempt_text, about)


def _turn(services: Services, entry: LedgerEntry) -> str:
    """Tells the endings of one attempt apart, in the ids of their events: empty for the first.

    A fork behind the proposal may end the attempt otherwise than before; ending it the same way is no news.
    """
    for number in count():
        turn = f":{number}" if number else ""
        known = services.journal.find(AttemptEnded, f"{AttemptEnded.kind}:{entry.candidate_id}{turn}")
        # The count of rollouts is taken from the decision, whose id needs the turn first.
        if known is None or known.entry.model_copy(update={"rollouts": entry.rollouts}) == entry:
            return turn
    raise AssertionError("there is always another turn")


def _entry(
    services: Services,
    state: LoopState,
    candidate: Candidate | None,
    verdicts: list[Verdict],
    failing: Verdict | None,
    judgement: Judgement | None,
) -> LedgerEntry:
    intent = services.history.intent(str(state["candidate_id"]))
    cluster = services.history.clusters(state["incumbent"])[intent.cluster_id]
    validation = next((v for v in verdicts if v.gate == "validation"), None)
    composed = services.history.composed(intent.candidate_id)
    return LedgerEntry(
        candidate_id=intent.candidate_id,
        batch=state["batch"],
        attempt=state["attempt"],
        cluster_id=cluster.id,
        cluster_title=cluster.title,
        parent=intent.parent,
        commit=candidate.commit if candidate else "",
        agent=candidate.agent if candidate else "",
        kind=candidate.kind if candidate else None,
        summary=candidate.summary if candidate else "(no usable change)",
        hypothesis=candidate.hypothesis if candidate else "",
        outcome="kept" if state["kept"] else "rejected",
        gate=failing.gate if failing else None,
        reason=failing.reason if failing else UNGATED if composed and composed.ungated else "kept",
        verdicts=tuple(verdicts),
        judgement=judgement,
        best_micros=intent.best_micros,
        score_micros=validation.reward_micros if validation and state["kept"] else None,
        diff_hash=candidate.diff_hash if candidate else "",
        tier=services.history.started().tier,
        prompts=prompt_hashes(),
        program=shown.program if (shown := services.history.briefed(intent.candidate_id)) else "",
        parts=composed.parts if composed else (),
        removes=composed.removes if composed else (),
    )
