"""The model reads a harness for what it says: hand-written wordings for every habit, and held-out ones."""

from __future__ import annotations

import pytest

from sigmaloop.simulation.habits import HABITS

UNRELATED = "Sign every message with your first name."
CURED, BARELY = 0.4, 0.75

each_habit = pytest.mark.parametrize("habit", HABITS)


@each_habit
def test_specific_rules_cure_in_any_wording(habit, wordings, held_out, reading, relative):
    rules = [*wordings[habit]["rules"], *held_out[habit], HABITS[habit].remedy]
    assert len(rules) >= 5
    rates = {rule: relative(reading(rules=[rule]), habit) for rule in rules}
    assert all(0 < rate <= CURED for rate in rates.values()), rates


@each_habit
def test_a_worked_example_cures_more_than_a_rule(habit, wordings, reading, relative):
    example = relative(reading(example=wordings[habit]["example"]), habit)
    rule = relative(reading(rules=[wordings[habit]["rules"][0]]), habit)
    assert 0 < example < rule <= CURED


@each_habit
def test_a_note_in_a_tool_description_cures_more_than_an_example(habit, wordings, reading, relative):
    note = relative(reading(tool=tuple(wordings[habit]["tool"])), habit)
    assert 0 < note < relative(reading(example=wordings[habit]["example"]), habit)


@each_habit
def test_a_check_in_the_agents_code_cures_most(habit, wordings, reading, relative):
    checked = relative(reading(), habit, checks=[wordings[habit]["check"]])
    assert 0 < checked < relative(reading(tool=tuple(wordings[habit]["tool"])), habit)


@each_habit
def test_a_vague_rule_hardly_helps(habit, wordings, reading, relative):
    assert BARELY <= relative(reading(rules=[wordings[habit]["vague"]]), habit) <= 1.0


@each_habit
def test_an_unrelated_rule_does_nothing(habit, reading, relative):
    assert relative(reading(rules=[UNRELATED]), habit) == 1.0
    assert relative(reading(), habit, checks=[UNRELATED]) == 1.0


@each_habit
def test_a_contradictory_rule_hurts(habit, wordings, reading, relative):
    assert relative(reading(rules=[wordings[habit]["contrary"]]), habit) > 1.0


def test_a_rule_for_one_habit_leaves_most_others_alone(wordings, reading):
    touched = {
        (habit, other)
        for habit in HABITS
        for rule in wordings[habit]["rules"]
        for other, factor in reading(rules=[rule]).multipliers.items()
        if other != habit and not 0.9 <= factor <= 1.0
    }
    assert len(touched) <= 0.02 * len(HABITS) ** 2, sorted(touched)


@each_habit
def test_rule_and_contradiction_together_are_worse_than_the_rule(habit, wordings, reading, relative):
    rule, contrary = wordings[habit]["rules"][0], wordings[habit]["contrary"]
    together = reading(rules=[rule, contrary])
    assert relative(together, habit) > relative(reading(rules=[rule]), habit)


@each_habit
def test_further_wordings_add_a_little(habit, wordings, reading, relative):
    rules = wordings[habit]["rules"]
    assert relative(reading(rules=rules), habit) < relative(reading(rules=rules[:1]), habit)


def test_a_rule_about_one_customers_order_teaches_next_to_nothing(reading, relative):
    narrow = "Never cancel order or_48213 without an explicit yes from the customer."
    assert relative(reading(rules=[narrow]), "skips_confirmation") >= BARELY


def test_what_stands_in_the_policy_is_no_instruction(wordings, reading, relative):
    rule = wordings["skips_confirmation"]["rules"][0]
    inside = reading(policy=f"# Policy\n{'Ways of the house. ' * 30}\n- {rule}\nEnd of policy.")
    assert relative(inside, "skips_confirmation") == 1.0


def test_without_a_policy_everything_strikes_far_more_often(reading, relative):
    bare = reading(policy="")
    assert all(relative(bare, habit) >= 2.0 for habit in HABITS)


def test_a_long_prompt_distracts(reading):
    few = [f"Mind the matter of the {word} colour on the page." for word in "abcdefghij"]
    many = [f"Word{i} stands beside thing{i} on shelf{i} of room{i}." for i in range(60)]
    assert reading(rules=few[:1]).load == 1.0
    assert 1.3 < reading(rules=many).load < 2.0


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
