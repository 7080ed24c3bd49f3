"""Runs what models wrote: every test of a repository in a child of its own, inside the sandbox, never in here."""

from __future__ import annotations

import json
import threading
import weakref
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import resources
from typing import NoReturn

from sigmaloop.errors import SandboxError, UpstreamError
from sigmaloop.eval.benchmarks.coding.repository import Case, Files
from sigmaloop.records import JsonObject, digest
from sigmaloop.tools.sandbox.supervisor import Supervisor
from sigmaloop.tools.sandbox.tiers.tiers import Sandbox

SECONDS = 5.0
"""For all tests of a repository together; the shipped ones take milliseconds."""
_REPORT = 8_000
_REMEMBERED = 5_000


class Workbench:
    """A sandbox for repositories, started with the first one. Thread-safe."""

    def __init__(self, sandbox: Sandbox = "auto", *, seconds: float = SECONDS) -> None:
        self._supervisor = Supervisor(
            step_seconds=seconds, rollout_seconds=seconds, cpu_seconds=seconds, max_steps=2, sandbox=sandbox
        )
        self._lock = threading.Lock()
        self._known: dict[str, tuple[bool, ...]] = {}
        self.close = weakref.finalize(self, self._supervisor.stop)
        """Ends the sandbox; at the latest when the process ends."""

    def report(self, files: Files) -> str:
        """What running the tests shows, as text for the agent. Raises SandboxError for faults of ours."""
        answer, ended = self._run({"files": dict(files), "cases": None})
        if not isinstance(answer, list):
            return f"The tests could not be run to their end: {ended or 'they ended the interpreter'}"
        lines = [f"{file} {test}\n{problem}" for file, test, problem in map(_entry, answer) if problem]
        passed = len(answer) - len(lines)
        text = "\n\n".join([*(f"FAILED {line}" for line in lines), f"{passed} passed, {len(lines)} failed"])
        return text if len(text) <= _REPORT else f"{text[:_REPORT]}...\n{passed} passed, {len(lines)} failed"

    def outcomes(self, files: Files, setup: str, cases: Sequence[Case]) -> tuple[bool, ...]:
        """Which checks give what they must. One and the same repository is run once. Raises SandboxError."""
        key = digest(dict(files), setup, [case.code for case in cases], [case.expected for case in cases], size=32)
        with self._lock:
            known = self._known.get(key)
        if known is None:
            order = {"files": dict(files), "setup": setup, "cases": [case.code for case in cases]}
            answer, _ = self._run(order)
            given = answer if isinstance(answer, list) and len(answer) == len(cases) else [None] * len(cases)
            known = tuple(got == case.expected for got, case in zip(given, cases, strict=True))
            with self._lock:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                self._known[key] = known
        return known

    def _run(self, order: JsonObject) -> tuple[object, str]:
        """What came out, and how it ended otherwise."""
        for again in (True, False):
            table = _Table(json.dumps(order))
            result = self._supervisor.run(_inside(), table)
            if not (result.doubtful and again):
                break
        if result.status == "infra":
            raise SandboxError(f"the tests could not be run: {result.detail}")
        return table.answer, result.detail


class _Table:
    """The parent's side: hands out the order, takes the first answer, offers nothing else."""

    def __init__(self, order: str) -> None:
        self._order = order
        self._taken = False
        self.answer: object = None

    def init(self) -> JsonObject:
        return {"instructions": "", "tools": [], "opening": self._order}

    def act(self, name: str, arguments: Mapping[str, object]) -> str:
        return "Error: there are no tools in here"

    def say(self, text: str) -> None:
        return None

    def submit(self, answer: object) -> None:
        if not self._taken:
            self._taken, self.answer = True, answer

    def llm(self, request: JsonObject) -> NoReturn:
        raise UpstreamError("tests call no model", status=402)


def _entry(found: object) -> tuple[str, str, str]:
    """A test's file, name and problem; what the child made up of another shape is a problem, too."""
    if isinstance(found, list) and len(found) == 3:
        return str(found[0]), str(found[1]), str(found[2])
    return "", "", f"an unreadable result: {str(found)[:200]}"


@lru_cache(maxsize=1)
def _inside() -> str:
    return resources.files("sigmaloop.eval.benchmarks.coding").joinpath("inside.py").read_text(encoding="utf-8")
