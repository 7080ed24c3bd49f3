"""One repair: the agent's copy of a repository, the tools on it, and the hidden checks at the end."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib import resources

from pydantic import JsonValue

from sigmaloop.eval.benchmark import Score
from sigmaloop.eval.benchmarks.coding.tasks import CodingTask
from sigmaloop.eval.benchmarks.coding.workbench import Workbench
from sigmaloop.records import JsonObject

_NAME = re.compile(r"[A-Za-z0-9_][\w.-]{0,79}")
_MOST_FILES = 30


class CodingEpisode:
    """All of it is in memory; only the tests run elsewhere."""

    def __init__(self, task: CodingTask, workbench: Workbench) -> None:
        self._task = task
        self._workbench = workbench
        self._files = dict(task.files)
        self._tools: dict[str, tuple[Callable[..., str], tuple[str, ...]]] = {
            "list_files": (self._list_files, ()),
            "read_file": (self._read_file, ("path",)),
            "write_file": (self._write_file, ("path", "content")),
            "replace": (self._replace, ("path", "old", "new")),
            "run_tests": (self._run_tests, ()),
        }

    @property
    def instructions(self) -> str:
        return _policy()

    @property
    def tools(self) -> Sequence[JsonObject]:
        return TOOLS

    @property
    def opening(self) -> str:
        whole = self._task.repository
        reports = "\n".join(f"- {bug.report}" for bug in self._task.bugs)
        return f"Repository {whole.name}. {whole.about}\nReported:\n{reports}\nFiles: {', '.join(self._task.files)}"

    def act(self, name: str, arguments: Mapping[str, JsonValue]) -> str:
        if name not in self._tools:
            return f"Error: there is no tool {name}; tools: {', '.join(self._tools)}"
        tool, fields = self._tools[name]
        if set(arguments) != set(fields):
            return f"Error: {name} takes {', '.join(fields) or 'no arguments'}"
        wrong = [field for field in fields if not isinstance(arguments[field], str)]
        if wrong:
            return f"Error: {', '.join(wrong)} must be a text"
        return tool(*(arguments[field] for field in fields))

    def say(self, text: str) -> None:
        """Whatever is said first ends the work."""

    def submit(self, answer: object) -> None:
        """Handing in is saying that it is done: the files are the answer."""

    def score(self) -> Score:
        """1 when every hidden check gives what it must and no test was touched, else 0."""
        before, after = self._outcomes(self._task.files), self._outcomes(self._files)
        reported = [now for was, now in zip(before, after, strict=True) if not was]
        kept = [now for was, now in zip(before, after, strict=True) if was]
        touched = any(self._files.get(name) != text for name, text in self._task.files.items() if _is_test(name))
        failing = after.count(False)
        missing = [f"{failing} of {len(after)} checks of what it should do fail"] if failing else []
        missing += ["the tests were changed"] if touched else []
        return Score(
            reward=float(not missing),
            components={"reported": _share(reported), "kept": _share(kept), "tests_kept": float(not touched)},
            missing="; ".join(missing),
        )

    def _outcomes(self, files: Mapping[str, str]) -> tuple[bool, ...]:
        return self._workbench.outcomes(files, self._task.repository.setup, self._task.cases)

    def _list_files(self) -> str:
        return "\n".join(f"{name} ({len(text.splitlines())} lines)" for name, text in sorted(self._files.items()))

    def _read_file(self, path: str) -> str:
        return self._files[path] if path in self._files else self._unknown(path)

    def _write_file(self, path: str, content: str) -> str:
        if not _NAME.fullmatch(path):
            return "Error: path must be a plain file name such as names.py, without folders"
        if path not in self._files and len(self._files) >= _MOST_FILES:
            return f"Error: a repository has at most {_MOST_FILES} files"
        self._files[path] = content
        return f"{path} has {len(content.splitlines())} lines now"

    def _replace(self, path: str, old: str, new: str) -> str:
        if path not in self._files:
            return self._unknown(path)
        count = self._files[path].count(old) if old else 0
        if count != 1:
            return f"Error: old must stand exactly once in {path}, but stands there {count} times"
        self._files[path] = self._files[path].replace(old, new)
        return f"{path} is changed"

    def _run_tests(self) -> str:
        return self._workbench.report(self._files)

    def _unknown(self, path: str) -> str:
        return f"Error: there is no file {path}; files: {', '.join(sorted(self._files))}"


def _share(passed: Sequence[bool]) -> float:
    return round(sum(passed) / len(passed), 6) if passed else 1.0


def _is_test(name: str) -> bool:
    return name.startswith("test_")


@lru_cache(maxsize=1)
def _policy() -> str:
    return resources.files("sigmaloop.eval.benchmarks.coding").joinpath("policy.md").read_text(encoding="utf-8").strip()


def _tool(name: str, description: str, **fields: str) -> JsonObject:
    properties = {field: {"type": "string", "description": text} for field, text in fields.items()}
    parameters = {"type": "object", "properties": properties, "required": list(fields), "additionalProperties": False}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


TOOLS: tuple[JsonObject, ...] = (
    _tool("list_files", "List the files of the repository with their number of lines."),
    _tool("read_file", "Read a file.", path="Its name."),
    _tool("write_file", "Write a whole file, a new one or over an old one.", path="Its name.", content="All of it."),
    _tool(
        "replace",
        "Replace a text that stands exactly once in a file.",
        path="Its name.",
        old="The text that is there, with its spaces.",
        new="What stands there afterwards.",
    ),
    _tool("run_tests", "Run all tests and see which fail, and where."),
)
