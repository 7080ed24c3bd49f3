"""What the three policies ask for, decide and remember, by hand and as rules over random outcomes."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaloop.errors import BadInput
from sigmaloop.gate.bank import Bank, Count, counted
from sigmaloop.gate.cases import PassCountGate
from sigmaloop.gate.comparison import compare
from sigmaloop.gate.finding import Finding, Pair, RunMore, evidence_of
from sigmaloop.gate.judging import STAGES, AttemptInputs, answered, drive, judge_attempt, recall
from sigmaloop.gate.policies import make_policy
from sigmaloop.gate.promotion import Promotion
from sigmaloop.gate.rules import (
    BANK_TRIALS,
    CONTROL,
    CONTROL_TRIALS,
    GATE_TRIALS,
    LOOKS,
    Bound,
    Rules,
    default_rules,
    rules_of,
)
from sigmaloop.gate.sequential import SequentialGate, order_of
from sigmaloop.records import REWARD_MICROS, Outcome, PolicyName, Rollout
from sigmaloop.settings import load_settings

Make = Callable[..., Rollout]
MEASURED: list[PolicyName] = ["paired", "rigorous", "strict"]
TASKS = tuple(f"v{i:03}" for i in range(100))


def letters(make: Make, choose: Callable[[str, int], str]) -> Callable[[str, Sequence[Pair]], list[Rollout]]:
    """A `run` whose outcomes `choose` names by task and trial."""
    return lambda _stage, pairs: [make(task, choose(task, trial), trial) for task, trial in pairs]


def bank_of(make: Make, table: dict[str, str]) -> Bank:
    """A bank from letters, one a trial."""
    rollouts = [make(task, x, BANK_TRIALS + i) for task, xs in table.items() for i, x in enumerate(xs)]
    return Bank().joined(rollouts, cap=12)


def even(task: str, _trial: int = 0) -> str:
    """Half of the tasks always pass, the others never."""
    return "P" if int(task[1:]) % 2 else "F"


@pytest.fixture(scope="module")
def bank(make_rollout: Make) -> Bank:
    """Two trials a task of an incumbent that passes every second task."""
    return bank_of(make_rollout, {task: 2 * even(task) for task in TASKS})


def inputs(bank: Bank, **more: object) -> AttemptInputs:
    return AttemptInputs(**{"tasks": TASKS, "bank": bank, "seed": "s", **more})  # type: ignore[arg-type]


# Rules


def test_the_laws_are_those_of_the_specification() -> None:
    paired, rigorous = default_rules("paired"), default_rules("rigorous")
    assert [(look.rollouts, look.z) for look in paired.looks] == [(25, -0.5), (50, -0.25), (100, 0), (200, 0.25)]
    assert [(look.rollouts, look.z) for look in rigorous.looks] == [
        (50, -0.4), (100, -0.1), (200, 0.2), (400, 0.6), (600, 1.28),
    ]  # fmt: skip
    assert default_rules("strict").looks[-1].z == 1.645
    assert [rigorous.bank_trials_for(n) for n in (10, 50, 100, 200, 600, 5000)] == [12, 12, 6, 3, 2, 2]
    assert paired.bank_trials_for(20) == 2


def test_settings_name_the_same_rules_as_the_defaults() -> None:
    for policy in ("reference", "paired", "rigorous", "strict"):
        assert rules_of(load_settings(policy=policy)) == default_rules(policy)  # type: ignore[arg-type]
    assert rules_of(load_settings(policy="paired"), policy="strict") == default_rules("strict")
    with pytest.raises(BadInput, match="unknown policy"):
        default_rules("lenient")  # type: ignore[arg-type]


@given(tasks=st.integers(2, 5_000), policy=st.sampled_from(MEASURED))
def test_looks_of_any_split_rise_and_the_last_bar_stays(tasks: int, policy: PolicyName) -> None:
    rules = default_rules(policy)
    looks = rules.looks_for(tasks)
    planned = [look.rollouts for look in looks]
    assert planned == sorted(set(planned))
    assert looks[-1].z == rules.looks[-1].z
    assert planned[-1] <= 12 * tasks
    assert planned[-1] >= min(tasks, rules.looks[-1].rollouts)
    if tasks >= rules.looks[-1].rollouts:
        assert planned[-1] == tasks, "every task once"


# Cluster tasks and suite


def plain_cases(table: Sequence[Sequence[Rollout]], floor: Fraction, coverage: Fraction) -> Outcome:
    """The rule over all tries of all cases, as one would write it down."""
    passed = sum(any(r.passed for r in case) for case in table)
    failed = sum(all(r.valid and not r.passed for r in case) for case in table)
    total = len(table)
    if passed >= floor * total:
        return "passed"
    if total - failed < floor * total:
        return "failed"
    known = passed + failed
    if known == 0 or known < coverage * total:
        return "indecisive"
    return "passed" if passed >= floor * known else "failed"


def test_counting_cases_decides_as_the_plain_rule_and_never_asks_for_more(make_rollout: Make) -> None:
    draw = random.Random("cases")
    seen: dict[Outcome, int] = dict.fromkeys(("passed", "failed", "indecisive"), 0)
    used = full = 0
    for _ in range(4_000):
        size, tries, wave = draw.randint(0, 30), draw.randint(1, 3), draw.randint(1, 9)
        sound, fault = draw.random(), draw.choice([0.0, 0.0, 0.05, 0.3])

        def letter() -> str:
            return "I" if draw.random() < fault else "FP"[draw.random() < sound]  # noqa: B023

        table = [[make_rollout(f"t{i:02}", letter(), k) for k in range(tries)] for i in range(size)]
        floor, coverage = draw.choice(["0.8", "0.4", "1"]), draw.choice(["0.95", "0.5"])
        cases = [[(r.task_id, r.key.trial) for r in case] for case in table]
        gate = PassCountGate("regression", cases, floor=float(floor), coverage=float(coverage), wave=wave)
        found, asked = drive(gate, recall({"regression": [r for case in table for r in case]}))
        assert found.outcome == plain_cases(table, Fraction(floor), Fraction(coverage))
        assert len(asked) <= size * tries
        used, full, seen[found.outcome] = used + len(asked), full + size * tries, seen[found.outcome] + 1
    assert min(seen.values()) > 100, "every decision was put to the test"
    assert used < 0.7 * full


def test_targets_are_the_latest_five_twice_and_two_fifths_of_the_trials_must_pass(make_rollout: Make) -> None:
    policy = make_policy(default_rules("paired", wave=1))
    stage = policy.cluster_tasks([f"t{i}" for i in range(9)])
    first = stage.step([])
    assert isinstance(first, RunMore)
    assert first.pairs == tuple((f"t{i}", GATE_TRIALS) for i in (4, 5, 6, 7)), "four passes may settle it"
    found, asked = drive(stage, letters(make_rollout, lambda task, _: "P" if task in {"t4", "t8"} else "F"))
    assert (found.outcome, found.reason, len(asked)) == ("passed", "cluster_tasks_passed", 10)
    once = letters(make_rollout, lambda task, trial: "P" if (task, trial) == ("t4", GATE_TRIALS) else "F")
    found, asked = drive(stage, once)
    assert (found.outcome, found.reason, len(asked)) == ("failed", "cluster_tasks_below_floor", 8)


def test_without_targets_or_suite_nothing_is_run(make_rollout: Make) -> None:
    policy = make_policy(default_rules("paired"))
    assert drive(policy.cluster_tasks([]), recall({}))[0].reason == "cluster_tasks_empty"
    assert drive(policy.suite([], Bank(), {}), recall({}))[0].reason == "suite_empty"


def test_a_change_made_for_a_cluster_without_open_tasks_is_told_and_not_passed(bank: Bank) -> None:
    paired, reference = make_policy(default_rules("paired")), make_policy(default_rules("reference"))
    found, asked = drive(inputs(bank, aimed=True).stage(paired, "cluster_tasks"), recall({}))
    assert (found.outcome, found.reason, asked) == ("failed", "cluster_tasks_empty", ())
    assert judge_attempt(paired, inputs(bank, aimed=True), recall({})).outcome == "failed"
    for policy, attempt in ((paired, inputs(bank)), (reference, inputs(bank, aimed=True))):
        found, _ = drive(attempt.stage(policy, "cluster_tasks"), recall({}))
        assert found.outcome == "passed", "a change made by hand, and the published rule, have no cluster"


def test_a_suite_member_that_failed_again_counts_among_the_targets_and_once_in_the_bank(
    make_rollout: Make, bank: Bank
) -> None:
    paired = make_policy(default_rules("paired"))
    attempt = inputs(bank, aimed=True, suite=("s",), failing=("s",))
    judged = judge_attempt(paired, attempt, letters(make_rollout, lambda task, _: "F" if task == "s" else "P"))
    assert (judged.last.gate, judged.last.reason) == ("cluster_tasks", "cluster_tasks_below_floor")
    judged = judge_attempt(paired, attempt, letters(make_rollout, lambda *_: "P"))
    assert judged.kept
    assert [r.task_id for r in judged.rollouts["cluster_tasks"]] == ["s", "s"][: len(judged.rollouts["cluster_tasks"])]
    trials = {r.key for stage in ("cluster_tasks", "regression") for r in judged.rollouts[stage]}
    assert paired.after_keep(bank, judged.rollouts, attempt.suite).count("s").trials == len(trials)


def test_a_suite_case_that_fails_once_is_tried_once_more(make_rollout: Make) -> None:
    policy = make_policy(default_rules("paired", wave=1))
    members = [f"t{i}" for i in range(5)]
    flaky = letters(make_rollout, lambda task, trial: "F" if trial == GATE_TRIALS and task < "t3" else "P")
    found, asked = drive(policy.suite(members, Bank(), {}), flaky)
    assert (found.outcome, found.passes, found.total) == ("passed", 4, 5)
    assert len(asked) == 7
    broken = letters(make_rollout, lambda task, _: "F" if task in {"t0", "t1"} else "P")
    found, asked = drive(policy.suite(members, Bank(), {}), broken)
    assert (found.outcome, found.reason, len(asked)) == ("failed", "suite_below_floor", 4)


def test_members_that_the_incumbent_passes_too_rarely_are_reported_but_not_counted(make_rollout: Make) -> None:
    bank = bank_of(make_rollout, {"steady": "PPP", "flaky": "PPF", "edge": "PPPPPPPFFF", "new": "I"})
    policy = make_policy(default_rules("paired"))
    members = ["steady", "flaky", "edge", "new"]
    assert policy.quarantined(members, bank) == ("flaky",)
    found, asked = drive(policy.suite(members, bank, {}), letters(make_rollout, lambda *_: "P"))
    assert found.quarantined == ("flaky",)
    assert "1 in quarantine" in found.message
    assert {r.task_id for r in asked} == {"steady", "edge", "new"}
    assert make_policy(default_rules("reference")).quarantined(members, bank) == ()


@pytest.mark.parametrize(("fault", "outcome"), [("I", "indecisive"), ("F", "failed"), ("P", "passed")])
def test_a_fault_in_the_suite_is_neither_pass_nor_failure(make_rollout: Make, fault: str, outcome: Outcome) -> None:
    policy = make_policy(default_rules("paired"))
    run = letters(make_rollout, lambda task, _: {"t0": "F", "t1": fault}.get(task, "P"))
    assert drive(policy.suite([f"t{i}" for i in range(5)], Bank(), {}), run)[0].outcome == (
        "passed" if fault == "P" else outcome
    )


def test_three_passes_in_a_row_promote_and_one_failure_ends_the_row(make_rollout: Make) -> None:
    promotion = Promotion(["sound", "late", "never"], passes=3, first_trial=0)
    table = {"sound": "PPP", "late": "PPF", "never": "FPP"}
    seen: list[Rollout] = []
    asked = 0
    while isinstance(step := promotion.step(seen), RunMore):
        asked += len(step.pairs)
        seen += [make_rollout(task, table[task][trial], trial) for task, trial in step.pairs]
    assert step == ("sound",)
    assert asked == 3 + 2 + 2


def test_a_fault_keeps_its_own_task_out_of_the_suite_and_no_other(make_rollout: Make) -> None:
    promotion = Promotion(["sound", "unlucky"], passes=3, first_trial=0)
    table = {"sound": "PPP", "unlucky": "PIP"}
    seen: list[Rollout] = []
    while isinstance(step := promotion.step(seen), RunMore):
        seen += [make_rollout(task, table[task][trial], trial) for task, trial in step.pairs]
    assert step == ("sound",)


def test_the_changes_own_tasks_and_then_the_latest_known_failures_are_tried_for_the_suite(make_rollout: Make) -> None:
    policy = make_policy(default_rules("paired", promotion_tasks=4))
    known = [f"k{i}" for i in range(6)]
    step = policy.promotion(known, ["k1", "k0"]).step([])
    assert isinstance(step, RunMore)
    assert [task for task, _ in step.pairs] == ["k0", "k1", "k5", "k4"]
    crowd = policy.promotion(known, [f"t{i}" for i in range(9)]).step([])
    assert isinstance(crowd, RunMore)
    assert [task for task, _ in crowd.pairs] == ["t8", "t7", "t6", "t5"]


# The comparison


def test_the_comparison_by_hand() -> None:
    one = REWARD_MICROS
    found = compare({"a": Count(2 * one, 2), "b": Count(0, 1)}, {"a": Count(one, 2), "b": Count(one, 3)})
    assert found.difference == (Fraction(1, 2) - Fraction(1, 3)) / 2
    p_a, p_b = 3.373 / 4.667, 1.373 / 4.667
    variance = (p_a * (1 - p_a) * (1 / 2 + 1 / 2) + p_b * (1 - p_b) * (1 + 1 / 3)) / 4
    assert found.standard_error == pytest.approx(sqrt(variance))
    assert found.z == pytest.approx(float(found.difference) / sqrt(variance))


def test_a_tie_of_thirds_is_a_tie() -> None:
    third = Count(REWARD_MICROS, 3)
    one = Count(REWARD_MICROS, 1)
    bank = {f"t{i}": third for i in range(3)}
    found = compare({"t0": one, "t1": Count(0, 1), "t2": Count(0, 1)}, bank)
    assert found.difference == 0
    assert found.z == 0.0


def test_everything_passing_still_has_an_error() -> None:
    sure = {f"t{i}": Count(2 * REWARD_MICROS, 2) for i in range(100)}
    found = compare(sure, sure)
    assert found.z == 0.0
    assert found.standard_error > 0
    with pytest.raises(ValueError, match="no task was measured for both"):
        compare(sure, {})


# Validation


def test_a_rejection_says_what_was_seen_and_what_could_still_have_come(make_rollout: Make) -> None:
    tasks = [f"v{i:03}" for i in range(100)]
    sure = Bank().joined([make_rollout(task, "P", trial) for task in tasks for trial in range(2)], cap=12)
    gate = SequentialGate(tasks, sure, default_rules("paired"), seed="s")
    lucky = {task for task, _ in gate.order[:5]}
    finding, asked = drive(gate, letters(make_rollout, lambda task, _: "P" if task in lucky else "F"))
    assert (finding.outcome, len(asked)) == ("failed", 25)
    assert (finding.total, finding.evaluated, finding.passes, finding.infra) == (200, 25, 5, 0)
    assert (finding.reward_micros, finding.upper_bound_micros) == (5 * REWARD_MICROS, 180 * REWARD_MICROS)
    whole, _ = drive(gate, letters(make_rollout, lambda *_: "P"))
    assert (whole.outcome, len(whole.looks)) == ("failed", 4), "a tie is below the bar of the last look"
    assert (whole.total, whole.evaluated, whole.upper_bound_micros) == (200, 200, None)
    assert whole.standard_error == whole.looks[-1].standard_error
    assert whole.standard_error != whole.looks[0].standard_error


def test_one_name_always_means_one_policy() -> None:
    """Whoever changes a bar makes another policy, under another name: results of the two cannot be compared."""
    assert {name: [(look.rollouts, look.z) for look in looks] for name, looks in LOOKS.items()} == {
        "reference": [],
        "paired": [(25, -0.5), (50, -0.25), (100, 0.0), (200, 0.25)],
        "rigorous": [(50, -0.4), (100, -0.1), (200, 0.2), (400, 0.6), (600, 1.28)],
        "strict": [(50, -0.4), (100, -0.1), (200, 0.2), (400, 0.6), (600, 1.645)],
    }
    assert {name for name, control in CONTROL.items() if control} == {"paired"}
    assert CONTROL["paired"] == Bound(rollouts=100, z=0.0)


def test_the_reference_runs_every_task_once_as_trial_0() -> None:
    assert make_policy(default_rules("reference")).missing(Bank(), ("a", "b")) == (("a", 0), ("b", 0))


def test_every_pass_has_an_order_of_its_own_and_sees_every_task_once() -> None:
    order = order_of(TASKS, 200, seed="s")
    first, second = [t for t, _ in order[:100]], [t for t, _ in order[100:]]
    assert sorted(first) == sorted(second) == list(TASKS)
    assert first != second
    assert {trial for _, trial in order} == {GATE_TRIALS, GATE_TRIALS + 1}
    assert order == order_of(tuple(reversed(TASKS)), 200, seed="s"), "the seed alone decides"
    assert order != order_of(TASKS, 200, seed="other")


@pytest.mark.parametrize("policy", MEASURED)
def test_a_copy_of_the_incumbent_is_compared_to_the_end_and_a_worse_agent_stops_at_the_first_look(
    make_rollout: Make, bank: Bank, policy: PolicyName
) -> None:
    rules = default_rules(policy)
    found, asked = drive(SequentialGate(TASKS, bank, rules, seed="s"), letters(make_rollout, lambda *_: "F"))
    assert (found.outcome, found.reason) == ("failed", "validation_below_bound")
    assert len(asked) == rules.looks[0].rollouts
    assert found.upper_bound_micros == (rules.looks[-1].rollouts - len(asked)) * REWARD_MICROS
    found, asked = drive(SequentialGate(TASKS, bank, rules, seed="s"), letters(make_rollout, even))
    assert found.z == 0.0
    assert found.outcome == "failed", "a tie is below the last bar"
    assert len(asked) == next(look.rollouts for look in rules.looks if look.z > 0)


@pytest.mark.parametrize("policy", MEASURED)
def test_a_better_agent_is_kept_after_the_last_look_only(make_rollout: Make, bank: Bank, policy: PolicyName) -> None:
    rules = default_rules(policy)
    better = letters(make_rollout, lambda _task, trial: "F" if trial == CONTROL_TRIALS else "P")
    found, asked = drive(SequentialGate(TASKS, bank, rules, seed="s"), better)
    assert found.outcome == "passed"
    assert sum(r.key.trial != CONTROL_TRIALS for r in asked) == rules.looks[-1].rollouts
    assert sum(r.key.trial == CONTROL_TRIALS for r in asked) == (100 if policy == "paired" else 0)
    assert [look.planned for look in found.looks] == [look.rollouts for look in rules.looks]
    assert found.upper_bound_micros is None
    verdict = found.verdict("A0001")
    assert verdict.accepted
    assert verdict.z == found.z


def test_the_numbers_of_a_look_are_those_of_the_comparison(make_rollout: Make, bank: Bank) -> None:
    rules = default_rules("paired")
    run = letters(make_rollout, lambda task, trial: "P" if int(task[1:]) % 3 else "F")
    found, asked = drive(SequentialGate(TASKS, bank, rules, seed="s"), run)
    for look in found.looks:
        by_hand = compare(counted(asked[: look.planned]), bank.counts(TASKS))
        assert (look.z, look.tasks) == (by_hand.z, by_hand.tasks)
        assert look.difference == float(by_hand.difference)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), tasks=st.integers(2, 12), policy=st.sampled_from(MEASURED))
def test_what_comes_first_and_what_is_given_again_changes_nothing(
    make_rollout: Make, data: st.DataObject, tasks: int, policy: PolicyName
) -> None:
    """Steps are a function of the rollouts: any order, any prefix, the same ask or decision."""
    names = [f"t{i}" for i in range(tasks)]
    bank = bank_of(make_rollout, {t: data.draw(st.text("PFH", min_size=1, max_size=3)) for t in names})
    gate = SequentialGate(names, bank, default_rules(policy), seed="s")
    beside = names if policy == "paired" else []
    every = [*gate.order, *((task, CONTROL_TRIALS) for task in beside)]
    outcomes = data.draw(st.lists(st.sampled_from("PPFFHI"), min_size=len(every), max_size=len(every)))
    table = {pair: make_rollout(pair[0], x, pair[1]) for pair, x in zip(every, outcomes, strict=True)}
    seen: list[Rollout] = []
    asked: set[Pair] = set()
    while isinstance(step := gate.step(seen), RunMore):
        assert step.pairs
        assert not set(step.pairs) & asked, "nothing is asked for twice"
        asked |= set(step.pairs)
        seen += [table[pair] for pair in step.pairs]
    shuffled = data.draw(st.permutations(seen))
    assert gate.step(shuffled) == step
    assert gate.step(list(table.values())) == step, "more than was asked for changes no decision"
    if step.outcome == "passed":
        assert len(seen) == len(every if policy == "paired" else gate.order)
        assert step.looks[-1].z >= step.looks[-1].bound
        assert step.control is None if policy != "paired" else step.control and step.control.z >= 0
        assert step.infra <= len(gate.order) // 20 + tasks // 20


def finalist(make_rollout: Make, beside: Callable[[str], str]) -> tuple[Finding, list[Rollout]]:
    """A candidate that passes every trial, against a poor bank and a control with these outcomes."""
    bank = bank_of(make_rollout, dict.fromkeys(TASKS, "FF"))
    gate = SequentialGate(TASKS, bank, default_rules("paired"), seed="s", control_trial=CONTROL_TRIALS + 7)
    outcome = letters(make_rollout, lambda task, trial: beside(task) if trial >= CONTROL_TRIALS else even(task, trial))
    found, asked = drive(gate, outcome)
    return found, list(asked)


def test_a_finalist_may_not_be_below_the_incumbent_of_today(make_rollout: Make) -> None:
    """The bank was filled in a bad hour: whoever is run now looks better than it, the incumbent, too."""
    found, asked = finalist(make_rollout, lambda _task: "P")
    assert (found.outcome, found.reason) == ("failed", "validation_below_control")
    assert found.looks[-1].z > 1
    assert found.control is not None
    assert found.control.z < 0
    fresh = [r for r in asked if r.key.trial >= CONTROL_TRIALS]
    assert {r.key.trial for r in fresh} == {CONTROL_TRIALS + 7}
    assert sorted(r.task_id for r in fresh) == sorted(TASKS)
    assert found.evidence == evidence_of(asked)
    found, _ = finalist(make_rollout, lambda task: even(task, 0))
    assert (found.outcome, found.reason) == ("passed", "validation_passed")
    assert found.control is not None
    assert found.control.z == 0


def test_faults_of_the_control_are_no_verdict_unless_nothing_could_save_the_finalist(make_rollout: Make) -> None:
    found, _ = finalist(make_rollout, lambda task: "I" if task < TASKS[5] else "F")
    assert found.outcome == "passed", "five of a hundred are covered"
    assert found.infra == 5
    found, _ = finalist(make_rollout, lambda task: "I" if task < TASKS[6] else "F")
    assert (found.outcome, found.reason) == ("indecisive", "coverage_too_low")
    assert "the control" in found.message
    found, _ = finalist(make_rollout, lambda task: "I" if task < TASKS[6] else "P")
    assert found.outcome == "failed", "below the control even if every fault were a failure of the incumbent"
    found, _ = finalist(make_rollout, lambda _task: "I")
    assert found.outcome == "indecisive"


def test_who_loses_against_the_control_tells_of_the_incumbent(make_rollout: Make, bank: Bank) -> None:
    policy = make_policy(default_rules("paired"))
    fresh = [make_rollout(TASKS[0], "P", CONTROL_TRIALS)]
    lost = policy.after_reject(bank, {"control": fresh}, 5.0)
    assert lost.count(TASKS[0]).trials == bank.count(TASKS[0]).trials + 1
    kept = policy.after_keep(Bank(), {"validation": [make_rollout(TASKS[1], "P")], "control": fresh})
    assert not kept.count(TASKS[0]).trials, "the control is of the agent that is no longer kept"


def test_a_fault_is_never_a_zero_and_too_many_decide_nothing(make_rollout: Make, bank: Bank) -> None:
    gate = SequentialGate(TASKS, bank, default_rules("paired"), seed="s")

    def with_faults(count: int, otherwise: str) -> Finding:
        lost = set(gate.order[:25][:count])
        return drive(gate, letters(make_rollout, lambda *pair: "I" if pair in lost else otherwise))[0]

    one, two = with_faults(1, "P"), with_faults(2, "P")
    assert (one.outcome, one.infra) == ("passed", 1)
    assert (two.outcome, two.reason, two.infra) == ("indecisive", "coverage_too_low", 2)
    hopeless = with_faults(2, "F")
    assert hopeless.outcome == "failed", "perfect results would not have saved it"
    nothing = drive(gate, letters(make_rollout, lambda *_: "I"))[0]
    assert (nothing.outcome, nothing.z, nothing.evaluated) == ("indecisive", None, 0)


def test_tasks_that_the_incumbent_was_never_measured_on_count_against_coverage(make_rollout: Make, bank: Bank) -> None:
    run = letters(make_rollout, even)
    assert drive(SequentialGate(TASKS, Bank(), default_rules("paired"), seed="s"), run)[0].outcome == "indecisive"
    order = [task for task, _ in order_of(TASKS, 25, seed="s")]
    found = drive(SequentialGate(TASKS, bank.without(order[:2]), default_rules("paired"), seed="s"), run)[0]
    assert (found.outcome, found.infra) == ("indecisive", 0)


# The bank


def test_a_fresh_bank_asks_for_every_task_and_a_pooled_one_only_for_holes(make_rollout: Make, bank: Bank) -> None:
    paired, rigorous = make_policy(default_rules("paired")), make_policy(default_rules("rigorous"))
    assert len(paired.missing(Bank(), TASKS)) == 200
    assert len(set(rigorous.missing(Bank(), TASKS))) == 600
    assert paired.missing(bank, TASKS) == ()
    assert len(rigorous.missing(bank, TASKS)) == 600, "all trials: the two that are known may be among them"
    hole = bank.without(["v007"])
    assert paired.missing(hole, TASKS) == (("v007", BANK_TRIALS), ("v007", BANK_TRIALS + 1))


def test_a_kept_candidate_brings_its_own_bank(make_rollout: Make, bank: Bank) -> None:
    evidence = {
        "validation": [make_rollout("v000", "P", t) for t in (1, 0)],
        "regression": [make_rollout("t1", "F")],
        "cluster_tasks": [make_rollout("t2", "I")],
    }
    after = make_policy(default_rules("paired")).after_keep(bank, evidence)
    assert after.held.keys() == {"v000", "t1"}
    assert after.count("v000") == (2 * REWARD_MICROS, 2)
    fresh = make_policy(default_rules("rigorous")).after_keep(bank, evidence)
    assert fresh.held.keys() == {"t1"}, "what it was kept for is measured again"


@pytest.mark.parametrize(("z", "joins"), [(None, False), (-2.99, True), (3.0, False), (-3.0, False), (0.1, True)])
def test_a_rejected_near_copy_lends_its_rollouts_up_to_twelve_a_task(
    make_rollout: Make, bank: Bank, z: float | None, joins: bool
) -> None:
    evidence = {"validation": [make_rollout("v000", "P", t) for t in range(20)]}
    paired = make_policy(default_rules("paired"))
    after = paired.after_reject(bank, evidence, z)
    assert after.count("v000") == ((10 * REWARD_MICROS, 12) if joins else (0, 2))
    assert after.held["v000"].origins[-1] == "agent"
    assert make_policy(default_rules("rigorous")).after_reject(bank, evidence, z) == bank


def test_a_member_that_the_suite_rejected_a_change_for_is_measured_on_the_incumbent_again(make_rollout: Make) -> None:
    paired = make_policy(default_rules("paired", recheck_trials=3))
    bank = Bank().joined([make_rollout(task, "P", t) for task in ("s0", "s1", "s2") for t in range(3)], cap=12)
    failed = [make_rollout("s0", "F", 0), make_rollout("s0", "F", 1), make_rollout("s1", "F", 0)]
    suite = [*failed, make_rollout("s1", "P", 1), make_rollout("s2", "P", 0)]
    doubted = paired.after_reject(bank, {"regression": suite}, None)
    assert doubted.held.keys() == {"s1", "s2"}
    first = paired.missing(doubted, (), ("s0", "s1", "s2"))
    assert [task for task, _ in first] == ["s0"] * 3
    measured = doubted.joined([make_rollout("s0", x, k) for k, x in enumerate("PFF")], cap=12)
    assert paired.quarantined(("s0", "s1", "s2"), measured) == ("s0",)
    again = paired.after_reject(measured, {"regression": suite}, None)
    assert not {*paired.missing(again, (), ("s0",))} & {*first}, "measured with trials that were not used before"
    passed_the_suite = {"regression": suite, "validation": [make_rollout("v000", "P")]}
    after = paired.after_reject(bank, passed_the_suite, 0.1)
    assert after.count("s2") == bank.count("s2"), "a suite that was passed says nothing new of its members"
    assert after.count("v000").trials == 1


def test_after_a_keep_spared_members_stay_known_and_quarantined_ones_are_measured_again(make_rollout: Make) -> None:
    paired = make_policy(default_rules("paired"))
    table = {"run": "PPP", "spared": "PPP", "flaky": "PFF", "slipped": "PPP"}
    bank = Bank().joined([make_rollout(t, x, k) for t, xs in table.items() for k, x in enumerate(xs)], cap=12)
    suite = [make_rollout("run", "P"), make_rollout("slipped", "F"), make_rollout("slipped", "P", 1)]
    after = paired.after_keep(bank, {"regression": suite}, tuple(table))
    assert after.count("run").trials == 1
    assert after.count("spared") == bank.count("spared")
    assert {task for task, _ in paired.missing(after, (), tuple(table))} == {"flaky", "slipped"}


def test_a_pass_is_a_full_reward_wherever_the_suite_is_concerned(make_rollout: Make) -> None:
    paired = make_policy(default_rules("paired"))
    nearly = [make_rollout("s0", "P", k).model_copy(update={"reward": 0.75}) for k in range(3)]
    bank = Bank().joined(nearly, cap=12)
    assert paired.quarantined(("s0",), bank) == ("s0",)
    assert paired.after_reject(bank, {"regression": nearly[:2]}, None).held == {}


def test_the_bank_estimates_the_incumbent_with_an_interval(bank: Bank) -> None:
    found = bank.estimate(TASKS)
    assert found.mean == 0.5
    assert found.interval[0] < 0.5 < found.interval[1]
    assert bank.pass_rate("v001") == 1
    assert bank.pass_rate("unheard of") is None
    with pytest.raises(ValueError, match="nothing to estimate"):
        Bank().estimate(TASKS)


# A whole attempt


@pytest.mark.parametrize("name", ["paired", "rigorous", "strict", "reference"])
def test_an_attempt_goes_through_its_gates_and_stops_at_the_first_that_fails(
    make_rollout: Make, bank: Bank, name: PolicyName
) -> None:
    policy = make_policy(default_rules(name))
    base = inputs(bank, suite=("s0", "s1"), failing=("f0", "f1"))
    kept = judge_attempt(policy, base, letters(make_rollout, lambda *_: "P"))
    assert kept.kept
    assert tuple(f.gate for f in kept.findings) == STAGES
    stopped = judge_attempt(policy, base, letters(make_rollout, lambda task, _: "F" if task[0] == "s" else "P"))
    assert not stopped.kept
    assert stopped.last.gate == "regression"
    assert "validation" not in stopped.rollouts
    assert stopped.z is None


def test_the_reference_behind_the_interface_is_the_published_rule(make_rollout: Make) -> None:
    """Random tables: the attempt is kept iff 80 % of the suite and the best recorded sum are reached."""
    draw = random.Random("reference")
    policy = make_policy(default_rules("reference"))
    tasks, members = [f"v{i:02}" for i in range(20)], [f"s{i}" for i in range(7)]
    kept = 0
    for _ in range(400):
        sound = draw.choice([0.5, 0.7, 0.9])
        table = {task: "FP"[draw.random() < sound] for task in (*tasks, *members)}
        before = {task: "FP"[draw.random() < 0.6] for task in tasks}
        bank = Bank().joined([make_rollout(task, x) for task, x in before.items()], cap=1)
        base = AttemptInputs(tasks=tuple(tasks), bank=bank, suite=tuple(members), failing=("f",), seed="s")
        judged = judge_attempt(policy, base, letters(make_rollout, lambda task, _: table[task]))  # noqa: B023
        suite = sum(table[task] == "P" for task in members)
        score, best = (sum(t[task] == "P" for task in tasks) for t in (table, before))
        assert judged.kept == (5 * suite >= 4 * len(members) and score >= best)
        after = (
            policy.after_keep(bank, judged.rollouts)
            if judged.kept
            else policy.after_reject(bank, judged.rollouts, None)
        )
        assert sum(c.reward_micros for c in after.counts(tasks).values()) == REWARD_MICROS * (
            score if judged.kept else best
        )
        kept += judged.kept
    assert 40 < kept < 360


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"tasks": ()}, "has 0 tasks"),
        ({"tasks": ("only",)}, "has 1 task:"),
        ({"tasks": ("a", "b", "a")}, "names a task twice: a"),
        ({"suite": ("s", "s")}, "suite names a task twice"),
        ({"suite": ("v003",)}, "may not be in the suite"),
        ({"failing": ("v003",)}, "among the cluster tasks"),
    ],
)
def test_impossible_attempts_are_refused_with_a_reason(bank: Bank, change: dict[str, object], word: str) -> None:
    with pytest.raises(BadInput, match=word):
        inputs(bank, **change)


def test_answers_must_be_what_was_asked_for(make_rollout: Make, bank: Bank) -> None:
    asked = [("a", 0), ("b", 0)]
    a, b, c = (make_rollout(task, "P") for task in "abc")
    assert answered(asked, [b, a]) == [b, a]
    for wrong in ([a], [a, b, c], [a, a], [a, c]):
        with pytest.raises(BadInput, match="came back"):
            answered(asked, wrong)
    gate = SequentialGate(TASKS, bank, default_rules("paired"), seed="s")
    with pytest.raises(ValueError, match="did not ask for"):
        gate.step([make_rollout("v000", "P", 7)])
    with pytest.raises(ValueError, match="one twice"):
        gate.step([make_rollout(*_first(gate)), make_rollout(*_first(gate))])
    with pytest.raises(BadInput, match="were not recorded"):
        drive(gate, recall({}))


def _first(gate: SequentialGate) -> tuple[str, str, int]:
    task, trial = gate.order[0]
    return task, "P", trial


@pytest.mark.parametrize(
    "make",
    [
        lambda: SequentialGate(["a"], Bank(), default_rules("paired"), seed="s"),
        lambda: SequentialGate(["a", "a"], Bank(), default_rules("paired"), seed="s"),
        lambda: PassCountGate("cluster_tasks", [[("a", 0)], [("a", 0)]], floor=0.4, coverage=0.95),
        lambda: PassCountGate("cluster_tasks", [[]], floor=0.4, coverage=0.95),
        lambda: PassCountGate("cluster_tasks", [[("a", 0)]], floor=1.4, coverage=0.95),
        lambda: PassCountGate("cluster_tasks", [[("a", 0)]], floor=0.4, coverage=0.95, wave=0),
        lambda: Rules(policy="paired", looks=(Bound(rollouts=5, z=0), Bound(rollouts=5, z=1))),
        lambda: Rules(policy="paired", cluster_floor=float("nan")),
    ],
)
def test_impossible_gates_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        make()
