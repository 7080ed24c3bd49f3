"""The policies in synthetic worlds: the goal figures on a small number of them, and that the worlds are fair."""

from __future__ import annotations

import numpy as np
import pytest

from sigmaloop.gate.policies import make_policy
from sigmaloop.gate.rules import default_rules
from sigmaloop.gate.statistics import Estimate
from sigmaloop.gate.worlds.figures import Figures, figures, simulate
from sigmaloop.gate.worlds.selftest import selftest
from sigmaloop.gate.worlds.worlds import BASE, NOTHING_HELPS, SHOCKS, SyntheticWorld, Terrain, Walk
from sigmaloop.records import PolicyName

WORLDS: dict[PolicyName, int] = {"reference": 24, "paired": 16, "rigorous": 16}


@pytest.fixture(scope="module")
def base() -> dict[PolicyName, Figures]:
    return {name: simulate(BASE, make_policy(default_rules(name)), worlds=n) for name, n in WORLDS.items()}


def at_most(found: Estimate | None, goal: float) -> bool:
    assert found is not None
    return found.mean - 2 * found.standard_error <= goal


def at_least(found: Estimate | None, goal: float) -> bool:
    assert found is not None
    return found.mean + 2 * found.standard_error >= goal


def test_the_tasks_have_the_mean_and_correlation_that_were_asked_for() -> None:
    chances = SyntheticWorld(Terrain(population=20_000), 0).chances[-20_000:]
    assert chances.mean() == pytest.approx(0.56, abs=0.002)
    correlation = chances.var() / (chances.mean() * (1 - chances.mean()))
    assert correlation == pytest.approx(0.60, abs=0.005)


def test_proposals_are_what_they_are_called() -> None:
    world = SyntheticWorld(BASE, 3)
    before = world.truth(world.chances)
    change: dict[str, list[float]] = {"null": [], "harmful": [], "helpful": []}
    for proposed in SyntheticWorld(BASE.model_copy(update={"proposals": 400}), 3).proposals:
        change[proposed.kind].append(100 * (world.truth(proposed.applied(world.chances, [], BASE)) - before))
    assert np.mean(change["null"]) == pytest.approx(0, abs=0.1)
    assert np.mean(change["harmful"]) == pytest.approx(-4.5, abs=0.6)
    assert np.mean(change["helpful"]) == pytest.approx(3.5, abs=0.6)
    assert len(change["null"]) / 400 == pytest.approx(0.6, abs=0.05)


def test_every_policy_meets_the_same_proposals_and_a_world_repeats_itself() -> None:
    first, again = SyntheticWorld(BASE, 9), SyntheticWorld(BASE, 9)
    assert first.proposals == again.proposals
    assert (first.chances == again.chances).all()
    assert SyntheticWorld(BASE, 10).proposals != first.proposals
    policy = make_policy(default_rules("paired"))
    small = Terrain(proposals=6, batches=3, traffic=30, validation=30)
    assert Walk(SyntheticWorld(small, 1), policy).run() == Walk(SyntheticWorld(small, 1), policy).run()


def test_paired_reaches_its_goals(base: dict[PolicyName, Figures]) -> None:
    found = base["paired"]
    assert at_least(found.true_gain, 16)
    # Without the control the goals were 9,000 and 1,500: it may add 18 %, and it lets fewer helpful changes through.
    assert at_most(found.rollouts, 1.18 * 9_000)
    assert at_most(found.rollouts_per_helpful, 1_900)
    assert at_most(found.reported_minus_true, 2.5)
    assert at_most(found.harmful_share, 0.04)
    assert at_most(found.no_op_rejected, 0.10)
    assert at_most(found.ends_worse, 0.01)


def test_a_shock_is_common_to_candidate_and_control_and_no_shock_changes_nothing() -> None:
    """With the control fewer changes pass in a world of shocks, and of those that change nothing most of all."""
    terrain = SHOCKS.model_copy(update={"proposals": 48, "batches": 9, "traffic": 90, "population": 400})
    rules = default_rules("paired")
    with_control = simulate(terrain, make_policy(rules), worlds=6)
    without = simulate(terrain, make_policy(rules.model_copy(update={"control": None})), worlds=6)
    assert with_control.null_kept is not None
    assert without.null_kept is not None
    assert with_control.null_kept.mean < without.null_kept.mean
    assert with_control.rollouts.mean > without.rollouts.mean
    calm = Walk(
        SyntheticWorld(BASE.model_copy(update={"proposals": 2, "batches": 2, "traffic": 20}), 1), make_policy(rules)
    )
    calm.run()
    assert calm.form == 1.0


def test_rigorous_reaches_its_goals(base: dict[PolicyName, Figures]) -> None:
    found = base["rigorous"]
    assert at_least(found.true_gain, 14.5)
    assert at_most(found.rollouts, 19_000)
    assert at_most(found.rollouts_per_helpful, 4_300)
    assert at_most(found.reported_minus_true, 3.0)
    assert at_most(found.harmful_share, 0.01)
    assert at_most(found.no_op_rejected, 0.12)
    assert at_most(found.ends_worse, 0.01)


def test_reference_keeps_the_published_faults_and_a_quarter_of_their_cost(base: dict[PolicyName, Figures]) -> None:
    found = base["reference"]
    assert at_most(found.rollouts, 2_600)
    assert at_least(found.reported_minus_true, 4)
    assert found.no_op_rejected is not None
    assert found.no_op_rejected.mean > 0.7


def test_paired_gains_more_than_the_published_rule_in_the_same_worlds(base: dict[PolicyName, Figures]) -> None:
    assert base["paired"].true_gain.mean > base["reference"].true_gain.mean + 5


@pytest.mark.parametrize("policy", ["reference", "paired", "rigorous"])
def test_certification_on_the_sealed_split_tells_the_truth(base: dict[PolicyName, Figures], policy: PolicyName) -> None:
    found = base[policy].certified_minus_true
    assert abs(found.mean) <= 3 * found.standard_error


def test_when_nothing_helps_the_published_rule_reports_progress_all_the_same() -> None:
    peer = simulate(NOTHING_HELPS, make_policy(default_rules("reference")), worlds=16)
    assert peer.true_gain.mean == 0
    assert peer.reported_minus_true.mean > 3
    rigorous = simulate(NOTHING_HELPS, make_policy(default_rules("rigorous")), worlds=3)
    assert rigorous.kept.mean < 3


def test_the_self_test_has_three_scenes() -> None:
    small = Terrain(proposals=8, batches=4, traffic=40, validation=30, test=30, population=200)
    found = selftest(small, make_policy(default_rules("paired")), worlds=4)
    assert found.nothing_helps.true_gain.mean == 0
    assert found.nothing_helps.power is None, "nothing helpful was proposed"
    assert found.usual.worlds == found.hard.worlds == 4
    with pytest.raises(ValueError, match="nothing to tell"):
        figures([])


@pytest.mark.parametrize(("cap", "members"), [(5, 5), (30, 8)])
def test_the_suite_grows_up_to_its_cap(cap: int, members: int) -> None:
    """Of one world: eight tasks come up for the suite if there is room."""
    terrain = Terrain(validation=30, traffic=60, test=30, population=300, batches=6, proposals=24, suite_cap=cap)
    walk = Walk(SyntheticWorld(terrain, 1), make_policy(default_rules("reference")))
    walk.run()
    assert len(walk.suite) == len(set(walk.suite)) == members


def test_a_run_has_ended_worse_when_the_truth_fell_however_little() -> None:
    walked = Walk(SyntheticWorld(BASE, 0), make_policy(default_rules("reference"))).run()
    gains = {-0.01: True, 0.0: False, 0.01: False}
    assert {g: walked.model_copy(update={"true_gain": g}).ended_worse for g in gains} == gains
