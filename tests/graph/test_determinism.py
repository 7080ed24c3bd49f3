"""One seed, one run, to the last hash of the journal: whatever the concurrency, and whatever the clock on the wall."""

from __future__ import annotations

import itertools
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sigmaloop.graph.run import Run
from sigmaloop.memory.journal import Journal
from sigmaloop.settings import load_settings

SMALL = {"benchmark": "small:TinyHelpdesk", "batches": 2, "batch_size": 8, "attempts": 3, "certify_trials": 1}
YEAR = 365 * 86_400
Facts = tuple[str, str, list[str]]


def facts(home: Path, *, seed: int, concurrency: int) -> Facts:
    """Agent, ledger and every event but the first, which holds the settings."""
    run = Run.start(load_settings(home=home, seed=seed, concurrency=concurrency, **SMALL))
    run.go()
    with Journal(run.paths.journal, readonly=True) as journal:
        journal.verify()
        events = [f"{e.kind} {e.id} {e.payload}" for e in journal.events() if e.kind != "run_started"]
    with closing(sqlite3.connect(run.paths.journal)) as database:
        events += [
            f"{id_} rests on {rollouts}" for id_, rollouts in database.execute("SELECT id, rollouts FROM events")
        ]
    return run.agent(), (run.paths.root / "results.tsv").read_text(), events


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty folder to work in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder := tmp_path_factory.mktemp("elsewhere"))
        yield folder


@pytest.fixture(scope="module")
def first(elsewhere: Path) -> Facts:
    return facts(elsewhere / "first", seed=5, concurrency=1)


def test_two_runs_with_one_seed_are_identical_and_another_seed_differs(elsewhere: Path, first: Facts) -> None:
    assert facts(elsewhere / "again", seed=5, concurrency=4) == first
    assert facts(elsewhere / "other", seed=6, concurrency=4)[2] != first[2]


def test_the_plain_loop_gives_what_was_recorded(first: Facts) -> None:
    """`single`, the default: no draft is screened or merged, and the ledger is the one that was recorded."""
    _, ledger, events = first
    assert ledger == (Path(__file__).parent / "single_ledger.tsv").read_text()
    assert not [event for event in events if event.startswith(("round_opened", "slots_asked"))]


def test_a_clock_that_jumps_by_years_changes_no_decision(
    elsewhere: Path, first: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deadlines of the sandbox, clocks of the gateway, order in the journal: all of this process's time.time jumps."""
    seconds, nanoseconds = time.time, time.time_ns
    jumps = itertools.cycle([0, YEAR, -YEAR, 3_600, -20 * YEAR])
    with monkeypatch.context() as jumping:
        jumping.setattr(time, "time", lambda: seconds() + next(jumps))
        jumping.setattr(time, "time_ns", lambda: nanoseconds() + next(jumps) * 10**9)
        told = facts(elsewhere / "jumping", seed=5, concurrency=4)
    assert told == first
    (journal,) = (elsewhere / "jumping").glob("runs/*/journal.sqlite")
    with closing(sqlite3.connect(journal)) as database:
        written = [at for (at,) in database.execute("SELECT written FROM events ORDER BY seq")]
    assert any(later < earlier - YEAR / 2 for earlier, later in itertools.pairwise(written)), "the clock did not jump"
