"""Promotion: which tasks join the regression suite once a change has been kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sigmaloop.gate.finding import Pair, RunMore
from sigmaloop.records import Rollout


class Promotion:
    """Tasks that pass so many times in a row; a first failure, or a fault, ends a task's row."""

    def __init__(self, tasks: Sequence[str], *, passes: int, first_trial: int) -> None:
        self._tasks = tuple(dict.fromkeys(tasks))
        self._rows = {task: [(task, first_trial + k) for k in range(passes)] for task in self._tasks}

    def step(self, rollouts: Collection[Rollout], /) -> RunMore | tuple[str, ...]:
        """What to run next, or the tasks that are promoted, in the order given."""
        seen = {(r.key.task_id, r.key.trial): r for r in rollouts}
        promoted: list[str] = []
        ask: list[Pair] = []
        for task in self._tasks:
            missing = next((pair for pair in self._rows[task] if pair not in seen or not seen[pair].passed), None)
            if missing is None:
                promoted.append(task)
            elif missing not in seen:
                ask.append(missing)
        return RunMore(pairs=tuple(ask)) if ask else tuple(promoted)
