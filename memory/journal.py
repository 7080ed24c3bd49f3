"""The journal of a run: the one place where facts are written; everything else can be rebuilt from it.

Events are append-only and hash-chained, and each covers the rollouts that were stored before it
(`verification.py`). Model calls, usage and vectors are bulk tables beside them. Every write is keyed by an id and
safe to repeat, so a run killed at any instant resumes with nothing lost and nothing paid twice. Threads may share a
journal; one process writes, any number may read.
"""

from __future__ import annotations

import json
import math
import time
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

from sigmaloop.errors import StoreError
from sigmaloop.memory.database import Database
from sigmaloop.memory.events import Event, canonical, checked, link
from sigmaloop.memory.facts import Fact, R, RecordKind
from sigmaloop.memory.schema import INDEXED, SEALED, migrate
from sigmaloop.memory.trace_form import APART, pack_course, pack_steps, unpack_steps
from sigmaloop.memory.verification import rollout_hash, rollouts_hash, verify, verify_new
from sigmaloop.records import NO_COURSE, Course, Rollout, RolloutKey, Step, Usage

F = TypeVar("F", bound=Fact)


class VectorRow(NamedTuple):
    """A text and its embedding, as the index can be rebuilt from it."""

    kind: str
    id: str
    embedder: str
    """Id of the embedder that made the vector."""
    text: str
    metadata: dict[str, Any]
    vector: bytes
    """Little-endian float32."""


class Journal:
    """What happened in a run, in one SQLite file."""

    def __init__(self, path: Path, *, readonly: bool = False) -> None:
        """Open or make the journal. Raises StoreError when the file is damaged, foreign or newer."""
        self.path = Path(path)
        self.readonly = readonly
        self._db = Database(self.path, readonly=readonly)
        try:
            schema = migrate(self._db)
            self._sealed, self._apart = schema >= SEALED, schema >= INDEXED
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Group writes: all of them survive or none. Other threads wait, so keep it short."""
        with self._db.transaction():
            yield

    # Events ------------------------------------------------------------------------------------------

    def append(self, kind: str, id: str, payload: Mapping[str, Any], *, batch: int = 0) -> None:  # noqa: A002
        """Add an event. The same event again is no news; another one under its id raises StoreError.

        What could not be read back raises StoreError, too, before anything is written. The order of calls is part
        of the chain, and so is the set of rollouts stored before: write events from one place at a time.
        """
        try:
            text = checked(id=id, kind=kind, batch=batch, payload=payload)
        except ValueError as error:
            raise StoreError(f"{self.path}: event {id!r} of kind {kind!r} was not written: {error}") from None
        with self._db.transaction():
            known = self._db.execute("SELECT kind, batch, payload FROM events WHERE id = ?", (id,))
            if known:
                if tuple(known[0]) != (kind, batch, text):
                    raise self._contradiction(id, known[0], (kind, batch, text))
                return
            length, head = self._db.execute("SELECT length, head FROM chain")[0]
            new = self._db.execute(
                "SELECT hash FROM rollouts WHERE covered_by = ? AND status != 'infra'", (length + 1,)
            )
            rollouts = rollouts_hash(found for (found,) in new)
            head = link(head, id=id, kind=kind, batch=batch, payload=text, rollouts=rollouts)
            self._db.execute(
                "INSERT INTO events (seq, id, kind, batch, payload, hash, written, rollouts) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (length + 1, id, kind, batch, text, head, time.time(), rollouts),
            )
            self._db.execute("UPDATE chain SET length = ?, head = ?", (length + 1, head))

    def events(self, kind: str | Collection[str] | None = None, *, batch: int | None = None) -> list[Event]:
        """Events in the order in which they were written; of one kind, several kinds, or all."""
        kinds = None if kind is None else [kind] if isinstance(kind, str) else sorted(kind)
        where = _where(kind=kinds, batch=None if batch is None else [batch])
        rows = self._db.execute(f"SELECT seq, id, kind, batch, payload FROM events{where[0]} ORDER BY seq", where[1])
        return [self._event(row) for row in rows]

    def event(self, id: str) -> Event | None:  # noqa: A002
        rows = self._db.execute("SELECT seq, id, kind, batch, payload FROM events WHERE id = ?", (id,))
        return self._event(rows[0]) if rows else None

    def head(self) -> str:
        """Hash over every event so far, in order; empty for an empty journal."""
        return str(self._db.execute("SELECT head FROM chain")[0][0])

    def length(self) -> int:
        """Number of events."""
        return int(self._db.execute("SELECT length FROM chain")[0][0])

    def count(self, kind: str) -> int:
        """Number of events of a kind."""
        return int(self._db.execute("SELECT count(*) FROM events WHERE kind = ?", (kind,))[0][0])

    def times(self) -> tuple[float, float] | None:
        """When the first and the newest event were written, in seconds since 1970; for people only."""
        first, last = self._db.execute("SELECT min(written), max(written) FROM events")[0]
        return None if first is None else (first, last)

    def written(self, kind: str) -> dict[str, float]:
        """When each event of a kind was written, by id, in seconds since 1970; for people only."""
        return dict(self._db.execute("SELECT id, written FROM events WHERE kind = ? ORDER BY seq", (kind,)))

    def newest_batch(self) -> int:
        """The batch of the newest traffic; 0 before the first."""
        return int(self._db.execute("SELECT coalesce(max(batch), 0) FROM events WHERE kind = 'batch_started'")[0][0])

    def select(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """Rows of a reading statement: slim reads of `memory/overview.py`."""
        return self._db.execute(sql, values)

    def verify(self) -> None:
        """Check the file, the whole chain and every rollout.

        Raises StoreError that names the first event or rollout that is not as written.
        """
        verify(self._db, sealed=self._sealed, apart=self._apart)

    def verify_new(self) -> None:
        """`verify`, but only of what this process has not checked yet."""
        verify_new(self._db, sealed=self._sealed, apart=self._apart)

    def write(self, fact: Fact) -> None:
        """Append a fact. The same fact again is no news; another one under its id raises StoreError."""
        self.append(fact.kind, fact.id, fact.payload(), batch=fact.batch)

    def write_once(self, fact: F) -> F:
        """Append a fact and return it, or the one that stands there already, if a killed process wrote it.

        For facts that depend on which rollouts met a fault: a resumed run may meet others, and the first word counts.
        """
        with self._db.transaction():
            known = self.find(type(fact), fact.id)
            if known is None:
                self.write(fact)
            return known or fact

    def read(self, kind: type[F]) -> list[F]:
        """Every fact of a kind, in the order in which they were written."""
        return [self._fact(kind, event) for event in self.events(kind.kind)]

    def find(self, kind: type[F], id: str) -> F | None:  # noqa: A002
        """The fact with an id."""
        event = self.event(id)
        return None if event is None else self._fact(kind, event)

    # Records -----------------------------------------------------------------------------------------

    def put(self, kind: str, id: str, payload: Mapping[str, Any], *, batch: int = 0) -> None:  # noqa: A002
        """Store a fact under (kind, id); putting it again replaces it. What must not change is an event."""
        self._db.execute(
            "INSERT INTO records VALUES (?, ?, ?, ?) "
            "ON CONFLICT (kind, id) DO UPDATE SET batch = excluded.batch, payload = excluded.payload",
            (kind, id, batch, canonical(payload)),
        )

    def get(self, kind: str, id: str) -> dict[str, Any] | None:  # noqa: A002
        rows = self._db.execute("SELECT payload FROM records WHERE kind = ? AND id = ?", (kind, id))
        return self._json(rows[0][0], f"{kind} {id}") if rows else None

    def save(self, kind: RecordKind[R], id: str, record: R, *, batch: int = 0) -> None:  # noqa: A002
        """Store a record under its kind and id; saving it again replaces it."""
        self.put(kind.name, id, record.model_dump(mode="json"), batch=batch)

    def stamp(self, kind: RecordKind[R], id: str, record: R, *, batch: int = 0) -> None:  # noqa: A002
        """`save`, with the time in the record's field `at`; for people only."""
        self.save(kind, id, record.model_copy(update={"at": time.time()}), batch=batch)

    @staticmethod
    def seconds_since(at: float) -> float:
        """How long ago a stamp was made, by the clock of this machine; for people only."""
        return time.time() - at

    def load(self, kind: RecordKind[R], id: str) -> R | None:  # noqa: A002
        """The record of a kind with an id."""
        payload = self.get(kind.name, id)
        return None if payload is None else kind.model.model_validate(payload)

    def load_all(self, kind: RecordKind[R]) -> list[R]:
        """Every record of a kind, by batch, then id."""
        return [kind.model.model_validate(payload) for payload in self.all(kind.name)]

    def all(self, kind: str, *, batch: int | None = None) -> list[dict[str, Any]]:
        """Every record of a kind, by batch, then id: the order of writing does not matter."""
        where = _where(kind=[kind], batch=None if batch is None else [batch])
        rows = self._db.execute(f"SELECT id, payload FROM records{where[0]} ORDER BY batch, id", where[1])
        return [self._json(payload, f"{kind} {id_}") for id_, payload in rows]

    # Rollouts ----------------------------------------------------------------------------------------

    def save_rollout(
        self,
        rollout: Rollout,
        trace: Sequence[Step],
        *,
        course: Course = NO_COURSE,
        scope: str | None = None,
    ) -> None:
        """Store a result with its trace and, in the same transaction, forget the model calls of `scope`.

        The trace of a task that is not known as training's is kept apart, where `trace` does not find it.

        An infra result gives way to any later one and keeps its calls, since a new try replays them. A
        valid result stays: the same evidence again is no news, other evidence raises StoreError.
        """
        packed = pack_steps(trace)
        apart = rollout.split != "train"
        payload = canonical(rollout.model_dump(mode="json"))
        row = (rollout.id, rollout.key.agent, rollout.key.task_id, rollout.key.trial, rollout.status, payload, packed)
        with self._db.transaction():
            known = self.rollout(rollout.key)
            if known is None:
                index = (rollout.split or "", rollout.request_type, rollout.outcome, time.time(), pack_course(course))
                self._db.execute(
                    "INSERT OR REPLACE INTO rollouts "
                    "(id, agent, task_id, trial, status, payload, trace, hash, covered_by, "
                    "split, request_type, outcome, written, course) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (*row[:-1], APART if apart else packed, rollout_hash(*row), self.length() + 1, *index),
                )
                if apart:
                    self._db.execute("INSERT OR REPLACE INTO apart VALUES (?, ?)", (rollout.id, packed))
            elif rollout.valid and known.evidence != rollout.evidence:
                raise StoreError(
                    f"{self.path}: rollout {rollout.id} ended {known.status} with reward {known.reward} "
                    f"and now {rollout.status} with {rollout.reward}; a result is never measured twice"
                )
            if scope is not None and (rollout.valid or known is not None):
                self.forget(scope)

    def rollout(self, key: RolloutKey) -> Rollout | None:
        """The valid result of a key; None when there is none yet or only an infra one."""
        rows = self._db.execute("SELECT payload FROM rollouts WHERE id = ? AND status != 'infra'", (key.id,))
        return self._rollout(rows[0][0]) if rows else None

    def rollouts(self, *, agent: str | None = None, task_ids: Collection[str] | None = None) -> list[Rollout]:
        """Stored results, infra ones too, by agent, task and trial."""
        where = _where(agent=None if agent is None else [agent], task_id=None if task_ids is None else sorted(task_ids))
        rows = self._db.execute(f"SELECT payload FROM rollouts{where[0]} ORDER BY agent, task_id, trial", where[1])
        return [self._rollout(payload) for (payload,) in rows]

    def trace(self, rollout_id: str) -> tuple[Step, ...]:
        """What happened in a rollout of a training task, step by step: what specialists are shown.

        Raises StoreError when it is not stored, or of another split: `memory/traces.py` shows those to people.
        """
        rows = self._db.execute("SELECT trace FROM rollouts WHERE id = ?", (rollout_id,))
        if not rows:
            raise StoreError(f"{self.path} holds no rollout {rollout_id}")
        if rows[0][0] == APART:
            raise StoreError(f"{self.path}: rollout {rollout_id} is not of a training task; its trace is kept apart")
        try:
            return unpack_steps(rows[0][0])
        except (zlib.error, ValueError) as error:
            raise self._damaged(f"the trace of rollout {rollout_id}", error) from error

    # Model calls (the gateway's call journal) --------------------------------------------------------

    def recall(self, scope: str, index: int, request_hash: str) -> dict[str, Any] | None:
        """The answer that was paid for already, if this very request was made at this place before."""
        rows = self._db.execute(
            "SELECT response FROM calls WHERE scope = ? AND position = ? AND request = ?",
            (scope, index, request_hash),
        )
        return self._json(rows[0][0], f"model call {index} of {scope}") if rows else None

    def remember(self, scope: str, index: int, request_hash: str, response: Mapping[str, Any]) -> None:
        """Keep a paid answer; the first one stays."""
        self._db.execute(
            "INSERT OR IGNORE INTO calls VALUES (?, ?, ?, ?)",
            (scope, index, request_hash, json.dumps(response, separators=(",", ":"))),
        )

    def forget(self, scope: str) -> None:
        """Drop the answers of a scope whose result is stored, and of scopes within it (`SCOPE:user`)."""
        self._db.execute(
            "DELETE FROM calls WHERE scope = ? OR (scope > ? AND scope < ?)", (scope, f"{scope}:", f"{scope};")
        )

    # Usage -------------------------------------------------------------------------------------------

    def add_usage(self, id: str, role: str, batch: int, task: str, usage: Usage) -> None:  # noqa: A002
        """Count what calls cost; an id counts once, with its first value."""
        self._db.execute(
            "INSERT OR IGNORE INTO usage VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (id, role, batch, task, usage.calls, usage.input_tokens, usage.output_tokens, usage.cost),
        )

    def usage(self, *, batch: int | None = None, task: str | None = None) -> dict[str, Usage]:
        """Sums by role, of a batch or task or of everything."""
        where = _where(batch=None if batch is None else [batch], task=None if task is None else [task])
        rows = self._db.execute(
            f"SELECT role, calls, input_tokens, output_tokens, cost FROM usage{where[0]} ORDER BY role, id",
            where[1],
        )
        by_role: dict[str, list[tuple[int, int, int, float]]] = {}
        for role, *numbers in rows:
            by_role.setdefault(role, []).append((numbers[0], numbers[1], numbers[2], numbers[3]))
        return {role: _sum(rows) for role, rows in by_role.items()}

    # Vectors (the index's source of truth) -----------------------------------------------------------

    def save_vectors(self, rows: Iterable[VectorRow]) -> None:
        """Store embeddings, in one transaction; a new vector replaces the old one of its (kind, id)."""
        self._db.execute_many(
            "INSERT OR REPLACE INTO vectors (kind, id, embedder, text, metadata, vector) VALUES (?, ?, ?, ?, ?, ?)",
            [(r.kind, r.id, r.embedder, r.text, canonical(r.metadata), r.vector) for r in rows],
        )

    def vectors(self, kind: str, *, ids: Collection[str] | None = None) -> list[VectorRow]:
        """Stored embeddings of a kind, by id."""
        where = _where(kind=[kind], id=None if ids is None else sorted(ids))
        rows = self._db.execute(
            f"SELECT kind, id, embedder, text, metadata, vector FROM vectors{where[0]} ORDER BY id", where[1]
        )
        return [VectorRow(r[0], r[1], r[2], r[3], self._json(r[4], f"vector {r[1]}"), r[5]) for r in rows]

    def vectors_since(self, state: int, *, embedder: str) -> list[tuple[int, str, bytes]]:
        """(state, text, vector) of what one embedder made after a `vector_state`, in the order of writing."""
        rows = self._db.execute(
            "SELECT seq, text, vector FROM vectors WHERE seq > ? AND embedder = ? ORDER BY seq", (state, embedder)
        )
        return [(seq, text, vector) for seq, text, vector in rows]

    def vector_counts(self) -> dict[str, int]:
        """Number of vectors by kind."""
        return dict(self._db.execute("SELECT kind, count(*) FROM vectors GROUP BY kind ORDER BY kind"))

    def vector_state(self) -> int:
        """A number that changes whenever a vector is stored."""
        return int(self._db.execute("SELECT coalesce(max(seq), 0) FROM vectors")[0][0])

    # Reading -----------------------------------------------------------------------------------------

    def _event(self, row: Sequence[Any]) -> Event:
        seq, id_, kind, batch, payload = row
        return Event(seq=seq, id=id_, kind=kind, batch=batch, payload=self._json(payload, f"event {id_}"))

    def _fact(self, kind: type[F], event: Event) -> F:
        try:
            return kind.of(event)
        except ValueError as error:
            raise self._damaged(f"event {event.id}", error) from error

    def _rollout(self, payload: str) -> Rollout:
        try:
            return Rollout.model_validate_json(payload)
        except ValueError as error:
            raise self._damaged("a rollout", error) from error

    def _json(self, text: str, what: str) -> dict[str, Any]:
        try:
            value = json.loads(text)
        except ValueError as error:
            raise self._damaged(what, error) from error
        if not isinstance(value, dict):
            raise self._damaged(what, TypeError("not an object"))
        return value

    def _damaged(self, what: str, error: Exception) -> StoreError:
        return StoreError(f"{self.path}: {what} is damaged ({error}); put back a copy or start a new run")

    def _contradiction(self, id_: str, known: Sequence[Any], new: Sequence[Any]) -> StoreError:
        return StoreError(
            f"{self.path}: event {id_!r} is already written and would be contradicted: stored "
            f"{_short(known)}, new {_short(new)}; was the run resumed with other settings or another version?"
        )


def _where(**choices: Collection[Any] | None) -> tuple[str, list[Any]]:
    """A WHERE clause that keeps rows whose columns have one of the given values (None: any)."""
    parts, values = [], []
    for column, allowed in choices.items():
        if allowed is None:
            continue
        # One JSON parameter instead of one per value: SQLite limits how many a statement may have.
        parts.append(f"{column} IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(list(allowed)))
    return (" WHERE " + " AND ".join(parts) if parts else ""), values


def _sum(rows: Sequence[tuple[int, int, int, float]]) -> Usage:
    # fsum is exact, so the order in which threads finished cannot show in the money.
    calls, tokens_in, tokens_out, costs = zip(*rows, strict=True)
    return Usage(calls=sum(calls), input_tokens=sum(tokens_in), output_tokens=sum(tokens_out), cost=math.fsum(costs))


def _short(entry: Sequence[Any]) -> str:
    kind, batch, payload = entry
    text = payload if len(payload) <= 300 else payload[:300] + "..."
    return f"{kind} (batch {batch}) {text}"
