"""The runs of a home: each in a folder of its own, found by the beginning of its id, listed even when damaged."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sigmaloop.errors import BadInput, StoreError
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


def dated(home: Path, run_id: str, written: float) -> None:
    with closing(sqlite3.connect(RunPaths(home, run_id).journal)) as connection, connection:
        connection.execute("UPDATE events SET written = ?", (written,))


@pytest.mark.parametrize("day", [-86_400.0, 0.0, 1e12])
def test_no_clock_decides_which_run_is_the_newest(tmp_path: Path, day: float) -> None:
    for run_id in ("first", "third-by-name", "second-by-name"):
        begin(tmp_path, run_id).close()
    dated(tmp_path, "second-by-name", day)
    dated(tmp_path, "first", 1e11)
    assert [run.run_id for run in list_runs(tmp_path)] == ["second-by-name", "third-by-name", "first"]
    assert [run.number for run in list_runs(tmp_path)] == [3, 2, 1]
    assert latest_run(tmp_path) == "second-by-name"


def test_a_run_keeps_its_number_and_none_is_given_again(tmp_path: Path) -> None:
    for run_id in ("a", "b"):
        begin(tmp_path, run_id).close()
    RunPaths(tmp_path, "a").make()
    assert latest_run(tmp_path) == "b"
    begin(tmp_path, "c").close()
    assert {run.run_id: run.number for run in list_runs(tmp_path)} == {"a": 1, "b": 2, "c": 3}


def test_runs_from_before_they_were_counted_are_older_and_ordered_by_their_clock(tmp_path: Path) -> None:
    for run_id, written in (("old", 100.0), ("older", 50.0)):
        begin(tmp_path, run_id).close()
        dated(tmp_path, run_id, written)
        (RunPaths(tmp_path, run_id).root / "number").unlink()
    begin(tmp_path, "damaged number").close()
    (RunPaths(tmp_path, "damaged number").root / "number").write_bytes(b"\xff?")
    dated(tmp_path, "damaged number", 10.0)
    begin(tmp_path, "counted").close()
    dated(tmp_path, "counted", 1.0)
    assert [run.run_id for run in list_runs(tmp_path)] == ["counted", "old", "older", "damaged number"]


def test_a_run_that_was_killed_before_its_first_word_is_not_the_newest(tmp_path: Path) -> None:
    begin(tmp_path, "real").close()
    paths = RunPaths(tmp_path, "killed")
    paths.make()
    Journal(paths.journal).close()
    assert latest_run(tmp_path) == "real"


@pytest.mark.parametrize(("left", "told"), [(None, "is missing"), (b"", "is empty")])
def test_a_run_that_lost_its_journal_is_listed_with_that_and_still_the_newest(
    tmp_path: Path, left: bytes | None, told: str
) -> None:
    begin(tmp_path, "sound").close()
    begin(tmp_path, "lost").close()
    paths = RunPaths(tmp_path, "lost")
    paths.versions.mkdir()
    paths.check()
    paths.journal.unlink()
    if left is not None:
        paths.journal.write_bytes(left)
    newest = list_runs(tmp_path)[0]
    assert newest.run_id == latest_run(tmp_path) == "lost", "another run must not be taken for it in silence"
    assert f"journal.sqlite {told}, though its run was begun" in newest.problem
    assert "put back a copy" in newest.problem
    assert "resume" not in newest.problem
    assert paths.exists()
    with pytest.raises(StoreError, match=told):
        paths.check()


def test_an_empty_journal_of_a_run_that_never_began_says_so(tmp_path: Path) -> None:
    paths = RunPaths(tmp_path, "x")
    paths.make()
    paths.journal.touch()
    assert "is empty: it was emptied, or its run ended before anything was written" in list_runs(tmp_path)[0].problem
    assert "resume" not in list_runs(tmp_path)[0].problem
