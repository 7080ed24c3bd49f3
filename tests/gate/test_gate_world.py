"""The reference gate over whole runs in synthetic worlds: what it costs, and that economy changes nothing.

A world: tasks pass with Beta-distributed chances (mean .56, intraclass correlation .60): 100 for validation,
180 of traffic in 18 batches, 2,000 that stand for the truth. 96 proposals, most of them worthless, some
harmful, some helpful; half of the bad ones look right on the failures that they were made for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from sigmaloop.gate.one_trial import Finding, RegressionGate, RunMore, ValidationGate, likely_failures_first
from sigmaloop.records import Rollout

VALIDATION, TRAFFIC, POPULATION = 100, 180, 2000
BATCHES, PROPOSALS, SUITE_CAP = 18, 96, 30
WORLDS = 60

MakeRollout = Callable[[str, str], Rollout]
Gate = RegressionGate | ValidationGate


@dataclass
class ToyWorld:
    """Chances of the kept agent, and a source of luck that both gates share."""

    rng: np.random.Generator
    pool: dict[tuple[str, bool], Rollout]
    chances: np.ndarray
    names: list[str]
    suite: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)

    def proposal(self, cluster_tasks: list[int]) -> np.ndarray:
        """The chances that a candidate would have."""
        rng, p = self.rng, self.chances.copy()
        kind = rng.choice(["null", "harmful", "helpful"], p=[0.60, 0.25, 0.15])
        h = rng.uniform(0.3, 0.9)
        if kind == "harmful":
            touched = rng.random(p.size) < rng.uniform(0.01, 0.08) / (0.56 * h)
            p[touched] *= 1 - h
        elif kind == "helpful":
            touched = rng.random(p.size) < rng.uniform(0.01, 0.06) / (0.44 * h)
            p[touched] += h * (1 - p[touched])
        mean = self.chances[-POPULATION:].mean()
        up, down = rng.random(p.size) < 0.04 * mean, rng.random(p.size) < 0.04 * (1 - mean)
        p[up] += 0.3 * (1 - p[up])
        p[down] *= 0.7
        if rng.random() < (0.9 if kind == "helpful" else 0.5):
            for i in cluster_tasks:
                if rng.random() < 0.8:
                    p[i] += rng.uniform(0.3, 0.9) * (1 - p[i])
        return p

    def outcomes(self, chances: np.ndarray) -> dict[str, Rollout]:
        """One trial of every validation and traffic task."""
        passed = self.rng.random(len(self.names)) < chances[: len(self.names)]
        return {name: self.pool[name, bool(x)] for name, x in zip(self.names, passed, strict=True)}


def make_world(seed: int, pool: dict[tuple[str, bool], Rollout], names: list[str]) -> ToyWorld:
    rng = np.random.default_rng(seed)

    def stratified(n: int) -> np.ndarray:
        fine = np.sort(rng.beta(0.373, 0.293, size=40 * n)).reshape(n, 40)
        return rng.permutation(fine[np.arange(n), rng.integers(0, 40, size=n)])

    chances = np.concatenate([stratified(VALIDATION), stratified(TRAFFIC), stratified(POPULATION)])
    return ToyWorld(rng, pool, chances, names)


def drive(gate: Gate, table: dict[str, Rollout]) -> tuple[Finding, dict[str, Rollout]]:
    seen: dict[str, Rollout] = {}
    while isinstance(step := gate.step(seen), RunMore):
        seen |= {task: table[task] for task in step.task_ids}
    return step, seen


def run(world: ToyWorld) -> dict[str, float]:
    """A whole run; the plain gate looks on and must agree with every decision."""
    validation, traffic = world.names[:VALIDATION], world.names[VALIDATION:]
    table = world.outcomes(world.chances)
    best = sum(table[task].reward_micros for task in validation)
    history = {task: (int(table[task].passed), 1) for task in validation}
    cost = {"reference": VALIDATION, "plain": VALIDATION, "kept": 0.0}
    start = world.chances[-POPULATION:].mean()
    for batch in range(BATCHES):
        window = traffic[batch * 10 : batch * 10 + 10]
        shown = world.outcomes(world.chances)
        world.known += [task for task in window if not shown[task].passed]
        for _ in range(PROPOSALS * (batch + 1) // BATCHES - PROPOSALS * batch // BATCHES):
            cluster_tasks = [task for task in world.known if task not in world.suite][-5:]
            chances = world.proposal([world.names.index(task) for task in cluster_tasks])
            table = world.outcomes(chances)
            passes = sum(table[task].passed for task in world.suite)
            score = sum(table[task].reward_micros for task in validation)
            plain = passes * 5 >= 4 * len(world.suite) and score >= best
            cost["plain"] += len(world.suite) + VALIDATION
            found, seen = drive(RegressionGate(likely_failures_first(world.suite, history), wave=8), table)
            if found.outcome == "passed":
                order = likely_failures_first(validation, history)
                found, more = drive(ValidationGate(order, best_micros=best, wave=8), table)
                seen |= more
            cost["reference"] += len(seen)
            assert (found.gate == "validation" and found.outcome == "passed") == plain
            for task, rollout in seen.items():
                before = history.get(task, (0, 0))
                history[task] = (before[0] + rollout.passed, before[1] + 1)
            if plain:
                cost["kept"] += 1
                best, world.chances = score, chances
                table = world.outcomes(chances)
                fresh = sorted(task for task in set(world.known) - set(world.suite) if table[task].passed)
                world.suite += fresh[: SUITE_CAP - len(world.suite)]
    cost["gain"] = 100 * (world.chances[-POPULATION:].mean() - start)
    return cost


@pytest.fixture(scope="module")
def runs(make_rollout: MakeRollout) -> list[dict[str, float]]:
    names = [f"v{i:03}" for i in range(VALIDATION)] + [f"t{i:03}" for i in range(TRAFFIC)]
    pool = {(name, passed): make_rollout(name, "FP"[passed]) for name in names for passed in (False, True)}
    return [run(make_world(seed, pool, names)) for seed in range(WORLDS)]


def mean_and_error(runs: list[dict[str, float]], figure: str) -> tuple[float, float]:
    values = np.array([run[figure] for run in runs])
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size))


def test_a_run_costs_a_quarter_of_the_plain_gates_rollouts(runs: list[dict[str, float]]) -> None:
    cost, error = mean_and_error(runs, "reference")
    plain, _ = mean_and_error(runs, "plain")
    assert plain == pytest.approx(10_787, rel=0.1), "the world is the one that the goal was measured in"
    assert cost <= 2600 + 2 * error
    assert cost < 0.25 * plain


def test_the_reference_rule_truly_gains_about_five_points(runs: list[dict[str, float]]) -> None:
    gain, error = mean_and_error(runs, "gain")
    assert abs(gain - 5.4) <= 2 * error
