"""The end of a run: fresh trials on validation and on the sealed test split, which is opened once and no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from sigmaloop.graph.build import build_graph
from sigmaloop.graph.events import read_event
from sigmaloop.graph.rollouts import CERTIFY_TRIAL
from sigmaloop.graph.run import Run
from sigmaloop.graph.sessions import open_services
from sigmaloop.memory.checkpoints import open_checkpointer
from sigmaloop.memory.facts import TestOpened
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.runs import checkpoints_path
from sigmaloop.records import Certificate, agent_hash
from sigmaloop.settings import load_settings

SMALL = {
    "benchmark": "small:Noisy", "batches": 1, "batch_size": 8, "attempts": 2, "certify_trials": 2,
    "concurrency": 2, "upstream": "simulated", "canaries": 0, "harmful_canaries": 0,
}  # fmt: skip


@pytest.fixture
def certified(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    run = Run.start(load_settings(home=home, **SMALL))
    run.go()
    return run


def certificates(run: Run) -> list[Certificate]:
    with Journal(run.paths.journal, readonly=True) as journal:
        return [Certificate.model_validate(event.payload) for event in journal.events("certificate")]


def sealed() -> list[str]:
    from small import Noisy

    return [task.id for task in Noisy().tasks("test")]


def test_both_splits_are_certified_with_trials_of_their_own(certified: Run) -> None:
    found = {c.split: c for c in certificates(certified)}
    assert [*found] == ["validation", "test"]
    assert (found["validation"].tasks, found["test"].tasks) == (16, 8)
    assert {c.trials for c in found.values()} == {2}
    assert {c.agent for c in found.values()} == {agent_hash(certified.agent())}
    with Journal(certified.paths.journal, readonly=True) as journal:
        fresh = [r for r in journal.rollouts(agent=found["test"].agent) if r.key.trial >= CERTIFY_TRIAL]
        assert len(fresh) == 2 * (16 + 8)
        assert {r.key.trial >= CERTIFY_TRIAL for r in journal.rollouts(task_ids=sealed())} == {True}
    summary = certified.summary()
    assert summary.certificate == found["test"].headline
    assert summary.on_validation == found["validation"].headline


def test_opening_the_test_split_for_another_agent_is_refused(certified: Run) -> None:
    other = next(entry.commit for entry in certified.ledger() if entry.commit)  # an attempt, as if it had been kept
    with Journal(certified.paths.journal, readonly=True) as journal:
        measured = len(journal.rollouts(task_ids=sealed()))
    config = {"configurable": {"thread_id": certified.id}}
    with open_services(certified.id, home=certified.home), open_checkpointer(checkpoints_path(certified.home)) as saver:
        graph = build_graph(saver)
        before = next(s for s in graph.get_state_history(config) if s.next == ("certify",))
        incumbent = other if before.values["incumbent"] != other else before.values["baseline"]
        fork = graph.update_state(before.config, {"incumbent": incumbent}, as_node="learn")
        told = [read_event(news) for news in graph.stream(None, fork, stream_mode="custom", durability="sync")]
    (refusal,) = [event for event in told if event.event == "uncertified"]
    assert "opened before" in refusal.message
    found = certificates(certified)
    assert [c.split for c in found] == ["validation", "test", "validation"]
    with Journal(certified.paths.journal, readonly=True) as journal:
        assert journal.count(TestOpened.kind) == 1
        assert len(journal.rollouts(task_ids=sealed())) == measured
    summary = certified.summary()
    assert summary.certificate is not None
    assert summary.certificate.split == "validation"
    assert summary.certificate.agent == found[-1].agent


def test_a_benchmark_without_a_test_split_is_certified_on_validation(home: Path) -> None:
    settings = load_settings(home=home, **{**SMALL, "benchmark": "small:Unsealed"})
    run = Run.start(settings)
    told = list(run.follow())
    assert [event.message for event in told if event.event == "uncertified"] == ["the benchmark has no test split"]
    summary = run.summary()
    assert summary.certificate is not None
    assert summary.certificate.split == "validation"
