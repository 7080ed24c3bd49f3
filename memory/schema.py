"""The journal's tables, as ordered migrations: a file knows how many of them it has seen.

Never edit a migration that was released; append a new one.
"""

from __future__ import annotations

from collections.abc import Sequence

from sigmaloop.errors import StoreError
from sigmaloop.memory.database import Database

APPLICATION = 0x5167_4A31
"""Marks the file as a journal of ours (PRAGMA application_id)."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
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
)


def migrate(database: Database, *, steps: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Bring the file to the newest schema, all of it or nothing.

    Raises StoreError for a file of another program, of a newer version, or read-only and out of date.
    """
    version = _number(database, "user_version")
    if version == len(steps) and _number(database, "application_id") == APPLICATION:
        return
    if version > len(steps):
        raise StoreError(
            f"{database.path} was written by a newer SigmaLoop (schema {version}, this one knows "
            f"{len(steps)}); upgrade to read it"
        )
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
                database.execute(statement)
        database.execute(f"PRAGMA user_version = {len(steps)}")
        database.execute(f"PRAGMA application_id = {APPLICATION}")


def _number(database: Database, pragma: str) -> int:
    return int(database.execute(f"PRAGMA {pragma}")[0][0])
