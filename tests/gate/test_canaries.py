"""Canaries are fresh, harmful ones really are blind, and their report counts what the gates did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from importlib import resources
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sigmaloop.gate.bank import Bank
from sigmaloop.gate.canaries import CanaryReport, CopiesKept, canaries, canary_report, due, progress_of
from sigmaloop.gate.decision import Decision, Subject, decision_of, discrepancies
from sigmaloop.gate.finding import Pair
from sigmaloop.gate.judging import AttemptInputs, judge_attempt
from sigmaloop.gate.policies import make_policy
from sigmaloop.gate.rules import GATE_TRIALS, default_rules
from sigmaloop.records import PolicyName, Rollout
from sigmaloop.tools.changes.edits import check_agent

SHIPPED = resources.files("sigmaloop.target_agent").joinpath("agent.py").read_text(encoding="utf-8")


def test_a_harmful_canary_never_sees_the_policy_and_does_everything_else() -> None:
    harmful = canaries(0, 1, attempts=96)[0]
    for agent in (SHIPPED, "def run(session):\n    session.say(session.instructions + session.opening)"):
        check_agent(harmful.source(agent))
    namespace: dict[str, Any] = {}
    exec(harmful.source("def run(session):\n    session.say(session.instructions + session.opening)"), namespace)
    said: list[str] = []
    namespace["run"](SimpleNamespace(instructions="Be strict.", opening="Hello", say=said.append))
    assert said == ["Hello"]
    assert canaries(1, 0, attempts=96)[0].source(SHIPPED) == SHIPPED


def test_canaries_are_spread_over_the_run_and_each_comes_once() -> None:
    planned, done, came = canaries(3, 1, attempts=96), [], {}
    assert [c.worth for c in planned] == ["identical", "identical", "identical", "harmful"]
    for attempts in range(97):
        while canary := due(planned, done, progress=Fraction(attempts, 96)):
            came[canary.number] = attempts
            done.append(canary.id)
    assert came == {1: 20, 2: 39, 3: 58, 4: 77}
    assert due((), [], progress=Fraction(1)) is None


def sung(identical: int, harmful: int, *, batches: int, attempts: int) -> dict[int, int]:
    """Canaries by the number of attempts that were over, in a run that rejects everything."""
    most = batches * attempts
    planned, done, came = canaries(identical, harmful, attempts=most), [], {}
    for over in range(most):
        progress = progress_of(attempts=over, most_attempts=most, batch=over // attempts + 1, batches=batches)
        while canary := due(planned, done, progress=progress):
            came[canary.number] = over
            done.append(canary.id)
    return came


def test_a_run_begins_with_an_attempt_and_a_short_one_has_few_canaries() -> None:
    assert sung(3, 1, batches=1, attempts=1) == {}
    assert sung(3, 1, batches=1, attempts=3) == {}
    assert sung(3, 1, batches=1, attempts=4) == {1: 2, 2: 3}
    assert sung(3, 1, batches=1, attempts=6) == {1: 2, 2: 3, 3: 5}
    assert sung(3, 1, batches=18, attempts=6) == {1: 22, 2: 44, 3: 65, 4: 87}
    assert [c.worth for c in canaries(3, 1, attempts=4)] == ["identical", "harmful"]


@given(identical=st.integers(0, 9), harmful=st.integers(0, 9), batches=st.integers(1, 9), attempts=st.integers(1, 9))
def test_every_planned_canary_is_sung_after_the_first_attempt(
    identical: int, harmful: int, batches: int, attempts: int
) -> None:
    came = sung(identical, harmful, batches=batches, attempts=attempts)
    assert len(came) == len(canaries(identical, harmful, attempts=batches * attempts))
    assert len(came) == min(identical + harmful, batches * attempts // 2 if batches * attempts >= 4 else 0)
    assert all(over >= 1 for over in came.values())


def test_keeps_that_end_batches_early_bring_canaries_forward() -> None:
    assert progress_of(attempts=0, most_attempts=6, batch=3, batches=3) == 0
    assert progress_of(attempts=2, most_attempts=96, batch=10, batches=18) == Fraction(1, 2)


def test_the_first_canary_of_each_worth_goes_straight_to_the_comparison(make_rollout: Callable[..., Rollout]) -> None:
    first, second, *_ = canaries(3, 1, attempts=96)
    assert first.stages == ("validation",)
    assert second.stages == ("cluster_tasks", "regression", "validation")
    assert [canary.straight for canary in canaries(3, 2, attempts=96)] == [True, False, False, True, False]
    assert [canary.straight for canary in canaries(0, 2, attempts=96)] == [True, False]
    policy, tasks = make_policy(default_rules("paired")), tuple(f"v{i:02}" for i in range(20))
    bank = Bank().joined([make_rollout(*pair) for pair in _lettered(policy.missing(Bank(), tasks), "P")], cap=12)
    inputs = AttemptInputs(
        tasks=tasks, bank=bank, suite=("s",), failing=("f",), seed="s", stages=first.stages,
        first_trial=first.first_trial, control_trial=first.control_trial,
    )  # fmt: skip
    judged = judge_attempt(policy, inputs, lambda _s, pairs: [make_rollout(*pair) for pair in _lettered(pairs, "P")])
    assert set(judged.rollouts) == {"validation"}
    subject = Subject(
        run_id="r", batch=1, attempt=0, candidate_id=first.id, parent="p", commit="p", agent="agent", diff_hash="",
        canary=first.worth,
    )  # fmt: skip
    log = decision_of(subject, policy, inputs, judged, run_seed=0)
    assert discrepancies(log) == ()
    assert canary_report([log]).straight == 1


def _lettered(pairs: Sequence[Pair], letter: str) -> list[tuple[str, str, int]]:
    return [(task, letter, trial) for task, trial in pairs]


def test_the_report_names_the_rate_that_was_to_be_expected() -> None:
    report = CanaryReport(identical=3, identical_kept=1, straight=1, harmful=1)
    assert report.sentence(CopiesKept(straight=0.2, whole=0.0875)) == (
        "of 3 byte-identical changes the gate kept 1 (this policy keeps about one in 8), of 1 known-harmful ones 0"
    )
    assert "keeps about none" in report.sentence(CopiesKept(straight=0.0, whole=0.001))
    assert "is not known" in report.sentence(None)
    assert CanaryReport().sentence(None) == ""
    assert set(CanaryReport().model_dump().values()) == {0}


@pytest.mark.parametrize("name", ["reference", "paired", "rigorous"])
def test_a_byte_identical_change_is_run_afresh(make_rollout: Callable[..., Rollout], name: PolicyName) -> None:
    policy, canary = make_policy(default_rules(name)), canaries(2, 0, attempts=96)[1]
    tasks = tuple(f"v{i:02}" for i in range(20))
    fill = [make_rollout(task, "P", trial) for task, trial in policy.missing(Bank(), tasks)]
    inputs = AttemptInputs(
        tasks=tasks, bank=Bank().joined(fill, cap=12), suite=("s",), failing=("f",), seed="s",
        first_trial=canary.first_trial, control_trial=canary.control_trial,
    )  # fmt: skip
    judged = judge_attempt(policy, inputs, lambda _s, pairs: [make_rollout(task, "P", trial) for task, trial in pairs])
    trials = {r.key.trial for found in judged.rollouts.values() for r in found}
    assert not trials & {r.key.trial for r in fill}
    assert not trials & {0, *range(GATE_TRIALS, GATE_TRIALS + 50)}, "nor those of an attempt"
    subject = Subject(
        run_id="r", batch=1, attempt=0, candidate_id=canary.id, parent="p", commit="p", agent="agent", diff_hash="",
        canary=canary.worth,
    )  # fmt: skip
    log = decision_of(subject, policy, inputs, judged, run_seed=0)
    assert not log.kept
    report = canary_report([log, _harmful(log), _attempt(log)])
    kept = int(judged.kept)
    assert report == CanaryReport(identical=1, identical_kept=kept, harmful=1, harmful_kept=kept)
    assert report.sentence(None).startswith(f"of 1 byte-identical changes the gate kept {kept}")
    waiting = log.model_copy(update={"outcome": "indecisive"})
    straight = waiting.model_copy(update={"inputs": waiting.inputs.model_copy(update={"stages": ("validation",)})})
    assert canary_report([waiting, _harmful(waiting), straight]) == CanaryReport(indecisive=3), "neither kept nor not"


def _harmful(log: Decision) -> Decision:
    return log.model_copy(update={"subject": log.subject.model_copy(update={"canary": "harmful"})})


def _attempt(log: Decision) -> Decision:
    return log.model_copy(update={"subject": log.subject.model_copy(update={"canary": ""})})
