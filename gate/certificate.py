"""The headline of a run: fresh trials of two agents, compared over tasks, with an interval that few tasks can bear."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sigmaloop.gate.bank import counted
from sigmaloop.gate.comparison import compare
from sigmaloop.gate.statistics import paired_difference, task_means
from sigmaloop.records import Certificate, Rollout, Split, TaskScores

SPREAD_TELLS = 20
"""From so many tasks on, how differently they changed tells the error; of fewer it is too often small by luck."""

CERTIFY_ROLLOUTS, MOST_TRIALS = 400, 4
"""What a split is certified with for each agent, unless the settings say otherwise."""


def trials_for(tasks: int, wanted: int | None = None) -> int:
    """Fresh trials of each of so many tasks: `wanted`, or as many as fit into 400 rollouts, between 1 and 4.

    A second trial of a task narrows the interval less than a second task does: so many tasks get few trials.
    """
    return wanted or max(1, min(MOST_TRIALS, CERTIFY_ROLLOUTS // max(1, tasks)))


def certificate(
    baseline_rollouts: Sequence[Rollout],
    final_rollouts: Sequence[Rollout],
    *,
    split: Split,
    simulated: bool,
    trials: int | None = None,
    agent: str = "",
) -> Certificate:
    """Fresh trials of two agents, compared over the tasks valid for both.

    Below `SPREAD_TELLS` tasks, and where all tasks changed alike, the standard error is at least that of the trials
    alone, with shrunken pass rates as the gate has them (`compare`): no spread is not no error.

    `trials` per task and agent: the most that any task has, unless given. Raises ValueError when no task is
    valid for both: look at the rollouts' coverage first.
    """
    before, after = task_means(baseline_rollouts), task_means(final_rollouts)
    difference = paired_difference(before, after)
    common = sorted(before.keys() & after.keys())
    types = {rollout.task_id: rollout.request_type for rollout in final_rollouts}
    error = difference.standard_error
    if difference.tasks < SPREAD_TELLS or error == 0:
        error = max(error, compare(counted(final_rollouts), counted(baseline_rollouts)).standard_error)
    return Certificate(
        split=split,
        agent=agent,
        tasks=difference.tasks,
        trials=trials or max(_trials(baseline_rollouts), _trials(final_rollouts)),
        baseline=sum(before[task] for task in common) / len(common),
        final=sum(after[task] for task in common) / len(common),
        difference=difference.mean,
        standard_error=error,
        infra=sum(not r.valid for r in [*baseline_rollouts, *final_rollouts]),
        simulated=simulated,
        baseline_agent=baseline_rollouts[0].key.agent,
        by_task=tuple(
            TaskScores(task_id=task, request_type=types.get(task, ""), baseline=before[task], final=after[task])
            for task in common
        ),
    )


def _trials(rollouts: Sequence[Rollout]) -> int:
    """Most trials of any task."""
    return max(Counter(r.task_id for r in rollouts).values(), default=0)
