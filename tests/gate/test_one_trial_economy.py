"""The economical gate decides as the plain one that runs everything, and never asks for more."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaloop.gate.one_trial import Finding, RegressionGate, RunMore, ValidationGate, likely_failures_first
from sigmaloop.records import REWARD_MICROS, Outcome, Rollout

Table = Sequence[Rollout]
Gate = RegressionGate | ValidationGate
MakeRollout = Callable[[str, str], Rollout]

LETTERS = "PFHTEI"
TABLES = 20_000


def covered(table: Table, coverage: Fraction) -> bool:
    valid = sum(r.valid for r in table)
    return valid > 0 and Fraction(valid, len(table)) >= coverage


def plain_regression(table: Table, floor: Fraction, coverage: Fraction) -> Outcome:
    """The reference rule as one would write it down, over the whole suite."""
    if not table:
        return "passed"
    if Fraction(sum(r.passed or not r.valid for r in table), len(table)) < floor:
        return "failed"
    if not covered(table, coverage):
        return "indecisive"
    return "passed" if Fraction(sum(r.passed for r in table), len(table)) >= floor else "failed"


def plain_validation(table: Table, best: Fraction, coverage: Fraction, measured: Collection[str]) -> Outcome:
    """The reference rule as one would write it down, over the whole split; `best` is a mean."""
    if Fraction(sum(r.reward_micros if r.valid else REWARD_MICROS for r in table), len(table) * REWARD_MICROS) < best:
        return "failed"
    if not covered(table, coverage):
        return "indecisive"
    counted = [r for r in table if r.valid or r.task_id in measured]
    return (
        "passed" if Fraction(sum(r.reward_micros for r in counted), len(counted) * REWARD_MICROS) >= best else "failed"
    )


def drive(gate: Gate, table: Mapping[str, Rollout]) -> tuple[Finding, int]:
    seen: dict[str, Rollout] = {}
    while isinstance(step := gate.step(seen), RunMore):
        assert step.task_ids, "a gate that asks for nothing never ends"
        seen |= {task: table[task] for task in step.task_ids}
    return step, len(seen)


@pytest.fixture(scope="module")
def pool(make_rollout: MakeRollout) -> dict[tuple[int, str], Rollout]:
    """Every outcome of every task, made once."""
    return {(i, letter): make_rollout(f"t{i:03}", letter) for i in range(120) for letter in LETTERS}


def random_table(draw: random.Random, pool: dict[tuple[int, str], Rollout], size: int) -> list[Rollout]:
    """Tables of every temper: sound and broken agents, whole rewards and parts, quiet and faulty machines."""
    sound = draw.random()
    parts = draw.choice([0.0, 0.0, 0.1])
    faults = draw.choice([0.0, 0.0, 0.01, 0.05, 0.2, 1.0 if draw.random() < 0.1 else 0.03])
    weights = [sound, 1 - sound, 0.02, parts, parts, faults / (1.001 - faults)]
    letters = draw.choices("PFEHTI", weights, k=size)
    return [pool[i, letter] for i, letter in enumerate(letters)]


def test_the_suite_decides_alike_on_random_tables(pool: dict[tuple[int, str], Rollout]) -> None:
    draw = random.Random("suite")
    used, full, outcomes = 0, 0, dict.fromkeys(("passed", "failed", "indecisive"), 0)
    for _ in range(TABLES // 2):
        size, wave = draw.randint(0, 40), draw.randint(1, 16)
        table = random_table(draw, pool, size)
        members = draw.sample([r.task_id for r in table], size)
        floor, coverage = draw.choice(["0.8", "0.8", "0.7", "0", "1"]), draw.choice(["0.95", "0.95", "0.5"])
        gate = RegressionGate(members, floor=float(floor), coverage=float(coverage), wave=wave)
        found, asked = drive(gate, {r.task_id: r for r in table})
        assert found.outcome == plain_regression(table, Fraction(floor), Fraction(coverage))
        assert asked <= size
        used, full, outcomes[found.outcome] = used + asked, full + size, outcomes[found.outcome] + 1
    assert min(outcomes.values()) > TABLES // 40, "every decision was put to the test"
    assert used < 0.8 * full


def test_validation_decides_alike_on_random_tables(pool: dict[tuple[int, str], Rollout]) -> None:
    draw = random.Random("validation")
    used, full, outcomes = 0, 0, dict.fromkeys(("passed", "failed", "indecisive"), 0)
    for _ in range(TABLES // 2):
        size, wave = draw.randint(1, 120), draw.randint(1, 16)
        table = random_table(draw, pool, size)
        tasks = draw.sample([r.task_id for r in table], size)
        best_tasks, best_micros = bar(draw, table)
        measured = set(draw.sample(tasks, draw.choice([0, size, draw.randint(0, size)])))
        gate = ValidationGate(
            tasks, best_micros=best_micros, best_tasks=best_tasks, measured=measured, coverage=0.95, wave=wave
        )
        found, asked = drive(gate, {r.task_id: r for r in table})
        best = Fraction(best_micros, best_tasks * REWARD_MICROS)
        assert found.outcome == plain_validation(table, best, Fraction("0.95"), measured)
        assert asked <= size
        if found.outcome == "passed":
            assert asked == size, "an accepted candidate has been measured in full"
            assert found.upper_bound_micros is None
        used, full, outcomes[found.outcome] = used + asked, full + size, outcomes[found.outcome] + 1
    assert min(outcomes.values()) > TABLES // 40, "every decision was put to the test"
    assert used < full, "even with the bar at what the table reaches, where little can be saved"


def bar(draw: random.Random, table: Table) -> tuple[int, int]:
    """A bar near what the table reaches, often exactly it: valid results and reward units of the best."""
    tasks = draw.choice([len(table), sum(r.valid for r in table) or 1, draw.randint(1, 120)])
    valid = [r for r in table if r.valid]
    mean = Fraction(sum(r.reward_micros for r in valid), len(valid)) if valid else Fraction(REWARD_MICROS, 2)
    near = ceil(mean * tasks) + draw.choice([0, 0, 1, -1, draw.randint(-5, 5) * REWARD_MICROS])
    return tasks, min(max(near, 0), tasks * REWARD_MICROS)


@settings(max_examples=300, deadline=None)
@given(
    letters=st.text(LETTERS, min_size=1, max_size=24),
    bar_units=st.integers(0, 24 * REWARD_MICROS),
    coverage=st.sampled_from(["0.95", "0.8", "0.5", "0"]),
    floor=st.sampled_from(["0.8", "0.75", "0.5", "1"]),
)
def test_a_gate_stops_at_the_first_result_that_settles_it(
    make_rollout: MakeRollout, letters: str, bar_units: int, coverage: str, floor: str
) -> None:
    """With a wave of one, a gate stops exactly when all completions of the table agree: they are tried."""
    table = [make_rollout(f"t{i:03}", letter) for i, letter in enumerate(letters)]
    names = [r.task_id for r in table]
    best = Fraction(bar_units % (len(table) * REWARD_MICROS + 1), len(table) * REWARD_MICROS)

    def possible(known: Table, rule: Callable[[Table], Outcome]) -> set[Outcome]:
        left = names[len(known) :]
        ends = ["I" * k + kind * (len(left) - k) for k in range(len(left) + 1) for kind in "PF"]
        return {rule([*known, *(make_rollout(n, x) for n, x in zip(left, end, strict=True))]) for end in ends}

    suite = RegressionGate(names, floor=Fraction(floor), coverage=Fraction(coverage), wave=1)
    check_stop(suite, table, lambda t: plain_regression(t, Fraction(floor), Fraction(coverage)), possible)
    reward_micros = int(best * len(table) * REWARD_MICROS)
    for measured in (names, []):
        split = ValidationGate(names, best_micros=reward_micros, measured=measured, coverage=Fraction(coverage), wave=1)
        check_stop(split, table, lambda t: plain_validation(t, best, Fraction(coverage), measured), possible)  # noqa: B023


def check_stop(
    gate: Gate,
    table: Table,
    rule: Callable[[Table], Outcome],
    possible: Callable[[Table, Callable[[Table], Outcome]], set[Outcome]],
) -> None:
    found, asked = drive(gate, {r.task_id: r for r in table})
    assert possible(table[:asked], rule) == {found.outcome}
    if asked and not (isinstance(gate, ValidationGate) and found.outcome == "passed"):
        assert len(possible(table[: asked - 1], rule)) > 1, "one result less would have done"


def test_running_likely_failures_first_saves_rollouts_and_changes_no_decision(
    pool: dict[tuple[int, str], Rollout],
) -> None:
    """Noisy agents whose tasks are unequally hard: history finds the failures sooner than chance."""
    draw = random.Random("order")
    used = {"given": 0, "ordered": 0}
    for _ in range(300):
        hard = [draw.betavariate(0.373, 0.293) for _ in range(100)]
        past = {f"t{i:03}": (sum(draw.random() < p for _ in range(2)), 2) for i, p in enumerate(hard)}
        table = {f"t{i:03}": pool[i, "P" if draw.random() < p else "F"] for i, p in enumerate(hard)}
        orders = {"given": tuple(table), "ordered": likely_failures_first(list(table), past)}
        decisions = set()
        for name, order in orders.items():
            found, asked = drive(ValidationGate(order, best_micros=62 * REWARD_MICROS, wave=8), table)
            decisions.add(found.outcome)
            used[name] += asked
        assert len(decisions) == 1
    assert used["ordered"] < 0.75 * used["given"]
