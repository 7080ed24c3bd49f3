"""What the reference gate decides, when it stops, and what it reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaloop.gate.one_trial import Finding, RegressionGate, RunMore, ValidationGate, likely_failures_first
from sigmaloop.records import REWARD_MICROS, Rollout

Outcomes = Callable[[str], dict[str, Rollout]]


def decide(gate: RegressionGate | ValidationGate, table: Mapping[str, Rollout]) -> tuple[Finding, list[str]]:
    """Drive a gate to its end; what it found and what it asked for, in order."""
    asked: list[str] = []
    while isinstance(step := gate.step({task: table[task] for task in asked}), RunMore):
        assert step.task_ids
        assert not set(step.task_ids) & set(asked)
        asked.extend(step.task_ids)
    return step, asked


def suite(table: Mapping[str, Rollout], *, wave: int = 1) -> tuple[Finding, list[str]]:
    return decide(RegressionGate(list(table), wave=wave), table)


def validation(
    table: Mapping[str, Rollout],
    best: float,
    *,
    wave: int = 1,
    best_tasks: int | None = None,
    measured: Sequence[str] | None = None,
) -> tuple[Finding, list[str]]:
    reward_micros = round(best * REWARD_MICROS)
    gate = ValidationGate(list(table), best_micros=reward_micros, best_tasks=best_tasks, measured=measured, wave=wave)
    return decide(gate, table)


def test_an_empty_suite_passes_without_a_rollout() -> None:
    found, asked = suite({})
    assert (found.outcome, found.reason, asked) == ("passed", "suite_empty", [])


@pytest.mark.parametrize(
    ("letters", "outcome"),
    [("P", "passed"), ("F", "failed"), ("PPPPF", "passed"), ("PPPFF", "failed"), ("PPPPPPPPFF", "passed")],
)
def test_a_suite_passes_at_four_fifths_and_not_below(outcomes: Outcomes, letters: str, outcome: str) -> None:
    assert suite(outcomes(letters))[0].outcome == outcome


def test_a_floor_is_the_decimal_that_was_written(outcomes: Outcomes) -> None:
    table = outcomes("P" * 7 + "F" * 3)  # .7 as a binary number is a little less than 7/10
    assert decide(RegressionGate(list(table), floor=0.7), table)[0].outcome == "passed"
    table = outcomes("P" * 69 + "F" * 31)
    assert decide(RegressionGate(list(table), floor=0.7), table)[0].outcome == "failed"


def test_a_suite_stops_at_the_first_failure_too_many(outcomes: Outcomes) -> None:
    found, asked = suite(outcomes("FFFPPPPPPP"))
    assert (found.reason, len(asked)) == ("suite_below_floor", 3)
    assert (found.passes, found.evaluated, found.total) == (0, 3, 10)


def test_only_a_full_reward_counts_as_a_pass_of_the_suite(outcomes: Outcomes) -> None:
    assert suite(outcomes("H"))[0].outcome == "failed"


def test_validation_passes_on_a_tie(outcomes: Outcomes) -> None:
    table = outcomes("PFHPF")
    found, asked = validation(table, 2.5)
    assert (found.outcome, found.reason, len(asked)) == ("passed", "validation_passed", 5)
    assert validation(table, 2.500001)[0].outcome == "failed"


def test_ties_of_thirds_survive_because_sums_are_whole_units(outcomes: Outcomes) -> None:
    table = outcomes("TTTFF")
    best = sum(r.reward_micros for r in table.values())
    found = decide(ValidationGate(list(table), best_micros=best), table)[0]
    assert found.outcome == "passed"
    assert found.reward_micros == found.required_micros == best


def test_validation_stops_when_the_rest_can_no_longer_reach_the_best(outcomes: Outcomes) -> None:
    found, asked = validation(outcomes("FFFPPPPPPP"), 8)
    assert (found.reason, len(asked)) == ("validation_below_best", 3)
    assert found.upper_bound_micros == 7 * REWARD_MICROS
    assert found.required_micros == 8 * REWARD_MICROS


def test_an_accepted_validation_is_always_complete_and_has_no_bound(outcomes: Outcomes) -> None:
    found, asked = validation(outcomes("PPPPPFFFFF"), 1)
    assert (found.outcome, len(asked), found.upper_bound_micros) == ("passed", 10, None)


def test_a_gate_does_not_look_before_a_look_can_decide(outcomes: Outcomes) -> None:
    table = outcomes("P" * 20)
    step = ValidationGate(list(table), best_micros=12 * REWARD_MICROS, wave=2).step({})
    assert isinstance(step, RunMore)
    assert len(step.task_ids) == 9  # the ninth zero is the first that could end it


def test_waves_are_asked_for_in_the_given_order(outcomes: Outcomes) -> None:
    table = outcomes("PPPPPPPPPP")
    members = list(reversed(list(table)))
    step = RegressionGate(members, wave=4).step({})
    assert isinstance(step, RunMore)
    assert list(step.task_ids) == members[:4]


def test_a_fault_is_never_a_zero_and_never_vanishes(outcomes: Outcomes) -> None:
    found, _ = suite(outcomes("I" + "P" * 19))
    assert (found.outcome, found.evaluated, found.infra) == ("passed", 19, 1)
    found, _ = suite(outcomes("II" + "P" * 18))
    assert (found.outcome, found.reason, found.infra) == ("indecisive", "coverage_too_low", 2)


def test_a_small_table_tolerates_no_fault(outcomes: Outcomes) -> None:
    assert suite(outcomes("PPPPPPPPPI"))[0].outcome == "indecisive"
    assert validation(outcomes("PPPPPPPPPI"), 0)[0].outcome == "indecisive"


def test_faults_cannot_excuse_a_candidate_that_has_failed_anyhow(outcomes: Outcomes) -> None:
    assert suite(outcomes("IIIIIFFFPP"))[0].outcome == "failed"
    assert validation(outcomes("IIIIIFFFPP"), 8)[0].outcome == "failed"


def test_faults_alone_never_fail_a_candidate(outcomes: Outcomes) -> None:
    assert suite(outcomes("I" * 10))[0].outcome == "indecisive"
    assert validation(outcomes("I" * 10), 10)[0].outcome == "indecisive"


def test_a_fault_counts_0_where_the_incumbent_was_measured_and_is_left_out_where_not(outcomes: Outcomes) -> None:
    table = outcomes("P" * 10 + "F" * 9 + "I")
    assert validation(table, 10, best_tasks=20)[0].outcome == "passed"
    assert validation(table, 10.000001, best_tasks=20)[0].outcome == "failed", "10 of 20, not of 19"
    known = list(table)[:-1]
    assert validation(table, 10, best_tasks=19, measured=known)[0].outcome == "passed"
    assert validation(table, 10.000001, best_tasks=19, measured=known)[0].outcome == "failed"


def test_no_agent_gains_by_causing_faults(outcomes: Outcomes) -> None:
    """56 of 100, of which five of the failures were turned into faults: .589 of what is left, truly .56."""
    weapon = outcomes("P" * 56 + "F" * 39 + "I" * 5)
    found, _ = validation(weapon, 57)
    assert (found.outcome, found.infra) == ("failed", 5)
    assert validation(weapon, 56)[0].message == (
        "the mean is 0.5600 over 100 tasks (5 ended in a fault and count 0), not below the best, 0.5600"
    )
    table = outcomes("P" * 16 + "F" * 4 + "I")
    assert suite(table)[0].outcome == "failed", "16 of 21 are fewer than four fifths, with or without the fault"


@settings(deadline=None)
@given(letters=st.text("PF", min_size=1, max_size=40), faults=st.sets(st.integers(0, 39)), best=st.integers(0, 40))
def test_turning_a_result_into_a_fault_never_makes_a_gate_pass(
    outcomes: Outcomes, letters: str, faults: set[int], best: int
) -> None:
    honest = outcomes(letters)
    armed = outcomes("".join("I" if i in faults else letter for i, letter in enumerate(letters)))
    bar = min(best, len(letters)) * REWARD_MICROS
    for gate in (
        RegressionGate(list(honest), coverage=0.5),
        ValidationGate(list(honest), best_micros=bar, coverage=0.5),
    ):
        if decide(gate, armed)[0].outcome == "passed":
            assert decide(gate, honest)[0].outcome == "passed"


def test_a_finding_becomes_the_candidates_verdict(outcomes: Outcomes) -> None:
    table = outcomes("PPPPF")
    found, _ = suite(table)
    verdict = found.verdict("A0001")
    assert verdict.accepted
    assert (verdict.gate, verdict.passes, verdict.required_micros) == ("regression", 4, 4 * REWARD_MICROS)
    assert verdict.evidence == suite(dict(reversed(table.items())))[0].evidence
    assert verdict.evidence != suite(outcomes("PPPFP"))[0].evidence


def test_likely_failures_come_first_and_unknown_tasks_stand_in_the_middle() -> None:
    history = {"sound": (3, 3), "flaky": (1, 3), "broken": (0, 2), "once": (1, 1)}
    order = likely_failures_first(["sound", "new", "once", "flaky", "broken", "newer"], history)
    assert order == ("broken", "flaky", "new", "newer", "once", "sound")


@pytest.mark.parametrize(
    "make",
    [
        lambda: RegressionGate(["a", "a"]),
        lambda: RegressionGate(["a"], wave=0),
        lambda: RegressionGate(["a"], floor=1.2),
        lambda: ValidationGate([], best_micros=0),
        lambda: ValidationGate(["a"], best_micros=-1),
        lambda: ValidationGate(["a"], best_micros=2 * REWARD_MICROS),
    ],
)
def test_impossible_gates_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        make()
