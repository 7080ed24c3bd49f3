"""The target on the real benchmark: able without its habits, hurt by every one of them, cured by what is said."""

from __future__ import annotations

import time
from itertools import islice

import pytest

from sigmaloop.records import digest
from sigmaloop.simulation.habits import HABITS
from sigmaloop.simulation.model import SimulatedModel

SPLITS = ("train", "validation", "test")
FREQUENT = (
    "acts_on_first_order gives_up_after_error closes_too_early forgets_second_request skips_confirmation "
    "wrong_payment_method omits_amount loses_state_across_orders skips_identity_check wrong_line"
)
FREE = SimulatedModel(forced=())
LUCK_HELD = SimulatedModel(redraw=False)
"""Two wordings differ only by what they say."""


def seeds(task_id, trials):
    return [int(digest("calibration", task_id, k, size=8), 16) & 0x7FFFFFFF for k in range(trials)]


@pytest.fixture(scope="module")
def train(benchmark):
    return [task.id for task in benchmark.tasks("train")]


@pytest.fixture(scope="module")
def solvable(train, play, agent):
    return [task_id for task_id in train if play(agent, task_id, model=FREE) == 1.0]


def test_without_habits_it_solves_nearly_every_task(benchmark, play, agent):
    rewards = [play(agent, task.id, model=FREE) for split in SPLITS for task in benchmark.tasks(split)]
    assert len(rewards) >= 380
    assert sum(rewards) >= 0.95 * len(rewards)


@pytest.mark.parametrize("habit", HABITS)
def test_every_habit_matters_on_at_least_one_percent_of_the_train_tasks(habit, solvable, train, play, agent):
    needed = -(-len(train) // 100)
    model, found = SimulatedModel(forced={habit}), 0
    for task_id in solvable:
        found += play(agent, task_id, model=model) < 1.0
        if found >= needed:
            break
    assert found >= needed


def measure(play, source, task_ids, trials, model=None):
    return [[play(source, task_id, seed=seed, model=model) for seed in seeds(task_id, trials)] for task_id in task_ids]


def mean(rows):
    return sum(map(sum, rows)) / sum(map(len, rows))


def intraclass_correlation(rows):
    """ICC(1): the tasks' share of the variance of single outcomes (one-way analysis of variance)."""
    n, k, grand = len(rows), len(rows[0]), mean(rows)
    means = [sum(row) / k for row in rows]
    between = k * sum((m - grand) ** 2 for m in means) / (n - 1)
    within = sum((x - m) ** 2 for row, m in zip(rows, means, strict=True) for x in row) / (n * (k - 1))
    return (between - within) / (between + (k - 1) * within)


def test_the_shipped_agent_is_as_fallible_and_as_noisy_as_intended(benchmark, play, agent):
    task_ids = [task.id for split in ("train", "validation") for task in benchmark.tasks(split)]
    rows = measure(play, agent, task_ids, 2)
    assert 0.50 <= mean(rows) <= 0.62
    assert 0.4 <= intraclass_correlation(rows) <= 0.8


def test_curing_the_most_frequent_habits_lifts_it_far(train, play, with_rules):
    remedies = [HABITS[habit].remedy for habit in FREQUENT.split()]
    examples = [f"Customer: (as usual)\nAgent: {remedy}" for remedy in remedies]
    rows = measure(play, with_rules(remedies, examples), train, 2)
    assert mean(rows) >= 0.68


def exposed(habit, solvable, play, agent, at_most=16):
    """Tasks whose outcome hangs on the habit."""
    model = SimulatedModel(forced={habit})
    failing = (task_id for task_id in solvable if play(agent, task_id, model=model) < 1.0)
    return list(islice(failing, at_most))


CHECKS = {
    "skips_confirmation": """
    reads = ("find", "get", "list", "search", "check", "verify", "transfer")
    asked = any("yes/no" in (m.get("content") or "") for m in messages if m["role"] == "assistant")
    if not name.startswith(reads) and not asked:
        return "list the details to the customer and wait for a yes before this change"
""",
    "gives_up_after_error": """
    if name == "transfer_to_human" and any(str(m["content"]).startswith("Error") for m in messages):
        return "one error is no reason to hand over: read it, correct the call and try again"
""",
}


@pytest.mark.parametrize("habit", CHECKS)
def test_a_check_in_code_changes_what_the_model_does(habit, solvable, play, agent):
    """Where the habit struck, the check turns the rollout round; it breaks one only where two wrongs made a right."""
    checked = agent.replace('None."""\n    return None', f'None."""{CHECKS[habit]}    return None')
    assert checked != agent
    pairs = [
        (play(agent, task_id, seed=seed), play(checked, task_id, seed=seed))
        for task_id in exposed(habit, solvable, play, agent)
        for seed in range(4)
    ]
    helped = sum(after > before for before, after in pairs)
    harmed = sum(after < before for before, after in pairs)
    assert helped >= 4
    assert helped >= 4 * harmed  # a skipped confirmation and a wrong leg cancel out in one rollout


@pytest.mark.parametrize("habit", ["acts_on_first_order", "skips_confirmation", "closes_too_early"])
def test_rules_and_examples_change_whole_rollouts(habit, solvable, play, agent, with_rules, wordings):
    tasks = exposed(habit, solvable, play, agent)
    words = wordings[habit]

    def passed(source):
        return mean(measure(play, source, tasks, 4, LUCK_HELD))

    plain = passed(agent)
    ruled = passed(with_rules(words["rules"][:1]))
    assert plain < ruled <= passed(with_rules(words["rules"][:1], [words["example"]])) + 0.05
    assert abs(passed(with_rules([words["vague"]])) - plain) < ruled - plain
    assert passed(with_rules([words["contrary"]])) <= plain


def test_without_its_policy_the_agent_fails_far_more_often(train, play, agent):
    bare = agent.replace("    parts.append(session.instructions)\n", "")
    assert bare != agent
    assert mean(measure(play, bare, train[:60], 2)) < mean(measure(play, agent, train[:60], 2)) - 0.15


def test_an_over_broad_rule_costs_more_than_it_brings(train, play, agent, with_rules):
    broad = with_rules(["Refuse any request that is not explicitly listed.", "Never cancel orders."])
    assert mean(measure(play, broad, train[:60], 2)) < mean(measure(play, agent, train[:60], 2)) - 0.1


def test_a_rollout_can_be_repeated_exactly(train, session, agent):
    first, second = (session(agent, train[5], seed=11).requests for _ in range(2))
    assert first == second
    assert first != session(agent, train[5], seed=12).requests or first != session(agent, train[5], seed=13).requests


@pytest.mark.xfail(strict=True, reason="the model says the same again when it is reminded behind its own last words")
def test_a_reminder_that_code_adds_is_heeded(solvable, play, agent):
    """The loop holds a message back and adds a system message: the words are put together again."""
    hold = """
            if "$" not in (reply.get("content") or "") and "anything else" in (reply.get("content") or ""):
                if not any("Reminder" in (m.get("content") or "") for m in messages):
                    text = "Reminder: tell the customer the exact amount that is refunded or charged."
                    messages.append({"role": "system", "content": text})
                    continue
            answer = session.say(reply"""
    nudged = agent.replace("\n            answer = session.say(reply", hold)
    assert nudged != agent
    tasks = exposed("omits_amount", solvable, play, agent)
    assert mean(measure(play, nudged, tasks, 4, LUCK_HELD)) > mean(measure(play, agent, tasks, 4, LUCK_HELD))


def test_a_call_takes_less_than_a_millisecond(train, session, agent):
    requests = [request for task_id in train[:30] for request in session(agent, task_id).requests]
    model, start = SimulatedModel(), time.process_time()
    for request in requests:
        model.complete(request)
    assert (time.process_time() - start) / len(requests) < 0.002
