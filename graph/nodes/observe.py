"""Looking before changing: score the baseline, sample traffic, mine its failures, cluster them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import log

from sigmaloop.agents.failure_miner import Known
from sigmaloop.eval.crowding import crowding
from sigmaloop.eval.marks import out_of_reach
from sigmaloop.gate.bank import Bank
from sigmaloop.graph.events import (
    BaselineScored,
    BaselineStarted,
    ClusterChosen,
    Emit,
    FailureMined,
    Noted,
    TrafficDone,
    Warned,
    WindowDrawn,
)
from sigmaloop.graph.filing import file_failures
from sigmaloop.graph.judging import AttemptJudge
from sigmaloop.graph.planning import check_budget, tell_plan
from sigmaloop.graph.program import LONGEST, NAME, PROGRAM, read_program
from sigmaloop.graph.rollouts import run_covered, score_tasks
from sigmaloop.graph.round_ends import begin_round
from sigmaloop.graph.routing import attempts_left
from sigmaloop.graph.searching import searching
from sigmaloop.graph.services import Services
from sigmaloop.graph.shown import passing_rollout
from sigmaloop.graph.state import LoopState, LoopUpdate, MineTask
from sigmaloop.memory.facts import FAILURE, BaselineMeasured, BatchStarted
from sigmaloop.memory.index import Item
from sigmaloop.records import RolloutKey, Task, digest

_LEAST = 2.0**-54
"""In place of a draw of exactly 0, which has no logarithm: half of the least other draw."""


def baseline(state: LoopState, services: Services, emit: Emit) -> LoopUpdate:
    """Score the agent that the run begins with on validation: the first bar."""
    settings, attempt_judge = services.settings, AttemptJudge(services, emit)
    commit, tasks = services.versions.baseline(), attempt_judge.validation_tasks
    crowded = crowding(settings.concurrency)
    if crowded:
        emit(Noted(message=crowded))
    emit(BaselineStarted(tasks=len(tasks)))
    check_budget(services, emit, commit)
    counts = attempt_judge.measure_incumbent(commit, Bank(), batch=0).counts(tasks).values()
    measured = services.journal.write_once(
        BaselineMeasured(
            commit=commit,
            reward_micros=sum(c.reward_micros for c in counts),
            tasks=sum(c.trials for c in counts),
        )
    )
    emit(BaselineScored(reward_micros=measured.reward_micros, tasks=measured.tasks))
    tell_plan(services, emit, commit)
    missed = out_of_reach(services.journal.rollouts(agent=services.identity(services.versions.source(commit))))
    if missed:
        emit(Warned(message=missed))
    return {
        "run_id": services.run_id,
        "limits": {
            "batches": settings.batches,
            "attempts": settings.attempts,
            "max_attempts": settings.max_attempts,
            "stop_after_keep": settings.stop_after_keep,
        },
        "baseline": commit,
        "incumbent": commit,
        "best_micros": measured.reward_micros,
        "best_tasks": measured.tasks,
        "batch": 0,
        "attempt": 0,
        "attempts_total": 0,
        "verdicts": [],
        "kept": False,
        "cluster_id": None,
        "candidate_id": None,
        "paused_gate": None,
        "plateau": "",
        "search": "",
        "slots": [],
        "reason": "baseline_scored",
    }


def simulate(state: LoopState, services: Services, emit: Emit) -> LoopUpdate:
    """Phase 0: a window of sampled production traffic on the kept agent."""
    batch, incumbent = state["batch"] + 1, state["incumbent"]
    unusable = services.history.unusable_tasks(before=batch)
    window = sample_window(
        [task for task in services.benchmark.tasks("train") if task.id not in unusable],
        services.settings.batch_size,
        seed=services.settings.seed,
        batch=batch,
    )
    emit(WindowDrawn(batch=batch, tasks=len(window)))
    pairs = [(task.id, batch) for task in window]
    source = services.versions.source(incumbent)
    rollouts = run_covered(services, emit, source, pairs, stage="traffic", batch=batch, spare=True)
    passed, infra = sum(r.passed for r in rollouts), sum(not r.valid for r in rollouts)
    tasks = tuple(task.id for task in window)
    services.journal.write_once(BatchStarted(batch=batch, agent=incumbent, tasks=tasks, passed=passed, infra=infra))
    score_tasks(services, rollouts, batch)
    _read_program(services, emit, batch)
    emit(TrafficDone(batch=batch, passed=passed, tasks=len(rollouts), infra=infra))
    return {
        "batch": batch,
        "attempt": 0,
        "window": [r.task_id for r in rollouts],
        "failed": [r.task_id for r in rollouts if r.valid and not r.passed],
        "mined": None,
        "cluster_id": None,
        "candidate_id": None,
        "kept": False,
        "reason": "traffic_simulated",
    }


def _read_program(services: Services, emit: Emit, batch: int) -> None:
    """The owner's words as this batch's miners are shown them; what changed is told."""
    journal = services.journal
    if journal.load(PROGRAM, str(batch)) is not None:
        return
    program, before = read_program(services.settings), journal.load(PROGRAM, str(batch - 1))
    journal.save(PROGRAM, str(batch), program, batch=batch)
    if program.cut:
        emit(Warned(message=f"{NAME} is too long: the specialists read its first {LONGEST:,} characters; shorten it"))
    elif program.hash and (before is None or before.hash != program.hash):
        news = "new" if before is None or not before.hash else "changed"
        emit(Noted(message=f"{NAME} is {news}: the specialists read it"))


def mine(state: MineTask, services: Services, emit: Emit) -> LoopUpdate:
    """Phase A: one failed rollout becomes a failure record for each of its causes."""
    agent = services.identity(services.versions.source(state["agent"]))
    rollout = services.journal.rollout(RolloutKey(agent=agent, task_id=state["task_id"], trial=state["batch"]))
    assert rollout is not None, "only stored rollouts are mined"
    task = services.tasks[rollout.task_id]
    with services.miners:
        failures = services.miner.mine(
            rollout=rollout,
            trace=services.journal.trace(rollout.id),
            task=task,
            batch=state["batch"],
            known=_known(services, state, task),
        )
    for failure in failures:
        services.journal.save(FAILURE, failure.id, failure, batch=state["batch"])
        emit(FailureMined(id=failure.id, mechanism=failure.mechanism, request_type=failure.request_type))
    return {"mined": [failure.id for failure in failures]}


def _known(services: Services, state: MineTask, task: Task) -> Known:
    """What the miner is shown beside the rollout: the same for all miners of a batch."""
    passing = passing_rollout(services, state["agent"], task.request_type, state["batch"])
    program = services.journal.load(PROGRAM, str(state["batch"]))
    return Known(
        instructions=services.instructions(task.id),
        agent=services.versions.source(state["agent"]),
        passing=services.journal.trace(passing.id) if passing else (),
        mechanisms=services.history.mechanisms(state["agent"], state["batch"]),
        program=program.text if program else "",
    )


def mine_nothing(state: MineTask, services: Services, emit: Emit, fault: str) -> LoopUpdate:
    """How a failure is left out whose miner died twice of one exception."""
    return {"mined": []}


def cluster(state: LoopState, services: Services, emit: Emit) -> LoopUpdate:
    """Phase B: every cause joins a cluster, or founds one; the worst cluster is next."""
    batch = state["batch"]
    failures = [services.history.failure(failure_id) for failure_id in state["mined"]]
    services.index.add_all(
        Item("failure", f.id, f.embedding_text, {"batch": batch, "request_type": f.request_type}) for f in failures
    )
    file_failures(services, emit, failures, incumbent=state["incumbent"], batch=batch)
    target = services.history.next_target(state["incumbent"], batch, services.settings.plateau)
    if searching(services):
        begun = begin_round(services, emit, state) if attempts_left(state) else None
        going: LoopUpdate = begun or {"slots": [], "outcome": "onward"}
        return {**going, "cluster_id": target.id if target else None, "reason": "clustered"}
    if target:
        emit(ClusterChosen(cluster_id=target.id, title=target.title, failures=target.size))
    return {"cluster_id": target.id if target else None, "reason": "clustered"}


def sample_window(tasks: Sequence[Task], size: int, *, seed: int, batch: int) -> list[Task]:
    """`size` tasks drawn by weight without repeats, like production traffic; windows are independent.

    Each draw takes one of the tasks that are left, with chances in proportion to their weights: weighted sampling
    without replacement by exponential keys (Efraimidis & Spirakis 2006), the largest u ** (1 / weight), which is the
    order of log(weight) - log(-log(u)). That form neither over- nor underflows, whatever the weights' scale.
    """
    draw = random.Random(digest("window", seed, batch, size=32))
    keyed = sorted(((log(t.weight) - log(-log(draw.random() or _LEAST)), t.id, t) for t in tasks), reverse=True)
    return [t for _, _, t in keyed[:size]]
