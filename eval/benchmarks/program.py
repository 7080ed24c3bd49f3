"""A benchmark that is a program: in another interpreter, another language, wherever its own pins hold.

class Mine(Program):
    name = "mine"
    command = ("/opt/mine/bin/python", "my_program.py")     # run in the folder of this module

The program is started as `COMMAND REQUEST RESULTS`. REQUEST is a JSON file, RESULTS a file to append JSON lines to:

{"do": "describe"}   one line for every task: {"id", "split", "request_type"?, "weight"?, "fingerprint"?}
{"do": "run", "agent": PATH, "tasks": [{"id", "seed"}]}   one line as each task ends: {"task_id", "status", "reward"?,
                     "detail"?, "components"?, "trace"?: [{"kind", "text", "tool"?, "arguments"?}]}

Statuses: ok (with a reward from 0 to 1), agent_error and timeout (reward 0), infra and skipped (no reward, tried
again). A killed program keeps the lines that it wrote; what is missing, unreadable or there twice is an infrastructure
fault of that task. What it prints is for people, and its exit code is no verdict. It sees no key.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from pydantic import ValidationError

from sigmaloop.errors import BadInput
from sigmaloop.eval.benchmark import BenchmarkRunner
from sigmaloop.eval.benchmarks.command import run_command
from sigmaloop.eval.results import TaskResult, steps
from sigmaloop.records import JsonObject, Record, Split, Task

_RESULTS_BYTES = 512 * 1024 * 1024


class ResultLine(Record):
    """A line of the results as the program writes it."""

    task_id: str
    status: Literal["ok", "agent_error", "timeout", "infra", "skipped"]
    reward: float | None = None
    detail: str = ""
    components: dict[str, float] = {}
    trace: tuple[JsonObject, ...] = ()

    def result(self) -> TaskResult:
        """Raises ValueError for an ok without a reward, or one outside [0, 1]."""
        reward: float | None = None
        if self.status == "ok":
            if self.reward is None:
                raise ValueError("status ok needs a reward")
            reward = self.reward
        elif self.status in ("agent_error", "timeout"):
            reward = 0.0
        detail = self.detail or ("" if self.status == "ok" else self.status)
        crashed = self.status in ("agent_error", "timeout")
        trace = steps(self.trace)
        return TaskResult(reward=reward, detail=detail, components=self.components, trace=trace, crashed=crashed)


class Program(BenchmarkRunner):
    """Tasks and results come from a program. Subclass it and set `command`."""

    name = "program"
    command: Sequence[str] = ()
    seconds: float = 3600.0
    """For one call: all tasks of a trial."""

    def tasks(self, split: Split) -> Sequence[Task]:
        return [task for task in self._described if task.split == split]

    def run(self, agent: str, task_ids: Sequence[str], *, seeds: Mapping[str, int]) -> Mapping[str, TaskResult]:
        with TemporaryDirectory() as folder:
            source = Path(folder, "agent.py")
            source.write_text(agent, encoding="utf-8")
            tasks = [{"id": task_id, "seed": seeds[task_id]} for task_id in task_ids]
            lines, ended = self._ask({"do": "run", "agent": str(source), "tasks": tasks}, Path(folder))
        return read_results(lines, task_ids, ended)

    @cached_property
    def _described(self) -> tuple[Task, ...]:
        """Asked once: tasks do not change in the middle of a run."""
        with TemporaryDirectory() as folder:
            lines, ended = self._ask({"do": "describe"}, Path(folder))
        if not lines:
            raise BadInput(f"benchmark {self.name}: its program described no tasks ({ended})")
        try:
            return tuple(Task.model_validate(json.loads(line)) for line in lines)
        except (ValidationError, ValueError) as error:
            raise BadInput(f"benchmark {self.name}: its program described a task wrongly: {error}") from None

    def _ask(self, request: JsonObject, folder: Path) -> tuple[list[str], str]:
        """The lines that were written, and how the program ended."""
        if not self.command:
            raise BadInput(f"benchmark {self.name} names no command: set `command` to the program and its arguments")
        asked, answered = folder / "request.json", folder / "results.jsonl"
        asked.write_text(json.dumps(request), encoding="utf-8")
        answered.touch()
        ended = run_command(
            [*self.command, str(asked), str(answered)], folder=home_of(type(self)), seconds=self.seconds
        )
        if answered.stat().st_size > _RESULTS_BYTES:
            raise BadInput(f"benchmark {self.name}: its results have more than {_RESULTS_BYTES} bytes; cut the traces")
        text = answered.read_text(encoding="utf-8", errors="replace")
        return [line for line in text.splitlines() if line.strip()], ended


def read_results(lines: Iterable[str], task_ids: Sequence[str], ended: str) -> dict[str, TaskResult]:
    """Every task that was asked for exactly once, whatever the program wrote."""
    found: dict[str, list[TaskResult]] = {}
    unreadable = 0
    for line in lines:
        try:
            entry: Any = json.loads(line)
            name = str(entry["task_id"])
        except (ValueError, LookupError, TypeError):
            unreadable += 1
            continue
        try:
            result = ResultLine.model_validate(entry).result()
        except ValueError as error:
            result = TaskResult(reward=None, detail=f"a line that breaks the protocol: {' '.join(str(error).split())}")
        found.setdefault(name, []).append(result)
    broken = f", {unreadable} lines are no results" if unreadable else ""
    missing = TaskResult(reward=None, detail=f"the program gave no result{broken} ({ended})")
    twice = TaskResult(reward=None, detail="the program gave several results that differ")
    given = {task: found.get(task, [missing]) for task in task_ids}
    return {task: all_of[0] if all(each == all_of[0] for each in all_of) else twice for task, all_of in given.items()}


def home_of(benchmark: type) -> Path:
    """The folder of the module that a benchmark is written in; the current one where there is none."""
    file = getattr(sys.modules.get(benchmark.__module__), "__file__", None)
    return Path(file).parent if file else Path.cwd()
