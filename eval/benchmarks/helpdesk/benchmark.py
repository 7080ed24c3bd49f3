"""The helpdesk benchmark: customer service in retail, airline and telecom, with scripted customers.

Reward 1 when the final database is the expected one and everything was said that had to be said, else 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sigmaloop.errors import BadInput
from sigmaloop.eval.benchmark import Episode, EpisodeBenchmark
from sigmaloop.eval.benchmarks.helpdesk.domains.desks import DESKS
from sigmaloop.eval.benchmarks.helpdesk.episode import HelpdeskEpisode
from sigmaloop.eval.benchmarks.helpdesk.requests import Call
from sigmaloop.eval.benchmarks.helpdesk.tasks import GENERATION_SEED, HelpdeskTask, all_tasks
from sigmaloop.records import JsonObject, Record, Split, Task


class OracleStep(Record):
    """A step of a gold script: a tool call, or something to say."""

    kind: Literal["act", "say"]
    text: str = ""
    tool: str = ""
    arguments: JsonObject = {}


class Helpdesk(EpisodeBenchmark):
    """580 generated tasks over 31 request types; the same ones everywhere and always."""

    name = "helpdesk"
    version = "2"
    setting = "An agent serves the customers of an online shop, an airline and a phone company by chat and with tools."

    def __init__(self, seed: int = GENERATION_SEED) -> None:
        """Another `seed` makes another benchmark: tasks of the same kinds that nobody has seen."""
        self._seed = seed

    def tasks(self, split: Split) -> Sequence[Task]:
        return tuple(entry.task for entry in all_tasks(self._seed).values() if entry.task.split == split)

    def open(self, task_id: str, *, seed: int) -> HelpdeskEpisode:
        """A fresh episode; the customers are scripted, so the seed changes nothing."""
        task = self._find(task_id)
        return HelpdeskEpisode(task, DESKS[task.kind.domain])

    def explain(self, episode: Episode) -> str:
        """The first expected fact that is missing or differs; for training tasks only."""
        return episode.explain() if isinstance(episode, HelpdeskEpisode) else ""

    def oracle(self, task_id: str) -> tuple[OracleStep, ...]:
        """The gold script of a task, for conformance checks only: it earns reward 1."""
        task = self._find(task_id)
        tools, script = DESKS[task.kind.domain].tools, task.script
        steps = [_act(step) for step in task.calls if not tools[step.tool].writes]
        busy = task.busy
        for number, case in enumerate(script.cases, 1):
            if case.confirm:
                steps.append(OracleStep(kind="say", text=case.confirm))
            for write in case.writes:
                steps += [_act(write)] * (2 if busy else 1)
                busy = False
            closes = script.second == "close" or number == len(script.cases)
            tell = f"{case.tell} {CLOSING}" if closes else case.tell
            steps += [OracleStep(kind="say", text=tell)] * (1 + len(case.insists)) if case.tell else []
        return tuple(steps)

    def _find(self, task_id: str) -> HelpdeskTask:
        task = all_tasks(self._seed).get(task_id)
        if task is None:
            raise BadInput(f"helpdesk has no task {task_id!r}; `sigmaloop benchmark list helpdesk` lists them")
        return task


CLOSING = "Is there anything else I can help you with?"


def _act(call: Call) -> OracleStep:
    return OracleStep(kind="act", tool=call.tool, arguments=dict(call.arguments))
