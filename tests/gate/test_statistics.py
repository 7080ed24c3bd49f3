"""Estimates against values computed by hand and against exact enumeration."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sigmaloop.gate.statistics import (
    intraclass_correlation,
    mean_estimate,
    paired_difference,
    task_means,
    wilson_interval,
    within_task_variance,
)
from sigmaloop.records import Rollout

MakeRollout = Callable[..., Rollout]


def test_trials_are_averaged_per_task_and_faults_left_out(make_rollout: MakeRollout) -> None:
    rollouts = [make_rollout("a", "P"), make_rollout("a", "F", 1), make_rollout("a", "I", 2)]
    assert task_means([*rollouts, make_rollout("b", "I")]) == {"a": 0.5}


def test_a_paired_difference_by_hand() -> None:
    before = {"a": 0.0, "b": 0.5, "c": 1.0, "only before": 0.0}
    after = {"a": 1.0, "b": 0.5, "c": 0.5, "only after": 1.0}
    found = paired_difference(before, after)  # differences 1, 0, -.5: mean 1/6, sum of squares 7/6
    assert found.tasks == 3
    assert found.mean == pytest.approx(1 / 6)
    assert found.standard_error == pytest.approx(sqrt((7 / 6) / 6))
    assert found.interval[1] - found.interval[0] == pytest.approx(2 * 1.96 * found.standard_error)


def test_the_squared_standard_error_is_unbiased_over_every_sample() -> None:
    population, n = [0.0, 0.0, 1.0, 0.25], 3
    mean = sum(population) / 4
    variance = sum((x - mean) ** 2 for x in population) / 4
    samples = [mean_estimate(sample) for sample in product(population, repeat=n)]
    assert sum(s.standard_error**2 for s in samples) / len(samples) == pytest.approx(variance / n)


def test_one_task_says_nothing_of_its_error_and_none_nothing_at_all() -> None:
    assert mean_estimate([0.3]).standard_error == 1.0
    with pytest.raises(ValueError, match="nothing to estimate"):
        paired_difference({"a": 1.0}, {"b": 1.0})


def test_a_wilson_interval_by_hand() -> None:
    assert wilson_interval(0, 10, z=1.96) == (0.0, pytest.approx(3.8416 / 13.8416))
    low, high = wilson_interval(5, 10, z=2.0)
    assert (low, high) == (pytest.approx(0.5 - 0.5 * 2 / sqrt(14)), pytest.approx(0.5 + 0.5 * 2 / sqrt(14)))
    assert wilson_interval(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="not a share"):
        wilson_interval(3, 2)


@given(trials=st.integers(1, 400), data=st.data())
def test_wilson_ends_are_where_the_normal_test_turns(trials: int, data: st.DataObject) -> None:
    passes = data.draw(st.integers(0, trials))
    for end in wilson_interval(passes, trials):
        if 1e-9 < end < 1 - 1e-9:
            assert abs(passes / trials - end) == pytest.approx(1.96 * sqrt(end * (1 - end) / trials), abs=1e-9)


def test_an_intraclass_correlation_by_hand() -> None:
    # between: (2 x .25 + 2 x .25 + 0) / 2 = 1/2; within: (0 + 0 + 1/2) / 3 = 1/6; (1/2 - 1/6) / (1/2 + 1/6)
    assert intraclass_correlation({"a": [True, True], "b": [False, False], "c": [True, False]}) == pytest.approx(0.5)
    assert intraclass_correlation({"a": [True] * 3, "b": [False] * 2}) == pytest.approx(1.0)
    assert intraclass_correlation({"a": [True, False], "b": [False, True]}) == pytest.approx(-1.0)


def test_an_intraclass_correlation_with_unequal_trials_by_hand() -> None:
    # rows 1/1, 1/3; mean 1/2; between 1/4 + 3/36 = 1/3; within (2/3) / 2 = 1/3; so exactly none
    assert intraclass_correlation({"a": [True], "b": [True, False, False]}) == pytest.approx(0.0)
    # rows 2/2, 1/3; mean 3/5; between 2 x 4/25 + 3 x 16/225 = 8/15; within (2/3) / 3 = 2/9; k = 5 - 13/5 = 12/5
    # (8/15 - 2/9) / (8/15 + 7/5 x 2/9) = 14/45 / (38/45)
    assert intraclass_correlation({"a": [True, True], "b": [True, False, False]}) == pytest.approx(7 / 19)


def test_an_intraclass_correlation_that_is_undefined_is_none() -> None:
    assert intraclass_correlation({"a": [True, False]}) is None
    assert intraclass_correlation({"a": [True], "b": [False]}) is None
    assert intraclass_correlation({"a": [True, True], "b": [True, True]}) is None


def test_within_task_variance_is_unbiased_over_every_outcome() -> None:
    """Two tasks drawn from a two-point population, two trials each, all outcomes by their probability."""
    chances, k = (0.2, 0.9), 2
    noise = sum(p * (1 - p) for p in chances) / 2
    total = 0.0
    for pair in product(chances, repeat=2):
        for outcome in product([True, False], repeat=2 * k):
            weight = 1 / 4
            for i, passed in enumerate(outcome):
                weight *= pair[i // k] if passed else 1 - pair[i // k]
            found = within_task_variance({"a": outcome[:k], "b": outcome[k:]})
            assert found is not None
            total += weight * found
    assert total == pytest.approx(noise)


def test_within_task_variance_needs_a_second_trial() -> None:
    assert within_task_variance({"a": [True], "b": []}) is None
    assert within_task_variance({"a": [True, False], "b": [True, True], "c": [False]}) == pytest.approx(0.25)
