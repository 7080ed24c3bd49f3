"""The log of a decision says the same when it is recomputed, and shows whatever was altered."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from sigmaloop.gate.bank import Bank
from sigmaloop.gate.decision import (
    GATE_CODE,
    Decision,
    Row,
    Subject,
    bank_after,
    decision_of,
    discrepancies,
    gate_code_hash,
    recompute,
)
from sigmaloop.gate.explain import explained, verdict_of
from sigmaloop.gate.finding import Finding, Pair
from sigmaloop.gate.judging import AttemptInputs, Judged, judge_attempt
from sigmaloop.gate.policies import make_policy
from sigmaloop.gate.rules import CONTROL_TRIALS, default_rules
from sigmaloop.records import PolicyName, Rollout

Make = Callable[..., Rollout]
TASKS = tuple(f"v{i:03}" for i in range(40))
POLICIES: list[PolicyName] = ["reference", "paired", "rigorous", "strict"]


def subject(**more: Any) -> Subject:
    made = Subject(
        run_id="r", batch=3, attempt=2, candidate_id="A0007", parent="p", commit="c", agent="agent",
        diff_hash="d", cluster_id="C001", hypothesis="Rules are forgotten.", incumbent="agent",
    )  # fmt: skip
    return made.model_copy(update=more)


def decided(make: Make, name: PolicyName, chance: float, *, seed: str = "x", **more: Any) -> tuple[Decision, Judged]:
    """A logged attempt of an agent that passes with a chance, against an incumbent that passes half the time."""
    draw = random.Random(f"{name}{chance}{seed}")
    policy = make_policy(default_rules(name))

    def roll(pairs: Sequence[Pair], chance: float) -> list[Rollout]:
        return [make(task, "FP"[draw.random() < chance], trial) for task, trial in pairs]

    bank = Bank().joined(roll(policy.missing(Bank(), TASKS), 0.5), cap=12)
    inputs = AttemptInputs(
        tasks=TASKS, bank=bank, suite=("s0", "s1", "s2"), failing=("f0", "f1"), history={"v001": (0, 2)}, seed=seed
    )
    chances = {"validation": chance, "control": 0.5}
    judged = judge_attempt(policy, inputs, lambda stage, pairs: roll(pairs, chances.get(stage, 1.0)))
    return decision_of(subject(), policy, inputs, judged, run_seed=5, **more), judged


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("chance", [0.1, 0.5, 0.95])
def test_a_log_recomputes_to_the_same_verdict_from_its_json_alone(
    make_rollout: Make, policy: PolicyName, chance: float
) -> None:
    log, judged = decided(make_rollout, policy, chance)
    read = Decision.model_validate_json(log.model_dump_json())
    assert read == log
    assert discrepancies(read) == ()
    again = recompute(read)
    assert again.findings == judged.findings
    assert again.kept == judged.kept == read.kept
    assert len(read.rows) == sum(map(len, judged.rollouts.values()))


def test_a_decision_names_all_that_it_was_made_from(make_rollout: Make) -> None:
    log, judged = decided(make_rollout, "paired", 0.95, cached={judge_id(make_rollout)})
    assert log.kept
    assert log.stage == "validation"
    assert [row.look for row in log.rows if row.stage == "validation"] == [1] * 25 + [2] * 25 + [3] * 50 + [4] * 100
    assert {row.look for row in log.rows if row.stage != "validation"} == {0}
    assert [row.trial for row in log.rows if row.stage == "control"] == [CONTROL_TRIALS] * 40
    assert [look.bound for look in log.findings[-1].looks] == [-0.5, -0.25, 0.0, 0.25]
    assert log.inputs.bank.held["v000"].origins == ("agent", "agent")
    assert log.before is not None
    assert log.after is not None
    assert log.after.mean > log.before.mean
    assert bank_after(log).counts(TASKS) == make_policy(log.rules).after_keep(Bank(), judged.rollouts).counts(TASKS)
    assert log.bet is None, "with pooling there are no fresh pairs"
    assert sum(row.cached for row in log.rows) == 1


def judge_id(make: Make) -> str:
    """Id of a rollout that every attempt asks for."""
    return make("f0", "P", 100_000).id


def test_a_policy_with_a_bank_of_its_own_logs_its_evidence(make_rollout: Make) -> None:
    better, _ = decided(make_rollout, "rigorous", 0.95)
    assert better.bet is not None
    assert better.bet.pairs == 480  # 12 trials of 40 tasks for either agent
    assert better.bet.anytime_p < 0.001
    worse, _ = decided(make_rollout, "rigorous", 0.2)
    assert worse.bet is not None
    assert worse.bet.largest < 2


def test_the_control_is_logged_recomputed_and_explained(make_rollout: Make) -> None:
    log, _ = decided(make_rollout, "paired", 0.95)
    beside = log.findings[-1].control
    assert beside is not None
    assert (beside.planned, beside.valid, beside.bound) == (40, 40, 0.0)
    assert f"beside 40 rollouts of the incumbent made now: {100 * beside.difference:+6.1f} points" in "\n".join(
        explained(log)
    )
    place = next(i for i, row in enumerate(log.rows) if row.stage == "control")
    turned = altered(log, lambda p: flip(p, place), reseal=True)
    assert any("control" in line for line in discrepancies(turned))
    gone = altered(log, lambda p: p["rows"].pop(place), reseal=True)
    assert any("was not recorded" in line or "were not recorded" in line for line in discrepancies(gone))


def altered(log: Decision, change: Callable[[dict[str, Any]], None], *, reseal: bool) -> Decision:
    payload = log.model_dump(mode="json")
    change(payload)
    found = Decision.model_validate(payload)
    return found.sealed() if reseal else found


def flip(payload: dict[str, Any], place: int = -1) -> None:
    row = payload["rows"][place]
    row["reward"] = 1.0 - row["reward"]


TAMPERED: dict[str, Callable[[dict[str, Any]], None]] = {
    "a reward": flip,
    "a reward of an early stage": lambda p: flip(p, 0),
    "a seed": lambda p: p["rows"][0].update(seed=1),
    "the verdict": lambda p: p.update(outcome="passed", reason="validation_passed", kept=True),
    "a number of a look": lambda p: p["findings"][-1]["looks"][0].update(z=0.1),
    "the bank": lambda p: p["inputs"]["bank"]["held"]["v001"].update(reward_micros=[1_000_000, 1_000_000]),
    "a bar": lambda p: p["rules"]["looks"][0].update(z=-9.0),
    "the order": lambda p: p["inputs"].update(seed="another"),
    "a dropped rollout": lambda p: p["rows"].pop(),
    "the split": lambda p: p.update(split_hash="0" * 16),
    "the estimate": lambda p: p["after"].update(mean=0.99),
}


@pytest.mark.parametrize("what", sorted(TAMPERED))
@pytest.mark.parametrize("reseal", [False, True])
def test_whatever_is_altered_shows_even_under_a_new_seal(make_rollout: Make, what: str, reseal: bool) -> None:
    log, _ = decided(make_rollout, "paired", 0.3)
    assert not log.kept
    assert discrepancies(altered(log, TAMPERED[what], reseal=reseal))


def test_what_the_gates_do_not_use_is_under_the_seal(make_rollout: Make) -> None:
    log, _ = decided(make_rollout, "paired", 0.3)
    found = altered(log, lambda p: p["rows"][0].update(cost=5.0), reseal=False)
    assert discrepancies(found) == ("the log was altered after it was written: its seal does not fit",)


def test_a_veto_and_a_canary_keep_nothing_and_a_canary_leaves_the_bank_alone(make_rollout: Make) -> None:
    log, _ = decided(make_rollout, "paired", 0.95, veto="judge")
    assert (log.outcome, log.kept, verdict_of(log)) == ("passed", False, "reject")
    assert discrepancies(log) == ()
    assert "by the judge, after it had passed" in explained(log)[0]
    policy = make_policy(default_rules("paired"))
    canary = decision_of(subject(canary="identical"), policy, log.inputs, recompute(log), run_seed=5)
    assert not canary.kept
    assert bank_after(canary) == log.inputs.bank
    assert "a canary (identical) that the gates would have kept" in explained(canary)[0]
    assert discrepancies(canary) == ()


def test_promotion_is_logged_and_goes_into_the_bank(make_rollout: Make) -> None:
    third = make_rollout("f0", "P", 100_002)
    log, _ = decided(make_rollout, "paired", 0.95, promotion=[third])
    assert log.rows[-1].stage == "promotion"
    assert discrepancies(log) == ()
    assert bank_after(log).count("f0").trials == 3


def test_the_explanation_shows_every_look_and_the_floor(make_rollout: Make) -> None:
    log, _ = decided(make_rollout, "paired", 0.3)
    text = "\n".join(explained(log))
    assert text.startswith("A0007: reject, decided at validation (validation_below_bound)")
    assert text.count("look at") == len(log.findings[-1].looks)
    assert "stopped early: no score" in text
    assert "running estimate" in text
    passed, _ = decided(make_rollout, "paired", 0.95)
    assert "stopped early" not in "\n".join(explained(passed))


def test_a_seal_has_64_digits_and_what_is_not_said_of_a_row_or_finding_is_nothing(make_rollout: Make) -> None:
    log, _ = decided(make_rollout, "paired", 0.95)
    assert len(log.seal) == 64
    row = log.rows[0].model_dump(exclude={"tokens", "cost", "cached", "pass_at"})
    made = Row.model_validate(row)
    assert (made.tokens, made.cost, made.cached, made.pass_at) == (0, 0, False, 1)
    finding = Finding(gate="cluster_tasks", outcome="passed", reason="r", message="m")
    numbers = (finding.passes, finding.evaluated, finding.total, finding.reward_micros, finding.required_micros)
    assert (*numbers, finding.infra) == (0,) * 6


def test_the_hash_of_the_gate_covers_every_module_that_it_imports() -> None:
    import ast
    from importlib import resources

    found, todo = set(), ["judging", "policies"]
    while todo:
        name = todo.pop()
        if name in found:
            continue
        found.add(name)
        tree = ast.parse(resources.files("sigmaloop.gate").joinpath(f"{name}.py").read_text())
        modules = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module}
        todo += [m.removeprefix("sigmaloop.gate.") for m in modules if m.startswith("sigmaloop.gate.")]
    assert "statistics" not in GATE_CODE, "it only makes estimates; no verdict depends on it"
    assert found - {"statistics"} == set(GATE_CODE) - {"evalue"}, "the e-value is logged beside the verdict"
    assert len(gate_code_hash()) == 16


@pytest.mark.parametrize("veto", ["judge", "person"])
def test_a_change_that_was_vetoed_teaches_the_bank_nothing(make_rollout: Make, veto: str) -> None:
    """It passed, so it is no near-copy of the incumbent: its results would only raise the bar."""
    tries = (decided(make_rollout, "paired", 0.62, seed=str(number), veto=veto) for number in range(50))
    log = next(log for log, judged in tries if judged.kept and (judged.z or 9) < log.rules.pool_below_z)
    assert bank_after(log) == log.inputs.bank
    assert log.after == log.before
    assert discrepancies(log) == ()


def test_logs_without_marks_and_contests_keep_the_form_that_they_were_sealed_in(make_rollout: Make) -> None:
    told = decided(make_rollout, "paired", 0.95)[0].model_dump_json()
    assert not [word for word in ("pass_at", "pass_units", "contests", "aimed") if f'"{word}"' in told]


def test_a_decision_tells_the_incumbents_own_rate_on_its_suite(make_rollout: Make) -> None:
    policy = make_policy(default_rules("paired"))
    known = [make_rollout("s0", "P", 1), make_rollout("s1", "P", 1), make_rollout("s1", "P", 2)]
    bank = Bank().joined([make_rollout(task, "F", n) for task, n in policy.missing(Bank(), TASKS)] + known, cap=12)
    inputs = AttemptInputs(tasks=TASKS, bank=bank, suite=("s0", "s1", "s2"), seed="x")
    judged = judge_attempt(policy, inputs, lambda _, pairs: [make_rollout(task, "F", n) for task, n in pairs])
    assert decision_of(subject(), policy, inputs, judged, run_seed=5).suite_rate == 1.0
