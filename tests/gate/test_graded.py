"""Graded rewards: what counts as passed, what the gate keeps and what is certified, where nothing is ever exactly 1."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from sigmaloop.gate.bank import Bank
from sigmaloop.gate.certificate import certificate
from sigmaloop.gate.decision import Row
from sigmaloop.gate.finding import Pair
from sigmaloop.gate.judging import AttemptInputs, Judged, judge
from sigmaloop.gate.policies import make_policy
from sigmaloop.gate.rules import default_rules
from sigmaloop.records import Certificate, Rollout, RolloutKey

VALIDATION = tuple(f"v{i:02}" for i in range(60))
TRAFFIC = tuple(f"t{i:02}" for i in range(40))
MARK = 0.5


def reward(agent: int, task: str, trial: int) -> float:
    """Between .30 and .95 by task, .10 more for every change, and a little luck; never 1."""
    even = random.Random(task).uniform(0.30, 0.95)
    return min(0.99, max(0.01, even + 0.10 * agent + random.Random(f"{agent}/{task}/{trial}").uniform(-0.05, 0.05)))


def roll(agent: int, pairs: Sequence[Pair], mark: float) -> list[Rollout]:
    return [
        Rollout(
            key=RolloutKey(agent=f"agent{agent}", task_id=task, trial=trial),
            seed=0,
            status="ok",
            reward=reward(agent, task, trial),
            pass_at=mark,
        )
        for task, trial in pairs
    ]


def night(mark: float) -> tuple[list[Judged], Certificate]:
    """Three attempts, each truly worth +.10, then fresh trials of the first and the kept agent."""
    law, bank, incumbent, judged = make_policy(default_rules("paired")), Bank(), 0, list[Judged]()
    for number in range(3):
        missing = law.missing(bank, VALIDATION)
        bank = bank.joined(roll(incumbent, missing, mark), cap=12)
        failing = [r.task_id for r in roll(incumbent, [(task, number) for task in TRAFFIC], mark) if not r.passed]
        inputs = AttemptInputs(tasks=VALIDATION, bank=bank, failing=tuple(failing), aimed=True, seed=str(number))
        found = judge(law, inputs, lambda _gate, pairs: roll(incumbent + 1, pairs, mark))  # noqa: B023
        judged.append(found)
        if found.kept:
            bank, incumbent = law.after_keep(bank, found.rollouts), incumbent + 1
        else:
            bank = law.after_reject(bank, found.rollouts, found.z)
    fresh = [(task, 1_000_000 + k) for task in VALIDATION for k in range(2)]
    told = certificate(roll(0, fresh, mark), roll(incumbent, fresh, mark), split="validation", simulated=True)
    return judged, told


def test_changes_worth_ten_points_are_kept_and_certified_where_a_mark_is_set() -> None:
    judged, told = night(MARK)
    assert judged[0].kept
    assert told.difference > 0.08
    assert told.interval[0] > 0


def test_without_a_mark_no_change_ever_passes_its_targets() -> None:
    judged, told = night(1.0)
    assert [found.last.reason for found in judged] == ["cluster_tasks_below_floor"] * 3
    assert told.difference == 0


def test_promotion_and_quarantine_count_passes_at_the_mark() -> None:
    law = make_policy(default_rules("paired"))
    easy = next(task for task in TRAFFIC if reward(0, task, 0) > MARK + 0.1)
    step = law.promotion([easy], []).step(roll(0, [(easy, 100_000 + k) for k in range(3)], MARK))
    assert step == (easy,)
    bank = Bank().joined(roll(0, [(easy, k) for k in range(4)], MARK), cap=12)
    assert bank.pass_rate(easy) == 1
    assert law.quarantined([easy], bank) == ()
    assert Bank.model_validate_json(bank.model_dump_json()).pass_rate(easy) == 1


@pytest.mark.parametrize("mark", [0.3, 0.7, 1 / 3, 1.0])
def test_a_row_of_the_log_passes_as_its_rollout_did(mark: float) -> None:
    for reward_micros in (mark - 0.0001, mark):
        key = RolloutKey(agent="a", task_id="t", trial=0)
        made = Rollout(key=key, seed=0, status="ok", reward=reward_micros, pass_at=mark)
        row = Row(
            stage="cluster_tasks",
            look=0,
            task_id="t",
            trial=0,
            seed=0,
            status="ok",
            reward=made.reward,
            pass_at=made.pass_at,
        )
        assert made.passed == (reward_micros == mark) == row.rollout("a").passed
