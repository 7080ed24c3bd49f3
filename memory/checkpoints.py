"""Where the graph's checkpoints lie: one SQLite file in the home, shared by CLI, notebook and Studio.

langgraph.json names `create_checkpointer`; the development server loads this file by its path, so it
imports by full names only.
"""

from __future__ import annotations

import asyncio
import inspect
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import aiosqlite
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from sigmaloop import records
from sigmaloop.errors import BadInput, StoreError
from sigmaloop.memory.runs import checkpoints_path
from sigmaloop.settings import load_settings

BUSY_SECONDS = 30.0
"""How long one writer waits for another: the CLI and Studio may step different runs of one home."""


@contextmanager
def open_checkpointer(path: Path) -> Iterator[SqliteSaver]:
    """The saver of the command line and notebooks; closed with the block. Raises StoreError when damaged."""
    _make_home(path.parent)
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)) as connection:
        saver = SqliteSaver(connection, serde=serializer())
        try:
            saver.setup()
            connection.execute("PRAGMA synchronous=NORMAL")  # in WAL, a killed process loses nothing
        except sqlite3.Error as error:
            raise _explained(path, error) from error
        yield saver


@asynccontextmanager
async def create_checkpointer() -> AsyncIterator[AsyncSqliteSaver]:
    """The saver of the development server, at the home that the settings name."""
    path = await asyncio.to_thread(_path_from_settings)  # files are read: not in the server's event loop
    connection = aiosqlite.connect(path, timeout=BUSY_SECONDS)
    # The server closes the saver of one of its threads only; the others must not keep it from exiting.
    connection._thread.daemon = True
    async with connection:
        saver = AsyncSqliteSaver(connection, serde=serializer())
        try:
            await saver.setup()
            await connection.execute("PRAGMA synchronous=NORMAL")
        except sqlite3.Error as error:
            raise _explained(path, error) from error
        yield saver


def checkpoint_ids(saver: BaseCheckpointSaver[Any], thread_id: str) -> list[str]:
    """Ids of a thread's checkpoints, the newest first; nothing is read but the ids, so a damaged one is listed."""
    if not isinstance(saver, SqliteSaver):
        found = saver.list({"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}})
        return [item.checkpoint["id"] for item in found]
    query = "SELECT checkpoint_id FROM checkpoints WHERE thread_id = ? AND checkpoint_ns = '' ORDER BY 1 DESC"
    with saver.cursor(transaction=False) as cursor:
        return [str(name) for (name,) in cursor.execute(query, (thread_id,)).fetchall()]


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


def _explained(path: Path, error: sqlite3.Error) -> StoreError:
    if "locked" in str(error):
        return StoreError(f"{path} is locked by another process; wait for it, then repeat ({error})")
    return StoreError(
        f"{path} cannot be used ({error}); put back a copy, or move it aside: its runs keep their journals "
        "but cannot be resumed"
    )
