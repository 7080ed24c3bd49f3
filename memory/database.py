"""One SQLite file, opened safely: WAL, one lock-guarded connection, errors that say what to do.

In WAL mode with synchronous=NORMAL a committed transaction survives the death of the process (kill -9);
only a power cut may take the newest ones, and then whole transactions, never the file.
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from sigmaloop.errors import BadInput, StoreError

BUSY_SECONDS = 30.0
"""How long a writer waits for another one before it gives up."""


class Database:
    """A connection that many threads may use; every failure becomes a StoreError that names the file."""

    def __init__(self, path: Path, *, readonly: bool = False) -> None:
        self.path = path
        self.readonly = readonly
        self._lock = threading.RLock()
        self._depth = 0
        if readonly and not path.is_file():
            raise StoreError(f"{path} does not exist; nothing was recorded there")
        if not readonly:
            _make_folder(path.parent)
        self._connection = self._connect()

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """Run one statement and return all its rows. Outside `transaction` it commits at once."""
        with self._lock:
            try:
                return self._connection.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise explained(self.path, error) from error

    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for every row, in one transaction."""
        with self.transaction():
            try:
                self._connection.executemany(sql, rows)
            except sqlite3.Error as error:
                raise explained(self.path, error) from error

    @contextmanager
    def snapshot(self) -> Iterator[Self]:
        """Reads inside see one state of the file, whoever writes meanwhile."""
        with self._lock:
            if self._depth or self._connection.in_transaction:
                yield self
                return
            self.execute("BEGIN")
            try:
                yield self
            finally:
                self.execute("COMMIT")

    @contextmanager
    def transaction(self) -> Iterator[Self]:
        """All or nothing; may be nested, an inner one that raises undoes only its own part."""
        with self._lock:
            name = f"level{self._depth}"
            self.execute(f"SAVEPOINT {name}" if self._depth else "BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield self
            except BaseException:
                self._depth -= 1
                self._undo(name)
                raise
            self._depth -= 1
            try:
                self.execute(f"RELEASE {name}" if self._depth else "COMMIT")
            except StoreError:
                self._undo(name)
                raise

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _undo(self, name: str) -> None:
        if not self._connection.in_transaction:  # SQLite rolls back by itself when the disk is full
            return
        if self._depth:
            self.execute(f"ROLLBACK TO {name}")
            self.execute(f"RELEASE {name}")
        else:
            self.execute("ROLLBACK")

    def _connect(self) -> sqlite3.Connection:
        if self.readonly:
            return open_readonly(self.path)
        try:
            return _set_up(_open(self.path, "rwc"), writable=True)
        except sqlite3.Error as error:
            raise explained(self.path, error) from error


DAMAGED = (
    "is damaged; move it aside together with its -wal and -shm files, "
    "put back a copy if there is one, or start a new run"
)


def open_readonly(path: Path, *, damaged: str = DAMAGED) -> sqlite3.Connection:
    """A connection that can only read, also where nothing may be written. Raises StoreError."""
    try:
        try:
            return _set_up(_open(path, "ro"), writable=False)
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY")):
                raise
            # A folder that may only be read has no room for the WAL's index. At rest none is needed.
            if not _has_wal(path):
                return _set_up(_open(path, "ro&immutable=1"), writable=False)
            return _copied(path)
    except sqlite3.Error as error:
        raise explained(path, error, damaged=damaged) from error
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}; check the permissions of its folder") from None


def _has_wal(path: Path) -> bool:
    wal = path.with_name(path.name + "-wal")
    return wal.exists() and wal.stat().st_size > 0


def _copied(path: Path) -> sqlite3.Connection:
    """The file together with the log that a killed process left beside it, in memory."""
    with TemporaryDirectory() as folder:
        for name in (path.name, path.name + "-wal"):
            shutil.copyfile(path.with_name(name), Path(folder) / name)
        memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        with closing(_open(Path(folder) / path.name, "rw")) as copy:
            copy.backup(memory)
    memory.execute("PRAGMA query_only=ON")
    return memory


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"folder {folder} cannot be made: {error.strerror}; give a writable place with --home") from None


def _open(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


def _set_up(connection: sqlite3.Connection, *, writable: bool) -> sqlite3.Connection:
    try:
        if writable:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchall()  # the first look into the file
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def explained(path: Path, error: sqlite3.Error, *, damaged: str = DAMAGED) -> StoreError:
    """What SQLite said about a file, with what to do; `damaged` where nothing else explains it."""
    text, name = str(error), getattr(error, "sqlite_errorname", "")
    if "locked" in text or "busy" in text:
        what = "is locked by another process; wait for it or stop it, then repeat the command"
    elif "full" in text:
        what = "cannot be written because the disk is full; free some space, then resume the run"
    elif name.startswith("SQLITE_IOERR_READ"):
        what = "cannot be read from its disk; look at the disk, then repeat the command"
    elif name.startswith("SQLITE_IOERR") and name != "SQLITE_IOERR_SHORT_READ":
        what = (
            "cannot be written (a quota, a file-size limit or the disk); nothing that was finished is lost: "
            "make room, then resume the run"
        )
    elif "readonly" in text or "unable to open" in text or "attempt to write" in text:
        what = "cannot be opened as needed; check the permissions of the file and its folder"
    elif isinstance(error, sqlite3.ProgrammingError):
        what = "is closed or was used wrongly; open it again"
    else:
        what = damaged
    return StoreError(f"{path} {what} ({text})")
