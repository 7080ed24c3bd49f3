"""Makers of records and of journals, for the tests of what survives and of what people look at."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from sigmaloop.memory.events import Event
from sigmaloop.memory.facts import FORM, RunStarted
from sigmaloop.memory.journal import Journal
from sigmaloop.records import (
    FailureRecord,
    Learning,
    LedgerEntry,
    Rollout,
    RolloutKey,
    Verdict,
    digest,
)
from sigmaloop.settings import Settings


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "run" / "journal.sqlite") as opened:
        yield opened


@pytest.fixture
def only_readable() -> Callable[..., AbstractContextManager[Path]]:
    """A copy of a file, and of what is named after it, where this process may write nothing."""

    @contextmanager
    def copied(path: Path, *endings: str) -> Iterator[Path]:
        folder = Path(tempfile.mkdtemp())
        for ending in ("", *endings):
            shutil.copy(path.with_name(path.name + ending), folder)
        folder.chmod(0o555)
        privileged = os.geteuid() == 0  # whom no permission stops
        try:
            if privileged:
                os.seteuid(65534)
            with pytest.raises(PermissionError):
                (folder / "x").touch()
            yield folder / path.name
        finally:
            if privileged:
                os.seteuid(0)
            folder.chmod(0o755)
            shutil.rmtree(folder)

    return copied


@pytest.fixture
def make_rollout() -> Callable[..., Rollout]:
    def make(task: str = "t1", *, trial: int = 0, reward: float | None = 1.0, **fields: Any) -> Rollout:
        return Rollout(
            key=RolloutKey(agent=fields.pop("agent", "agent-1"), task_id=task, trial=trial),
            seed=7,
            status="infra" if reward is None else "ok",
            reward=reward,
            **{"split": "train", **fields},
        )

    return make


@pytest.fixture
def make_failure() -> Callable[..., FailureRecord]:
    def make(
        task: str = "t1", *, batch: int = 1, mechanism: str = "acts on first order", **fields: Any
    ) -> FailureRecord:
        return FailureRecord(
            rollout_id=digest("rollout", task, batch),
            task_id=task,
            request_type="return_item",
            batch=batch,
            mechanism=mechanism,
            what_failed="the wrong order was returned",
            root_cause=fields.pop("root_cause", "It took the first order in the list."),
            should_have=fields.pop("should_have", "Compare every order with what was described."),
            severity=fields.pop("severity", 3),
        )

    return make


@pytest.fixture
def make_events() -> Callable[..., list[Event]]:
    """Events from (kind, payload) or (kind, payload, batch)."""

    def make(*facts: tuple[Any, ...]) -> list[Event]:
        return [
            Event(seq=n, id=f"e{n}", kind=fact[0], payload=fact[1], batch=fact[2] if len(fact) > 2 else 1)
            for n, fact in enumerate(facts, start=1)
        ]

    return make


@pytest.fixture
def make_learning() -> Callable[..., Learning]:
    def make(number: int = 1, **fields: Any) -> Learning:
        known: dict[str, Any] = {
            "candidate_id": f"A{number:04d}",
            "batch": 1,
            "attempt": number,
            "cluster_id": "C001",
            "cluster_title": "Acts on the first order",
            "tried": "A rule in the prompt",
            "outcome": "rejected",
            "gate": "validation",
            "situation": "Customers often have several orders",
            "observed": "Vague rules hardly help",
            "follows": "Put a check into the code",
        }
        return Learning.model_validate({**known, **fields})

    return make


@pytest.fixture
def make_entry() -> Callable[..., LedgerEntry]:
    def make(number: int = 1, **fields: Any) -> LedgerEntry:
        known: dict[str, Any] = {
            "candidate_id": f"A{number:04d}",
            "batch": 1,
            "attempt": number,
            "cluster_id": "C001",
            "cluster_title": "Acts on the first order",
            "parent": "p" * 40,
            "commit": "c" * 40,
            "agent": "a" * 16,
            "kind": "prompt",
            "summary": "Compare every order",
            "hypothesis": "It never compares",
            "outcome": "rejected",
            "gate": "validation",
            "reason": "validation_below_best",
            "best_micros": 61_500_000,
            "rollouts": 40,
        }
        return LedgerEntry.model_validate({**known, **fields})

    return make


@pytest.fixture
def make_verdict() -> Callable[..., Verdict]:
    def make(gate: str, **fields: Any) -> Verdict:
        known = {"candidate_id": "A0001", "gate": gate, "outcome": "failed", "reason": "r", "message": "m"}
        return Verdict.model_validate({**known, **fields})

    return make


def started(settings: Settings, **changes: Any) -> RunStarted:
    """The first fact of a run with these settings, which nobody has begun."""
    known: dict[str, Any] = {
        "settings": settings.model_copy(update={"upstream": "simulated", "sandbox": "none"}).stored(),
        "benchmark": "",
        "models": settings.models(),
        "prompts": {},
        "simulated": True,
        "tier": "none",
        "form": FORM,
    }
    return RunStarted.model_validate({**known, **changes})
