"""The bank: every valid result that tells how well the incumbent does, task by task.

It begins with trials of the baseline. A kept candidate brings its own; a rejected near-copy of the incumbent
may lend its rollouts, because what it scores says more about the incumbent than nothing does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from pydantic import Field

from sigmaloop.gate.statistics import Estimate, mean_estimate
from sigmaloop.records import REWARD_MICROS, Record, Rollout


class Count(NamedTuple):
    """Results of one task."""

    reward_micros: int
    """Sum of the rewards, in whole units."""
    trials: int


class Held(Record):
    """What the bank holds of one task, in the order in which it came."""

    reward_micros: tuple[int, ...]
    """Reward of each trial, in whole units."""
    origins: tuple[str, ...]
    """Hash of the agent that earned it: the incumbent's own, or a near-copy's."""
    pass_units: int = Field(
        default=REWARD_MICROS, ge=0, exclude_if=lambda reward_micros: reward_micros == REWARD_MICROS
    )
    """Reward from which the task counts as passed."""

    @cached_property
    def count(self) -> Count:
        return Count(sum(self.reward_micros), len(self.reward_micros))


class Bank(Record):
    """The pooled results of the incumbent by task id; a task without a valid result is missing."""

    held: dict[str, Held] = {}
    used: dict[str, int] = {}
    """Trials of the incumbent that were spent on a task before it was forgotten: it is measured with later ones."""

    def count(self, task: str) -> Count:
        held = self.held.get(task)
        return held.count if held else Count(0, 0)

    def counts(self, tasks: Iterable[str]) -> dict[str, Count]:
        """Counts of those of the tasks that were measured."""
        return {task: self.held[task].count for task in tasks if task in self.held}

    def pass_rate(self, task: str) -> Fraction | None:
        """Share of a task's trials that passed; None when it was never measured."""
        held = self.held.get(task)
        return (
            Fraction(
                sum(reward_micros >= held.pass_units for reward_micros in held.reward_micros), len(held.reward_micros)
            )
            if held
            else None
        )

    def estimate(self, tasks: Iterable[str]) -> Estimate:
        """The incumbent's mean over those tasks that were measured, with its error over tasks.

        Raises ValueError when none was.
        """
        return mean_estimate([c.reward_micros / (c.trials * REWARD_MICROS) for c in self.counts(tasks).values()])

    def joined(self, rollouts: Iterable[Rollout], *, cap: int) -> Bank:
        """With more results, in order of task and trial, while a task holds fewer than `cap`; faults left out."""
        held = dict(self.held)
        for task, results in by_task(rollouts).items():
            known = held.get(task, _NOTHING)
            room = max(0, cap - len(known.reward_micros))
            if room:
                held[task] = Held(
                    reward_micros=known.reward_micros + tuple(r.reward_micros for r in results[:room]),
                    origins=known.origins + tuple(r.key.agent for r in results[:room]),
                    pass_units=results[0].pass_units,
                )
        return self.model_copy(update={"held": held})

    def carrying(self, other: Bank, tasks: Iterable[str]) -> Bank:
        """With what another bank holds of these tasks, in place of its own."""
        taken = {task: other.held[task] for task in sorted(tasks) if task in other.held}
        return self.model_copy(update={"held": {**self.held, **taken}})

    def without(self, tasks: Iterable[str]) -> Bank:
        """Without anything on these tasks."""
        gone = set(tasks)
        return self.model_copy(update={"held": {task: held for task, held in self.held.items() if task not in gone}})

    def forgetting(self, tasks: Iterable[str], *, trials: int) -> Bank:
        """Without anything on these tasks, and so many trials further on: measured again they give fresh results."""
        gone = tuple(tasks)
        used = {**self.used, **{task: self.used.get(task, 0) + trials for task in gone}}
        return self.without(gone).model_copy(update={"used": used})


_NOTHING = Held(reward_micros=(), origins=())


def by_task(rollouts: Iterable[Rollout]) -> dict[str, list[Rollout]]:
    """The valid rollouts by task id, each task's in order of trial."""
    rows: dict[str, list[Rollout]] = {}
    for rollout in sorted(rollouts, key=_place):
        if rollout.valid:
            rows.setdefault(rollout.task_id, []).append(rollout)
    return rows


def counted(rollouts: Iterable[Rollout]) -> dict[str, Count]:
    """Valid results by task id."""
    counts: dict[str, Count] = {}
    for rollout in rollouts:
        if rollout.valid:
            reward_micros, trials = counts.get(rollout.task_id, (0, 0))
            counts[rollout.task_id] = Count(reward_micros + rollout.reward_micros, trials + 1)
    return counts


def added(counts: Mapping[str, Count], more: Mapping[str, Count]) -> dict[str, Count]:
    """Sums of two tables of counts."""
    sums = dict(counts)
    for task, (reward_micros, trials) in more.items():
        before = sums.get(task, (0, 0))
        sums[task] = Count(before[0] + reward_micros, before[1] + trials)
    return sums


def _place(rollout: Rollout) -> tuple[str, int]:
    return rollout.key.task_id, rollout.key.trial
