"""Part tests: balanced halves, effects by regression, and what is taken out."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaloop.search.part_tests import (
    Outcome,
    combined,
    design,
    due,
    effects,
    owed,
    pruning,
    removal,
)
from sigmaloop.search.words import Budget, Field, KeptPart

TASKS = [f"t{k}" for k in range(60)]


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 12), st.integers(8, 200), st.integers(0, 5))
def test_every_part_is_in_half_of_the_rollouts_and_each_half_meets_its_complement(
    parts: int, rollouts: int, seed: int
) -> None:
    names = [f"p{k}" for k in range(parts)]
    halves = design(names, TASKS, rollouts, seed=seed)
    assert rollouts - 4 < sum(len(half.pairs) for half in halves) <= rollouts
    for one, two in zip(halves[::2], halves[1::2], strict=True):
        assert sorted(one.parts + two.parts) == sorted(names)
        assert one.pairs == two.pairs
    assert design(names[::-1], TASKS[::-1], rollouts, seed=seed) == halves
    pairs = [pair for half in halves[::2] for pair in half.pairs]
    assert len(set(pairs)) == len(pairs), "no rollout twice"


def test_effects_are_found_beside_tasks_that_differ_much() -> None:
    """28 parts, one of them harms by 10 points: the estimate has the error that it claims."""
    names = [f"p{k:02}" for k in range(28)]
    dice = random.Random(4)
    ease = {task: dice.betavariate(0.373, 0.293) for task in TASKS}
    worse = []
    for seed in range(5):
        outcomes = [
            Outcome(
                task=task,
                parts=half.parts,
                reward=float(dice.random() < ease[task] * (0.85 if "p07" in half.parts else 1.0)),
            )
            for half in design(names, TASKS, 750, seed=seed)
            for task, _ in half.pairs
        ]
        found = effects(names, outcomes)
        assert found["p07"][1] == pytest.approx(0.03, abs=0.01)
        worse.append(found["p07"][0])
        assert max(abs(effect) for name, (effect, _) in found.items() if name != "p07") < 0.13
    truth = -0.15 * sum(ease.values()) / len(ease)
    assert sum(worse) / 5 == pytest.approx(truth, abs=0.03)


def test_without_enough_outcomes_nothing_is_claimed() -> None:
    assert effects(["a"], []) == {}
    assert effects(["a", "b"], [Outcome(task="t", parts=("a",), reward=1.0)] * 3) == {}, "a and b were never apart"
    for wrong in ({"parts": ["a"]}, {"tasks": []}, {"rollouts": 3}):
        with pytest.raises(ValueError, match="two parts, a task and four rollouts"):
            design(**{"parts": ["a", "b"], "tasks": ["t"], "rollouts": 9, "seed": 0, **wrong})  # type: ignore[arg-type]


def test_two_tests_weigh_by_their_precision() -> None:
    part = KeptPart(draft="a", clusters=("C001",), effect=-0.04, error=0.02)
    effect, error = combined(part, (0.0, 0.02))
    assert effect == pytest.approx(-0.02)
    assert error == pytest.approx(0.02 / 2**0.5)
    assert combined(KeptPart(draft="a", clusters=()), (0.1, 0.3)) == (0.1, 0.3)


def parts(*given: tuple[float, float]) -> Field:
    kept = [
        KeptPart(draft=f"d{k}", clusters=("C001",), effect=effect, error=error, tested=1, added=500)
        for k, (effect, error) in enumerate(given)
    ]
    return Field(parts=tuple(kept), budget=Budget(total=9_000, batches=1))


def test_a_test_is_owed_for_parts_that_nobody_knows_and_is_sized_by_the_budget() -> None:
    fresh = Field(
        parts=tuple(KeptPart(draft=f"d{k}", clusters=()) for k in range(7)), budget=Budget(total=9_000, batches=18)
    )
    assert owed(fresh)
    test = due(fresh)
    assert test is not None
    assert test.rollouts == 500, "the share of the first batch"
    assert len(test.parts) == 7
    assert due(fresh.model_copy(update={"budget": Budget(total=9_000, batches=18, spent=300)})) is None
    assert not owed(fresh.model_copy(update={"parts": fresh.parts[:5]})), "few parts are not worth a test"
    probed = tuple(part.model_copy(update={"probed": True}) for part in fresh.parts)
    assert not owed(fresh.model_copy(update={"parts": probed})), "each of them passed probes of its own"
    assert not owed(fresh.model_copy(update={"on_parts": 2_000})), "a quarter of the run is the most"
    assert not owed(parts(*[(0.0, 0.019)] * 9)), "settled"
    assert not owed(parts(*[(0.04, 0.03)] * 9)), "clearly not harmful"


def test_harmful_parts_leave_together_and_after_a_rejection_the_worst_alone() -> None:
    field = parts((-0.05, 0.02), (0.01, 0.02), (-0.10, 0.03), (-0.02, 0.02))
    together = removal(field)
    assert together is not None
    assert together.removes == ("d2", "d0")
    once = tuple(p.model_copy(update={"removals": 1}) if p.draft in ("d0", "d2") else p for p in field.parts)
    alone = removal(field.model_copy(update={"parts": once}))
    assert alone is not None
    assert alone.removes == ("d2",)
    spared = tuple(p.model_copy(update={"removals": 3}) for p in field.parts)
    assert removal(field.model_copy(update={"parts": spared})) is None


def test_what_does_nothing_is_pruned_when_it_is_long() -> None:
    field = parts((-0.01, 0.02), (0.03, 0.02), (-0.05, 0.02))
    found = pruning(field)
    assert found is not None
    assert found.removes == ("d0",)
    short = tuple(part.model_copy(update={"added": 100}) for part in field.parts)
    assert pruning(field.model_copy(update={"parts": short})) is None
