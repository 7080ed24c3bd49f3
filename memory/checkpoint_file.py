"""Checkpoints as they are stored, read without LangGraph: for commands that only look at a run.

Loading the library takes seconds and a thousand modules; its file is two tables of msgpack. What it would revive as an
object of its own (a question to a person, a task for a miner) comes as plain data. Writing is `memory/checkpoints.py`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import ormsgpack

from sigmaloop.errors import StoreError
from sigmaloop.memory.database import explained, open_readonly

DAMAGED = (
    "cannot be used; put back a copy, or move it aside together with its -wal and -shm files: its runs keep their "
    "journals"
)


class StoredCheckpoint(NamedTuple):
    """One row, and what was written since by the tasks that follow it."""

    id: str
    checkpoint: dict[str, Any]
    writes: tuple[tuple[str, str, Any], ...]
    """Task id, channel, value."""


class CheckpointFile:
    """The checkpoints of every run of a home; makes and changes no file. Empty where there is none."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def ids(self, run_id: str) -> list[str]:
        """Of a run, the newest first."""
        query = "SELECT checkpoint_id FROM checkpoints WHERE thread_id = ? AND checkpoint_ns = '' ORDER BY 1 DESC"
        return [str(row[0]) for row in self._rows(query, run_id)]

    def read(self, run_id: str, checkpoint_id: str) -> StoredCheckpoint:
        """Raises StoreError for one that is damaged or gone."""
        where = "WHERE thread_id = ? AND checkpoint_ns = '' AND checkpoint_id = ?"
        rows = self._rows(f"SELECT type, checkpoint FROM checkpoints {where}", run_id, checkpoint_id)
        query = f"SELECT task_id, channel, type, value FROM writes {where} ORDER BY task_id, idx"
        written = self._rows(query, run_id, checkpoint_id)
        try:
            checkpoint = _decoded(*rows[0])
            if not (isinstance(checkpoint, dict) and {"v", "id", "channel_values"} <= checkpoint.keys()):
                raise TypeError(f"it holds {type(checkpoint).__name__}, no state")
            writes = tuple((task, channel, _decoded(kind, value)) for task, channel, kind, value in written)
        except Exception as error:  # whatever damaged bytes make of the decoder
            reason = f"{type(error).__name__}: {str(error)[:100]}"
            raise StoreError(f"{self.path}: checkpoint {checkpoint_id} cannot be read ({reason})") from error
        return StoredCheckpoint(checkpoint_id, checkpoint, writes)

    def _rows(self, query: str, *values: str) -> list[Any]:
        return list(self._execute(query, values)) if self.path.exists() else []

    def _execute(self, query: str, values: tuple[str, ...]) -> Iterator[Any]:
        try:
            with closing(open_readonly(self.path, damaged=DAMAGED)) as connection:
                tables = "SELECT name FROM sqlite_master WHERE name IN ('checkpoints', 'writes')"
                if len(connection.execute(tables).fetchall()) == 2:  # a process killed at the start leaves none
                    yield from connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise explained(self.path, error, damaged=DAMAGED) from error


def _decoded(kind: str, data: bytes | None) -> Any:
    if kind == "null":
        return None
    if kind != "msgpack" or data is None:
        raise TypeError(f"stored as {kind}")
    return ormsgpack.unpackb(data, ext_hook=_plain, option=ormsgpack.OPT_NON_STR_KEYS)


def _plain(_code: int, data: bytes) -> Any:
    """An object's arguments in place of the object: it is stored as its module, its class and these."""
    parts = ormsgpack.unpackb(data, ext_hook=_plain, option=ormsgpack.OPT_NON_STR_KEYS)
    return parts[2] if isinstance(parts, (list, tuple)) and len(parts) > 2 else parts
