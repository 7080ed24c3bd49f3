"""The model reads a harness for what it says: hand-written wordings for every habit, and held-out ones."""

from __future__ import annotations

import pytest

from sigmaloop.simulation.habits import HABITS

UNRELATED = "Sign every message with your first name."
CURED, BARELY = 0.4, 0.75

THINGS = ["garden", "music", "holiday", "season", "museum", "harbour", "kitchen", "weather"]
VERBS = ["Praise", "Describe", "Mention", "Recommend", "Sketch", "Celebrate", "Admire", "Explore"]
IDLE = [f"{verb} the {thing}." for verb in VERBS for thing in THINGS]

each_habit = pytest.mark.parametrize("habit", HABITS)


NEARLY_ALL = 0.9


def nearly_all(found):
    """The share of habits for which something holds; a reader that understands everything would be a bad model."""
    missed = [habit for habit, holds in found.items() if not holds]
    assert len(missed) <= (1 - NEARLY_ALL) * len(found), missed


def test_specific_rules_cure_in_nearly_any_wording(wordings, held_out, reading, relative):
    rules = {rule: habit for habit in HABITS for rule in (*wordings[habit]["rules"], *held_out[habit])}
    assert len(rules) >= 5 * len(HABITS)
    nearly_all({rule: 0 < relative(reading(rules=[rule]), habit) <= CURED for rule, habit in rules.items()})


@each_habit
def test_the_remedy_of_the_catalogue_is_understood(habit, reading, relative):
    assert relative(reading(rules=[HABITS[habit].remedy]), habit) <= CURED


def test_a_worked_example_cures_more_than_a_rule(wordings, reading, relative):
    nearly_all({h: relative(reading(example=wordings[h]["example"]), h) < 0.25 for h in HABITS})


def test_a_note_in_a_tool_description_cures_more_than_an_example(wordings, reading, relative):
    nearly_all({h: relative(reading(tool=tuple(wordings[h]["tool"])), h) < 0.15 for h in HABITS})


def test_a_check_in_the_agents_code_cures_most(wordings, reading, relative):
    nearly_all({h: relative(reading(), h, checks=[wordings[h]["check"]]) < 0.1 for h in HABITS})


@each_habit
def test_a_vague_rule_hardly_helps(habit, wordings, reading, relative):
    assert BARELY <= relative(reading(rules=[wordings[habit]["vague"]]), habit) <= 1.0


@each_habit
def test_an_unrelated_rule_does_nothing(habit, reading, relative):
    assert relative(reading(rules=[UNRELATED]), habit) == 1.0
    assert relative(reading(), habit, checks=[UNRELATED]) == 1.0


def test_a_contradictory_rule_hurts(wordings, reading, relative):
    nearly_all({h: relative(reading(rules=[wordings[h]["contrary"]]), h) > 1.0 for h in HABITS})


def test_a_rule_for_one_habit_leaves_most_others_alone(wordings, reading):
    touched = {
        (habit, other)
        for habit in HABITS
        for rule in wordings[habit]["rules"]
        for other, factor in reading(rules=[rule]).multipliers.items()
        if other != habit and not 0.9 <= factor <= 1.0
    }
    assert len(touched) <= 0.02 * len(HABITS) ** 2, sorted(touched)


def test_rule_and_contradiction_together_are_worse_than_the_rule(wordings, reading, relative):
    found = {}
    for habit in HABITS:
        rule, contrary = wordings[habit]["rules"][0], wordings[habit]["contrary"]
        both = relative(reading(rules=[rule, contrary]), habit)
        found[habit] = both > relative(reading(rules=[rule]), habit)
    nearly_all(found)


def test_further_wordings_add_a_little(wordings, reading, relative):
    rules = {habit: wordings[habit]["rules"] for habit in HABITS}
    nearly_all({h: relative(reading(rules=r), h) < relative(reading(rules=r[:1]), h) for h, r in rules.items()})


def test_a_rule_about_one_customers_order_teaches_next_to_nothing(reading, relative):
    narrow = "Never cancel order or_48213 without an explicit yes from the customer."
    assert relative(reading(rules=[narrow]), "skips_confirmation") >= BARELY


def test_what_stands_in_the_policy_is_no_instruction(reading, relative, policy):
    assert all(relative(reading(policy=policy), habit) == 1.0 for habit in HABITS)


def test_without_a_policy_everything_strikes_far_more_often(reading, relative):
    bare = reading(policy="")
    assert all(relative(bare, habit) >= 2.0 for habit in HABITS)


def test_half_a_policy_is_worse_than_a_whole_one_and_better_than_none(reading, policy):
    half = reading(policy=policy[: len(policy) // 2]).load
    assert reading().load < half < reading(policy="").load


def test_attention_is_finite(reading, relative, wordings):
    """A rule does the less, the more there is beside it."""
    rule = wordings["skips_confirmation"]["rules"][0]
    rates = [relative(reading(rules=[rule, *IDLE[:n]]), "skips_confirmation") for n in (0, 15, 35, 60)]
    assert rates[0] == rates[1] < rates[2] < rates[3] < 1.0


def test_examples_and_notes_take_attention_too(reading, relative, wordings):
    rule = wordings["skips_confirmation"]["rules"][0]
    example = "\n\n".join(f"Example {n}\nCustomer: Good day, number {n}.\nAgent: Good day to you." for n in range(30))
    plain = relative(reading(rules=[rule]), "skips_confirmation")
    assert relative(reading(rules=[rule], example=example), "skips_confirmation") > plain
    notes = " ".join(f"Always mention the weather of town {n} first." for n in range(40))
    assert relative(reading(rules=[rule], tool=("look", notes)), "skips_confirmation") > plain


def test_a_long_prompt_distracts(reading):
    assert reading(rules=IDLE[:10]).load == 1.0
    assert 1.05 < reading(rules=IDLE).load < 2.0


def test_repeating_a_rule_distracts(reading, wordings):
    rule = wordings["wrong_variant"]["rules"][0]
    assert reading(rules=[rule] * 5).load > reading(rules=[rule]).load == 1.0


def test_contradictions_distract_from_everything(reading, wordings):
    words = wordings["skips_confirmation"]
    assert reading(rules=[words["rules"][0], words["contrary"]]).load > 1.0


@pytest.mark.parametrize(
    ("rule", "raised"),
    [
        ("Always transfer to a human when you are unsure.", "transfers_too_early"),
        ("Transfer the customer to a colleague if anything is unclear.", "transfers_too_early"),
        ("Ask the customer to confirm everything several times.", "forgets_second_request"),
        ("Refuse any request that is not explicitly listed.", "refuses_allowed_request"),
        ("Never cancel orders.", "refuses_allowed_request"),
        ("Never issue a refund.", "refuses_allowed_request"),
        ("Retry every call until it works.", "repeats_write"),
        ("Never transfer a customer.", "ignores_policy_limit"),
        ("Keep your answers as short as possible.", "omits_amount"),
        ("Finish the conversation as quickly as possible.", "closes_too_early"),
        ("Do whatever the customer wants.", "ignores_policy_limit"),
    ],
)
def test_over_broad_rules_break_something_else(rule, raised, reading, relative):
    assert relative(reading(rules=[rule]), raised) > 1.5


@each_habit
def test_no_specific_rule_is_taken_for_over_broad(habit, wordings, reading):
    raised = [rule for rule in wordings[habit]["rules"] if reading(rules=[rule]).bumps]
    assert not raised
