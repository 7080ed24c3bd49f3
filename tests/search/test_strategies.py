"""Every strategy played end to end against a scripted field: what it asks for, what goes to the gate, how it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest

from sigmaloop.search import rounds
from sigmaloop.search.strategies.make import make_strategy
from sigmaloop.search.strategy import SearchRules, StrategyName
from sigmaloop.search.words import Candidate, Field, Measure, Nothing, OpenCluster, ProbeParts, Redraft

STRATEGIES: tuple[StrategyName, ...] = get_args(StrategyName)
Scene = Callable[..., Field]


def fates(field: Field) -> dict[str, str]:
    return {draft.id: draft.fate for draft in field.drafts}


def test_single_asks_for_one_draft_measures_nothing_and_sends_it_to_the_gate(script: Any, make_scene: Scene) -> None:
    played = script("single", gate=lambda c: False)
    end = played.play(make_scene(3))
    assert played.candidates == [("R0001.01.1",)]
    assert played.rollouts == 0
    assert fates(end) == {"R0001.01.1": "rejected"}
    assert end.parts == ()


def test_a_portfolio_merges_the_best_of_different_clusters_and_credits_them_all(script: Any, make_scene: Scene) -> None:
    played = script("portfolio", merge=3)
    end = played.play(make_scene(5))
    [group] = played.candidates
    assert len(group) == 3
    assert len({c for name in group for c in end.draft(name).clusters}) == 3, "one a cluster"
    assert {part.draft for part in end.parts} == set(group)


def test_fewer_clusters_than_slots_get_a_second_slot_with_another_lever(make_scene: Scene) -> None:
    strategy = make_strategy(SearchRules(strategy="portfolio", width=5))
    slots = strategy.slots(make_scene(2))
    assert [slot.clusters[0] for slot in slots] == ["C000", "C001", "C000", "C001", "C000"]
    levers = [slot.lever for slot in slots if slot.clusters == ("C000",)]
    assert len(set(levers)) == 3


def test_a_fallen_draft_goes_back_with_the_reason_as_often_as_it_has_tries(script: Any, make_scene: Scene) -> None:
    played = script("portfolio", good=lambda name: name.startswith("R0001.01"), width=2, tries=3)
    end = played.play(make_scene(2))
    again = [slot for pick in played.log if isinstance(pick, Redraft) for slot in pick.slots]
    assert [slot.draft_id for slot in again] == ["R0001.02.2", "R0001.02.3"]
    for slot, earlier in zip(again, ("R0001.02.1", "R0001.02.2"), strict=True):
        assert slot.reason is not None
        assert slot.reason.draft == earlier
        assert slot.reason.code == "targets"
        assert slot.reason.after == 0
        assert slot.reason.still_failing, "a trace to read"
    assert played.candidates == [("R0001.01.1",)]
    assert fates(end)["R0001.02.3"] == "fallen"


def test_a_rejected_merge_is_bisected_better_half_first(script: Any, make_scene: Scene) -> None:
    played = script("portfolio", width=4, gate=lambda c: c.group.drafts == ("R0001.04.1",))
    end = played.play(make_scene(4))
    one, two, three, four = (f"R0001.{k:02}.1" for k in (1, 2, 3, 4))
    assert played.candidates == [(one, two, three, four), (one, two), (one,), (two,), (three, four), (three,), (four,)]
    assert [part.draft for part in end.parts] == [four]
    assert fates(end)[one] == "rejected"


def test_after_a_kept_half_the_other_half_meets_the_gate_too(script: Any, make_scene: Scene) -> None:
    played = script("portfolio", width=4, gate=lambda c: len(c.group.drafts) < 4)
    end = played.play(make_scene(4))
    assert [len(group) for group in played.candidates] == [4, 2, 2]
    assert len(end.parts) == 4


def test_a_cluster_that_empties_while_its_drafts_are_screened_is_not_asked_for_again(
    script: Any, make_scene: Scene
) -> None:
    played = script(
        "portfolio", width=2, good=lambda name: False, after_screening=lambda field: rounds.closed(field, ["C001"])
    )
    end = played.play(make_scene(2))
    again = {slot.clusters[0] for pick in played.log if isinstance(pick, Redraft) for slot in pick.slots}
    assert again == {"C000"}
    assert played.candidates == []
    assert isinstance(played.log[-1], Nothing)
    assert fates(end)["R0001.02.1"] == "fallen"


def test_a_surviving_draft_of_a_cluster_that_emptied_still_meets_the_gate(script: Any, make_scene: Scene) -> None:
    played = script("portfolio", width=2, after_screening=lambda field: rounds.closed(field, ["C001"]))
    played.play(make_scene(2))
    assert [set(group) for group in played.candidates] == [{"R0001.01.1", "R0001.02.1"}]


@pytest.mark.parametrize("strategy", ["portfolio", "compose"])
def test_drafts_that_all_say_the_same_are_asked_for_once_more_then_dropped(
    script: Any, make_scene: Scene, strategy: StrategyName
) -> None:
    played = script(strategy, tree=lambda slot: "the same", width=6)
    end = played.play(make_scene(6))
    assert [len(pick.slots) for pick in played.log if isinstance(pick, Redraft)] == [5]
    assert played.candidates == [("R0001.01.1",)], "the one with the lowest id stays"
    assert list(fates(end).values()).count("equal") == 10
    assert len(end.drafts) == 11


def test_compose_writes_a_part_for_every_cluster_and_judges_them_at_once(script: Any, make_scene: Scene) -> None:
    played = script("compose")
    end = played.play(make_scene(12))
    [group] = played.candidates
    assert len(group) == 12
    assert len(end.parts) == 12
    assert not end.turned_down
    assert any(isinstance(pick, ProbeParts) for pick in played.log), "parts are checked afterwards"


def test_compose_drops_a_part_that_alone_turns_the_screen_down_with_the_reason(script: Any, make_scene: Scene) -> None:
    played = script("compose", good=lambda name: name != "R0001.03.1")
    end = played.play(make_scene(8))
    assert fates(end)["R0001.03.1"] == "fallen"
    assert end.draft("R0001.03.1").reason is not None
    [group] = [group for group in played.candidates if group]
    assert len(group) == 7
    assert "R0001.03.1" not in group


def test_compose_bisects_a_rejected_bundle_and_screens_one_by_one_from_then_on(script: Any, make_scene: Scene) -> None:
    played = script("compose", gate=lambda c: "R0001.01.1" not in c.group.drafts)
    end = played.play(make_scene(8))
    assert [len(group) for group in played.candidates if group] == [8, 4, 2, 1, 1, 2, 4]
    assert len(end.parts) == 7
    assert end.turned_down
    nxt = rounds.open_round(end, end.clusters, batch=1)
    assert not any(slot.bundle for slot in make_strategy(played.rules).slots(nxt))


def test_compose_does_what_a_portfolio_does_when_parts_are_few(script: Any, make_scene: Scene) -> None:
    rules = {"width": 4, "few": 4}
    composed, plain = script("compose", **rules), script("portfolio", **rules)
    assert composed.play(make_scene(3)).parts == plain.play(make_scene(3)).parts
    assert composed.candidates == plain.candidates


def test_a_part_that_a_merge_leaves_out_is_neither_credited_nor_charged(script: Any, make_scene: Scene) -> None:
    played = script("portfolio", width=3, conflicts=lambda c: {c.group.drafts[-1]: "check_call: both changed it"})
    end = played.play(make_scene(3))
    [group] = played.candidates
    assert fates(end)[group[-1]] == "left_out"
    assert end.draft(group[-1]).reason is not None
    assert {part.draft for part in end.parts} == set(group[:-1])


def test_a_race_halves_its_siblings_and_sends_one(script: Any, make_scene: Scene) -> None:
    played = script("race", siblings=4)
    end = played.play(make_scene(2))
    assert len(end.drafts) == 4
    assert {draft.clusters for draft in end.drafts} == {("C000",)}
    assert len({draft.slot.lever for draft in end.drafts}) == 4
    assert [len(group) for group in played.candidates] == [1]
    looked = [sum(n for _, n in s.results.values()) for s in end.screenings.values()]
    assert sorted(looked) == [12, 12, 20, 20], "two siblings saw the first look alone"


def test_evolution_breeds_for_three_generations_and_stops_at_the_target(script: Any, make_scene: Scene) -> None:
    bred = script("evolve", good=lambda name: False)
    end = bred.play(make_scene(1))
    assert len(end.drafts) == 6 + 3 + 3
    children = [draft for draft in end.drafts if draft.slot.parents]
    assert len(children) == 6
    assert all(set(draft.slot.parents) <= {d.id for d in end.drafts} for draft in children)
    at_once = script("evolve", good=lambda name: True)
    assert len(at_once.play(make_scene(1)).drafts) == 6, "the first generation reached the target score"


def test_the_pareto_pool_is_chosen_on_training_tasks_and_sends_its_best(script: Any, make_scene: Scene) -> None:
    played = script("pareto", population=3, pool=5)
    end = played.play(make_scene(4))
    assert len(end.drafts) == 5
    assert [draft.slot.parents != () for draft in end.drafts] == [False] * 3 + [True] * 2
    assert [len(group) for group in played.candidates] == [1]


def test_paste_takes_everything_without_a_gate_and_says_so(script: Any, make_scene: Scene) -> None:
    played = script("paste")
    end = played.play(make_scene(5))
    [pick] = [pick for pick in played.log if isinstance(pick, Candidate)]
    assert pick.ungated
    assert len(pick.group.drafts) == 5
    assert played.rollouts == 0
    assert make_strategy(played.rules).slots(rounds.open_round(end, end.clusters, batch=1)) == (), "each cluster once"


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_other_strategy_goes_ungated(script: Any, make_scene: Scene, strategy: StrategyName) -> None:
    played = script(strategy)
    played.play(make_scene(6))
    assert any(p.ungated for p in played.log if isinstance(p, Candidate)) == (strategy == "paste")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_order_in_which_drafts_and_results_arrive_decides_nothing(
    script: Any, make_scene: Scene, strategy: StrategyName
) -> None:
    def good(name: str) -> bool:
        return name[-4] in "1357"

    def gate(candidate: Candidate) -> bool:
        return len(candidate.group.drafts) < 3

    one, two = script(strategy, good=good, gate=gate), script(strategy, good=good, gate=gate, backwards=True)
    assert one.play(make_scene(9)) == two.play(make_scene(9))
    assert one.log == two.log
    assert len(one.log) > 1


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("kept", [True, False])
def test_a_benchmark_without_types_and_with_twelve_training_tasks_ends_like_any_other(
    script: Any, make_scene: Scene, strategy: StrategyName, kept: bool
) -> None:
    field = make_scene(6, tasks=2, typed=False)
    assert len(field.training) == 12
    assert not field.typed
    played = script(strategy, gate=lambda c: kept)
    played.play(field)
    assert any(isinstance(pick, Candidate) for pick in played.log)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_without_any_training_task_or_cluster_nothing_breaks(
    script: Any, make_scene: Scene, make_cluster: Callable[..., OpenCluster], strategy: StrategyName
) -> None:
    bare = rounds.open_round(Field(), [make_cluster(1, targets=0)], batch=1)
    played = script(strategy)
    played.play(bare.model_copy(update={"budget": make_scene(1).budget}))
    assert any(isinstance(pick, (Candidate, Nothing)) for pick in played.log)
    assert make_strategy(played.rules).slots(rounds.open_round(bare, [], batch=1)) == ()


@pytest.mark.parametrize("strategy", [s for s in STRATEGIES if s != "paste"])
def test_a_round_does_not_begin_that_nobody_can_pay(make_scene: Scene, strategy: StrategyName) -> None:
    broke = make_scene(6, total=300)
    assert make_strategy(SearchRules(strategy=strategy)).slots(broke) == ()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_never_more_drafts_than_are_left(make_scene: Scene, strategy: StrategyName) -> None:
    field = make_scene(9)
    field = field.model_copy(update={"budget": field.budget.model_copy(update={"drafts_left": 2})})
    assert 1 <= len(make_strategy(SearchRules(strategy=strategy)).slots(field)) <= 2


def test_what_is_screened_is_what_the_pick_names(make_scene: Scene, script: Any) -> None:
    """The graph runs `screen` when a pick says Measure: both speak of the same groups."""
    for name in STRATEGIES:
        strategy, field = make_strategy(SearchRules(strategy=name)), make_scene(7)
        field = rounds.wrote(field, script(name).drafts(strategy.slots(field)))
        pick = strategy.pick(field)
        assert isinstance(pick, Measure)
        assert {g.id for g in strategy.screen(field).groups} == {g.id for g in pick.groups}
