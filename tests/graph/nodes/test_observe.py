"""Looking before changing, node by node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from langgraph.errors import GraphInterrupt

from sigmaloop.errors import StoreError
from sigmaloop.graph import events
from sigmaloop.graph.nodes.observe import baseline, cluster, mine, sample_window, simulate
from sigmaloop.memory.facts import BaselineMeasured, BatchStarted, ClusterCreated, FailureAssigned, TaskScored
from sigmaloop.records import Task


def test_the_baseline_is_measured_and_becomes_the_bar(loop: Any) -> None:
    state = loop.go(baseline)
    fact = loop.services.journal.read(BaselineMeasured)[0]
    assert (fact.reward_micros, fact.tasks) == (state["best_micros"], state["best_tasks"]) == (0, 20)
    assert state["incumbent"] == state["baseline"] == loop.services.versions.baseline()
    assert (state["batch"], state["attempts_total"], state["verdicts"]) == (0, 0, [])
    assert [type(e) for e in loop.news if isinstance(e, events.BaselineScored)] == [events.BaselineScored]


def test_a_baseline_measured_twice_is_written_once(loop: Any) -> None:
    loop.go(baseline, baseline)
    assert len(loop.services.journal.read(BaselineMeasured)) == 1


def test_traffic_is_written_scored_and_sent_to_the_miners(loop: Any) -> None:
    state = loop.go(baseline, simulate)
    batch = loop.services.journal.read(BatchStarted)[0]
    assert batch.tasks == tuple(state["window"])
    assert len(set(state["window"])) == 6
    assert (batch.batch, batch.passed, batch.infra) == (1, 0, 0)
    assert state["failed"] == state["window"], "the first agent names no task"
    assert {fact.task_id for fact in loop.services.journal.read(TaskScored)} == set(state["window"])


def test_the_next_batch_has_a_window_of_its_own(loop: Any) -> None:
    first = list(loop.go(baseline, simulate)["window"])
    second = loop.go(simulate)
    assert second["batch"] == 2
    assert second["window"] != first
    assert (second["attempt"], second["kept"], second["cluster_id"]) == (0, False, None)


def test_an_unusable_task_is_left_out_of_later_windows(loop: Any) -> None:
    from sigmaloop.memory.facts import TaskUnusable

    loop.go(baseline)
    for n in range(4):
        loop.services.journal.write(TaskUnusable(batch=0, task_id=f"train-{n}", detail="closed"))
    assert set(loop.go(simulate)["window"]) == {f"train-{n}" for n in range(4, 10)}


def test_a_window_that_faults_pauses_and_nothing_is_mined(loop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def paused(why: object) -> None:
        raise GraphInterrupt

    loop.go(baseline)
    monkeypatch.setattr("sigmaloop.graph.rollouts.interrupt", paused)  # a pause needs a graph around it
    monkeypatch.setattr(type(loop.services.benchmark), "run", lambda *_, **__: {})
    with pytest.raises(GraphInterrupt):
        loop.go(simulate)
    assert loop.services.journal.read(BatchStarted) == []
    assert [e.stage for e in loop.news if isinstance(e, events.Paused)] == ["traffic"]


def test_failures_are_filed_by_root_cause_and_the_worst_cluster_is_next(loop: Any) -> None:
    loop.go(baseline, simulate)
    loop.mine(mine)
    state = loop.go(cluster)
    journal = loop.services.journal
    assert {fact.title for fact in journal.read(ClusterCreated)} <= {"even", "odd"}
    sizes = Counter(fact.cluster_id for fact in journal.read(FailureAssigned))
    assert sum(sizes.values()) == 6
    assert sizes[state["cluster_id"]] == max(sizes.values())


def test_clustering_again_changes_nothing(loop: Any) -> None:
    loop.go(baseline, simulate)
    loop.mine(mine)
    loop.go(cluster)
    head = loop.services.journal.head()
    loop.go(cluster)
    assert loop.services.journal.head() == head


def test_heavy_tasks_are_drawn_more_often() -> None:
    tasks = [Task(id=f"t{n}", split="train", weight=9.0 if n == 0 else 1.0) for n in range(10)]
    drawn = Counter(sample_window(tasks, 1, seed=seed, batch=1)[0].id for seed in range(400))
    assert 160 < drawn["t0"] < 240, "its share of the weights is a half"
    assert max(drawn[f"t{n}"] for n in range(1, 10)) < 45


def test_the_window_is_the_seeds(loop_with: Callable[..., Any]) -> None:
    windows = [tuple(loop_with(seed=seed).go(baseline, simulate)["window"]) for seed in (1, 1, 2)]
    assert windows[0] == windows[1] != windows[2]


def test_more_rollouts_at_once_than_the_cores_can_carry_are_noted_and_run_all_the_same(
    loop_with: Callable[..., Any],
) -> None:
    loop = loop_with(concurrency=1_000)
    loop.go(baseline)
    assert any(isinstance(e, events.Noted) and "concurrency 1000" in e.message for e in loop.news)
    calm = loop_with(concurrency=2)
    calm.go(baseline)
    assert not any(isinstance(e, events.Noted) for e in calm.news)


def test_what_is_measured_on_validation_cannot_be_read_by_whoever_holds_the_services(loop: Any) -> None:
    """The miner and the engineer's look-ups read `services.journal`: it has the traces of the traffic alone."""
    loop.go(baseline, simulate)
    journal = loop.services.journal
    by_split = {split: [r for r in journal.rollouts() if r.split == split] for split in ("train", "validation")}
    assert all(len(found) >= 6 for found in by_split.values())
    assert {r.request_type for r in journal.rollouts()} == {"note"}
    for rollout in by_split["train"]:
        journal.trace(rollout.id)
    for rollout in by_split["validation"]:
        with pytest.raises(StoreError, match="kept apart"):
            journal.trace(rollout.id)
