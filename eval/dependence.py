"""Do the tasks of a trial share their luck? Every standard error of the gate takes them for independent."""

from __future__ import annotations

from collections.abc import Iterable
from math import fsum
from statistics import variance
from typing import NamedTuple

from sigmaloop.records import Rollout

SURE = 0.999
"""A benchmark with independent tasks is accused of sharing luck in one check of a thousand."""


class TrialSpread(NamedTuple):
    """How much the mean reward of a trial varies from trial to trial."""

    tasks: int
    """Tasks with a reward in every trial that is not always the same."""
    trials: int
    ratio: float
    """Variance of the trials' means over the variance that independent tasks would give: 1 but for luck."""
    bound: float
    """The most that luck gives."""

    @property
    def shared(self) -> bool:
        return self.ratio > self.bound


def trial_spread(rollouts: Iterable[Rollout]) -> TrialSpread | None:
    """From the same tasks in several trials; None where fewer than five tasks vary, or fewer than three trials are.

    Expected of independent tasks: the sum of their own variances over trials, divided by tasks^2; the ratio then has
    about the distribution of chi-squared over its degrees of freedom, trials - 1.
    """
    from scipy.stats import chi2

    table: dict[str, dict[int, float]] = {}
    for rollout in rollouts:
        if rollout.reward is not None:
            table.setdefault(rollout.task_id, {})[rollout.key.trial] = rollout.reward
    trials = sorted({trial for row in table.values() for trial in row})
    rows = [[row[trial] for trial in trials] for row in table.values() if len(row) == len(trials)]
    varying = [row for row in rows if len(set(row)) > 1]
    if len(trials) < 3 or len(varying) < 5:
        return None
    expected = fsum(variance(row) for row in varying) / len(varying) ** 2
    means = [fsum(column) / len(varying) for column in zip(*varying, strict=True)]
    freedom = len(trials) - 1
    bound = float(chi2.ppf(SURE, freedom)) / freedom
    return TrialSpread(len(varying), len(trials), variance(means) / expected, bound)
