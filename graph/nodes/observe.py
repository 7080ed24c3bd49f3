"""Looking before changing: score the baseline, simulate traffic, mine its failures, cluster them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from math import log
from typing import Any

from sigmaloop.errors import SpecialistError
from sigmaloop.eval.marks import out_of_reach
from sigmaloop.gate.bank import Bank
from sigmaloop.graph.judging import clusters_of, measure_incumbent, validation_ids
from sigmaloop.graph.planning import check_budget, tell_plan
from sigmaloop.graph.rollouts import append_once, roll_covered, score_tasks, unusable_tasks
from sigmaloop.graph.services import Services
from sigmaloop.graph.state import LoopState, MineTask
from sigmaloop.memory.clusters import (
    KINDS,
    fallback_choice,
    nearest_clusters,
    next_cluster_id,
    rank,
)
from sigmaloop.records import (
    Cluster,
    ClusterChoice,
    FailureRecord,
    RolloutKey,
    Task,
    agent_hash,
    digest,
)

Emit = Callable[[dict[str, Any]], None]
_LEAST = 2.0**-54
"""In place of a draw of exactly 0, which has no logarithm: half of the least other draw."""


def baseline(state: LoopState, services: Services, emit: Emit) -> dict[str, Any]:
    """Score the agent that the run begins with on validation: the first bar."""
    settings = services.settings
    commit = services.versions.baseline()
    tasks = validation_ids(services)
    emit({"event": "baseline_started", "tasks": len(tasks)})
    check_budget(services, emit, commit)
    counts = measure_incumbent(services, emit, commit, Bank(), batch=0).counts(tasks).values()
    found = {
        "commit": commit,
        "reward_micros": sum(c.reward_micros for c in counts),
        "tasks": sum(c.trials for c in counts),
    }
    found = append_once(services, "baseline", f"baseline:{commit[:12]}", found)
    reward_micros, valid = found["reward_micros"], found["tasks"]
    emit({"event": "baseline", "reward_micros": reward_micros, "tasks": valid})
    tell_plan(services, emit, commit)
    missed = out_of_reach(services.journal.rollouts(agent=agent_hash(services.versions.source(commit))))
    if missed:
        emit({"event": "warning", "message": missed})
    return {
        "run_id": services.run_id,
        "limits": {
            "batches": settings.batches,
            "attempts": settings.attempts,
            "max_attempts": settings.max_attempts,
        },
        "baseline": commit,
        "incumbent": commit,
        "best_micros": reward_micros,
        "best_tasks": valid,
        "batch": 0,
        "attempt": 0,
        "attempts_total": 0,
        "kept": False,
        "cluster_id": None,
        "candidate_id": None,
        "paused_gate": None,
        "reason": "baseline_scored",
    }


def simulate(state: LoopState, services: Services, emit: Emit) -> dict[str, Any]:
    """Phase 0: a window of simulated production traffic on the kept agent."""
    batch = state["batch"] + 1
    unusable = unusable_tasks(services, before=batch)
    window = sample_window(
        [task for task in services.benchmark.tasks("train") if task.id not in unusable],
        services.settings.batch_size,
        seed=services.settings.seed,
        batch=batch,
    )
    emit({"event": "batch_started", "batch": batch, "tasks": len(window)})
    pairs = [(task.id, batch) for task in window]
    source = services.versions.source(state["incumbent"])
    rollouts = roll_covered(services, emit, source, pairs, stage="traffic", batch=batch, spare=True)
    failed = [r for r in rollouts if r.valid and not r.passed]
    infra = sum(not r.valid for r in rollouts)
    append_once(
        services,
        "batch_started",
        f"batch:{batch}:{state['incumbent'][:12]}",
        {
            "batch": batch,
            "agent": state["incumbent"],
            "tasks": [t.id for t in window],
            "passed": sum(r.passed for r in rollouts),
            "infra": infra,
        },
        batch=batch,
    )
    score_tasks(services, rollouts, batch)
    emit(
        {
            "event": "traffic",
            "batch": batch,
            "passed": sum(r.passed for r in rollouts),
            "tasks": len(rollouts),
            "infra": infra,
        }
    )
    return {
        "batch": batch,
        "attempt": 0,
        "window": [r.task_id for r in rollouts],
        "failed": [r.task_id for r in failed],
        "mined": None,
        "cluster_id": None,
        "candidate_id": None,
        "kept": False,
        "reason": "traffic_simulated",
    }


def mine(state: MineTask, services: Services, emit: Emit) -> dict[str, Any]:
    """Phase A: one failed rollout becomes a failure record."""
    agent = agent_hash(services.versions.source(state["agent"]))
    rollout = services.journal.rollout(RolloutKey(agent=agent, task_id=state["task_id"], trial=state["batch"]))
    assert rollout is not None, "only stored rollouts are mined"
    with services.miners:
        failure = services.miner.mine(
            rollout=rollout,
            trace=services.journal.trace(rollout.id),
            task=services.tasks[rollout.task_id],
            batch=state["batch"],
            instructions=services.instructions(rollout.task_id),
        )
    services.journal.put("failure", failure.id, failure.model_dump(mode="json"), batch=state["batch"])
    emit(
        {
            "event": "failure",
            "id": failure.id,
            "mechanism": failure.mechanism,
            "request_type": failure.request_type,
        }
    )
    return {"mined": [failure.id]}


def cluster(state: LoopState, services: Services, emit: Emit) -> dict[str, Any]:
    """Phase B: every failure joins a cluster by root cause, or founds one; the worst cluster is next."""
    batch = state["batch"]
    for failure_id in state["mined"]:
        failure = failure_of(services, failure_id)
        services.index.add(
            "failure",
            failure.id,
            failure.embedding_text,
            {"batch": batch, "request_type": failure.request_type},
        )
        _assign(failure, services, emit, state)
    target = choose_cluster(services, state["incumbent"], batch)
    if target:
        emit({"event": "target", "cluster_id": target.id, "title": target.title, "failures": target.size})
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


def choose_cluster(services: Services, incumbent: str, batch: int) -> Cluster | None:
    """The open cluster with the highest selection value; None when nothing is left to fix."""
    for found in rank(clusters_of(services, incumbent), batch):
        if found.selection(batch) > 0:
            return found
    return None


def failure_of(services: Services, failure_id: str) -> FailureRecord:
    payload = services.journal.get("failure", failure_id)
    assert payload is not None, f"failure {failure_id} was put before it was named in the state"
    return FailureRecord.model_validate(payload)


def _assign(failure: FailureRecord, services: Services, emit: Emit, state: LoopState) -> None:
    journal, batch = services.journal, state["batch"]
    if journal.event(f"assigned:{failure.id}"):
        return
    choice = _choice(failure, clusters_of(services, state["incumbent"]), services)
    founded = choice.cluster_id is None
    cluster_id = choice.cluster_id or next_cluster_id(journal.events(KINDS))
    title = choice.title or failure.mechanism
    with journal.transaction():  # never a cluster without the failure that founded it
        if founded:
            journal.append(
                "cluster_created",
                f"cluster:{cluster_id}",
                {"cluster_id": cluster_id, "title": title, "root_cause": failure.root_cause, "batch": batch},
                batch=batch,
            )
        journal.append(
            "failure_assigned",
            f"assigned:{failure.id}",
            {"cluster_id": cluster_id, "batch": batch, "failure": failure.model_dump(mode="json")},
            batch=batch,
        )
    if founded:
        emit({"event": "cluster_created", "cluster_id": cluster_id, "title": title})


def _choice(failure: FailureRecord, clusters: dict[str, Cluster], services: Services) -> ClusterChoice:
    """The clusterer's decision; by similarity when it gives none that can be used."""
    shown = nearest_clusters(failure, clusters, services.index.embed)
    try:
        return services.clusterer.choose(failure=failure, clusters=shown)
    except SpecialistError:
        return fallback_choice(failure, clusters, services.index.embed)
