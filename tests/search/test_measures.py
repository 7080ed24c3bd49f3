"""Budget, plateau, constraints, equal drafts and styles: each rule at its edges."""

from __future__ import annotations

from math import exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sigmaloop.errors import BadInput
from sigmaloop.gate.statistics import Estimate
from sigmaloop.search.constraints import (
    Margin,
    check,
    check_resolvable,
    check_success_margin,
    log_ratio,
    success_not_inferior,
)
from sigmaloop.search.equal import equals
from sigmaloop.search.plateau import progress
from sigmaloop.search.styles.make import make_style
from sigmaloop.search.styles.shown import Critique, Insight, Memory, Piece, ScoredText, Success
from sigmaloop.search.words import LEVERS, Budget, Draft, OpenCluster, Similar, Slot


@given(st.integers(0, 10_000), st.integers(1, 20), st.integers(0, 12_000))
def test_after_batch_b_of_n_so_much_may_be_spent_and_the_rest_rolls_over(total: int, batches: int, spent: int) -> None:
    lefts = [Budget(total=total, batches=batches, batch=b, spent=spent).left for b in range(1, batches + 2)]
    assert lefts == sorted(lefts)
    assert lefts[-1] == lefts[-2] == max(0, total - spent)
    assert lefts[0] == max(0, total // batches - spent)


def test_a_budget_without_drafts_allows_nothing() -> None:
    budget = Budget(total=900, batches=9, drafts_left=3)
    assert budget.allows(100)
    assert not budget.allows(101)
    assert budget.can_finish(900)
    assert not budget.paid(drafts=3).allows(1)
    assert budget.paid(rollouts=40).left == 60
    assert not budget.paid(rollouts=1).can_finish(900)


def bank(*means: float) -> list[Estimate]:
    return [Estimate(mean=mean, standard_error=0.02, tasks=100) for mean in means]


def test_a_plateau_is_a_gain_below_its_error_over_eight_batches() -> None:
    flat, rising = bank(*[0.5] * 9), bank(*[0.5 + 0.01 * k for k in range(9)])
    assert progress(flat[:8]) is None
    assert [p.advice for p in (progress(flat), progress(rising)) if p] == ["diversify", "go_on"]
    later = bank(*[0.5] * 17)
    found = progress(later, diversified=9)
    assert found is not None
    assert found.advice == "prune"
    early = progress(later, diversified=10)
    assert early is not None
    assert early.advice == "go_on", "looking elsewhere has its eight batches"


def test_stopping_is_asked_for() -> None:
    falling, rising = bank(*[0.5 - 0.001 * k for k in range(9)]), bank(*[0.5 + 0.01 * k for k in range(9)])

    def advice(means: list[Estimate], **asked: float | bool) -> str:
        found = progress(means, **asked)  # type: ignore[arg-type]
        assert found is not None
        return found.advice

    assert advice(falling) == "diversify"
    assert advice(falling, stop_when_flat=True) == "stop"
    assert advice(rising, point_worth=10, spent=79) == "go_on"
    assert advice(rising, point_worth=10, spent=81) == "stop"


def tables(ratio: float, spread: float = 0.0) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    incumbent = {f"t{k}": [100.0 + k] for k in range(20)}
    candidate = {t: [v[0] * ratio * exp(spread * (-1) ** k)] for k, (t, v) in enumerate(incumbent.items())}
    return candidate, incumbent


def test_a_constraint_is_on_the_log_ratio_with_its_error() -> None:
    candidate, incumbent = tables(1.1)
    found = log_ratio(candidate, incumbent)
    assert found.mean == pytest.approx(log(1.1))
    assert found.standard_error == pytest.approx(0, abs=1e-9)
    change, run = check(Margin(metric="cost"), candidate, incumbent, incumbent)
    assert change.passed
    assert run.bound == pytest.approx(log(1.5))
    assert not check(Margin(metric="cost"), tables(1.16)[0], incumbent, incumbent)[0].passed
    noisy = tables(1.1, 0.3)[0]
    assert not check(Margin(metric="cost"), noisy, incumbent, incumbent)[0].passed, "too noisy to be sure"


def test_margins_of_changes_compound_and_that_of_the_run_does_not() -> None:
    candidate, incumbent = tables(1.1)
    baseline = tables(1 / 1.4)[0]
    change, run = check(Margin(metric="latency"), candidate, incumbent, baseline)
    assert (change.passed, run.passed) == (True, False)
    assert "+54.0 % against the baseline" in run.message
    assert "beyond the margin of 50 %" in run.message


def test_what_the_tasks_cannot_resolve_is_refused_with_what_would_do() -> None:
    check_resolvable(Margin(metric="cost", change=0.15), deviation=0.3, tasks=100)
    with pytest.raises(BadInput, match=r"margin of 0\.02 on cost cannot be seen with 100 tasks"):
        check_resolvable(Margin(metric="cost", change=0.02), deviation=0.3, tasks=100)
    check_success_margin(0.13, variance=0.1, tasks=100, trials=1)
    with pytest.raises(BadInput, match="32 trials a task"):
        check_success_margin(0.02, variance=0.1, tasks=100, trials=1)
    with pytest.raises(BadInput, match="has no ratio"):
        log_ratio({"a": [0.0], "b": [1.0]}, {"a": [1.0], "b": [1.0]})
    with pytest.raises(BadInput, match="fewer than two tasks"):
        log_ratio({"a": [1.0]}, {"a": [1.0]})


@pytest.mark.parametrize(("difference", "passed"), [(0.0, True), (-0.01, False), (0.02, True), (-0.03, False)])
def test_non_inferiority_asks_who_could_be_worse_for_proof(difference: float, passed: bool) -> None:
    found = Estimate(mean=difference, standard_error=0.01, tasks=100)
    assert success_not_inferior(found, 0.02) is passed


def draft(number: int, tree: str, *similar: tuple[str, float]) -> Draft:
    slot = Slot(id=f"R0001.{number:02}", clusters=("C001",))
    return Draft(slot=slot, agent=tree, tree=tree, similar=tuple(Similar(draft=d, cosine=c) for d, c in similar))


def test_equal_is_an_equal_tree_or_nearly_the_same_words() -> None:
    first = draft(1, "a")
    assert equals(draft(2, "a"), [first]) == first.id
    assert equals(draft(2, "b", (first.id, 0.95)), [first]) == first.id
    assert equals(draft(2, "b", (first.id, 0.949)), [first]) == ""
    assert equals(draft(2, "b", ("R0000.01.1", 0.99)), [first]) == "R0000.01.1", "rejected in an earlier round"


def test_levers_of_a_level_come_first_and_those_that_were_tried_last() -> None:
    cluster = OpenCluster(id="C001", level="scaffold", tried=("tool",))
    assert cluster.levers[:2] == ("context", "control_flow")
    assert cluster.levers[-1] == "tool"
    assert sorted(cluster.levers) == sorted(LEVERS)


SLOT = Slot(id="R0001.01", clusters=("C001",))
MEMORY = Memory(
    critiques=tuple(Critique(draft=f"d{k}", cluster=f"C00{1 + k % 2}", number=k, text=f"c{k}") for k in range(10)),
    insights=(Insight(id="i1", text="a", votes=2), Insight(id="i2", text="b", votes=5), Insight(id="i3", text="c")),
    successes=tuple(Success(rollout=f"r{k}", text=f"s{k}", similarity=k / 10) for k in range(5)),
    texts=tuple(ScoredText(draft=f"d{k:02}", text=f"t{k}", z=(k * 7) % 15) for k in range(15)),
    pieces=tuple(Piece(draft=f"p{k}", text=f"p{k}", similarity=k / 10) for k in range(8)),
)


def test_styles_show_what_they_are_named_for() -> None:
    shown = {
        name: make_style(name).shows(SLOT, MEMORY) for name in ("directed", "reflexion", "expel", "opro", "voyager")
    }
    assert shown["directed"].items == ()
    assert [item.of for item in shown["reflexion"].items] == ["d4", "d6", "d8"], "the newest three of this cluster"
    assert shown["reflexion"].may_write == ("critique",)
    assert [item.of for item in shown["expel"].items] == ["i2", "i1"], "no votes, no insight"
    assert [item.of for item in shown["expel"].examples] == ["r4", "r3", "r2"]
    scores = [item.score for item in shown["opro"].items]
    assert scores == [float(z) for z in range(3, 15)], "twelve, ascending"
    assert [item.of for item in shown["voyager"].items] == ["p7", "p6", "p5", "p4", "p3"]
    shuffled = MEMORY.model_copy(update={"texts": MEMORY.texts[::-1], "critiques": MEMORY.critiques[::-1]})
    assert make_style("opro").shows(SLOT, shuffled) == shown["opro"]
    assert make_style("reflexion").shows(SLOT, shuffled) == shown["reflexion"]
