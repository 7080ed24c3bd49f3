"""Going back in a run and going another way: no run is dead afterwards, and reports tell of the way that is kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sigmaloop.errors import BadInput, Busy
from sigmaloop.gate.decision import Decision, discrepancies
from sigmaloop.graph.build import build_graph
from sigmaloop.graph.run import Run
from sigmaloop.graph.sessions import open_services
from sigmaloop.memory.checkpoints import open_checkpointer
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.runs import checkpoints_path
from sigmaloop.settings import load_settings

SMALL = {
    "benchmark": "small:Mendable", "batches": 1, "batch_size": 8, "attempts": 2, "certify_trials": 1,
    "concurrency": 2, "upstream": "simulated", "policy": "reference", "review": "person",
    "canaries": 0, "harmful_canaries": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a run that waits for a person."""
    home = tmp_path_factory.mktemp("waiting") / "home"
    run = Run.start(load_settings(home=home, **SMALL))
    list(run.follow())
    assert run.question is not None
    assert "answers" in run.question
    return home


@pytest.fixture
def copied(waiting: Path, tmp_path: Path) -> Callable[[], Run]:
    def copy() -> Run:
        shutil.copytree(waiting, tmp_path / "home", ignore=shutil.ignore_patterns("lock"))
        return Run.open(home=tmp_path / "home")

    return copy


@contextmanager
def graph_of(run: Run) -> Iterator[tuple[Any, dict[str, Any]]]:
    with open_checkpointer(checkpoints_path(run.home)) as saver:
        yield build_graph(saver), {"configurable": {"thread_id": run.id}}


def go_back(run: Run, node: str, values: dict[str, Any] | None = None) -> None:
    """Make the newest checkpoint before a node the newest of all, as Studio does; with `values`, edited."""
    with graph_of(run) as (graph, config):
        before = next(s for s in graph.get_state_history(config) if s.next == (node,))
        graph.update_state(before.config, values, as_node="__copy__" if values is None else "cluster")


def finish(run: Run, answer: str) -> None:
    for _ in range(6):
        list(run.follow(answer=answer))
        if run.condition == "finished":
            return
    raise AssertionError(run.condition)


def check_reports(run: Run) -> None:
    """What everybody is told is about the kept agent's own history."""
    summary, kept = run.summary(), [entry for entry in run.ledger() if entry.commit == run.state["incumbent"]]
    assert summary.kept == (1 if kept else 0)
    assert summary.suite == len(run.suite())
    assert {case.promoted_by for case in run.suite()} <= {entry.candidate_id for entry in kept}
    rows = (run.paths.root / "results.tsv").read_text().splitlines()[1:]
    assert len(rows) == summary.attempts == len(run.learnings())
    with Journal(run.paths.journal, readonly=True) as journal:
        journal.verify()
        for event in journal.events("decision"):
            assert discrepancies(Decision.model_validate(event.payload)) == (), event.id


@pytest.mark.parametrize(("first", "then"), [("decline", "approve"), ("approve", "decline")])
def test_a_review_answered_otherwise_after_going_back(copied: Callable[[], Run], first: str, then: str) -> None:
    run = copied()
    finish(run, first)
    go_back(run, "review")
    assert run.condition == "ready"
    reviewed = run.state["candidate_id"]
    list(run.follow())
    assert run.question is not None, "the person is asked again"
    finish(run, then)
    outcomes = [entry.outcome for entry in run.ledger() if entry.candidate_id == reviewed]
    assert sorted(outcomes) == ["kept", "rejected"]
    assert [e.gate for e in run.ledger() if e.candidate_id == reviewed and e.outcome == "kept"] == [None]
    assert (run.state["incumbent"] == run.candidate(reviewed).commit) == (then == "approve")
    check_reports(run)


def test_a_replay_before_an_ended_attempt_is_another_attempt(copied: Callable[[], Run]) -> None:
    run = copied()
    with graph_of(run) as (graph, config):
        first = next(s for s in graph.get_state_history(config) if s.next == ("propose",))
        number = first.values["attempts_total"] + 1
    finish(run, "approve")
    ended = {entry.candidate_id for entry in run.ledger()}
    with graph_of(run) as (graph, _):
        graph.update_state(first.config, None, as_node="__copy__")
    finish(run, "decline")
    new = [entry for entry in run.ledger() if entry.candidate_id not in ended]
    assert new[0].candidate_id == f"A1{number:04d}"
    check_reports(run)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("batch", -1), ("batch", "two"), ("best_micros", None), ("cluster_id", "C999"), ("incumbent", "abc"),
        ("attempts_total", True), ("failed", ["nope"]),
    ],
)  # fmt: skip
def test_a_state_that_was_edited_to_nonsense_is_refused_and_the_run_goes_on(
    copied: Callable[[], Run], field: str, value: object
) -> None:
    run = copied()
    with Journal(run.paths.journal, readonly=True) as journal:
        head = journal.head()
    go_back(run, "propose", {field: value})
    refused = pytest.raises(BadInput, match=rf"state has {field}.* = .*resume")
    with open_services(run.id, home=run.home), graph_of(run) as (graph, config), refused:
        list(graph.stream(None, config, stream_mode="custom", durability="sync"))
    assert run.summary().condition == "paused", "status shows the newest checkpoint that can be used"
    events = run.follow()
    said = next(events)
    events.close()
    assert said.event == "note"
    assert field in said.message
    assert run.condition == "ready"
    assert run.next == ("review",)
    with Journal(run.paths.journal, readonly=True) as journal:
        assert journal.head() == head


@pytest.mark.parametrize("harm", ["lost", "ahead", "garbage"])
def test_checkpoints_that_are_lost_damaged_or_ahead_of_the_journal_cost_nothing(
    copied: Callable[[], Run], harm: str
) -> None:
    run = copied()
    usage = run.summary().usage
    if harm == "lost":
        for file in run.home.glob("checkpoints.sqlite*"):
            file.unlink()
    elif harm == "garbage":
        with open_checkpointer(checkpoints_path(run.home)) as saver:
            saver.conn.execute("UPDATE checkpoints SET checkpoint = ?", (b"\xc1nothing",))
            saver.conn.commit()
    else:
        cut_back(run.paths.journal, "attempt")
    assert run.condition == "ready"
    assert run.summary().attempts == 0
    list(run.follow())
    assert run.question is not None
    assert run.question["question"] == "Keep A0001?"
    finish(run, "approve")
    assert run.summary().kept == 1
    assert {role: used for role, used in usage.items() if role != "target"}.items() <= run.summary().usage.items()
    check_reports(run)


def cut_back(path: Path, kind: str) -> None:
    """Take the journal's end away, from the first event of a kind on, as a power cut may."""
    with Journal(path) as journal:
        first = journal.events(kind)[0].seq
        journal._db.execute("DELETE FROM events WHERE seq >= ?", (first,))
        journal._db.execute("DELETE FROM rollouts WHERE covered_by > ?", (first,))
        head = journal._db.execute("SELECT hash FROM events ORDER BY seq DESC LIMIT 1")[0][0]
        journal._db.execute("UPDATE chain SET length = ?, head = ?", (first - 1, head))
        for table in ("records", "calls"):
            journal._db.execute(f"DELETE FROM {table} WHERE {'kind' if table == 'records' else 'scope'} LIKE 'cand%'")
        journal.verify()


def test_a_run_is_followed_once_at_a_time(copied: Callable[[], Run]) -> None:
    run = copied()
    finishing = run.follow(answer="approve")
    next(finishing)
    with pytest.raises(Busy, match="followed in this process"):
        next(Run.open(run.id, home=run.home).follow())
    finishing.close()
    list(run.follow())
