"""One SQLite file: read where nothing may be written, and errors that say what really happened."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sigmaloop.errors import StoreError
from sigmaloop.memory.database import Database, explained
from sigmaloop.memory.journal import Journal


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """What a quota or `ulimit -f` does to this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_quota_is_not_called_damage_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path) as journal:
        journal.append("kind", "before", {})
        with files_of_at_most(path.with_name(path.name + "-wal").stat().st_size):
            with pytest.raises(StoreError) as caught:
                journal.append("kind", "too much", {"text": "x" * 200_000})
            text = str(caught.value)
            assert "cannot be written (a quota, a file-size limit or the disk)" in text
            assert "nothing that was finished is lost" in text
            assert "resume" in text
            assert "damaged" not in text
            assert "move it aside" not in text
        journal.append("kind", "after", {"text": "x" * 200_000})
        journal.verify()
        assert [event.id for event in journal.events()] == ["before", "after"]


@pytest.mark.parametrize("left", [(), ("-wal",), ("-wal", "-shm")], ids=["at rest", "wal", "wal and shm"])
def test_a_journal_that_may_only_be_read_is_read_with_what_a_killed_process_left(
    left: tuple[str, ...], only_readable: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path) as journal:
        for number in range(3):
            journal.append("kind", f"e{number}", {})
        if left:
            with only_readable(path, *left) as copy, Journal(copy, readonly=True) as reader:
                reader.verify_new()
                assert reader.length() == 3
                assert sorted(p.name for p in copy.parent.iterdir()) == sorted(path.name + e for e in ("", *left))
            return
    with only_readable(path) as copy, Journal(copy, readonly=True) as reader:
        reader.verify_new()
        assert reader.length() == 3


def test_a_reader_of_a_copy_in_memory_cannot_write_either(only_readable: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path) as journal:
        journal.append("kind", "e", {})
        with only_readable(path, "-wal") as copy, Journal(copy, readonly=True) as reader:
            with pytest.raises(StoreError, match="cannot be opened as needed"):
                reader.append("kind", "more", {})
            assert reader.length() == 1


def test_a_file_that_nobody_may_read_is_no_damage(only_readable: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    Journal(path).close()
    path.chmod(0o000)
    with only_readable(path) as copy, pytest.raises(StoreError, match="permissions"):
        Journal(copy, readonly=True)


def test_a_snapshot_shows_one_state_whoever_writes(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    writer, reader = Database(path), Database(path)
    writer.execute("CREATE TABLE t (n INTEGER)")
    with reader.snapshot():
        assert reader.execute("SELECT count(*) FROM t") == [(0,)]
        writer.execute("INSERT INTO t VALUES (1)")
        with reader.snapshot():
            assert reader.execute("SELECT count(*) FROM t") == [(0,)]
    assert reader.execute("SELECT count(*) FROM t") == [(1,)]
    writer.close()
    reader.close()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("SQLITE_IOERR_WRITE", "cannot be written"),
        ("SQLITE_IOERR_FSYNC", "cannot be written"),
        ("SQLITE_IOERR_READ", "cannot be read from its disk"),
        ("SQLITE_IOERR_SHORT_READ", "is damaged"),
        ("SQLITE_CORRUPT", "is damaged"),
    ],
)
def test_what_sqlite_said_decides_what_is_advised(name: str, told: str) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = name
    assert told in str(explained(Path("journal.sqlite"), error))
