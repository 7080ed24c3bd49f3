"""Recorded values: what a seed gives today it gives tomorrow, for plans, orders and worlds are recomputed from it.

A value may change on purpose only, and then every figure in the docs that comes from the same code changes with it.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import pytest

from sigmaloop.gate.hypotheses import tango_z
from sigmaloop.gate.policies import make_policy
from sigmaloop.gate.rules import default_rules
from sigmaloop.gate.sequential import order_of
from sigmaloop.gate.tally import ResultKind, Tally
from sigmaloop.gate.worlds.figures import figures
from sigmaloop.gate.worlds.power import (
    Budgeted,
    Costs,
    Noise,
    expected_rollouts,
    first_estimate,
    headlines,
    keep_probability,
    looks_of,
    noise_of,
    plan,
)
from sigmaloop.gate.worlds.worlds import SyntheticWorld, Terrain, Walk, WalkResult
from sigmaloop.records import PolicyName, Rollout

SMALL = Terrain(proposals=8, batches=4, traffic=40, validation=40, population=300)
USUAL = Noise(mean=0.56, correlation=0.60)
RUN = Budgeted(validation=40, test=30, batches=3, batch_size=10, attempts=6, certify_trials=4, suite_cap=30)


def test_the_order_of_a_seed() -> None:
    assert order_of(["d", "a", "c", "b"], 10, seed="s") == order_of(["a", "b", "c", "d"], 10, seed="s")
    assert " ".join(
        f"{task}{trial}" for task, trial in order_of(["a", "b", "c", "d"], 10, seed="s", first_trial=0)
    ) == ("b0 d0 c0 a0 c1 b1 d1 a1 c2 d2")


@pytest.mark.parametrize(
    ("policy", "counts", "gains"),
    [
        ("reference", (240, 2, 0, 1, 2, 3, 2, 0, 35), (0.017673172, 0.15, 0.0225, 0.03125)),
        ("paired", (1441, 1, 0, 3, 0, 4, 1, 2, 555), (0.116680782, 0.1375, 0.085, 0.075)),
        ("rigorous", (4641, 0, 0, 3, 0, 4, 0, 0, 221), (0.114814963, 0.139583333, 0.11, 0.1125)),
    ],
)
def test_a_walk_through_a_world(policy: PolicyName, counts: tuple[int, ...], gains: tuple[float, ...]) -> None:
    result = Walk(SyntheticWorld(SMALL, 2), make_policy(default_rules(policy))).run()
    kept = (result.kept["null"], result.kept["harmful"], result.kept["helpful"])
    copies = (result.no_op_trials, result.no_op_rejected, result.no_op_kept, result.no_op_rollouts)
    assert (result.rollouts, *kept, result.harmful_in_effect, *copies) == counts
    assert result.proposed == {"null": 4, "harmful": 1, "helpful": 3}
    told = (result.true_gain, result.reported_gain, result.certified_gain, result.certified_on_validation)
    assert told == pytest.approx(gains, abs=1e-8)


@pytest.mark.parametrize(
    ("policy", "figures_", "lines", "chances", "rollouts"),
    [
        (
            "reference",
            (17.455159, 5.853271, 0.498, 779.666667, 650, 7.796667, 0.108287, 6),
            (
                "policy reference: keeps a true gain of 5.9 points in 4 of 5 cases",
                "if no change helped at all, it would still keep 1.7 +- 0.7; of 3 synthetic runs with the usual "
                "changes 1 ended worse than they began",
                "about 780 rollouts, 0.1 h, 779,667 tokens, 7.80 in money; the specialists come on top",
            ),
            (0.498, 0.7625),
            (40.0, 40.0),
        ),
        (
            "paired",
            (10.326611, 7.476807, 0.18605, 1391.333333, 900, 13.913333, 0.193241, 6),
            (
                "policy paired: keeps a true gain of 7.5 points in 4 of 5 cases",
                "if no change helped at all, it would still keep 0.7 +- 0.3; of 3 synthetic runs with the usual "
                "changes 0 ended worse than they began",
                "about 1,391 rollouts, 0.2 h, 1,391,333 tokens, 13.91 in money; the specialists come on top",
            ),
            (0.18605, 0.6102),
            (124.48775, 194.4845),
        ),
    ],
)
def test_a_plan(
    policy: PolicyName,
    figures_: tuple[float, ...],
    lines: tuple[str, ...],
    chances: tuple[float, float],
    rollouts: tuple[float, float],
) -> None:
    rules = default_rules(policy)
    costs = Costs(tokens=1000, money=0.01, seconds=2, concurrency=4)
    made = plan(rules, USUAL, RUN, costs, worlds=3, budget=9000)
    assert made.money is not None
    assert made.hours is not None
    assert made.attempts_afforded is not None
    told = (made.detectable, made.kept_at_80, made.null_kept, made.rollouts, made.least_rollouts)
    assert (*told, made.money, made.hours, made.attempts_afforded) == pytest.approx(figures_, abs=1e-5)
    assert headlines(made) == lines
    looks = looks_of(rules, 40)
    assert [keep_probability(looks, 40, 0.1, effect) for effect in (0.0, 0.05)] == pytest.approx(chances, abs=1e-6)
    assert [expected_rollouts(looks, 40, 0.1, effect) for effect in (0.0, 0.05)] == pytest.approx(rollouts, abs=1e-6)


def test_a_first_estimate() -> None:
    assert first_estimate(default_rules("paired"), RUN, Costs(concurrency=4)).startswith(
        "a first estimate: about 1,118 rollouts, tokens unknown, money unknown (no prices are set);"
    )


def test_figures_by_hand() -> None:
    """Two worlds: means, the error of a mean, and a ratio of sums with its error by linearisation."""
    base: dict[str, float] = {"harmful_in_effect": 0, "true_gain": 0.1, "reported_gain": 0.15, "certified_gain": 0.12}
    base |= {"certified_on_validation": 0.11, "no_op_trials": 4, "no_op_rejected": 1, "no_op_kept": 2}
    proposed = {"null": 4, "harmful": 2, "helpful": 4}
    first = {**base, "rollouts": 100, "no_op_rollouts": 40, "kept": {"null": 1, "harmful": 1, "helpful": 2}}
    second = {**base, "rollouts": 300, "no_op_rollouts": 60, "kept": {"null": 0, "harmful": 1, "helpful": 3}}
    second |= {"true_gain": -0.1}
    both = [WalkResult.model_validate({**one, "proposed": proposed}) for one in (first, second)]
    found = figures(both)
    assert (found.worlds, found.rollouts.tasks) == (2, 2)
    assert (found.rollouts.mean, found.rollouts.standard_error) == pytest.approx((200, 100))
    assert (found.kept.mean, found.true_gain.mean, found.ends_worse.mean) == pytest.approx((4, 0, 0.5))
    assert found.reported_minus_true.mean == pytest.approx(15)
    assert found.certified_minus_true.mean == pytest.approx(12)
    assert found.certified_on_validation_minus_true.mean == pytest.approx(11)
    ratios = {
        "rollouts_per_helpful": (400 / 5, sqrt(2 * ((100 - 80 * 2) ** 2 + (300 - 80 * 3) ** 2)) / 5),
        "harmful_share": (2 / 8, 0.0),
        "power": (5 / 8, sqrt(2 * ((2 - 2.5) ** 2 + (3 - 2.5) ** 2)) / 8),
        "null_kept": (1 / 8, sqrt(2 * ((1 - 0.5) ** 2 + 0.5**2)) / 8),
        "no_op_rejected": (1 / 4, 0.0),
        "no_op_kept": (1 / 2, 0.0),
        "no_op_rollouts": (100 / 8, sqrt(2 * ((40 - 50) ** 2 + (60 - 50) ** 2)) / 8),
    }
    for name, (mean, error) in ratios.items():
        estimate = getattr(found, name)
        assert (estimate.mean, estimate.standard_error, estimate.tasks) == pytest.approx((mean, error, 2)), name
    alone = figures(both[:1])
    assert alone.rollouts.standard_error == 0
    assert alone.power is not None
    assert alone.power.standard_error == 0
    with pytest.raises(ValueError, match="no world was walked through"):
        figures([])


@pytest.mark.parametrize(("b", "c", "n"), [(5, 3, 40), (0, 7, 30), (12, 12, 30), (2, 9, 11)])
@pytest.mark.parametrize("difference", [-0.3, -0.1, 0.0, 0.2])
def test_the_score_statistic_agrees_with_a_search_for_the_likeliest_rates(
    b: int, c: int, n: int, difference: float
) -> None:
    """Tango 1998 has a closed form for the restricted maximum; here it is looked for on a grid."""
    from math import log

    def likelihood(q: float) -> float:
        rates = ((b, q + difference), (c, q), (n - b - c, 1 - 2 * q - difference))
        if any(rate < -1e-12 or (count and rate <= 0) for count, rate in rates):
            return float("-inf")
        return sum(count * log(rate) for count, rate in rates if count)

    low, high = max(0.0, -difference), (1 - difference) / 2
    grid = [low + (high - low) * i / 20_000 for i in range(20_001)]
    q = max(grid, key=likelihood)
    variance = n * (2 * q + difference - difference**2)
    assert tango_z(b, c, n, difference=difference) == pytest.approx((b - c - n * difference) / sqrt(variance), rel=2e-3)


def test_a_correlation_is_held_between_its_ends(make_rollout: Callable[..., Rollout]) -> None:
    steady = [make_rollout(f"t{i}", "P" if i < 3 else "F", k) for i in range(6) for k in range(2)]
    assert (noise_of(steady).mean, noise_of(steady).correlation) == (0.5, 0.98)
    torn = [make_rollout(f"t{i}", "PF"[k], k) for i in range(6) for k in range(2)]
    assert noise_of(torn).correlation == 0.02


@pytest.mark.parametrize(("kind", "passes", "valid", "infra", "lost"), [
    ("perfect", 3, 3, 0, 0), ("zero", 0, 3, 0, 0), ("infra", 0, 0, 3, 2),
])  # fmt: skip
def test_a_tally_after_three_more(kind: ResultKind, passes: int, valid: int, infra: int, lost: int) -> None:
    after = Tally(passes=0, valid=0, reward_micros=0, infra=0, left=5, spare=2).after(3, kind)
    assert (after.passes, after.valid, after.infra, after.lost) == (passes, valid, infra, lost)
    assert after.reward_micros == passes * 10**6
    assert (after.left, after.spare) == (2, 0 if kind == "infra" else 2)
