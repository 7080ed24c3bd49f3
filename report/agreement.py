"""Do two certificates of one run say the same? And how many trials would settle what an interval leaves open?"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, sqrt

from sigmaloop.memory.overview import Result
from sigmaloop.records import Certificate, student_t

MOST_TRIALS = 64
"""More trials of the same tasks than this are no advice: more tasks are."""


def differ(one: Certificate, other: Certificate) -> bool:
    """Whether two differences are further apart than chance explains: more than 1.96 joint standard errors."""
    joint = sqrt(one.standard_error**2 + other.standard_error**2)
    return joint > 0 and abs(one.difference - other.difference) > 1.96 * joint


def trials_to_settle(certificate: Certificate, trials: Iterable[Result]) -> int | None:
    """Trials of each task with which a difference of this size would be certain; None when only more tasks help.

    `trials`: the certificate's own rollouts. The error of the difference has a part that more trials make smaller,
    W / (tasks x trials), and one that they do not: that tasks differ in how much they changed.
    """
    if certificate.tasks < 5 or not certificate.difference:
        return None
    t, n, k = student_t(certificate.tasks - 1), certificate.tasks, certificate.trials
    within = _within(trials)
    if within is None:
        return None
    between = max(0.0, certificate.standard_error**2 - within / (n * k))
    room = (certificate.difference / t) ** 2 - between
    if room <= 0:
        return None
    needed = ceil(within / (n * room))
    return needed if k < needed <= MOST_TRIALS else None


def _within(trials: Iterable[Result]) -> float | None:
    """Mean over tasks of both agents' variances of one trial, added up; None without a second trial of anything."""
    rewards: dict[tuple[str, str], list[float]] = {}
    for trial in trials:
        if trial.reward is not None:
            rewards.setdefault((trial.agent, trial.task_id), []).append(trial.reward)
    by_agent: dict[str, list[float]] = {}
    for (agent, _), found in rewards.items():
        if len(found) > 1:
            mean = sum(found) / len(found)
            by_agent.setdefault(agent, []).append(sum((x - mean) ** 2 for x in found) / (len(found) - 1))
    if len(by_agent) < 2:
        return None
    return sum(sum(variances) / len(variances) for variances in by_agent.values())
