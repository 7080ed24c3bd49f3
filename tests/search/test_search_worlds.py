"""Strategies in simulated worlds with request types: the worlds are what they say, the walk pays and repeats itself."""

from __future__ import annotations

import numpy as np
import pytest

from sigmaloop.gate.policies import make_policy
from sigmaloop.gate.rules import default_rules
from sigmaloop.gate.worlds.typed import ANYWHERE, BY_TYPE, CONFLICTING, REASONED, TypedTerrain, TypedWorld
from sigmaloop.search.strategy import SearchRules, StrategyName
from sigmaloop.search.walk import SearchResult, SearchWalk

SMALL = TypedTerrain(validation=40, traffic=60, test=10, population=300, batches=2, types=6)


def walk(strategy: StrategyName, seed: int, *, budget: int = 900) -> SearchResult:
    policy = make_policy(default_rules("paired"))
    return SearchWalk(TypedWorld(SMALL, seed), policy, SearchRules(strategy=strategy), budget=budget).go()


@pytest.mark.parametrize("strategy", ["single", "portfolio", "compose", "race", "evolve", "pareto"])
def test_a_walk_repeats_itself_and_never_pays_more_than_there_is(strategy: StrategyName) -> None:
    first = walk(strategy, 1)
    assert walk(strategy, 1) == first
    assert first.candidates > 0
    assert first.drafts <= 240
    assert first.rollouts <= 900
    assert first.wall > 0


def test_a_helpful_draft_acts_on_whole_types_its_clusters_first() -> None:
    world = TypedWorld(BY_TYPE, 3)
    drafts = [world.draft(f"R{k:04}.01.1", k % 30, ()) for k in range(400)]
    kinds = [draft.kind for draft in drafts]
    assert kinds.count("helpful") / 400 == pytest.approx(0.12, abs=0.05)
    gains = []
    for draft in drafts:
        if draft.kind == "helpful":
            change = world.applied(world.chances, [draft]) - world.chances
            own = change[world.types == draft.request_type].mean()
            gains.append((100 * change[-2000:].mean(), own - change.mean()))
    assert np.mean([gain for gain, _ in gains]) == pytest.approx(3.5, abs=0.9)
    assert np.mean([more for _, more in gains]) > 0.1


def test_drafts_apply_in_any_order_and_some_pairs_conflict() -> None:
    world = TypedWorld(CONFLICTING, 5)
    drafts = [world.draft(f"R0001.{k:02}.1", k, ()) for k in range(12)]
    assert (world.applied(world.chances, drafts) == world.applied(world.chances, drafts[::-1])).all()
    pairs = [(a.id, b.id) for k, a in enumerate(drafts) for b in drafts[k + 1 :]]
    clashing = [pair for pair in pairs if world.clash(*pair)]
    assert 0 < len(clashing) < len(pairs) / 2
    one, two = (world.draft(name, 1, ()) for name in clashing[0])
    alone = TypedWorld(BY_TYPE, 5)
    cost = world.truth(alone.applied(world.chances, [one, two])) - world.truth(world.applied(world.chances, [one, two]))
    assert cost == pytest.approx(0.02, abs=0.008)


def test_a_reasoned_retry_helps_more_often() -> None:
    world = TypedWorld(REASONED, 2)

    def share(tries: int) -> float:
        return sum(world.draft(f"R{k}", 1, (), tries=tries).kind == "helpful" for k in range(400)) / 400

    assert share(3) > 1.8 * share(0)
    assert share(9) == share(3)


def test_effects_anywhere_are_no_respecters_of_types() -> None:
    world = TypedWorld(ANYWHERE, 4)
    found = next(d for k in range(99) if (d := world.draft(f"R{k}", 1, ())).kind == "helpful")
    change = world.applied(world.chances, [found]) - world.chances
    assert len(set(world.types[change > 0.3].tolist())) > 15
