"""Rollouts by letter: Passed, Failed, Half, Third, agent Error, Infra."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sigmaloop.records import Rollout, RolloutKey, RolloutStatus

REWARDS: dict[str, tuple[RolloutStatus, float | None]] = {
    "P": ("ok", 1.0),
    "F": ("ok", 0.0),
    "H": ("ok", 0.5),
    "T": ("ok", 1 / 3),
    "E": ("agent_error", 0.0),
    "I": ("infra", None),
}


def rollout(task_id: str, letter: str, trial: int = 0) -> Rollout:
    status, reward = REWARDS[letter]
    key = RolloutKey(agent="agent", task_id=task_id, trial=trial)
    return Rollout(key=key, seed=0, status=status, reward=reward)


@pytest.fixture(scope="session")
def make_rollout() -> Callable[..., Rollout]:
    """`(task_id, letter, trial=0)`."""
    return rollout


@pytest.fixture(scope="session")
def outcomes() -> Callable[[str], dict[str, Rollout]]:
    """A table of outcomes from letters, one task each."""
    return lambda letters: {f"t{i:03}": rollout(f"t{i:03}", letter) for i, letter in enumerate(letters)}
