"""Plans against the published sizes of effects, against the gate itself, and against bad input."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from sigmaloop.errors import BadInput
from sigmaloop.gate.bank import Bank
from sigmaloop.gate.certificate import trials_for
from sigmaloop.gate.finding import Pair
from sigmaloop.gate.judging import drive
from sigmaloop.gate.rules import BANK_TRIALS, default_rules
from sigmaloop.gate.sequential import SequentialGate
from sigmaloop.gate.worlds.power import (
    Budgeted,
    Costs,
    Noise,
    costs_of,
    expected_rollouts,
    first_estimate,
    headlines,
    keep_probability,
    least_rollouts,
    looks_of,
    noise_at_hand,
    noise_of,
    plan,
    plans,
    priced,
)
from sigmaloop.gate.worlds.worlds import Luck
from sigmaloop.records import PolicyName, Rollout
from sigmaloop.settings import load_settings

Make = Callable[..., Rollout]
USUAL = Noise(mean=0.56, correlation=0.60)
RUN = Budgeted(validation=100, test=100, batches=3, batch_size=10, attempts=6, certify_trials=4, suite_cap=30)


@pytest.mark.parametrize(("tasks", "published"), [(100, 11.0), (200, 7.8), (400, 5.5)])
def test_one_trial_each_sees_the_published_effects(tasks: int, published: float) -> None:
    run = RUN.model_copy(update={"validation": tasks})
    found = plan(default_rules("reference"), USUAL, run, Costs(), worlds=2)
    assert found.detectable == pytest.approx(published, abs=0.06)


@pytest.mark.parametrize("policy", ["paired", "rigorous"])
@pytest.mark.parametrize("effect", [0.0, 0.045])
def test_the_model_of_the_looks_agrees_with_the_gate(policy: PolicyName, effect: float) -> None:
    """Half of the tasks move; 120 candidates go through the real gate, each against a bank of its own."""
    rules, n, candidates = default_rules(policy), 100, 120
    dice = np.random.default_rng(5)
    tasks = [f"v{i:03}" for i in range(n)]
    kept = 0
    within = 0.0
    for number in range(candidates):
        luck = Luck([number, 11])
        p = dict(zip(tasks, dice.beta(0.373, 0.293, size=n) * (1 - 2 * effect), strict=True))
        q = {task: chance + 2 * effect * (i % 2) for i, (task, chance) in enumerate(p.items())}
        within += float(np.mean([x * (1 - x) for x in (*p.values(), *q.values())])) / candidates
        fill = [(task, BANK_TRIALS + k) for k in range(rules.bank_trials_for(n)) for task in tasks]
        bank = Bank().joined([luck.rollout(pair, p[pair[0]]) for pair in fill], cap=12)
        gate = SequentialGate(tasks, bank, rules, seed=str(number))

        def run(stage: str, pairs: Sequence[Pair]) -> list[Rollout]:
            return [luck.rollout(pair, (p if stage == "control" else q)[pair[0]]) for pair in pairs]  # noqa: B023

        kept += drive(gate, run)[0].outcome == "passed"
    expected = keep_probability(looks_of(rules, n), n, within, effect)
    error = (expected * (1 - expected) / candidates) ** 0.5
    assert kept / candidates == pytest.approx(expected, abs=3 * error + 0.03)


def test_power_rises_with_effect_and_size() -> None:
    looks = looks_of(default_rules("paired"), 100)
    chances = [keep_probability(looks, 100, 0.1, effect) for effect in (-0.05, 0, 0.02, 0.05, 0.1)]
    assert chances == sorted(chances)
    assert chances[0] < 0.1 < 0.95 < chances[-1]


def test_noise_is_read_off_two_trials(make_rollout: Make) -> None:
    letters = ["PP", "FF", "PF", "PP", "FF"]
    rollouts = [make_rollout(f"t{i}", x, k) for i, xs in enumerate(letters) for k, x in enumerate(xs)]
    found = noise_of(rollouts)
    assert found.measured
    assert found.mean == 0.5
    assert 0.5 < found.correlation < 0.9


@pytest.mark.parametrize(
    ("letters", "word"),
    [
        (["I", "I"], "at least two tasks"),
        (["P", "F"], "second trial"),
        (["PP", "PP"], "passes every trial"),
        (["FF", "FE"], "passes no trial"),
    ],
)
def test_a_baseline_that_says_nothing_of_noise_is_refused(make_rollout: Make, letters: list[str], word: str) -> None:
    rollouts = [make_rollout(f"t{i}", x, k) for i, xs in enumerate(letters) for k, x in enumerate(xs)]
    with pytest.raises(BadInput, match=word):
        noise_of(rollouts)


def test_a_plan_adds_traffic_and_certification_and_what_they_cost() -> None:
    costs = Costs(tokens=1000, money=0.01, seconds=36, concurrency=4)
    found = plan(default_rules("paired"), USUAL, RUN, costs, worlds=2)
    assert found.rollouts == found.gate_rollouts.mean + found.canary_rollouts + 30 + 1600
    assert found.tokens == pytest.approx(1000 * found.rollouts)
    assert found.money == pytest.approx(0.01 * found.rollouts)
    assert found.hours == pytest.approx(found.rollouts * 36 / 4 / 3600)
    assert found.null_kept == found.copies_kept.straight == pytest.approx(0.2, abs=0.05)
    cost = headlines(found)[2]
    assert cost.endswith(f"{found.tokens:,.0f} tokens, {found.money:,.2f} in money; the specialists come on top")


def test_a_budget_that_cannot_finish_one_attempt_is_refused_and_never_weakens_a_policy() -> None:
    rules = default_rules("paired")
    least = least_rollouts(rules, RUN)
    assert least == 200 + 10 + 10 + 200 + 100 + 1600
    with pytest.raises(BadInput, match=f"it needs {least}"):
        plan(rules, USUAL, RUN, Costs(), worlds=2, budget=least - 1)
    found = plan(rules, USUAL, RUN, Costs(), worlds=2, budget=least + 200)
    assert found.attempts_afforded is not None
    assert 0 <= found.attempts_afforded <= RUN.attempts
    both = plans([rules, default_rules("rigorous")], USUAL, RUN, Costs(), worlds=2, budget=least)
    assert [p.policy for p in both] == ["paired"]


def test_what_is_not_known_is_called_unknown_and_never_nothing(make_rollout: Make) -> None:
    rollouts = [make_rollout("a", "P"), make_rollout("b", "F")]
    assert costs_of([], concurrency=2, priced=True) == Costs(concurrency=2)
    assert costs_of(rollouts, concurrency=2, priced=False).money is None
    assert costs_of(rollouts, concurrency=2, priced=True).money == 0
    found = plan(default_rules("reference"), USUAL, RUN, Costs(), worlds=2)
    assert (found.tokens, found.money, found.hours) == (None, None, None)
    assert "tokens unknown, money unknown" in headlines(found)[2]
    assert "tokens unknown" in first_estimate(default_rules("reference"), RUN, Costs())
    assert not priced(load_settings())
    assert priced(load_settings(price_input=0.0, price_output=0.0)), "a free model has a price"


def test_canaries_are_in_the_plan_and_in_the_least_budget() -> None:
    rules, wished = default_rules("paired"), {"canaries": 3, "harmful_canaries": 1}
    run = RUN.model_copy(update={**wished, "attempts": 8})
    # one straight to the comparison, two the whole way, one that is sent there as well and stopped at the first look
    singing = (200 + 100) + 2 * (10 + 200 + 100) + 25
    assert least_rollouts(rules, run) - least_rollouts(rules, RUN) == singing
    found = plan(rules, USUAL, run, Costs(), worlds=2)
    assert 0 < found.canary_rollouts < singing
    assert found.rollouts == found.gate_rollouts.mean + found.canary_rollouts + 30 + 1600
    short = run.model_copy(update={"attempts": 3})
    assert least_rollouts(rules, short) == least_rollouts(rules, RUN)
    assert plan(rules, USUAL, short, Costs(), worlds=2).canary_rollouts == 0


def test_a_large_split_is_certified_with_fewer_trials() -> None:
    assert [trials_for(n) for n in (8, 100, 150, 200, 300, 400, 5_000)] == [4, 4, 2, 2, 1, 1, 1]
    assert trials_for(5_000, 3) == 3
    run = RUN.model_copy(update={"certify_trials": None, "validation": 100, "test": 300})
    assert run.certification == 2 * (400 + 300)


def test_a_copy_needs_the_rollouts_of_the_looks_that_it_reaches() -> None:
    looks = looks_of(default_rules("paired"), 100)
    within = USUAL.within
    assert expected_rollouts(looks, 100, within, -0.9) == pytest.approx(25, abs=0.5)
    assert expected_rollouts(looks, 100, within, 0.9) == pytest.approx(300, abs=0.5)
    assert 60 < expected_rollouts(looks, 100, within, 0.0) < 200


def test_one_trial_of_two_tasks_gives_a_mean_with_the_usual_correlation(make_rollout: Make) -> None:
    noise = noise_at_hand([make_rollout("a", "P"), make_rollout("b", "F")])
    assert (noise.mean, noise.measured) == (0.5, False)
    with pytest.raises(BadInput):
        noise_at_hand([make_rollout("a", "P")])
