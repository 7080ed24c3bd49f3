"""Wherever a run is stopped, it is not finished, and going on ends like a run that was never stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver

from sigmaloop.errors import BadInput
from sigmaloop.graph.run import Run
from sigmaloop.memory.journal import Journal
from sigmaloop.settings import load_settings

SMALL = {
    "benchmark": "small:Noisy", "batches": 2, "batch_size": 8, "attempts": 1, "certify_trials": 1,
    "concurrency": 2, "upstream": "simulated", "policy": "paired",
}  # fmt: skip
"""Two attempts: one is kept, one is rejected."""


class Death(BaseException):
    """Stands for the end of the process."""


def facts(run: Run) -> list[tuple[str, str, dict[str, Any]]]:
    with Journal(run.paths.journal, readonly=True) as journal:
        journal.verify()
        return [(e.kind, e.id, e.payload) for e in journal.events() if e.kind != "run_started"]


def die_at(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, number: int) -> None:
    """Let the process end at the number-th call of a method, after it has done its work."""
    real, calls = getattr(owner, name), 0

    def method(self: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        found = real(self, *arguments, **options)
        if calls == number:
            raise Death
        return found

    monkeypatch.setattr(owner, name, method)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, dict[str, Any]]]:
    run = Run.start(load_settings(home=tmp_path_factory.mktemp("calm") / "home", **SMALL))
    run.go()
    assert [entry.outcome for entry in run.ledger()] == ["kept", "rejected"]
    return facts(run)


@pytest.mark.parametrize(
    ("owner", "name", "numbers"),
    [
        (SqliteSaver, "put", (1, 2, 3, 4, 5, 7, 10, 13)),
        (SqliteSaver, "put_writes", (1, 2, 3, 5, 8, 13)),
        (Journal, "append", (1, 2, 10, 11, 13, 15, 17, 21, 25)),
        (Journal, "put", (1, 3, 6, 8, 9)),
    ],
    ids=["checkpoint", "pending writes", "event", "record"],
)
def test_a_run_that_ended_at_a_write_resumes_to_the_same_history(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    calm: list[tuple[str, str, dict[str, Any]]],
    owner: type,
    name: str,
    numbers: tuple[int, ...],
) -> None:
    for number in numbers:
        run = Run.start(load_settings(home=home / str(number), **SMALL))
        with monkeypatch.context() as dying:
            die_at(dying, owner, name, number)
            try:
                for _ in run.follow():
                    pass
            except Death:
                if run.condition == "finished":  # the last write: then the history must be whole
                    assert facts(run) == calm, f"{name} {number}"
        run.go()
        assert run.condition == "finished"
        assert facts(run) == calm, f"{name} {number}"


def test_breaking_out_of_follow_loses_nothing(home: Path, calm: list[tuple[str, str, dict[str, Any]]]) -> None:
    run = Run.start(load_settings(home=home, **SMALL))
    for _ in range(60):
        for index, event in enumerate(run.follow()):
            if index == 5 and event.event != "stopped":
                break
        if run.condition == "finished":
            break
    run.go()
    assert facts(run) == calm


def test_a_review_is_never_answered_by_default(home: Path) -> None:
    run = Run.start(load_settings(home=home, **SMALL, review="person"))
    for _ in run.follow():
        pass
    assert run.condition == "paused"
    with pytest.raises(BadInput, match="approve"):
        run.go()
    assert run.summary().kept == 0
