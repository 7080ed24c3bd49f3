"""The coding benchmark: mend a small Python repository with failing tests; hidden checks decide.

Whatever an agent wrote runs in the sandbox alone (`workbench.py`). Reward 1 when every hidden check gives what it
must and the tests are as they were, else 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from sigmaloop.errors import BadInput
from sigmaloop.eval.benchmark import EpisodeBenchmark
from sigmaloop.eval.benchmarks.coding.episode import CodingEpisode
from sigmaloop.eval.benchmarks.coding.tasks import GENERATION_SEED, CodingTask, all_tasks
from sigmaloop.eval.benchmarks.coding.workbench import Workbench
from sigmaloop.records import JsonObject, Split, Task
from sigmaloop.tools.sandbox.tiers.tiers import Sandbox


class Coding(EpisodeBenchmark):
    """180 tasks of ten kinds of bug in seven repositories; the same ones everywhere and always."""

    name = "coding"
    version = "1"
    setting = "An agent repairs small Python repositories with failing tests, by reading and editing files with tools."

    def __init__(self, seed: int = GENERATION_SEED, sandbox: Sandbox = "auto") -> None:
        """Another `seed` makes another benchmark. `sandbox`: what repositories run in; `none` protects nothing."""
        self._seed = seed
        self._workbench = Workbench(sandbox)

    def tasks(self, split: Split) -> Sequence[Task]:
        return tuple(entry.task for entry in all_tasks(self._seed).values() if entry.task.split == split)

    def open(self, task_id: str, *, seed: int) -> CodingEpisode:
        """A fresh copy of the task's repository; the seed changes nothing."""
        return CodingEpisode(self._find(task_id), self._workbench)

    def oracle(self, task_id: str) -> Sequence[tuple[str, str, JsonObject] | tuple[str, str]]:
        """The repair of a task, for conformance checks only: it earns reward 1."""
        task = self._find(task_id)
        right = {bug.file: task.repository.files[bug.file] for bug in task.bugs}
        writes = [("call", "write_file", {"path": name, "content": text}) for name, text in right.items()]
        return [*writes, ("submit", "done")]

    def close(self) -> None:
        """End the sandbox of the repositories."""
        self._workbench.close()

    def _find(self, task_id: str) -> CodingTask:
        task = all_tasks(self._seed).get(task_id)
        if task is None:
            raise BadInput(f"coding has no task {task_id!r}; its ids are like repair-0001")
        return task
