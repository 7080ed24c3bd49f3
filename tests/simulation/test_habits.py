"""The catalogue of habits is complete and consistent."""

from __future__ import annotations

from pathlib import Path

from sigmaloop.simulation.habits import HABITS, RIGHT, TOO_BROAD, WRONG
from sigmaloop.simulation.reading.lexicon import SENSES


def test_there_are_at_least_34_habits_over_all_domains():
    assert len(HABITS) >= 34
    assert {habit.domain for habit in HABITS.values()} == {"any", "retail", "airline", "telecom"}


def test_every_habit_says_how_it_looks_why_and_what_to_do():
    for habit in HABITS.values():
        assert min(map(len, (habit.symptom, habit.cause, habit.remedy, habit.wrong))) > 20, habit.id
        assert 2 <= len(habit.mechanism.split()) <= 6, habit.id


def test_mechanisms_tell_the_habits_apart():
    assert len({habit.mechanism for habit in HABITS.values()}) == len(HABITS)


def test_every_habit_has_a_cure_and_names_only_known_habits():
    assert set(RIGHT) == set(WRONG) == set(HABITS)
    assert all(RIGHT.values())
    raised = {other for habit in HABITS.values() for other in habit.raises}
    assert raised | {other for _, effects in TOO_BROAD for other in effects} <= set(HABITS)


def test_every_sense_of_a_pattern_is_in_the_lexicon():
    patterns = [p for table in (RIGHT, WRONG) for row in table.values() for p in row]
    patterns += [pattern for pattern, _ in TOO_BROAD]
    named = {name for p in patterns for term in p.split() for name in term.lstrip("~+-!").split("|") if name}
    assert named <= set(SENSES), named - set(SENSES)


def test_a_habit_with_side_effects_says_what_they_are():
    assert all(bool(habit.raises) == bool(habit.side_effect) for habit in HABITS.values())


def test_the_page_lists_every_habit_with_its_rate():
    page = (Path(__file__).parents[2] / "docs" / "simulation.md").read_text(encoding="utf-8")
    missing = [h.id for h in HABITS.values() if f"| `{h.id}` | {h.domain} | {h.rate:.3f} | {h.wrong} |" not in page]
    assert not missing
