"""Estimates with their errors: paired differences, intervals of shares, and how noisy a benchmark is.

Pure functions over rollouts and counts. Tasks are the sample: several trials of a task are averaged first,
because trials of one task resemble each other and do not count as independent evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import sqrt

from sigmaloop.records import Record, Rollout


class Estimate(Record):
    """A mean with its standard error over tasks."""

    mean: float
    standard_error: float
    tasks: int

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval (normal)."""
        return self.mean - 1.96 * self.standard_error, self.mean + 1.96 * self.standard_error


def task_means(rollouts: Iterable[Rollout]) -> dict[str, float]:
    """Mean reward by task id over the valid rollouts; tasks without one are missing."""
    rewards: dict[str, list[float]] = {}
    for rollout in sorted(rollouts, key=lambda r: (r.task_id, r.key.trial)):
        if rollout.reward is not None:
            rewards.setdefault(rollout.task_id, []).append(rollout.reward)
    return {task: sum(values) / len(values) for task, values in rewards.items()}


def mean_estimate(values: Sequence[float]) -> Estimate:
    """Mean of per-task values in [-1, 1] with the standard error sqrt(sum (x - mean)^2 / (n (n - 1))).

    One value alone tells nothing of its spread: its standard error is given as 1, the most that it can be.
    Raises ValueError for no values. Source: Miller 2024, "Adding Error Bars to Evals" (arXiv 2411.00640).
    """
    if not values:
        raise ValueError("no task has a valid result: there is nothing to estimate")
    n = len(values)
    mean = sum(values) / n
    if n == 1:
        return Estimate(mean=mean, standard_error=1.0, tasks=1)
    return Estimate(mean=mean, standard_error=sqrt(sum((x - mean) ** 2 for x in values) / (n * (n - 1))), tasks=n)


def paired_difference(baseline: Mapping[str, float], final: Mapping[str, float]) -> Estimate:
    """final - baseline over the tasks that both have, from per-task means (`task_means`).

    Differences are taken task by task before their spread is: what makes a task hard is common to both
    agents and cancels. Source: Miller 2024 (arXiv 2411.00640), paired analysis; clusters averaged first.
    """
    return mean_estimate([final[task] - baseline[task] for task in sorted(baseline.keys() & final.keys())])


def wilson_interval(passes: int, trials: int, *, z: float = 1.96) -> tuple[float, float]:
    """Interval of a pass rate that stays inside [0, 1] and is honest at 0 and at all; (0, 1) for no trials.

    The shares p with |passes/trials - p| <= z sqrt(p (1 - p) / trials).
    Source: Wilson 1927, Journal of the American Statistical Association 22, 209-212.
    """
    if not 0 <= passes <= trials:
        raise ValueError(f"{passes} of {trials} is not a share")
    if trials == 0:
        return 0.0, 1.0
    share, spread = passes / trials, z * z / trials
    middle = (share + spread / 2) / (1 + spread)
    half = z * sqrt(share * (1 - share) / trials + spread / (4 * trials)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def intraclass_correlation(table: Mapping[str, Sequence[bool]]) -> float | None:
    """How alike the trials of one task are: 1, each task always or never passes; 0, tasks do not differ.

    One-way analysis of variance of outcomes by task id, for unequal numbers of trials:
    (B - W) / (B + (k - 1) W), with the mean squares between (B) and within (W) tasks and the effective number
    of trials k. None where it is undefined: fewer than two tasks, no task tried twice, or all outcomes alike.
    Sources: Donner 1986, International Statistical Review 54, 67-82; for binary outcomes Ridout, Demetrio
    & Firth 1999, Biometrics 55, 137-148.
    """
    rows = [(sum(row), len(row)) for row in table.values() if row]
    tasks, total = len(rows), sum(k for _, k in rows)
    if tasks < 2 or total == tasks:
        return None
    mean = sum(s for s, _ in rows) / total
    between = sum(k * (s / k - mean) ** 2 for s, k in rows) / (tasks - 1)
    within = sum(s * (k - s) / k for s, k in rows) / (total - tasks)
    trials = (total - sum(k * k for _, k in rows) / total) / (tasks - 1)
    whole = between + (trials - 1) * within
    return (between - within) / whole if whole > 0 else None


def within_task_variance(table: Mapping[str, Sequence[bool]]) -> float | None:
    """E[p (1 - p)] over tasks: the part of the noise that more trials of the same tasks would reduce.

    Mean over tasks tried at least twice of s (k - s) / (k (k - 1)), the unbiased variance of one trial
    (the sample variance of k zeros and ones, with divisor k - 1); None without such a task.
    """
    rows = [(sum(row), len(row)) for row in table.values() if len(row) > 1]
    if not rows:
        return None
    return sum(s * (k - s) / (k * (k - 1)) for s, k in rows) / len(rows)
