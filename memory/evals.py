"""Scorings outside a run that were recorded: where they lie, and whether one is still unfinished.

<home>/evals/eval-0001/journal.sqlite    rollouts with their traces, and answers that were paid for
<home>/evals/eval-0001/calls.traces      every model call

The same scoring begun again after an interruption goes on where it stopped; a finished one is never added to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from sigmaloop.errors import BadInput, StoreError
from sigmaloop.memory.facts import Fact
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.lock import FileLock
from sigmaloop.memory.runs import JOURNAL
from sigmaloop.records import Split

EVALS = "evals"
_NAME = re.compile(r"eval-(\d{4,})")


class EvalStarted(Fact):
    """What is scored, and how."""

    kind = "eval_started"
    settings: dict[str, JsonValue]
    benchmark: str
    """Fingerprint."""
    agent: str
    """`agent_hash`."""
    split: Split
    tasks: tuple[str, ...]
    trials: int

    @property
    def id(self) -> str:
        return self.kind


class EvalFinished(Fact):
    """All of it was measured."""

    kind = "eval_finished"
    mean: float
    passed: int

    @property
    def id(self) -> str:
        return self.kind


class Recording(NamedTuple):
    """A scoring that is recorded."""

    name: str
    journal: Journal


def eval_journals(home: Path) -> dict[str, Path]:
    """Journals of recorded scorings by name, the newest first."""
    try:
        found = [path.name for path in (home / EVALS).iterdir() if _NAME.fullmatch(path.name)]
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise BadInput(f"home {home} cannot be read: {error.strerror}; give another with --home") from None
    paths = {name: home / EVALS / name / JOURNAL for name in sorted(found, key=_number, reverse=True)}
    return {name: path for name, path in paths.items() if path.is_file()}


@contextmanager
def record_eval(home: Path, started: EvalStarted) -> Iterator[Recording]:
    """Go on with the newest recording if it is of the same scoring and unfinished, else begin another.

    Raises BadInput when the home cannot be written.
    """
    number = max((_number(name) for name in eval_journals(home)), default=0) or 1
    while True:
        name = f"eval-{number:04d}"
        folder = home / EVALS / name
        lock = FileLock(folder / "lock")
        if lock.take():
            try:
                journal = _begun(folder / JOURNAL, started)
                if journal is not None:
                    with journal:
                        yield Recording(name, journal)
                    return
            finally:
                lock.drop()
        number += 1


def _begun(path: Path, started: EvalStarted) -> Journal | None:
    """The journal at `path`, begun with this fact; None when it is another scoring's, finished or damaged."""
    fresh = not path.exists()
    try:
        journal = Journal(path)
    except StoreError:
        if fresh:
            raise
        return None
    try:
        known = journal.find(EvalStarted, started.id)
        if journal.count(EvalFinished.kind) or known not in (None, started):
            journal.close()
            return None
        journal.verify()
        journal.write(started)
    except StoreError:
        journal.close()
        if fresh:
            raise
        return None
    return journal


def _number(name: str) -> int:
    found = _NAME.fullmatch(name)
    return int(found[1]) if found else 0
