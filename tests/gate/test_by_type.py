"""A certificate says what became of each request type, and a real loss is one of more than two standard errors."""

from __future__ import annotations

from sigmaloop.gate.by_type import results_by_type
from sigmaloop.records import Rollout, RolloutKey


def played(agent: str, rewards: dict[str, list[float | None]]) -> list[Rollout]:
    return [
        Rollout(
            key=RolloutKey(agent=agent, task_id=task, trial=trial),
            seed=1,
            status="infra" if reward is None else "ok",
            reward=reward,
        )
        for task, row in rewards.items()
        for trial, reward in enumerate(row)
    ]


TYPES = {**{f"a{n}": "cancel" for n in range(8)}, **{f"b{n}": "refund" for n in range(8)}, "c0": "alone"}


def test_a_loss_of_one_type_does_not_hide_behind_another_ones_gain() -> None:
    before = played("x", {t: [float(t[0] == "a")] * 4 for t in TYPES})
    after = played("y", {t: [float(t[0] == "b")] * 4 for t in TYPES})
    cancel, refund = results_by_type(before, after, TYPES, split="validation")
    assert (cancel.request_type, cancel.tasks, cancel.difference, cancel.lost) == ("cancel", 8, -1.0, True)
    assert (refund.request_type, refund.difference, refund.lost) == ("refund", 1.0, False)
    assert cancel.standard_error > 0


def test_what_luck_explains_is_no_loss() -> None:
    before = played("x", {"b0": [1, 1, 0, 1], "b1": [1, 0, 1, 1]})
    after = played("y", {"b0": [1, 0, 0, 1], "b1": [1, 0, 1, 1]})
    (refund,) = results_by_type(before, after, TYPES, split="test")
    assert refund.difference < 0
    assert not refund.lost


def test_faults_are_not_counted() -> None:
    rows: dict[str, list[float | None]] = {"a0": [None], "a1": [1.0], "a2": [1.0]}
    (cancel,) = results_by_type(played("x", rows), played("y", rows), TYPES, split="test")
    assert cancel.tasks == 2
