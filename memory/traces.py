"""Every trace of a journal, of validation and test as well: for people alone.

What a specialist is shown comes from `Journal.trace`, which has training's only: traces of the other splits stand in
a table of their own, and this file is the only one that reads their steps. It opens the file by itself, read-only, so
that whoever holds a journal holds no way to them; a test names the one file that may import this one.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any, Self

from sigmaloop.errors import StoreError
from sigmaloop.memory.database import Database
from sigmaloop.memory.schema import INDEXED, migrate
from sigmaloop.memory.trace_form import STEPS, unpack_course, unpack_steps
from sigmaloop.records import Rollout, Trace, TraceFilter

EVERY = TraceFilter()


class Traces:
    """Reads of all stored rollouts with their traces."""

    def __init__(self, path: Path) -> None:
        """`path`: a journal. Raises StoreError when it is damaged, foreign, or older than its index of traces."""
        self.path = path
        self._db = Database(path, readonly=True)
        try:
            if migrate(self._db) < INDEXED:
                raise StoreError(
                    f"{path} is of an older version without an index of traces; `sigmaloop resume` adds it"
                )
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def find(self, wanted: TraceFilter = EVERY) -> list[Trace]:
        """Rollouts without their steps, the oldest first; with a limit, the newest so many of them."""
        parts, values = _where(wanted)
        limit = "" if wanted.limit is None else f" LIMIT {wanted.limit:d}"
        rows = self._db.execute(
            f"SELECT payload, written FROM rollouts{parts} ORDER BY written DESC, rowid DESC{limit}", values
        )
        return [Trace(rollout=self._rollout(payload), written=written) for payload, written in reversed(rows)]

    def ids(self, prefix: str, *, limit: int = 20) -> list[str]:
        """Ids of rollouts that begin like this, in order."""
        above = prefix + "\U0010ffff"
        rows = self._db.execute(
            "SELECT id FROM rollouts WHERE id >= ? AND id < ? ORDER BY id LIMIT ?", (prefix, above, limit)
        )
        return [id_ for (id_,) in rows]

    def read(self, rollout_id: str) -> Trace:
        """One rollout with its steps and its course. Raises StoreError when it is not stored or damaged."""
        rows = self._db.execute(
            f"SELECT payload, written, {STEPS}, course FROM rollouts LEFT JOIN apart USING (id) WHERE id = ?",
            (rollout_id,),
        )
        if not rows:
            raise StoreError(f"{self.path} holds no rollout {rollout_id}")
        payload, written, steps, course = rows[0]
        rollout = self._rollout(payload)
        try:
            return Trace(rollout=rollout, steps=unpack_steps(steps), course=unpack_course(course), written=written)
        except (zlib.error, ValueError, TypeError) as error:
            raise self._damaged(f"the trace of rollout {rollout_id}", error) from error

    def _rollout(self, payload: str) -> Rollout:
        try:
            return Rollout.model_validate_json(payload)
        except ValueError as error:
            raise self._damaged("a rollout", error) from error

    def _damaged(self, what: str, error: Exception) -> StoreError:
        return StoreError(f"{self.path}: {what} is damaged ({error}); put back a copy or start a new run")


def _where(wanted: TraceFilter) -> tuple[str, list[Any]]:
    parts: list[str] = []
    values: list[Any] = []
    for column in ("split", "request_type", "task_id"):
        value = getattr(wanted, column)
        if value is not None:
            parts.append(f"{column} = ?")
            values.append(value)
    if wanted.outcome is not None:
        also = ["agent_error"] if wanted.outcome == "failed" else []
        parts.append("outcome IN (SELECT value FROM json_each(?))")
        values.append(json.dumps([wanted.outcome, *also]))
    if wanted.agents is not None:
        parts.append("agent IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(list(wanted.agents)))
    return (" WHERE " + " AND ".join(parts) if parts else ""), values
