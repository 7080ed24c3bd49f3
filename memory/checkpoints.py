"""Where the graph's checkpoints lie: one SQLite file in the home, shared by CLI, notebook and Studio.

langgraph.json names `create_checkpointer`; the development server loads this file by its path, so it
imports by full names only. A checkpoint that cannot be read raises StoreError with its id and hides no other:
`checkpoint_ids` lists all of them.
"""

from __future__ import annotations

import asyncio
import inspect
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import aiosqlite
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from sigmaloop import records
from sigmaloop.errors import BadInput, SigmaLoopError, StoreError
from sigmaloop.memory.database import explained, open_readonly
from sigmaloop.memory.runs import checkpoints_path
from sigmaloop.settings import load_settings

BUSY_SECONDS = 30.0
"""How long one writer waits for another: the CLI and Studio may step different runs of one home."""
DAMAGED = (
    "cannot be used; put back a copy, or move it aside together with its -wal and -shm files: its runs keep their "
    "journals"
)


_NEWEST = "SELECT checkpoint_id FROM checkpoints WHERE thread_id = ? AND checkpoint_ns = '' ORDER BY checkpoint_id DESC"


class Checkpoints(SqliteSaver):
    """The saver of the command line and notebooks."""

    path = Path()

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        try:
            return _sound(super().get_tuple(config))
        # Whatever a damaged blob makes the decoder raise.
        except Exception as error:
            raise _unreadable(self.path, config, self._newest(config), error) from error

    def list(self, config: RunnableConfig | None, **choice: Any) -> Iterator[CheckpointTuple]:
        try:
            for found in super().list(config, **choice):
                _sound(found)
                yield found
        except SigmaLoopError:
            raise
        except Exception as error:
            raise _unreadable(self.path, config, "", error) from error

    def _newest(self, config: RunnableConfig) -> str:
        with suppress(sqlite3.Error), self.cursor(transaction=False) as cursor:
            row = cursor.execute(f"{_NEWEST} LIMIT 1", (str(config["configurable"]["thread_id"]),)).fetchone()
            return str(row[0]) if row else ""
        return ""


class AsyncCheckpoints(AsyncSqliteSaver):
    """The saver of the development server."""

    path = Path()

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        try:
            return _sound(await super().aget_tuple(config))
        except Exception as error:
            raise _unreadable(self.path, config, await self._newest(config), error) from error

    async def alist(self, config: RunnableConfig | None, **choice: Any) -> AsyncIterator[CheckpointTuple]:
        try:
            async for found in super().alist(config, **choice):
                _sound(found)
                yield found
        except SigmaLoopError:
            raise
        except Exception as error:
            raise _unreadable(self.path, config, "", error) from error

    async def _newest(self, config: RunnableConfig) -> str:
        with suppress(sqlite3.Error):
            found = await self.conn.execute(f"{_NEWEST} LIMIT 1", (str(config["configurable"]["thread_id"]),))
            row = await found.fetchone()
            return str(row[0]) if row else ""
        return ""


@contextmanager
def open_checkpointer(path: Path, *, readonly: bool = False) -> Iterator[Checkpoints]:
    """The saver of the command line and notebooks; closed with the block. Raises StoreError when damaged.

    `readonly` makes no file and changes none, also on a disk that may only be read; where there is no file, the
    saver is empty.
    """
    if not readonly:
        _make_home(path.parent)
    with closing(_to_read(path) if readonly else _to_write(path)) as connection:
        saver = Checkpoints(connection, serde=serializer())
        saver.path = path
        try:
            if readonly and _has_tables(connection):
                saver.is_setup = True
            saver.setup()
            if not readonly:
                connection.execute("PRAGMA synchronous=NORMAL")  # in WAL, a killed process loses nothing
        except sqlite3.Error as error:
            raise explained(path, error, damaged=DAMAGED) from error
        yield saver


@asynccontextmanager
async def create_checkpointer() -> AsyncIterator[AsyncCheckpoints]:
    """The saver of the development server, at the home that the settings name."""
    path = await asyncio.to_thread(_path_from_settings)  # files are read: not in the server's event loop
    connection = aiosqlite.connect(path, timeout=BUSY_SECONDS)
    # The server closes the saver of one of its threads only; the others must not keep it from exiting.
    connection._thread.daemon = True
    async with connection:
        saver = AsyncCheckpoints(connection, serde=serializer())
        saver.path = path
        try:
            await saver.setup()
            await connection.execute("PRAGMA synchronous=NORMAL")
        except sqlite3.Error as error:
            raise explained(path, error, damaged=DAMAGED) from error
        yield saver


def checkpoint_ids(saver: BaseCheckpointSaver[Any], thread_id: str) -> list[str]:
    """Ids of a thread's checkpoints, the newest first; nothing is read but the ids, so a damaged one is listed."""
    if not isinstance(saver, SqliteSaver):
        found = saver.list({"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}})
        return [item.checkpoint["id"] for item in found]
    with saver.cursor(transaction=False) as cursor:
        return [str(name) for (name,) in cursor.execute(_NEWEST, (thread_id,)).fetchall()]


def serializer() -> JsonPlusSerializer:
    """Revives our records and the library's own safe types; a checkpoint cannot name other code to run."""
    return JsonPlusSerializer(allowed_msgpack_modules=_record_types())


def _record_types() -> list[tuple[str, ...] | type[Any]]:
    return [
        kind
        for _, kind in inspect.getmembers(records, inspect.isclass)
        if issubclass(kind, records.Record) and kind.__module__ == records.__name__
    ]


def _path_from_settings() -> Path:
    path = checkpoints_path(load_settings().home)
    _make_home(path.parent)
    return path


def _make_home(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"home {home} cannot be made: {error.strerror}; give another with --home") from None


def _to_write(path: Path) -> sqlite3.Connection:
    try:
        return sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
    except sqlite3.Error as error:
        raise explained(path, error, damaged=DAMAGED) from error


def _to_read(path: Path) -> sqlite3.Connection:
    if not path.exists():
        return sqlite3.connect(":memory:", check_same_thread=False)
    connection = open_readonly(path, damaged=DAMAGED)
    if _has_tables(connection):
        return connection
    connection.close()
    return sqlite3.connect(":memory:", check_same_thread=False)


def _has_tables(connection: sqlite3.Connection) -> bool:
    """Whether anything was stored; a process that was killed at the start may leave an empty file."""
    tables = connection.execute("SELECT name FROM sqlite_master WHERE name IN ('checkpoints', 'writes')").fetchall()
    return len(tables) == 2


def _sound(found: CheckpointTuple | None) -> CheckpointTuple | None:
    """A blob that is damaged may still decode to something."""
    if found is not None:
        checkpoint: Any = found.checkpoint
        if not (isinstance(checkpoint, Mapping) and {"v", "id", "channel_values"} <= checkpoint.keys()):
            raise TypeError(f"it holds {type(checkpoint).__name__}, no state")
    return found


def _unreadable(path: Path, config: RunnableConfig | None, newest: str, error: Exception) -> StoreError:
    if isinstance(error, StoreError):
        return error
    if isinstance(error, sqlite3.Error):
        return explained(path, error, damaged=DAMAGED)
    where = config["configurable"] if config else {}
    which = where.get("checkpoint_id") or newest or "of those"
    return StoreError(
        f"{path}: checkpoint {which} of run {where.get('thread_id', 'unknown')} cannot be read "
        f"({type(error).__name__}: {error}); the run's journal is not touched by this: put back a copy of the file, "
        "or go on from the checkpoint before"
    )
