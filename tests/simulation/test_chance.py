"""When habits strike: the right share, correlated within a task, the same for every call of a rollout."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sigmaloop.simulation.chance import REDRAWN, draw, strikes
from sigmaloop.simulation.reading import read

OPENINGS = [f"I want to cancel order {n}." for n in range(400)]


@pytest.mark.parametrize("rate", [0.05, 0.25, 0.6])
def test_the_share_of_strikes_is_the_rate(rate):
    struck = sum(strikes("h", rate=rate, opening=o, seed=s) for o in OPENINGS for s in range(5))
    error = math.sqrt(rate * (1 - rate) / len(OPENINGS))
    assert abs(struck / (5 * len(OPENINGS)) - rate) < 4 * error


def test_trials_of_a_task_agree_more_than_chance_but_not_always():
    agreeing = sum(
        strikes("h", rate=0.5, opening=o, seed=1) == strikes("h", rate=0.5, opening=o, seed=2) for o in OPENINGS
    ) / len(OPENINGS)
    assert 0.65 < agreeing < 0.95


def test_habits_are_independent_of_each_other():
    both = sum(
        strikes("a", rate=0.5, opening=o, seed=1) and strikes("b", rate=0.5, opening=o, seed=1) for o in OPENINGS
    )
    assert abs(both / len(OPENINGS) - 0.25) < 0.09


@given(st.text(), st.text(), st.integers())
def test_a_draw_is_a_function_of_habit_opening_and_seed(habit, opening, seed):
    value = draw(habit, opening, seed)
    assert 0.0 < value < 1.0
    assert value == draw(habit, f"  {opening}\n", seed)


@given(st.text(max_size=20), st.floats(0, 1), st.floats(0, 1))
def test_a_higher_rate_never_strikes_less(opening, one, other):
    low, high = sorted((one, other))
    assert strikes("h", rate=low, opening=opening, seed=3) <= strikes("h", rate=high, opening=opening, seed=3)


def test_another_wording_redraws_the_documented_share_of_a_tasks_luck():
    fresh = sum(draw("h", o, 1, "one") != draw("h", o, 1, "two") for o in OPENINGS) / len(OPENINGS)
    assert abs(fresh - REDRAWN) < 0.06


def test_the_rate_holds_under_every_wording():
    struck = sum(strikes("h", rate=0.3, opening=o, seed=1, edition=e) for o in OPENINGS for e in "abcde")
    assert abs(struck / (5 * len(OPENINGS)) - 0.3) < 0.07


def test_a_reworded_rule_is_another_edition_and_a_blank_is_not():
    def edition(rule):
        return read((f"You are an agent.\n\nRules:\n- {rule}",)).edition

    assert edition("Ask for a yes.") == edition("  ask for a YES!  ")
    assert edition("Ask for a yes.") != edition("Wait for a yes.")
