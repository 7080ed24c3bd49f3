"""What a run foretells once its baseline is measured, and limits that could not finish one attempt."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from sigmaloop.errors import BadInput
from sigmaloop.gate.rules import rules_of
from sigmaloop.gate.worlds.power import Budgeted, least_rollouts
from sigmaloop.graph.run import Run
from sigmaloop.memory.journal import Journal
from sigmaloop.settings import load_settings

SMALL = {
    "benchmark": "small:SmallHelpdesk", "batches": 1, "batch_size": 8, "attempts": 1, "certify_trials": 1,
    "concurrency": 2, "upstream": "simulated", "canaries": 0, "harmful_canaries": 0,
}  # fmt: skip


def started(home: Path, **flags: Any) -> Run:
    return Run.start(load_settings(home=home, **{**SMALL, **flags}))


@pytest.mark.parametrize("policy", ["reference", "paired"])
def test_a_run_begins_with_the_three_lines_of_its_plan(home: Path, policy: str) -> None:
    lines: list[str] = []
    for event in started(home, policy=policy).follow():
        if event.event == "plan":
            lines += event.lines
    gain, false, cost, *assumed = lines
    assert bool(assumed) == (policy == "reference")
    assert gain.startswith(f"policy {policy}: keeps a true gain of ")
    assert "if no change helped at all" in false
    assert cost.startswith("about ")


def test_tokens_are_told_before_the_baseline_is_paid_and_unknown_money_is_no_zero(home: Path) -> None:
    rolled, told = 0, None
    for event in started(home).follow(batches=0):
        rolled += event.event == "rollout"
        if event.event == "estimate":
            told, before = event.text, rolled
        if event.event == "plan":
            measured = event.lines[2]
    assert told is not None
    assert before == 4 < rolled
    for line in (told, measured):
        assert re.search(r"about [\d,]+ rollouts, .*[1-9][\d,]+ tokens, money unknown", line), line


@pytest.mark.parametrize("attempts", [1, 2])
def test_a_short_run_needs_what_its_plan_says(home: Path, attempts: int) -> None:
    """Both lie between what a run needs at least and its longest way; no canary stands before the first attempt."""
    flags = {"benchmark": "small:TinyHelpdesk", "attempts": attempts, "canaries": 3, "harmful_canaries": 1}
    run, planned = started(home, **flags), 0
    for event in run.follow():
        assert event.event != "canary"
        if event.event == "plan":
            told = re.search(r"about ([\d,]+) rollouts", event.lines[2])
            assert told
            planned = int(told[1].replace(",", ""))
    with Journal(run.paths.journal, readonly=True) as journal:
        paid = len(journal.rollouts())
    budgeted = Budgeted.of(run.settings, validation=8, test=4)
    longest = least_rollouts(rules_of(run.settings), budgeted)
    fixed = 16 + budgeted.traffic + budgeted.certification
    longest += (attempts - 1) * (longest - fixed)
    for needed in (paid, planned):
        assert fixed - budgeted.certification // 2 <= needed <= longest, (needed, paid, planned)


@pytest.mark.parametrize(
    ("limit", "told"),
    [(1_000, "are spent"), (900_000, "--max-run-tokens 900,000 cannot finish one attempt")],
    ids=["less than a rollout", "more than the first rollouts"],
)
def test_a_budget_that_cannot_finish_one_attempt_is_refused(home: Path, limit: int, told: str) -> None:
    run = started(home, max_run_tokens=limit)
    with pytest.raises(BadInput, match="one attempt") as refused:
        run.go()
    assert told in str(refused.value)
    assert run.condition == "ready"
    run.limit(max_run_tokens=10**9)
    assert run.go().condition == "finished"


def test_a_limit_on_money_is_judged_by_what_a_rollout_cost(home: Path) -> None:
    run = started(home, max_money=0.1, price_input=0.05, price_output=0.1)
    with pytest.raises(BadInput, match=r"--max-money 0\.1 cannot finish one attempt") as refused:
        run.go()
    suggested = re.search(rf"resume {run.id[:8]} --home {home} --max-money (\S+)`", str(refused.value))
    assert suggested
    run.limit(max_money=float(suggested[1]))
    assert run.go().condition == "finished"
