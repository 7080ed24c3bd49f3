"""What each of many kept parts does: all of them at once, in balanced halves.

Every rollout carries a random half of the parts under test. The design comes in pairs of a half and its complement, so
that every part is in exactly half of the agents. A coin for each part, not a sample of half of them: were all halves of
one size, what all parts do together could not be told. Effects are the coefficients of a regression of the reward on
the parts, with the task as a factor: what makes a task hard is common to all halves, and drops out. A test of 1,500
rollouts tells 30 parts to a standard error of about 2 points; one by one the gate needs 85 rollouts for each of them.
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
HARMS = -1.3
"""A part whose effect lies so many errors below 0 is taken out, if the gate agrees."""
IDLE = 1.0
"""Within so many errors of 0 a part does nothing that could be seen."""
COSTS = 240
"""Characters from which a part that does nothing costs: it is read in every call."""
TEST = 750
"""Rollouts of one test."""
LEAST_TEST = 300
PARTS_SHARE = 0.25
"""Of the run's rollouts that may go into part tests."""
SETTLED = 0.02
"""Standard error from which a part's effect is known well enough: two points."""
CLEAR = 1.0
"""A part so many errors above 0 is left alone."""
DOUBTFUL = -0.5
"""Below, a part is tested again even when few others are."""
ROLLOUTS_AN_AGENT = 2
"""Each half is run so often only: few halves for many parts could not tell them apart, however often they are run."""
MOST_REMOVALS = 3


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
    pairs = rollouts // (2 * ROLLOUTS_AN_AGENT)
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
        half = {name for name in names if dice.random() < 0.5}
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
    for row, outcome in enumerate(outcomes):
        for name in outcome.parts:
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


def owed(field: Field) -> bool:
    """Whether kept parts should be measured before anything new is written: enough of them are unsettled."""
    unsettled = [part for part in field.parts if _unsettled(part)]
    enough = len(unsettled) >= FEWEST or (len(unsettled) > 1 and _suspects(field))
    return enough and field.on_parts + LEAST_TEST <= PARTS_SHARE * field.budget.total


def due(field: Field) -> ProbeParts | None:
    """The test that is owed, once the budget allows it.

    What a test tells of one part depends on all its rollouts, not on how many parts share them: all unsettled ones go
    together. A part is settled once its effect is known well enough, or is clearly not below 0; one that passed probes
    of its own is, too.
    """
    budget = field.budget
    affordable = int(min(TEST, budget.left, PARTS_SHARE * budget.total - field.on_parts))
    if not owed(field) or affordable < LEAST_TEST:
        return None
    return ProbeParts(parts=tuple(sorted(p.draft for p in field.parts if _unsettled(p))), rollouts=affordable)


def _unsettled(part: KeptPart) -> bool:
    z = _z(part)
    if part.probed and not part.tested:
        return False
    return z is None or ((part.error or 1.0) > SETTLED and z < CLEAR)


def _suspects(field: Field) -> bool:
    return any(HARMS <= (_z(part) or 0.0) < DOUBTFUL and _unsettled(part) for part in field.parts)


def removal(field: Field) -> Candidate | None:
    """Parts that harm, as one candidate; those whose removal the gate rejected three times stay."""
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
