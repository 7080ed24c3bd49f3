"""A history that was altered is refused wherever a run is opened, and looking at a run writes nothing."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from made_records import started

from sigmaloop.errors import StoreError
from sigmaloop.eval.benchmark import load_benchmark
from sigmaloop.graph.run import Run
from sigmaloop.graph.sessions import open_services, services_for_node
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.runs import RunPaths, checkpoints_path
from sigmaloop.records import Rollout, RolloutKey, Step
from sigmaloop.settings import Settings
from sigmaloop.tools.versions import Versions


@pytest.fixture
def run(small_settings: Settings) -> Run:
    """A run that has measured its baseline and was stopped there."""
    paths = RunPaths(small_settings.home, "0a0b0c0d-run")
    paths.make()
    commit = Versions(paths.versions).begin(small_settings.agent_source(), "baseline")
    with Journal(paths.journal) as journal:
        journal.write(started(small_settings, benchmark=load_benchmark(small_settings.benchmark).fingerprint()))
        for number in range(4):
            key = RolloutKey(agent="a", task_id=f"t{number}", trial=0)
            rollout = Rollout(key=key, seed=1, status="ok", reward=0.0)
            journal.save_rollout(rollout, [Step(index=0, kind="say", text="Hello")])
        journal.append("baseline", "baseline", {"commit": commit, "reward_micros": 0, "tasks": 4})
    return Run(small_settings.home, paths.run_id)


def tamper(run: Run, sql: str) -> None:
    with closing(sqlite3.connect(run.paths.journal)) as connection, connection:
        assert connection.execute(sql).rowcount == 1


REWARD = """UPDATE rollouts SET payload = replace(payload, '"reward":0.0', '"reward":1.0') WHERE task_id = 't2'"""
ALTERED = [
    (REWARD, "task t2, trial 0"),
    ("DELETE FROM rollouts WHERE task_id = 't2'", "the rollouts that event 2"),
    ("UPDATE events SET payload = replace(payload, '\"tasks\":4', '\"tasks\":9') WHERE seq = 2", "event 2"),
]


def worked_on(run: Run) -> None:
    with open_services(run.id, home=run.home):
        pass


OPENINGS: dict[str, Callable[[Run], Any]] = {
    "status": Run.summary,
    "resume": lambda run: next(run.follow()),
    "a node under Studio": worked_on,
    "apply --output": Run.agent,
    "apply --patch": lambda run: run.patch("agent.py"),
    "apply --branch": lambda run: run.write_branch(run.home, branch="b", path="agent.py"),
    "diff": Run.diff,
    "settings": lambda run: run.settings,
    "head": lambda run: run.head,
}


@pytest.mark.parametrize(("sql", "told"), ALTERED, ids=["reward", "rollout deleted", "event"])
@pytest.mark.parametrize("opening", OPENINGS)
def test_an_altered_history_is_refused_wherever_a_run_is_opened(run: Run, opening: str, sql: str, told: str) -> None:
    tamper(run, sql)
    with pytest.raises(StoreError) as caught:
        OPENINGS[opening](run)
    assert told in str(caught.value)
    assert "the history was altered: put back a copy or start a new run" in str(caught.value)


def test_a_history_as_it_was_written_is_not(run: Run) -> None:
    assert run.summary().baseline == 0
    assert run.agent()
    assert run.diff() == ""
    assert run.patch("agent.py") == b""
    assert len(run.head) == 64
    worked_on(run)


def test_a_journal_that_is_gone_is_not_made_anew(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGMALOOP_HOME", str(run.home))
    run.paths.journal.unlink()
    for opening in (run.summary, lambda: worked_on(run), run.agent):
        with pytest.raises(StoreError, match="is missing, though its run was begun"):
            opening()
    with (
        pytest.raises(StoreError, match="is missing, though its run was begun"),
        services_for_node({"run_id": run.id}, thread_id=run.id, context=None),
    ):
        pass
    assert not run.paths.journal.exists()


def test_an_emptied_journal_stays_empty_and_nobody_is_told_to_resume(run: Run) -> None:
    run.paths.journal.write_bytes(b"")
    for opening in (run.summary, lambda: worked_on(run)):
        with pytest.raises(StoreError, match="is empty, though its run was begun") as caught:
            opening()
        assert "resume" not in str(caught.value)
    assert run.paths.journal.read_bytes() == b""


def test_looking_at_a_run_makes_no_checkpoints(run: Run) -> None:
    assert run.condition == "ready", "the journal alone says where it stands"
    assert run.next == ()
    assert run.question is None
    assert run.state["baseline"] == run.state["incumbent"]
    assert not checkpoints_path(run.home).exists()


@contextmanager
def only_readable(home: Path) -> Iterator[Path]:
    """A copy of a home in which this process may write nothing."""
    top = Path(tempfile.mkdtemp())
    copy = top / "home"
    shutil.copytree(home, copy)
    folders = [copy, *(path for path in copy.rglob("*") if path.is_dir())]
    for path in folders:
        path.chmod(0o555)
    top.chmod(0o755)
    privileged = os.geteuid() == 0  # whom no permission stops
    try:
        if privileged:
            os.seteuid(65534)
        with pytest.raises(PermissionError):
            (copy / "x").touch()
        yield copy
    finally:
        if privileged:
            os.seteuid(0)
        for path in folders:
            path.chmod(0o755)
        shutil.rmtree(top)


def test_a_home_on_a_disk_that_may_only_be_read_can_be_read(run: Run) -> None:
    head = run.head
    with only_readable(run.home) as home:
        there = Run(home, run.id)
        assert there.summary().baseline == 0
        assert there.condition == "ready"
        assert there.settings.benchmark == "small:TinyHelpdesk"
        assert there.head == head
