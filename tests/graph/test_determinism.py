"""One seed, one run: to the last hash of the journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from sigmaloop.graph.run import Run
from sigmaloop.memory.journal import Journal
from sigmaloop.settings import load_settings

SMALL = {"benchmark": "small:TinyHelpdesk", "batches": 2, "batch_size": 8, "attempts": 3, "certify_trials": 1}


def facts(home: Path, *, seed: int, concurrency: int) -> tuple[str, str, list[str]]:
    """Agent, ledger and every event but the first, which holds the settings."""
    run = Run.start(load_settings(home=home, seed=seed, concurrency=concurrency, **SMALL))
    run.go()
    with Journal(run.paths.journal, readonly=True) as journal:
        events = [f"{e.kind} {e.id} {e.payload}" for e in journal.events() if e.kind != "run_started"]
    return run.agent(), (run.paths.root / "results.tsv").read_text(), events


def test_two_runs_with_one_seed_are_identical_and_another_seed_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = facts(tmp_path / "a", seed=5, concurrency=1)
    again = facts(tmp_path / "b", seed=5, concurrency=4)
    other = facts(tmp_path / "c", seed=6, concurrency=4)
    assert first == again
    assert first[2] != other[2]
