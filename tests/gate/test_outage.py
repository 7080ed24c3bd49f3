"""Whose fault a fault is: an outage is waited for, faults of the candidate alone reject it, under every law."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from sigmaloop.gate.bank import Bank
from sigmaloop.gate.decision import Decision, Subject, bank_after, decision_of, discrepancies
from sigmaloop.gate.finding import Pair
from sigmaloop.gate.judging import AttemptInputs, drive, judge, recall, settle
from sigmaloop.gate.outage import ALPHA, CONTEST_TRIALS, Faults, Roll, contest, excess
from sigmaloop.gate.policies import make_policy
from sigmaloop.gate.policy import Policy
from sigmaloop.gate.rules import default_rules
from sigmaloop.records import PolicyName, Rollout

Make = Callable[..., Rollout]
POLICIES: list[PolicyName] = ["reference", "paired", "rigorous", "strict"]
TASKS = tuple(f"v{i:03}" for i in range(100))


@given(n=st.integers(1, 40), m=st.integers(1, 40), a=st.integers(0, 40), b=st.integers(0, 40))
def test_the_excess_is_the_one_sided_exact_test(n: int, m: int, a: int, b: int) -> None:
    mine, others = Faults(faults=min(a, n), rollouts=n), Faults(faults=min(b, m), rollouts=m)
    table = [[mine.faults, n - mine.faults], [others.faults, m - others.faults]]
    assert float(excess(mine, others)) == pytest.approx(fisher_exact(table, alternative="greater").pvalue)


def test_the_excess_by_hand_and_at_its_ends() -> None:
    assert excess(Faults(), Faults()) == 1
    assert excess(Faults(faults=0, rollouts=9), Faults(faults=3, rollouts=9)) == 1
    assert excess(Faults(faults=5, rollouts=5), Faults(rollouts=5)) == Fraction(1, 252) < ALPHA
    with pytest.raises(ValueError, match="more faults"):
        excess(Faults(faults=2, rollouts=1), Faults())


def rolls(make: Make, faulty: Callable[[str, int], bool]) -> Roll:
    return lambda pairs: [make(task, "I" if faulty(task, trial) else "P", trial) for task, trial in pairs]


def never(_task: str, _trial: int) -> bool:
    return False


def always(_task: str, _trial: int) -> bool:
    return True


def test_one_task_on_which_only_the_candidate_faults_is_enough_in_five_rounds(make_rollout: Make) -> None:
    found = contest(["a"], rolls(make_rollout, always), rolls(make_rollout, never), trial=7)
    assert (found.unmeasurable, found.rounds) == (True, 5)
    assert "5 of its 5" in found.message


def test_many_faults_of_the_candidate_alone_take_two_rounds_and_ten_tasks_at_most(make_rollout: Make) -> None:
    found = contest(list(TASKS), rolls(make_rollout, always), rolls(make_rollout, never), trial=7)
    assert (found.unmeasurable, found.rounds, found.candidate.rollouts) == (True, 2, 20)


def test_an_outage_meets_both_agents_and_ends_the_contest_at_once(make_rollout: Make) -> None:
    found = contest(["a", "b"], rolls(make_rollout, always), rolls(make_rollout, always), trial=7)
    assert (found.unmeasurable, found.rounds) == (False, 1)


def test_an_outage_that_ends_between_their_turns_rejects_nobody(make_rollout: Make) -> None:
    found = contest(list(TASKS), rolls(make_rollout, lambda _t, trial: trial == 7), rolls(make_rollout, never), trial=7)
    assert not found.unmeasurable
    assert found.candidate.faults == 10


def run_of(make: Make, letter: Callable[[str, int], str]) -> Callable[[str, Sequence[Pair]], list[Rollout]]:
    return lambda _stage, pairs: [make(task, letter(task, trial), trial) for task, trial in pairs]


def attempt(make: Make, law: Policy) -> AttemptInputs:
    """An incumbent that passes 55 of the 100 tasks, every trial alike."""
    bank = Bank().joined(
        [make(t, "P" if int(t[1:]) < 55 else "F", trial) for t, trial in law.missing(Bank(), TASKS)], cap=12
    )
    return AttemptInputs(tasks=TASKS, bank=bank, seed="attempt")


def armed(task: str, trial: int) -> str:
    """One task better than the incumbent, and faults on five of those that it fails."""
    number = int(task[1:])
    return "P" if number < 56 else "I" if number >= 95 else "F"


@pytest.mark.parametrize("policy", POLICIES)
def test_a_candidate_that_faults_where_it_would_fail_is_rejected_under_every_law(
    make_rollout: Make, policy: PolicyName
) -> None:
    law = make_policy(default_rules(policy))
    before = attempt(make_rollout, law)
    after, finding, seen = settle(law, before, "validation", run_of(make_rollout, armed), rolls(make_rollout, never))
    assert finding.outcome == "failed"
    if policy == "reference":
        assert (finding.reason, len(seen)) == ("unmeasurable", 100)
        log = logged(law, after, {"validation": seen})
        assert not log.kept
        assert discrepancies(log) == ()
        assert bank_after(log) == before.bank, "what it chose to show is no evidence on the incumbent"
        assert discrepancies(Decision.model_validate_json(log.model_dump_json())) == ()


@pytest.mark.parametrize("policy", POLICIES)
def test_a_candidate_that_never_gives_a_result_is_rejected_and_an_outage_is_not(
    make_rollout: Make, policy: PolicyName
) -> None:
    law = make_policy(default_rules(policy))
    before, broken = attempt(make_rollout, law), run_of(make_rollout, lambda *_: "I")
    waiting, finding, _ = settle(law, before, "validation", broken, rolls(make_rollout, always))
    assert (finding.outcome, finding.reason) == ("indecisive", "coverage_too_low")
    first = waiting.contests["validation"]
    after, finding, seen = settle(law, waiting, "validation", broken, rolls(make_rollout, never))
    assert (finding.outcome, finding.reason) == ("failed", "unmeasurable")
    assert after.contests["validation"].trial > first.trial + first.rounds >= CONTEST_TRIALS, "nothing is looked up"
    assert discrepancies(logged(law, after, {"validation": seen})) == ()


def test_a_fault_that_chance_explains_is_tolerated_as_before(make_rollout: Make) -> None:
    law = make_policy(default_rules("reference"))
    better = run_of(make_rollout, lambda task, trial: "I" if (task, trial) == ("v099", 0) else "P")
    after, finding, seen = settle(law, attempt(make_rollout, law), "validation", better, rolls(make_rollout, never))
    assert (finding.outcome, finding.infra) == ("passed", 1)
    assert discrepancies(logged(law, after, {"validation": seen})) == ()


@settings(max_examples=30, deadline=None)
@given(policy=st.sampled_from(POLICIES), chance=st.floats(0, 1), seed=st.integers(0, 1000))
def test_without_faults_nothing_is_run_beside_and_nothing_is_decided_otherwise(
    make_rollout: Make, policy: PolicyName, chance: float, seed: int
) -> None:
    def refuse(pairs: Sequence[Pair]) -> list[Rollout]:
        raise AssertionError("no fault, no contest")

    law = make_policy(default_rules(policy))
    before = attempt(make_rollout, law)
    dice = random.Random(seed)
    passes = {task: dice.random() < chance for task in TASKS}
    run = run_of(make_rollout, lambda task, _trial: "P" if passes[task] else "F")
    after, finding, _ = settle(law, before, "validation", run, refuse)
    assert after == before
    assert finding == drive(before.stage(law, "validation"), run)[0]


def logged(law: Policy, inputs: AttemptInputs, seen: dict[str, Sequence[Rollout]]) -> Decision:
    subject = Subject(
        run_id="r", batch=1, attempt=1, candidate_id="A0001", parent="p", commit="c", agent="agent", diff_hash="d"
    )
    return decision_of(subject, law, inputs, judge(law, inputs, recall(seen)), run_seed=0)
