"""Which split and which kind of request a task belongs to, so that a result tells it without its benchmark."""

from __future__ import annotations

from sigmaloop.eval.benchmark import BenchmarkRunner
from sigmaloop.records import Split

_ORDER: tuple[Split, ...] = ("train", "validation", "test")
"""The sealed split is listed last, and only when a task is in neither of the others."""


class TaskPlaces:
    """Splits and request types of a benchmark's tasks, read split by split as they are needed."""

    def __init__(self, benchmark: BenchmarkRunner) -> None:
        self._benchmark = benchmark
        self._known: dict[str, dict[str, str]] = {}
        self._unread = list(_ORDER)

    def of(self, task_id: str) -> dict[str, str]:
        """`split` and `request_type`; empty for a task that is in no split."""
        while task_id not in self._known and self._unread:
            split = self._unread.pop(0)
            for task in self._benchmark.tasks(split):
                self._known.setdefault(task.id, {"split": split, "request_type": task.request_type})
        return self._known.get(task_id, {})
