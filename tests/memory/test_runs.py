"""The runs of a home: each in a folder of its own, found by the beginning of its id, listed even when damaged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sigmaloop.errors import BadInput
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.runs import RunPaths, find_run, latest_run, list_runs


def begin(home: Path, run_id: str) -> Journal:
    paths = RunPaths(home, run_id)
    paths.make()
    journal = Journal(paths.journal)
    journal.append("run_started", "run_started", {})
    return journal


def test_a_run_has_its_files_in_its_own_folder(tmp_path: Path) -> None:
    paths = RunPaths(tmp_path, "abc")
    assert paths.root == tmp_path / "runs" / "abc"
    inside = [paths.journal, paths.versions, paths.index, paths.learnings, paths.results, paths.suite, paths.progress]
    assert [path.name for path in inside] == [
        "journal.sqlite", "versions.git", "chroma", "learnings.md", "results.tsv", "suite.json", "progress.json",
    ]  # fmt: skip
    assert all(path.parent == paths.root for path in inside)
    assert paths.checkpoints == tmp_path / "checkpoints.sqlite"
    assert not paths.exists()
    begin(tmp_path, "abc").close()
    assert paths.exists()


def test_runs_are_listed_newest_first_also_while_one_is_written(tmp_path: Path, make_entry: Callable[..., Any]) -> None:
    begin(tmp_path, "zzz-old").close()
    (tmp_path / "runs" / "no-run").mkdir()
    with begin(tmp_path, "aaa-new") as journal:
        journal.append("batch_started", "b", {}, batch=1)
        journal.append("ledger", "l1", make_entry(1).model_dump(mode="json"))
        journal.append("ledger", "l2", make_entry(2, outcome="kept").model_dump(mode="json"))
        new, old = list_runs(tmp_path)
    assert (new.run_id, old.run_id) == ("aaa-new", "zzz-old")
    assert (new.batches, new.attempts, new.kept, new.certified) == (1, 2, 1, False)
    assert latest_run(tmp_path) == find_run(tmp_path) == "aaa-new"


def test_a_damaged_run_is_listed_with_its_problem_and_hides_no_other(tmp_path: Path) -> None:
    begin(tmp_path, "good").close()
    begin(tmp_path, "bad").close()
    RunPaths(tmp_path, "bad").journal.write_bytes(b"garbage" * 1000)
    facts = {run.run_id: run for run in list_runs(tmp_path)}
    assert facts["good"].problem == ""
    assert "damaged" in facts["bad"].problem


def test_a_run_is_found_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    for run_id in ("abc1", "abc2", "xyz", "abc"):
        begin(tmp_path, run_id).close()
    assert find_run(tmp_path, "x") == "xyz"
    assert find_run(tmp_path, "abc") == "abc", "the whole id wins"
    with pytest.raises(BadInput, match=r"3 runs in .* begin with 'ab'"):
        find_run(tmp_path, "ab")
    for unknown in ("q", "", "../runs/xyz"):
        with pytest.raises(BadInput, match=r"no run .*; runs here: .*xyz"):
            find_run(tmp_path, unknown)


def test_a_home_without_runs_says_how_to_start_one(tmp_path: Path) -> None:
    for home in (tmp_path, tmp_path / "missing"):
        assert list_runs(home) == []
        with pytest.raises(BadInput, match="start one with `sigmaloop run`"):
            latest_run(home)
        with pytest.raises(BadInput, match="runs here: none"):
            find_run(home, "abc")
    assert not (tmp_path / "missing").exists()
