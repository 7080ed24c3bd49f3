"""Canaries are fresh, harmful ones really are blind, and their report counts what the gates did."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from importlib import resources
from types import SimpleNamespace
from typing import Any

import pytest

from sigmaloop.eval.attempt import Standing, judge
from sigmaloop.eval.bank import Bank
from sigmaloop.eval.canaries import CanaryReport, canaries, canary_report, due
from sigmaloop.eval.decision import Decision, Subject, decision_of
from sigmaloop.eval.policy import make_policy
from sigmaloop.eval.rules import GATE_TRIALS, default_rules
from sigmaloop.records import PolicyName, Rollout
from sigmaloop.tools.edits import check_agent

SHIPPED = resources.files("sigmaloop.target_agent").joinpath("agent.py").read_text(encoding="utf-8")


def test_a_harmful_canary_never_sees_the_policy_and_does_everything_else() -> None:
    harmful = canaries(0, 1)[0]
    for agent in (SHIPPED, "def run(session):\n    session.say(session.instructions + session.opening)"):
        check_agent(harmful.source(agent))
    namespace: dict[str, Any] = {}
    exec(harmful.source("def run(session):\n    session.say(session.instructions + session.opening)"), namespace)
    said: list[str] = []
    namespace["run"](SimpleNamespace(instructions="Be strict.", opening="Hello", say=said.append))
    assert said == ["Hello"]
    assert canaries(1, 0)[0].source(SHIPPED) == SHIPPED


def test_canaries_are_spread_over_the_run_and_each_comes_once() -> None:
    planned, done, came = canaries(3, 1), [], {}
    assert [c.worth for c in planned] == ["identical", "identical", "identical", "harmful"]
    for attempts in range(97):
        while canary := due(planned, done, progress=Fraction(attempts, 96)):
            came[canary.number] = attempts
            done.append(canary.id)
    assert came == {1: 20, 2: 39, 3: 58, 4: 77}
    assert due((), [], progress=Fraction(1)) is None


@pytest.mark.parametrize("policy", ["reference", "paired", "rigorous"])
def test_a_byte_identical_change_is_run_afresh(make_rollout: Callable[..., Rollout], policy: PolicyName) -> None:
    law, canary = make_policy(default_rules(policy)), canaries(2, 0)[1]
    tasks = tuple(f"v{i:02}" for i in range(20))
    fill = [make_rollout(task, "P", trial) for task, trial in law.missing(Bank(), tasks)]
    standing = Standing(
        tasks=tasks, bank=Bank().joined(fill, cap=12), suite=("s",), failing=("f",), seed="s",
        first_trial=canary.first_trial,
    )  # fmt: skip
    judged = judge(law, standing, lambda _s, pairs: [make_rollout(task, "P", trial) for task, trial in pairs])
    trials = {r.key.trial for found in judged.rollouts.values() for r in found}
    assert not trials & {r.key.trial for r in fill}
    assert not trials & {0, *range(GATE_TRIALS, GATE_TRIALS + 50)}, "nor those of an attempt"
    subject = Subject(
        run_id="r", batch=1, attempt=0, candidate_id=canary.id, parent="p", commit="p", agent="agent", diff_hash="",
        canary=canary.worth,
    )  # fmt: skip
    log = decision_of(subject, law, standing, judged, run_seed=0)
    assert not log.kept
    report = canary_report([log, _harmful(log), _attempt(log)])
    kept = int(judged.kept)
    assert report == CanaryReport(identical=1, identical_kept=kept, harmful=1, harmful_kept=kept)
    assert report.sentence.startswith(f"of 1 byte-identical changes the gate kept {kept}")


def _harmful(log: Decision) -> Decision:
    return log.model_copy(update={"subject": log.subject.model_copy(update={"canary": "harmful"})})


def _attempt(log: Decision) -> Decision:
    return log.model_copy(update={"subject": log.subject.model_copy(update={"canary": ""})})
