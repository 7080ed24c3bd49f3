"""The interface of a strategy: made from `SearchRules`, it remembers nothing; all that it knows is the `Field`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, Protocol

from pydantic import Field as Constrained

from sigmaloop.gate.finding import Finding
from sigmaloop.records import Record, Rollout
from sigmaloop.search.words import Field, Group, Pick, Screening, Slot

StrategyName = Literal["compose", "single", "race", "portfolio", "evolve", "pareto", "paste"]


class SearchRules(Record):
    """Every number that a strategy decides by."""

    strategy: StrategyName = "compose"
    width: int = Constrained(default=8, ge=1)
    """Slots of a portfolio."""
    tries: int = Constrained(default=3, ge=1)
    """Drafts a slot, the first included."""
    merge: int = Constrained(default=5, ge=1)
    """Drafts that a portfolio merges at most."""
    few: int = Constrained(default=4, ge=0)
    """`compose` falls back to a portfolio with at most so many parts."""
    population: int = Constrained(default=6, ge=2)
    generations: int = Constrained(default=3, ge=1)
    siblings: int = Constrained(default=4, ge=1)
    minibatch: int = Constrained(default=3, ge=1)
    pool: int = Constrained(default=8, ge=1)
    target_score: float = Constrained(default=1.0, gt=0, le=1)
    targets: int = Constrained(default=5, ge=1)
    target_trials: int = Constrained(default=2, ge=1)
    target_floor: float = Constrained(default=0.4, ge=0, le=1)
    looks: tuple[tuple[int, float], ...] = ((8, 0.2), (16, 0.5))
    """Probe rollouts, and the z below which a draft falls."""
    untyped: tuple[tuple[int, float], ...] = ((8, -0.3), (16, 0.0))
    """The same where a benchmark has no request types: probes are then any training tasks."""
    bank_trials: int = Constrained(default=2, ge=1)
    gate_cost: int = Constrained(default=85, ge=1)
    """Rollouts that an attempt costs on average: what a round must be able to pay from its batch's share."""
    gate_most: int = Constrained(default=340, ge=1)
    """That one can cost: what the whole run must still hold."""


class Ask(Record):
    """One rollout that a screening needs."""

    group: str
    """Group id; empty for the incumbent."""
    task: str
    trial: int


class RunGroups(Record):
    """Run these and step again."""

    asks: tuple[Ask, ...]


Results = Collection[tuple[Ask, Rollout]]


class Stage(Protocol):
    """A screening. Pure: the same results give the same answer, in whatever order they come."""

    groups: tuple[Group, ...]

    def step(self, results: Results, /) -> RunGroups | tuple[Screening, ...]:
        """What to run next, or how each group came out, in order of group id.

        Raises ValueError for a result that it did not ask for.
        """


class Strategy(Protocol):
    """How drafts are asked for, screened, put together and learned from."""

    rules: SearchRules

    def slots(self, field: Field) -> tuple[Slot, ...]:
        """The drafts of a new round; none when nothing may or need be written. `pick` is asked all the same."""

    def screen(self, field: Field) -> Stage:
        """Cheap rollouts on the training split for what has not been screened."""

    def pick(self, field: Field) -> Pick:
        """Ask again, screen other groups, send one to the gate, or end the round."""

    def after(self, field: Field, finding: Finding) -> Field:
        """What the gate's finding on the pending group teaches: halves, population, parts."""


def affordable(field: Field, rules: SearchRules) -> bool:
    """Whether another candidate can be paid for: on average in this batch, at worst in the run."""
    return field.budget.allows(rules.gate_cost) and field.budget.can_finish(rules.gate_most)
