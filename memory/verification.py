"""Whether a journal is still what was written: events in their order, and the rollouts that each one rests on.

An event covers the rollouts that were stored since the one before it, as a set: they finish in any order, and two
runs with one seed end in the same head. An infra result is no evidence, gives way to a later one and is covered by
nothing; of what no event covers yet only the rollout's own hash is checked.

What this cannot see: a file that was written anew as a whole, with hashes that fit. Compare the head with one that
was noted elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import threading
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sigmaloop.errors import StoreError
from sigmaloop.memory.database import Database
from sigmaloop.memory.events import GENESIS, canonical, link
from sigmaloop.memory.trace_form import STEPS

EVIDENCE = ("key", "seed", "status", "reward", "detail", "components", "usage", "steps")
"""Fields of a rollout that are hashed: not how long it took, which differs between equal runs."""
CHUNK = 500
"""Rollouts read at a time."""
WHAT_NOW = "the history was altered: put back a copy or start a new run"


class Mark(NamedTuple):
    """How far a chain was checked: an event's number, and the head there."""

    seq: int
    head: str


START = Mark(0, GENESIS)


def rollout_hash(
    id: str,  # noqa: A002 - the column's name
    agent: str,
    task_id: str,
    trial: int,
    status: str,
    payload: str,
    trace: bytes,
) -> str:
    """Hash over a stored rollout and its trace. Raises ValueError or zlib.error when they cannot be read."""
    facts = json.loads(payload)
    told = {"row": [id, agent, task_id, trial, status], **{name: facts.get(name) for name in EVIDENCE}}
    found = hashlib.sha256(canonical(told).encode())
    found.update(zlib.decompress(trace))
    return found.hexdigest()


def rollouts_hash(hashes: Iterable[str]) -> str:
    """Hash over a set of rollouts, whatever their order; empty for none."""
    ordered = sorted(hashes)
    return hashlib.sha256("".join(ordered).encode()).hexdigest() if ordered else ""


def verify(database: Database, *, sealed: bool = True, apart: bool = True, after: Mark = START) -> Mark:
    """Check what follows a mark; returns the new one. Raises StoreError at the first thing that is not as written.

    `sealed` False: a file from before rollouts were covered; its events alone are checked. `apart` False: one from
    before traces of validation and test were kept apart.
    """
    with database.snapshot():
        if after == START:
            _check_file(database)
        elif database.execute("SELECT hash FROM events WHERE seq = ?", (after.seq,)) != [(after.head,)]:
            return verify(database, sealed=sealed, apart=apart)  # another file, or an altered one: from the beginning
        end = Mark(*database.execute("SELECT length, head FROM chain")[0])
        covered = _check_rollouts(database, after.seq, end.seq, apart=apart) if sealed else {}
        reached = _check_events(database, after, covered, sealed=sealed)
        if reached != end:
            raise StoreError(f"{database.path}: the newest events are missing ({reached.seq} are left); {WHAT_NOW}")
        return reached


def _check_file(database: Database) -> None:
    for (line,) in database.execute("PRAGMA quick_check(1)"):
        if line != "ok":
            raise StoreError(f"{database.path} is damaged: {line}; put back a copy or start a new run")


def _check_events(database: Database, after: Mark, covered: dict[int, list[str]], *, sealed: bool) -> Mark:
    expected, head = after
    column = "rollouts" if sealed else "''"
    rows = database.execute(
        f"SELECT seq, id, kind, batch, payload, hash, {column} FROM events WHERE seq > ? OR seq < 1 ORDER BY seq",
        (after.seq,),
    )
    for seq, id_, kind, batch, payload, written, rollouts in rows:
        expected += 1
        head = link(head, id=id_, kind=kind, batch=batch, payload=payload, rollouts=rollouts)
        if seq != expected or head != written:
            raise StoreError(
                f"{database.path}: event {expected} (found {id_!r} at {seq}) is not what was written there; {WHAT_NOW}"
            )
        if rollouts_hash(covered.get(seq, [])) != rollouts:
            raise StoreError(
                f"{database.path}: the rollouts that event {seq} ({id_!r}) rests on are not those that were there when "
                f"it was written: some are missing, or were added; {WHAT_NOW}"
            )
    return Mark(expected, head)


def _check_rollouts(database: Database, after: int, length: int, *, apart: bool) -> dict[int, list[str]]:
    """The hashes of valid rollouts by the event that covers them, each compared with what is stored."""
    covered: dict[int, list[str]] = {}
    for event, id_, agent, task_id, trial, status, payload, trace, written in _rollouts(database, after, apart=apart):
        try:
            found = rollout_hash(id_, agent, task_id, trial, status, payload, trace)
        except (ValueError, TypeError, AttributeError, zlib.error) as error:
            found = f"not readable: {error}"
        if found != written or not 1 <= event <= length + 1:
            raise StoreError(
                f"{database.path}: rollout {id_} (task {task_id}, trial {trial}) is not what was written there; "
                f"{WHAT_NOW}"
            )
        if status != "infra":
            covered.setdefault(event, []).append(found)
    return covered


def _rollouts(database: Database, after: int, *, apart: bool) -> Iterator[Any]:
    """Rows by the event that covers them, from behind event `after` on (all for 0), some at a time."""
    # At the beginning also what stands nowhere: no number of an event is below 1.
    trace, joined = (STEPS, " LEFT JOIN apart USING (id)") if apart else ("trace", "")
    last: tuple[int, str] = (after, "\U0010ffff") if after else (-(2**62), "")
    while True:
        rows = database.execute(
            f"SELECT covered_by, id, agent, task_id, trial, status, payload, {trace}, hash FROM rollouts{joined} "
            "WHERE (covered_by, id) > (?, ?) ORDER BY covered_by, id LIMIT ?",
            (*last, CHUNK),
        )
        yield from rows
        if len(rows) < CHUNK:
            return
        last = rows[-1][:2]


_checked: dict[tuple[str, int, int], Mark] = {}
_guard = threading.Lock()


def verify_new(database: Database, *, sealed: bool = True, apart: bool = True) -> None:
    """`verify` what this process has not checked yet: cheap however often a run is looked at."""
    key = _identity(database.path)
    with _guard:
        mark = _checked.get(key, START)
    mark = verify(database, sealed=sealed, apart=apart, after=mark)
    with _guard:
        _checked[key] = mark


def _identity(path: Path) -> tuple[str, int, int]:
    found = path.stat()
    return str(path.resolve()), found.st_dev, found.st_ino
