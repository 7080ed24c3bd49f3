"""Certificates: what they compare, and that their intervals cover the truth as often as they say, few tasks or many."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np
import pytest
from scipy.stats import t as student

from sigmaloop.gate.certificate import certificate
from sigmaloop.records import Certificate, Rollout, student_t

DRAWS = 500
MakeRollout = Callable[..., Rollout]


def test_a_certificate_compares_the_tasks_that_both_agents_have(make_rollout: MakeRollout) -> None:
    before = [make_rollout(t, x, i) for t, xs in {"a": "PF", "b": "FF", "c": "PP"}.items() for i, x in enumerate(xs)]
    after = [make_rollout(t, x, i) for t, xs in {"a": "PP", "b": "PF", "c": "II"}.items() for i, x in enumerate(xs)]
    found = certificate(before, after, split="test", simulated=True)
    assert (found.tasks, found.trials, found.infra, found.split) == (2, 2, 2, "test")
    assert (found.baseline, found.final, found.difference) == (0.25, 0.75, 0.5)
    # pooled and shrunken: a 3.373/4.667, b 1.373/4.667, with 1/2 + 1/2 for the two trials of both
    a, b = 3.373 / 4.667, 1.373 / 4.667
    assert found.standard_error == pytest.approx(sqrt(a * (1 - a) + b * (1 - b)) / 2)
    assert found.simulated


@pytest.mark.parametrize("degrees", [4, 5, 7, 11, 19, 99, 5_000])
def test_the_quantile_is_students(degrees: int) -> None:
    assert student_t(degrees) == pytest.approx(student.ppf(0.975, degrees), rel=1e-3)
    with pytest.raises(ValueError, match="too few"):
        student_t(3)


class Table:
    """Certificates of outcome letters, `P` and `F`, by task for either agent."""

    def __init__(self, make: MakeRollout) -> None:
        self._make = make

    def __call__(self, before: list[str], after: list[str]) -> Certificate:
        return certificate(self._rolled(before), self._rolled(after), split="test", simulated=True)

    def _rolled(self, table: list[str]) -> list[Rollout]:
        return [self._make(f"t{i:03}", x, k) for i, row in enumerate(table) for k, x in enumerate(row)]


@pytest.fixture
def table(make_rollout: MakeRollout) -> Table:
    return Table(make_rollout)


def test_four_tasks_have_no_interval_and_five_have_a_wide_one(table: Table) -> None:
    four = table(["F" * 4] * 4, ["P" * 4] * 4)
    assert four.difference == 1.0
    assert four.interval is None
    assert not four.certified
    five = table(["F" * 4] * 5, ["P" * 4] * 5)
    assert five.interval is not None
    assert five.interval[0] < five.difference < five.interval[1]
    assert five.certified


def test_an_interval_that_reaches_below_zero_certifies_nothing(table: Table) -> None:
    one = table(["F"] * 30, ["P"] + ["F"] * 29)
    assert one.interval is not None
    assert one.interval[0] < 0
    assert not one.certified
    assert table(["F"] * 30, ["P"] * 15 + ["F"] * 15).certified


def test_where_all_tasks_change_alike_there_is_still_an_error(table: Table) -> None:
    found = table(["PP"] * 40, ["PP"] * 40)
    assert found.difference == 0
    assert found.interval is not None
    assert found.interval[0] < 0 < found.interval[1]


def test_many_tasks_are_judged_by_their_spread_alone(table: Table) -> None:
    found = table(["PF"] * 10 + ["FF"] * 10, ["PP"] * 10 + ["FF"] * 10)
    assert found.standard_error == pytest.approx(sqrt(20 * 0.25**2 / (20 * 19)))


def coverage(tasks: int, trials: int, chances: dict[tuple[float, float], float], table: Table) -> float:
    """Share of 1,500 drawn certificates whose interval holds the truth.

    `chances`: how frequent tasks with these two pass chances are, before and after.
    """
    dice = np.random.default_rng([tasks, trials])
    kinds, shares = list(chances), list(chances.values())
    truth = sum(share * (after - before) for (before, after), share in chances.items())
    known: dict[tuple[tuple[int, int], ...], bool] = {}
    held = 0
    for _ in range(DRAWS):
        drawn = np.array([kinds[i] for i in dice.choice(len(kinds), size=tasks, p=shares)])
        passes = dice.binomial(trials, drawn.T)
        key = tuple(sorted((int(before), int(after)) for before, after in passes.T))
        if key not in known:
            rows = [["P" * passed + "F" * (trials - passed) for passed in one] for one in zip(*key, strict=True)]
            interval = table(rows[0], rows[1]).interval
            assert interval is not None
            known[key] = interval[0] <= truth <= interval[1]
        held += known[key]
    return held / DRAWS


USUAL = {(0.05, 0.05): 0.3, (0.1, 0.6): 0.15, (0.5, 0.5): 0.15, (0.95, 0.95): 0.35, (0.9, 0.7): 0.05}
STRONG = {(0.95, 0.95): 0.9, (0.4, 0.8): 0.1}


@pytest.mark.parametrize("chances", [USUAL, STRONG], ids=["usual", "strong"])
@pytest.mark.parametrize(("tasks", "trials"), [(5, 1), (8, 1), (8, 4), (16, 2), (20, 2)])
def test_intervals_cover_the_truth(
    table: Table, tasks: int, trials: int, chances: dict[tuple[float, float], float]
) -> None:
    error = 3 * sqrt(0.95 * 0.05 / DRAWS)
    assert coverage(tasks, trials, chances, table) >= 0.95 - error - (0.02 if tasks >= 20 else 0)
