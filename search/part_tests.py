"""What each of many kept parts does: all of them at once, in balanced halves.

Every rollout carries a random half of the parts under test. The design comes in pairs of a half and its complement, so
that every part is in exactly half of the agents. Effects are the coefficients of a regression of the reward on the
parts, with the task as a factor: what makes a task hard is common to all halves, and drops out. A test of 1,500
rollouts tells 30 parts to about 3 points either way; one by one the gate would need 30 x 85 rollouts for less.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from sigmaloop.records import Record, digest
from sigmaloop.search.words import Candidate, Field, KeptPart, ProbeParts

PART_TRIALS = 5_000_000
"""First trial number of part tests."""
FEWEST = 6
"""Parts from which a test at once is cheaper than one by one."""
HARMS = -1.5
"""A part whose effect lies so many errors below 0 is taken out, if the gate agrees."""
IDLE = 1.0
"""Within so many errors of 0 a part does nothing that could be seen."""
COSTS = 240
"""Characters from which a part that does nothing costs: it is read in every call."""
ROLLOUTS_A_PART = 50
AGENTS = 60
"""Halves in one test: so many agents, half of them complements of the others."""
MOST_REMOVALS = 2


class Half(Record):
    """One agent of a part test, and what it is run on."""

    parts: tuple[str, ...]
    """Under test, and in this agent."""
    pairs: tuple[tuple[str, int], ...]
    """Task and trial."""


class Outcome(Record):
    """One rollout of a part test."""

    task: str
    parts: tuple[str, ...]
    """Of those under test, the ones that it carried."""
    reward: float


def design(parts: Sequence[str], tasks: Sequence[str], rollouts: int, *, seed: object) -> tuple[Half, ...]:
    """Halves in pairs with their complements; pairs share their tasks. Follows from the arguments, in any order.

    Raises ValueError for fewer than two parts, without tasks, or for fewer rollouts than four.
    """
    if len(parts) < 2 or not tasks or rollouts < 4:
        raise ValueError("a part test needs two parts, a task and four rollouts")
    dice = random.Random(digest("parts", seed, *sorted(parts), size=32))
    pairs = max(1, min(AGENTS // 2, rollouts // 8))
    each = rollouts // (2 * pairs)
    names, deck = sorted(parts), sorted(tasks)
    found: list[Half] = []
    row: list[tuple[str, int]] = []
    passes = 0
    for _ in range(pairs):
        while len(row) < each:
            shuffled = deck[:]
            dice.shuffle(shuffled)
            row += [(task, PART_TRIALS + passes) for task in shuffled]
            passes += 1
        mine, row = tuple(row[:each]), row[each:]
        half = set(dice.sample(names, len(names) // 2))
        found.append(Half(parts=tuple(n for n in names if n in half), pairs=mine))
        found.append(Half(parts=tuple(n for n in names if n not in half), pairs=mine))
    return tuple(found)


def effects(parts: Sequence[str], outcomes: Sequence[Outcome]) -> dict[str, tuple[float, float]]:
    """Effect and standard error of each part, in shares of score; empty when the outcomes cannot tell.

    reward = task + sum of the parts' effects + noise, by least squares. The task is taken out first (within-task
    means), which is the same as a factor for it.
    """
    names = sorted(parts)
    if not outcomes or len(names) < 1:
        return {}
    tasks = sorted({o.task for o in outcomes})
    place = {task: k for k, task in enumerate(tasks)}
    column = {name: k for k, name in enumerate(names)}
    x, y = np.zeros((len(outcomes), len(names))), np.array([o.reward for o in outcomes])
    group = np.array([place[o.task] for o in outcomes])
    for row, outcome in enumerate(sorted(range(len(outcomes)), key=lambda k: k)):
        for name in outcomes[outcome].parts:
            x[row, column[name]] = 1.0
    count = np.bincount(group, minlength=len(tasks))
    y = y - (np.bincount(group, weights=y) / count)[group]
    for k in range(len(names)):
        x[:, k] -= (np.bincount(group, weights=x[:, k]) / count)[group]
    freedom = len(outcomes) - len(tasks) - len(names)
    if freedom < 1 or np.linalg.matrix_rank(x) < len(names):
        return {}
    inverse = np.linalg.inv(x.T @ x)
    found = inverse @ (x.T @ y)
    noise = float(((y - x @ found) ** 2).sum()) / freedom
    return {name: (float(found[k]), float(np.sqrt(max(noise, 1e-12) * inverse[k, k]))) for name, k in column.items()}


def combined(old: KeptPart, fresh: tuple[float, float]) -> tuple[float, float]:
    """Two tests of one part as one, weighted by their precision."""
    if old.effect is None or not old.error:
        return fresh
    a, b = 1 / old.error**2, 1 / fresh[1] ** 2
    return (a * old.effect + b * fresh[0]) / (a + b), (1 / (a + b)) ** 0.5


def due(field: Field) -> ProbeParts | None:
    """Whether kept parts should be measured now: enough of them are untested, and the budget allows it."""
    untested = [part.draft for part in field.parts if not part.tested]
    rollouts = ROLLOUTS_A_PART * len(untested)
    if len(untested) < FEWEST or not field.budget.allows(rollouts):
        return None
    return ProbeParts(parts=tuple(sorted(untested)), rollouts=rollouts)


def doubtful(field: Field) -> ProbeParts | None:
    """A second test of the parts that look worst, before one of them is given up or spared."""
    unsure = [p for p in field.parts if p.tested == 1 and _z(p) is not None and HARMS < (_z(p) or 0) < -0.5]
    rollouts = 2 * ROLLOUTS_A_PART * len(unsure)
    if len(unsure) < 2 or not field.budget.allows(rollouts):
        return None
    return ProbeParts(parts=tuple(sorted(p.draft for p in unsure)), rollouts=rollouts)


def removal(field: Field) -> Candidate | None:
    """Parts that harm, as one candidate; those whose removal the gate rejected twice stay."""
    harmful = [p for p in field.parts if (_z(p) or 0) < HARMS and p.removals < MOST_REMOVALS]
    worst = sorted(harmful, key=lambda p: (_z(p) or 0, p.draft))
    if not worst:
        return None
    alone = any(p.removals for p in worst)
    return Candidate(removes=tuple(p.draft for p in (worst[:1] if alone else worst)))


def pruning(field: Field) -> Candidate | None:
    """Parts that were measured, do nothing that could be seen and are long. The gate asks for non-inferiority."""
    idle = [
        p for p in field.parts
        if p.tested and p.effect is not None and p.error and p.removals < 1
        and abs(p.effect) < IDLE * p.error and p.effect <= 0 and p.added >= COSTS
    ]  # fmt: skip
    return Candidate(removes=tuple(sorted(p.draft for p in idle))) if idle else None


def _z(part: KeptPart) -> float | None:
    return part.effect / part.error if part.effect is not None and part.error else None
