"""Whose fault is a fault? An agent that can end its own rollouts as faults could hide what it would fail.

Where faults stand between a candidate and its rejection, both agents run the same tasks anew, side by side, in a few
rounds. An outage meets both, and the run waits for it. Faults of the candidate alone, more than chance would give
it, are its own doing: it cannot be measured, and is rejected.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import comb

from pydantic import Field

from sigmaloop.gate.finding import Pair
from sigmaloop.records import Record, Rollout

Roll = Callable[[Sequence[Pair]], Sequence[Rollout]]
"""Runs an agent on (task id, trial) pairs."""

UNMEASURABLE = "unmeasurable"
"""Reason code of the rejection."""
ALPHA = Fraction(1, 100)
"""A candidate that meets no more faults than the incumbent is rejected for them less often than this."""
ROUNDS = 5
"""At most; one task on which only the candidate faults needs them all."""
WORSE_ROUNDS = 2
"""At least: an outage that ends between the two agents' turns meets one of them, but not twice."""
MOST_TASKS = 10
CONTEST_TRIALS = 10_000_000
"""Trial numbers of these rollouts lie above all others."""


class Faults(Record):
    """How an agent's rollouts ended."""

    faults: int = Field(default=0, ge=0)
    rollouts: int = Field(default=0, ge=0)

    def after(self, rollouts: Sequence[Rollout]) -> Faults:
        faults = sum(not r.valid for r in rollouts)
        return Faults(faults=self.faults + faults, rollouts=self.rollouts + len(rollouts))


def excess(candidate: Faults, incumbent: Faults) -> Fraction:
    """Chance that so many of all faults, or more, would fall to the candidate if both agents were alike.

    Fisher's exact test, one-sided, in whole numbers; 1 where there is no fault.
    Source: Fisher 1935, The Design of Experiments.
    """
    n, m = candidate.rollouts, incumbent.rollouts
    if candidate.faults > n or incumbent.faults > m:
        raise ValueError("an agent cannot have met more faults than it had rollouts")
    faults = candidate.faults + incumbent.faults
    ways = sum(comb(n, k) * comb(m, faults - k) for k in range(candidate.faults, min(n, faults) + 1))
    return Fraction(ways, comb(n + m, faults))


class Contest(Record):
    """Both agents on the tasks that the candidate met faults on, at the same time."""

    candidate: Faults = Faults()
    incumbent: Faults = Faults()
    rounds: int = Field(default=0, ge=0)
    worse: int = Field(default=0, ge=0)
    """Rounds in which the candidate met more faults than the incumbent."""
    trial: int = CONTEST_TRIALS
    """First trial number of its rollouts; each round has the next."""

    @property
    def unmeasurable(self) -> bool:
        """The candidate meets faults that the incumbent does not."""
        return self.worse >= WORSE_ROUNDS and excess(self.candidate, self.incumbent) < ALPHA

    @property
    def over(self) -> bool:
        """Nothing more to learn: decided, or the candidate's share of faults is no larger than the incumbent's."""
        mine, others = self.candidate, self.incumbent
        alike = self.rounds > 0 and mine.faults * others.rollouts <= others.faults * mine.rollouts
        return alike or self.unmeasurable or self.rounds >= ROUNDS

    def after(self, candidate: Sequence[Rollout], incumbent: Sequence[Rollout]) -> Contest:
        """With one more round."""
        mine, others = self.candidate.after(candidate), self.incumbent.after(incumbent)
        worse = mine.faults - self.candidate.faults > others.faults - self.incumbent.faults
        return Contest(
            candidate=mine, incumbent=others, rounds=self.rounds + 1, worse=self.worse + worse, trial=self.trial
        )

    @property
    def message(self) -> str:
        mine, others = self.candidate, self.incumbent
        return (
            f"the changed agent cannot be measured: {mine.faults} of its {mine.rollouts} rollouts ended in an "
            f"infrastructure fault, {others.faults} of {others.rollouts} of the unchanged agent's on the same tasks at "
            "the same time"
        )


def contest(tasks: Sequence[str], candidate: Roll, incumbent: Roll, *, trial: int) -> Contest:
    """Run both agents on these tasks, round by round, until it is known whose faults they are.

    `trial`: number of trials that neither agent has run, for what is known of them says nothing of now.
    """
    state = Contest(trial=trial)
    while tasks and not state.over:
        pairs = [(task, trial + state.rounds) for task in tasks[:MOST_TASKS]]
        state = state.after(candidate(pairs), incumbent(pairs))
    return state
