"""A benchmark from a test suite that writes a JUnit report: pytest, vitest, promptfoo and most others.

class Suite(Junit):
    name = "suite"
    command = ("python", "-m", "pytest", "-q", "tests", "--junitxml={report}", "--agent={agent}")

Every test is a task. Passed is 1, a failure 0; an error or a skip is a fault of the suite, never of the agent. Which
tests there are, and in which split, is written to `tasks_file` the first time, from a run with an agent that does
nothing, and stays so: a test that comes later is no task until you delete the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.parsers import expat

from pydantic import TypeAdapter, ValidationError

from sigmaloop.errors import BadInput
from sigmaloop.eval.benchmark import BenchmarkRunner
from sigmaloop.eval.benchmarks.command import run_command
from sigmaloop.eval.benchmarks.program import home_of
from sigmaloop.eval.benchmarks.splits import SHARES, split_of
from sigmaloop.eval.controls import CONTROLS, NULL
from sigmaloop.eval.results import TaskResult, steps
from sigmaloop.records import Split, Task

_FROZEN = TypeAdapter(dict[str, Split])


class Junit(BenchmarkRunner):
    """Tasks are tests. Subclass it and set `command`; `{agent}` and `{report}` are replaced by paths."""

    name = "junit"
    command: Sequence[str] = ()
    seconds: float = 1800.0
    """For one run of the suite."""
    tasks_file: str | Path = "tasks.json"
    """Beside the module of the subclass, unless absolute."""
    shares: Mapping[Split, float] = SHARES

    def tasks(self, split: Split) -> Sequence[Task]:
        return [
            Task(id=name, split=place, request_type=_group(name))
            for name, place in self._frozen.items()
            if place == split
        ]

    def run(self, agent: str, task_ids: Sequence[str], *, seeds: Mapping[str, int]) -> Mapping[str, TaskResult]:
        """The whole suite, once; it is told no seed."""
        results, ended = self._suite(agent)
        missing = TaskResult(reward=None, detail=f"the test is not in the report ({ended})")
        return {task_id: results.get(task_id, missing) for task_id in task_ids}

    @cached_property
    def _frozen(self) -> dict[str, Split]:
        path = home_of(type(self)) / self.tasks_file
        if not path.exists():
            results, ended = self._suite(CONTROLS[NULL])
            if not results:
                raise BadInput(f"benchmark {self.name}: the report of its command has no tests ({ended})")
            found = {name: split_of(name, self.shares) for name in sorted(results)}
            path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        try:
            return _FROZEN.validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise BadInput(f"{path} cannot be read: {error}; delete it to have it written anew") from None

    def _suite(self, agent: str) -> tuple[dict[str, TaskResult], str]:
        if not any("{report}" in part for part in self.command) or not any("{agent}" in part for part in self.command):
            raise BadInput(f"benchmark {self.name}: `command` must say where {{agent}} and {{report}} go")
        with TemporaryDirectory() as folder:
            source, report = Path(folder, "agent.py"), Path(folder, "report.xml")
            source.write_text(agent, encoding="utf-8")
            places = {"{agent}": str(source), "{report}": str(report)}
            command = [_filled(part, places) for part in self.command]
            ended = run_command(command, folder=home_of(type(self)), seconds=self.seconds)
            if not report.exists():
                return {}, ended
            try:
                return read_report(report.read_bytes()), ended
            except expat.ExpatError as error:
                return {}, f"its report is not XML: {error}; {ended}"


def read_report(data: bytes) -> dict[str, TaskResult]:
    """Results by `class::test`. Entities are not expanded. Raises ExpatError for what is not XML.

    A name that comes twice is one task: the worst of its results counts.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = reader.begin, reader.end
    parser.CharacterDataHandler = reader.text
    parser.EntityDeclHandler = _refuse
    parser.Parse(data, True)
    return reader.results


class _Reader:
    """Collects test cases from the events of a parser."""

    def __init__(self) -> None:
        self.results: dict[str, TaskResult] = {}
        self._name = ""
        self._problem: str | None = None
        self._words = ""

    def begin(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "testcase":
            self._name = "::".join(filter(None, (attributes.get("classname"), attributes.get("name"))))
            self._problem, self._words = None, ""
        elif tag in ("failure", "error", "skipped") and self._problem != "error":
            self._problem = tag
            self._words += attributes.get("message", "") + "\n"

    def text(self, data: str) -> None:
        if self._problem:
            self._words += data

    def end(self, tag: str) -> None:
        if tag == "testcase":
            result = _result(self._problem, self._words.strip())
            known = self.results.get(self._name)
            self.results[self._name] = result if known is None else min(known, result, key=_badness)


def _result(problem: str | None, words: str) -> TaskResult:
    line = " ".join(words.split())[:300]
    if problem is None:
        return TaskResult(reward=1.0)
    if problem == "failure":
        return TaskResult(reward=0.0, detail=line, trace=steps([("error", words)]))
    return TaskResult(reward=None, detail=f"the test ended in {problem}: {line}")


def _badness(result: TaskResult) -> float:
    return -1.0 if result.reward is None else result.reward


def _refuse(*_: object) -> None:
    raise expat.ExpatError("entities are not allowed")


def _filled(part: str, places: Mapping[str, str]) -> str:
    for mark, path in places.items():
        part = part.replace(mark, path)
    return part


def _group(name: str) -> str:
    """The request type: the test's file or class."""
    return name.rpartition("::")[0].rpartition(".")[2] or "test"
