"""Screening: which probes, which looks, who falls and why; nothing of the suite or the evidence is a probe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sigmaloop.records import Rollout
from sigmaloop.search import rounds
from sigmaloop.search.screening import SCREEN_TRIALS, TRAINING_BANK_TRIALS, Screen, probes_of
from sigmaloop.search.strategy import Ask, RunGroups, SearchRules
from sigmaloop.search.words import Draft, Field, Group, OpenCluster, Screening, Slot, TrainingTask

RULES = SearchRules(strategy="portfolio")
MakeRollout = Callable[..., Rollout]


@pytest.fixture
def drafted(make_scene: Callable[..., Field]) -> Field:
    field = make_scene(2, tasks=6)
    slots = [Slot(id=f"R0001.0{k + 1}", clusters=(f"C00{k}",)) for k in (0, 1)]
    return rounds.wrote(field, [Draft(slot=s, agent=s.id, tree=s.id) for s in slots])


def screen(field: Field, passes: Callable[[Ask], bool], make: MakeRollout) -> tuple[list[list[Ask]], Screening]:
    stage = Screen(field, [Group(drafts=("R0001.01.1",))], RULES)
    seen: list[tuple[Ask, Rollout]] = []
    asked: list[list[Ask]] = []
    while isinstance(step := stage.step(seen), RunGroups):
        asked.append(list(step.asks))
        seen += [(a, make(a.group or "incumbent", a.task, a.trial, passes(a))) for a in step.asks]
    return asked, step[0]


def test_probes_are_of_the_failing_types_neither_evidence_nor_suite_and_least_used_first(
    make_cluster: Callable[..., OpenCluster],
) -> None:
    training = tuple(TrainingTask(id=f"t{k}", request_type=f"type {k % 2}") for k in range(12))
    one = make_cluster(1).model_copy(update={"evidence": ("t1",), "targets": ("t3",)})
    field = Field(training=training, suite=("t5",), used={"t7": 3}, clusters=(one,))
    assert set(probes_of(field, [one], 8)) == {"t7", "t9", "t11"}
    assert probes_of(field, [one], 8)[-1] == "t7"
    assert "t7" not in probes_of(field, [one], 2)
    untyped = field.model_copy(update={"training": tuple(TrainingTask(id=t.id) for t in training)})
    assert len(probes_of(untyped, [one], 12)) == 9


def test_targets_come_first_then_eight_probes_then_sixteen(drafted: Field, make_rollout: MakeRollout) -> None:
    asked, found = screen(drafted, lambda ask: bool(ask.group), make_rollout)
    own = [[a for a in asks if a.group] for asks in asked]
    assert [len(asks) for asks in own] == [4, 8, 8]
    assert {a.task for a in own[0]} == {"c0-0", "c0-1"}
    assert {a.task for asks in own[1:] for a in asks} == {f"t0-{k}" for k in range(6)}
    assert all(a.trial >= SCREEN_TRIALS for asks in own for a in asks)
    beside = [a for asks in asked for a in asks if not a.group]
    assert all(a.trial >= TRAINING_BANK_TRIALS for a in beside)
    assert len(beside) == 2 * 8, "two trials of each of two targets and six probes"
    assert found.passed
    assert found.z is not None
    assert found.z > 0.5
    assert found.rate == 1.0


def test_a_draft_that_leaves_its_targets_failing_costs_no_probe(drafted: Field, make_rollout: MakeRollout) -> None:
    asked, found = screen(drafted, lambda ask: False, make_rollout)
    assert [len([a for a in asks if a.group]) for asks in asked] == [4]
    assert (found.passed, found.fell_at) == (False, "targets")


def test_a_draft_that_breaks_probes_falls_at_the_first_look_and_names_them(
    drafted: Field, make_rollout: MakeRollout
) -> None:
    asked, found = screen(drafted, lambda ask: not ask.group or ask.task.startswith("c"), make_rollout)
    assert len(asked) == 2
    assert (found.passed, found.fell_at) == (False, "probes")
    assert found.reason is not None
    assert len(found.reason.used_to_pass) == 2
    assert found.reason.used_to_pass[0].startswith("t0-")
    assert (found.reason.before, found.reason.after, found.reason.trials) == (4, 4, 4)


def test_no_better_than_the_incumbent_is_not_enough_with_types_and_enough_without(
    drafted: Field, make_rollout: MakeRollout
) -> None:
    def alike(ask: Ask) -> bool:
        return ask.task.startswith("c") or ask.task in ("t0-0", "t0-2", "t0-4", "t1-0", "t1-2")

    assert not screen(drafted, alike, make_rollout)[1].passed
    plain = drafted.model_copy(update={"training": tuple(TrainingTask(id=t.id) for t in drafted.training)})
    assert screen(plain, alike, make_rollout)[1].passed


def test_infrastructure_faults_are_left_out(drafted: Field) -> None:
    stage = Screen(drafted, [Group(drafts=("R0001.01.1",))], RULES)
    seen: list[tuple[Ask, Rollout]] = []
    while isinstance(step := stage.step(seen), RunGroups):
        for ask in step.asks:
            key = {"agent": ask.group or "incumbent", "task_id": ask.task, "trial": ask.trial}
            seen.append((ask, Rollout.model_validate({"key": key, "seed": 0, "status": "infra", "reward": None})))
    assert step[0].passed, "nothing was measured, so nothing speaks against it"
    assert step[0].z is None
    assert step[0].results == {}


def test_what_was_not_asked_for_is_refused(drafted: Field, make_rollout: MakeRollout) -> None:
    stage = Screen(drafted, [Group(drafts=("R0001.01.1",))], RULES)
    stray = Ask(group="R0001.01.1", task="v1", trial=1)
    with pytest.raises(ValueError, match="did not ask for"):
        stage.step([(stray, make_rollout("x", "v1", 1, True))])


def test_the_incumbent_is_measured_once_for_all_groups_and_rounds(drafted: Field, make_rollout: MakeRollout) -> None:
    asked, _ = screen(drafted, lambda ask: True, make_rollout)
    results = [make_rollout("incumbent", a.task, a.trial, True) for asks in asked for a in asks if not a.group]
    again, _ = screen(rounds.banked(drafted, results), lambda ask: True, make_rollout)
    assert not [a for asks in again for a in asks if not a.group]


def test_a_group_is_named_by_its_members_whatever_their_order() -> None:
    assert Group(drafts=("a", "b")).id == Group(drafts=("b", "a")).id != Group(drafts=("a", "c")).id
    assert Group(drafts=("a",)).id == "a"


def test_nobody_asks_for_a_draft_that_is_not_of_the_round(drafted: Field, script: Any) -> None:
    with pytest.raises(KeyError, match=r"R0009\.01\.1 is not of round 1"):
        Screen(drafted, [Group(drafts=("R0009.01.1",))], RULES)
