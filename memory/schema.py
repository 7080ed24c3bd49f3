"""The journal's tables, as ordered migrations: a file knows how many of them it has seen.

Never edit a migration that was released; append a new one.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence

from sigmaloop.errors import StoreError
from sigmaloop.memory.database import Database
from sigmaloop.memory.trace_form import APART
from sigmaloop.memory.verification import rollout_hash
from sigmaloop.records import Rollout

APPLICATION = 0x5167_4A31
"""Marks the file as a journal of ours (PRAGMA application_id)."""

READABLE = 1
"""The oldest schema that a reader understands; a writer brings any file to the newest one."""
SEALED = 2
"""Since this schema rollouts are covered by the chain."""
INDEXED = 3
"""Since this schema traces are found by what they are of, and those of validation and test are kept apart."""

Statement = str | Callable[[Database], None]


def _seal(database: Database) -> None:
    """Hash the rollouts of a file from before they were hashed; its next event covers them."""
    length = int(database.execute("SELECT length FROM chain")[0][0])
    try:
        for row in database.execute("SELECT id, agent, task_id, trial, status, payload, trace FROM rollouts"):
            sealed = (rollout_hash(*row), length + 1, row[0])
            database.execute("UPDATE rollouts SET hash = ?, covered_by = ? WHERE id = ?", sealed)
    except (ValueError, zlib.error) as error:
        raise StoreError(f"{database.path}: a rollout is damaged ({error}); put back a copy") from error


def _index(database: Database) -> None:
    """Fill the index from the results, and set apart every trace that is not of a task of the traffic.

    Older versions did not note a rollout's split, but every training task that one ran was drawn into a batch.
    """
    drawn: set[str] = set()
    try:
        for (payload,) in database.execute("SELECT payload FROM events WHERE kind = 'batch_started'"):
            drawn.update(json.loads(payload).get("tasks", ()))
        for id_, task_id, payload in database.execute("SELECT id, task_id, payload FROM rollouts"):
            outcome = Rollout.model_validate_json(payload).outcome
            split = "train" if task_id in drawn else ""
            database.execute("UPDATE rollouts SET split = ?, outcome = ? WHERE id = ?", (split, outcome, id_))
    except (ValueError, AttributeError) as error:
        raise StoreError(f"{database.path}: a rollout or batch is damaged ({error}); put back a copy") from error
    database.execute("INSERT INTO apart SELECT id, trace FROM rollouts WHERE split != 'train'")
    database.execute("UPDATE rollouts SET trace = ? WHERE split != 'train'", (APART,))


MIGRATIONS: tuple[tuple[Statement, ...], ...] = (
    (
        """CREATE TABLE events (
            seq INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL,
            batch INTEGER NOT NULL,
            payload TEXT NOT NULL,
            hash TEXT NOT NULL,
            written REAL NOT NULL)""",
        "CREATE INDEX events_by_kind ON events (kind, seq)",
        # Length and head beside the chain: without them nobody would miss its last rows.
        """CREATE TABLE chain (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            length INTEGER NOT NULL,
            head TEXT NOT NULL)""",
        "INSERT INTO chain VALUES (1, 0, '')",
        """CREATE TABLE records (
            kind TEXT NOT NULL,
            id TEXT NOT NULL,
            batch INTEGER NOT NULL,
            payload TEXT NOT NULL,
            PRIMARY KEY (kind, id))""",
        """CREATE TABLE rollouts (
            id TEXT PRIMARY KEY,
            agent TEXT NOT NULL,
            task_id TEXT NOT NULL,
            trial INTEGER NOT NULL,
            status TEXT NOT NULL,
            payload TEXT NOT NULL,
            trace BLOB NOT NULL)""",
        "CREATE INDEX rollouts_by_agent ON rollouts (agent, task_id, trial)",
        """CREATE TABLE calls (
            scope TEXT NOT NULL,
            position INTEGER NOT NULL,
            request TEXT NOT NULL,
            response TEXT NOT NULL,
            PRIMARY KEY (scope, position, request)) WITHOUT ROWID""",
        """CREATE TABLE usage (
            id TEXT PRIMARY KEY,
            role TEXT NOT NULL,
            batch INTEGER NOT NULL,
            task TEXT NOT NULL,
            calls INTEGER NOT NULL,
            input_tokens INTEGER NOT NULL,
            output_tokens INTEGER NOT NULL,
            cost REAL NOT NULL)""",
        """CREATE TABLE vectors (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            id TEXT NOT NULL,
            embedder TEXT NOT NULL,
            text TEXT NOT NULL,
            metadata TEXT NOT NULL,
            vector BLOB NOT NULL,
            UNIQUE (kind, id))""",
    ),
    (
        # Empty for an event that found no new rollouts, so that older chains stay what they were.
        "ALTER TABLE events ADD COLUMN rollouts TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE rollouts ADD COLUMN hash TEXT NOT NULL DEFAULT ''",
        # seq of the event that was written next: it covers the rollout
        "ALTER TABLE rollouts ADD COLUMN covered_by INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX rollouts_by_event ON rollouts (covered_by, id)",
        _seal,
    ),
    (
        "ALTER TABLE rollouts ADD COLUMN split TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE rollouts ADD COLUMN request_type TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE rollouts ADD COLUMN outcome TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE rollouts ADD COLUMN written REAL NOT NULL DEFAULT 0",
        "ALTER TABLE rollouts ADD COLUMN course BLOB",
        # The traces that no specialist may read, by rollout; `rollouts.trace` is empty for them.
        "CREATE TABLE apart (id TEXT PRIMARY KEY, trace BLOB NOT NULL)",
        "CREATE INDEX rollouts_by_outcome ON rollouts (split, outcome, request_type)",
        "CREATE INDEX rollouts_by_time ON rollouts (written)",
        _index,
    ),
)


def migrate(database: Database, *, steps: Sequence[Sequence[Statement]] = MIGRATIONS, readable: int = READABLE) -> int:
    """Bring the file to the newest schema, all of it or nothing; returns the schema that it has now.

    A reader takes older ones from `readable` on as they are. Raises StoreError for a file of another program, of
    a newer version, or read-only and empty or too old.
    """
    version = _number(database, "user_version")
    ours = _number(database, "application_id") == APPLICATION
    if ours and (version == len(steps) or (database.readonly and readable <= version < len(steps))):
        return version
    if version > len(steps):
        raise StoreError(
            f"{database.path} was written by a newer SigmaLoop (schema {version}, this one knows "
            f"{len(steps)}); upgrade to read it"
        )
    if database.readonly and not database.execute("SELECT count(*) FROM sqlite_master")[0][0]:
        raise StoreError(
            f"{database.path} is empty: it was emptied, or its run ended before anything was written; put back a copy "
            f"if there is one, else delete {database.path.parent} and start a new run"
        )
    if database.readonly and not ours:
        raise StoreError(f"{database.path} is a database of something else; give another --home")
    if database.readonly:
        raise StoreError(
            f"{database.path} has schema {version} of {len(steps)} and may only be read; resume its run once"
        )
    with database.transaction():
        version = _number(database, "user_version")  # another process may have been quicker
        tables = database.execute("SELECT count(*) FROM sqlite_master")[0][0]
        if tables and _number(database, "application_id") != APPLICATION:
            raise StoreError(f"{database.path} is a database of something else; give another --home")
        for statements in steps[version:]:
            for statement in statements:
                statement(database) if callable(statement) else database.execute(statement)
        database.execute(f"PRAGMA user_version = {len(steps)}")
        database.execute(f"PRAGMA application_id = {APPLICATION}")
    return len(steps)


def _number(database: Database, pragma: str) -> int:
    return int(database.execute(f"PRAGMA {pragma}")[0][0])
