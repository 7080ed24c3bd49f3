"""The gate in synthetic worlds: the goal table of the policies, every figure with its standard error.

    python perf/gate_worlds.py [--worlds 200] [--wave 4] [--only paired,rigorous]

Peer: the published rule as it is coded, whole suite and whole split at every attempt, and the same without its suite.
All policies meet the same worlds and the same proposals. A goal (<=, >=) is marked when it is missed by more than two
standard errors. Figures to be found again (~) were published from 200 worlds without their error: they are marked
beyond two standard errors of the difference. Waves start so many rollouts before the gate looks again: 1 is the
cheapest, and what the goals of `reference` mean.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from math import inf, sqrt
from typing import NamedTuple

from sigmaloop.gate.bank import Bank
from sigmaloop.gate.judging import AttemptInputs, judge_attempt, recall
from sigmaloop.gate.policies import make_policy
from sigmaloop.gate.policy import Policy
from sigmaloop.gate.reference import ReferencePolicy
from sigmaloop.gate.rules import Rules, default_rules
from sigmaloop.gate.statistics import Estimate
from sigmaloop.gate.worlds.figures import Figures, figures
from sigmaloop.gate.worlds.worlds import (
    BASE,
    HARD,
    NOTHING_HELPS,
    SHOCKS,
    Luck,
    SyntheticWorld,
    Terrain,
    Walk,
    WalkResult,
    WithoutSuite,
)
from sigmaloop.records import PolicyName, Rollout

# The 8.7 points that a rule without a suite reports for nothing were found with churn; this A/A world has none.
TERRAINS = {"base": BASE, "shocks": SHOCKS, "hard": HARD, "A/A": NOTHING_HELPS}
Made = Callable[[Rules], Policy]
PUBLISHED_WORLDS = 200


def without_control(rules: Rules) -> Policy:
    """The policy as it would be if a candidate past its last look were kept at once."""
    return make_policy(rules.model_copy(update={"control": None}))


COLUMNS: dict[str, tuple[Made, PolicyName, bool]] = {
    "peer": (ReferencePolicy, "reference", True),
    "peer - suite": (WithoutSuite, "reference", True),
    "reference": (ReferencePolicy, "reference", False),
    "reference - suite": (WithoutSuite, "reference", False),
    "paired": (make_policy, "paired", False),
    "paired - control": (without_control, "paired", False),
    "rigorous": (make_policy, "rigorous", False),
    "strict": (make_policy, "strict", False),
}


class Goal(NamedTuple):
    """A figure and what it should be: at most or at least so much, by column."""

    name: str
    terrain: str
    take: Callable[[Figures], Estimate | None]
    most: dict[str, float] = {}
    least: dict[str, float] = {}
    about: dict[str, float] = {}
    scale: float = 1.0


GOALS = [
    Goal("rollouts per run", "base", lambda f: f.rollouts,
         most={"reference": 2600, "reference - suite": 5400, "paired": 9000, "rigorous": 19000},
         about={"peer": 10787, "peer - suite": 9700}),
    Goal("true gain, points", "base", lambda f: f.true_gain, least={"paired": 16, "rigorous": 14.5},
         about={"peer": 5.4, "peer - suite": 11.5, "reference": 5.4, "reference - suite": 11.5}),
    Goal("rollouts per helpful keep", "base", lambda f: f.rollouts_per_helpful,
         most={"reference": 1350, "reference - suite": 1350, "paired": 1500, "rigorous": 4300},
         about={"peer": 6558, "peer - suite": 2611}),
    Goal("reported minus true, points", "base", lambda f: f.reported_minus_true,
         most={"paired": 2.5, "rigorous": 3.0}, about={"peer": 5.5, "peer - suite": 8.6}),
    Goal("certified (test) minus true", "base", lambda f: f.certified_minus_true,
         about={"peer": 0, "peer - suite": 0, "reference": 0, "paired": 0, "rigorous": 0, "strict": 0}),
    Goal("fresh on validation minus true", "base", lambda f: f.certified_on_validation_minus_true),
    Goal("harmful share of keeps, %", "base", lambda f: f.harmful_share, scale=100,
         most={"paired": 4, "rigorous": 1}, about={"peer": 4.5, "peer - suite": 5.2}),
    Goal("helpful proposals kept, %", "base", lambda f: f.power, scale=100),
    Goal("null proposals kept, %", "base", lambda f: f.null_kept, scale=100),
    Goal("suite rejects a no-op, %", "base", lambda f: f.no_op_rejected, scale=100,
         most={"paired": 10, "rigorous": 12}, about={"peer": 80}),
    Goal("a byte-identical copy kept, %", "base", lambda f: f.no_op_kept, scale=100),
    Goal("rollouts per run, shocks", "shocks", lambda f: f.rollouts),
    Goal("true gain, shocks", "shocks", lambda f: f.true_gain),
    Goal("reported minus true, shocks", "shocks", lambda f: f.reported_minus_true),
    Goal("harmful share, shocks, %", "shocks", lambda f: f.harmful_share, scale=100),
    Goal("ends worse, shocks", "shocks", lambda f: f.ends_worse),
    Goal("ends worse, base world", "base", lambda f: f.ends_worse,
         most={"paired": 0.01, "rigorous": 0.01}, about={"peer": 0.20}),
    Goal("ends worse, hard world", "hard", lambda f: f.ends_worse,
         most={"paired": 0.15, "rigorous": 0.05}, about={"peer": 0.41}),
    Goal("true gain, hard world", "hard", lambda f: f.true_gain),
    Goal("reported gain, nothing helps", "A/A", lambda f: f.reported_minus_true),
    Goal("kept of 96, nothing helps", "A/A", lambda f: f.kept),
]  # fmt: skip


def decision_seconds(policy: Policy) -> float:
    """Seconds of the gates for one kept candidate on 100 tasks, with a full suite; the best of 20."""
    world, luck = SyntheticWorld(BASE, 1), Luck([1])
    suite, bank = world.traffic[:30], Bank()
    bank = bank.joined([luck.rollout(pair, 0.5) for pair in policy.missing(bank, world.validation)], cap=12)
    inputs = AttemptInputs(tasks=world.validation, bank=bank, suite=suite, failing=world.traffic[30:35], seed="perf")
    rows = judge_attempt(policy, inputs, lambda _stage, pairs: [luck.rollout(pair, 1.0) for pair in pairs]).rollouts
    fresh = {
        stage: [Rollout(key=r.key, seed=0, status=r.status, reward=r.reward) for r in found]
        for stage, found in rows.items()
    }
    best = inf
    for _ in range(20):
        began = time.perf_counter()
        judged = judge_attempt(policy, inputs, recall(fresh))
        best = min(best, time.perf_counter() - began)
    assert judged.kept
    return best


def policy_of(column: str, wave: int) -> Policy:
    """The policy of a column."""
    make, name, _ = COLUMNS[column]
    return make(default_rules(name, wave=wave))


def walked(column: str, wave: int, terrain: Terrain, seeds: range) -> list[WalkResult]:
    """Runs of one column, in this process."""
    policy, plain = policy_of(column, wave), COLUMNS[column][2]
    return [Walk(SyntheticWorld(terrain, seed), policy, plain=plain).run() for seed in seeds]


def measure(
    columns: list[str], terrains: list[str], worlds: int, wave: int, processes: int
) -> dict[tuple[str, str], Figures]:
    """Figures by terrain and column."""
    chunk = 10
    with ProcessPoolExecutor(processes) as pool:
        waiting = {
            (name, column): [
                pool.submit(walked, column, wave, TERRAINS[name], range(first, min(first + chunk, worlds)))
                for first in range(0, worlds, chunk)
            ]
            for name in terrains
            for column in columns
        }
        return {
            place: figures([outcome for future in futures for outcome in future.result()])
            for place, futures in waiting.items()
        }


def cell(goal: Goal, column: str, found: Figures) -> tuple[str, bool]:
    """A figure as text, and whether it misses its goal by more than two standard errors."""
    estimate = goal.take(found)
    if estimate is None:
        return "-", False
    value, error = goal.scale * estimate.mean, goal.scale * estimate.standard_error
    again = 2 * error * sqrt(1 + found.worlds / PUBLISHED_WORLDS)
    missed = (
        value - 2 * error > goal.most.get(column, inf)
        or value + 2 * error < goal.least.get(column, -inf)
        or (column in goal.about and abs(value - goal.about[column]) > again)
    )
    digits = 0 if value >= 100 else 3 if abs(value) < 1 else 1
    return f"{value:.{digits}f} +-{error:.{digits}f}{' !' if missed else ''}", missed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--only", default=",".join(COLUMNS), help="columns, separated by commas")
    parser.add_argument("--terrains", default=",".join(TERRAINS), help="worlds, separated by commas")
    parser.add_argument("--wave", type=int, default=4)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    columns = [column.strip() for column in given.only.split(",")]
    began = time.perf_counter()
    terrains = [name.strip() for name in given.terrains.split(",")]
    found = measure(columns, terrains, given.worlds, given.wave, given.processes)
    took = f"{given.worlds} worlds, waves of {given.wave}, {time.perf_counter() - began:.0f} s"
    print(f"{took}; ! misses its goal by more than two s.e.\n")
    print(f"{'':<30}" + "".join(f"{column:>21}" for column in columns))
    misses = 0
    for goal in (goal for goal in GOALS if goal.terrain in terrains):
        cells = [cell(goal, column, found[goal.terrain, column]) for column in columns]
        misses += sum(missed for _, missed in cells)
        print(f"{goal.name:<30}" + "".join(f"{text:>21}" for text, _ in cells))
        bars = {**{c: f"<= {v:g}" for c, v in goal.most.items()}, **{c: f">= {v:g}" for c, v in goal.least.items()},
                **{c: f"~ {v:g}" for c, v in goal.about.items()}}  # fmt: skip
        if bars:
            print(f"{'':<30}" + "".join(f"{bars.get(column, ''):>21}" for column in columns))
    print("\none full decision on 100 tasks, model excluded:")
    for column in columns:
        print(f"  {column:<22} {1000 * decision_seconds(policy_of(column, given.wave)):6.1f} ms")
    sys.exit(1 if misses else 0)


if __name__ == "__main__":
    main()
