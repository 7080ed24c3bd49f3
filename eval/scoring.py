"""Scoring one agent outside a run: mean reward with its interval, by request type, and how rollouts ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from sigmaloop.errors import SigmaLoopError
from sigmaloop.eval.rollouts import RolloutEngine
from sigmaloop.gate.statistics import mean_estimate, task_means, wilson_interval
from sigmaloop.records import REWARD_MICROS, Record, Rollout, Task, Usage


class ScoreSummary(Record):
    """What an agent scores on some tasks."""

    tasks: int
    trials: int
    mean: float
    """Over tasks with a valid result, of their mean rewards."""
    interval: tuple[float, float]
    """95 %: Wilson's for one trial of pass or fail, normal over tasks otherwise."""
    passed: int
    """Valid rollouts with full reward."""
    statuses: dict[str, int]
    """Rollouts by status."""
    by_request_type: dict[str, tuple[int, int]]
    """Passed and valid rollouts."""
    usage: Usage


def score_agent(
    engine: RolloutEngine,
    source: str,
    tasks: Sequence[Task],
    *,
    trials: int = 1,
    on_done: Callable[[Rollout], None] | None = None,
) -> ScoreSummary:
    """Run an agent on tasks. Raises SigmaLoopError when not a single rollout gave a valid result."""
    pairs = [(task.id, trial) for trial in range(trials) for task in tasks]
    rollouts = engine.run(source, pairs, on_done=on_done)
    return summarise(rollouts, request_types={task.id: task.request_type for task in tasks}, trials=trials)


def summarise(rollouts: Sequence[Rollout], *, request_types: Mapping[str, str], trials: int) -> ScoreSummary:
    """`request_types` by task id, of every task that was asked for."""
    valid = [r for r in rollouts if r.valid]
    if not valid:
        reason = f"the first: {rollouts[0].detail}" if rollouts else "no task was asked for"
        raise SigmaLoopError(
            f"nothing could be scored: {len(rollouts)} infrastructure faults; {reason}. Mend that and score again"
        )
    by_type: dict[str, tuple[int, int]] = {}
    for rollout in valid:
        passed, total = by_type.get(request_types[rollout.task_id], (0, 0))
        by_type[request_types[rollout.task_id]] = (passed + rollout.passed, total + 1)
    usage = Usage()
    for rollout in rollouts:
        usage += rollout.usage
    mean, interval = _mean(valid, trials)
    return ScoreSummary(
        tasks=len(request_types),
        trials=trials,
        mean=mean,
        interval=interval,
        passed=sum(r.passed for r in valid),
        statuses=dict(sorted(Counter(r.status for r in rollouts).items())),
        by_request_type=dict(sorted(by_type.items())),
        usage=usage,
    )


def _mean(valid: Sequence[Rollout], trials: int) -> tuple[float, tuple[float, float]]:
    estimate = mean_estimate(list(task_means(valid).values()))
    if trials == 1 and all(r.reward_micros in (0, REWARD_MICROS) for r in valid):
        return estimate.mean, wilson_interval(sum(r.passed for r in valid), len(valid))
    low, high = estimate.interval
    return estimate.mean, (max(0.0, low), min(1.0, high))
