"""A benchmark from a file of questions and answers: one JSON object a line.

class Capitals(Jsonl):
    name = "capitals"
    file = "capitals.jsonl"     # beside this module; rows: {"id": ..., "question": ..., "answer": ...}
    scorer = staticmethod(contains)

The agent is shown `instructions` and the question, and answers by saying something or by `session.submit`. Rows may
have `split`, `type` and `weight`; without `split`, the hash of the id decides.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import JsonValue, ValidationError

from sigmaloop.errors import BadInput
from sigmaloop.eval.benchmark import SPLITS, EpisodeBenchmark, Score
from sigmaloop.eval.benchmarks.scorers import Rubric, Scorer, as_score, contains, exact, json_equal, number
from sigmaloop.eval.benchmarks.splits import SHARES, split_of
from sigmaloop.records import JsonObject, Split, Task, digest

_ANSWERED_BY_ITSELF = (exact, contains, number, json_equal)
"""Scorers for which the expected value is an answer: a ceiling can be measured."""


class Jsonl(EpisodeBenchmark):
    """One question, one answer. Subclass it and set `file` and `scorer`."""

    name = "jsonl"
    setting = "An agent answers questions, one at a time, and is scored on each answer."
    file: str | Path = ""
    """Beside the module of the subclass, unless absolute."""
    instructions = "Answer the question. Say the answer alone."
    scorer: Scorer = staticmethod(exact)
    question, answer = "question", "answer"
    """Names of the fields."""
    shares: Mapping[Split, float] = SHARES

    def __init__(self) -> None:
        """Reads the file, once. Raises BadInput that names the line at fault."""
        self._rows = _rows(self._path(), self.question, self.answer)
        self._tasks = {task_id: self._task(task_id, row) for task_id, row in self._rows.items()}
        self.oracle: Callable[[str], Sequence[object]] | None = (
            self._oracle if self.scorer in _ANSWERED_BY_ITSELF else None
        )

    def tasks(self, split: Split) -> Sequence[Task]:
        return tuple(task for task in self._tasks.values() if task.split == split)

    def open(self, task_id: str, *, seed: int, models: object = None) -> Question:
        """A question. `models`: needed by a `Rubric`, which asks `models.judge(request)`."""
        if task_id not in self._rows:
            raise BadInput(f"{self._path()} has no row {task_id!r}")
        row = self._rows[task_id]
        scorer = self.scorer.asking(models) if isinstance(self.scorer, Rubric) else self.scorer
        return Question(self.instructions, str(row[self.question]), lambda said: scorer(said, row[self.answer]))

    def _task(self, task_id: str, row: JsonObject) -> Task:
        fields = {"split": row.get("split") or split_of(task_id, self.shares), "weight": row.get("weight", 1.0)}
        try:
            return Task(
                id=task_id,
                request_type=str(row.get("type", "task")),
                fingerprint=digest(row, self.instructions),
                **fields,
            )
        except ValidationError as error:
            problem = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise BadInput(f"{self._path()}, row {task_id!r}: {problem}; splits are {', '.join(SPLITS)}") from None

    def _path(self) -> Path:
        if not str(self.file):
            raise BadInput(f"{type(self).__name__} names no file: set `file` to one with a JSON object a line")
        home = getattr(sys.modules.get(type(self).__module__), "__file__", None)
        return Path(home or ".").parent / self.file

    def _oracle(self, task_id: str) -> Sequence[object]:
        expected = self._rows[task_id][self.answer]
        if self.scorer is contains and isinstance(expected, list):
            return [("submit", " ".join(str(part) for part in expected))]
        return [
            (
                "submit",
                expected if isinstance(expected, str) and self.scorer is not json_equal else json.dumps(expected),
            )
        ]


class Question:
    """One question; the first thing that is said or submitted is the answer."""

    tools: Sequence[JsonObject] = ()

    def __init__(self, instructions: str, opening: str, score: Callable[[str], object]) -> None:
        self.instructions = instructions
        self.opening = opening
        self._score = score
        self._said: str | None = None

    def act(self, name: str, arguments: Mapping[str, JsonValue]) -> str:
        return f"Error: there is no tool {name}; say the answer"

    def say(self, text: str) -> None:
        self.submit(text)

    def submit(self, answer: object) -> None:
        if self._said is None:
            self._said = answer if isinstance(answer, str) else json.dumps(answer)

    def score(self) -> Score:
        """0 without an answer. What a scorer of your own raises is a fault of the benchmark, never the agent's."""
        if self._said is None or not self._said.strip():
            return Score(reward=0.0, missing="no answer was given")
        return as_score(self._score(self._said))


def _rows(path: Path, question: str, answer: str) -> dict[str, JsonObject]:
    """Rows by id; a row without one is called by the hash of its question."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}; it must be UTF-8 with a JSON object a line") from None
    found: list[tuple[str, JsonObject]] = []
    for number_of_line, line in enumerate(lines, 1):
        if line.strip():
            row = _row(line, f"{path}, line {number_of_line}", question, answer)
            found.append((str(row.get("id") or f"row-{digest(row[question], size=10)}"), row))
    twice = [task_id for task_id, count in Counter(task_id for task_id, _ in found).items() if count > 1]
    if twice:
        raise BadInput(f"{path}: {len(twice)} ids or questions stand more than once: {', '.join(twice[:5])}")
    if not found:
        raise BadInput(f"{path} has no rows")
    return dict(found)


def _row(line: str, place: str, *fields: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise BadInput(f"{place}: not valid JSON ({error})") from None
    missing = [field for field in fields if not isinstance(row, dict) or field not in row]
    if missing:
        raise BadInput(f"{place}: an object with {' and '.join(fields)} is needed; {', '.join(missing)} is missing")
    return dict(row)
