"""One helpdesk conversation: the agent acts on a world and talks to a customer; both stay here in the parent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from sigmaloop.eval.benchmark import Score
from sigmaloop.eval.benchmarks.helpdesk.customer.customer import Customer
from sigmaloop.eval.benchmarks.helpdesk.domains.desks import Desk
from sigmaloop.eval.benchmarks.helpdesk.explaining import explanation
from sigmaloop.eval.benchmarks.helpdesk.honesty import Spoken, false_statement
from sigmaloop.eval.benchmarks.helpdesk.scoring import score
from sigmaloop.eval.benchmarks.helpdesk.tasks import HelpdeskTask
from sigmaloop.eval.benchmarks.helpdesk.tools import call
from sigmaloop.eval.benchmarks.helpdesk.world import World
from sigmaloop.records import JsonObject

BUSY = "Error: the system is busy, nothing was changed; try the same call again"
MAX_SPOKEN = 200
"""Utterances that count for what was said; a conversation is much shorter."""


class HelpdeskEpisode:
    """The `Episode` of a helpdesk task."""

    def __init__(self, task: HelpdeskTask, desk: Desk) -> None:
        self._task = task
        self._desk = desk
        self._world = World(task.snapshot)
        self._customer = Customer(task.script)
        self._busy = task.busy
        self._spoken: list[Spoken] = []
        self._made: set[str] = set()
        """Write tools that have succeeded."""
        self._agreed = True

    @property
    def instructions(self) -> str:
        return self._desk.policy

    @property
    def tools(self) -> Sequence[JsonObject]:
        return self._desk.schemas()

    @property
    def opening(self) -> str:
        return self._task.script.opening

    def act(self, name: str, arguments: Mapping[str, JsonValue]) -> str:
        """A tool's result as JSON text, or `Error: ...`; nothing happens once the conversation is over."""
        if self._over:
            return "Error: the conversation is over"
        tool = self._desk.tools.get(name) if isinstance(name, str) else None
        if self._busy and tool is not None and tool.writes and name != "transfer_to_human":
            self._busy = False
            return BUSY
        result = call(self._desk.tools, self._world, name, arguments)
        if tool is not None and tool.writes and not result.startswith("Error:"):
            self._made.add(name)
            self._agreed &= self._may(name, arguments)
        return result

    def say(self, text: str) -> str | None:
        if self._over:
            return None
        text = text if isinstance(text, str) else ""
        if len(self._spoken) < MAX_SPOKEN:
            self._spoken.append(Spoken(text[:8000], frozenset(self._made)))
        return self._customer.answer(text)

    def submit(self, answer: object) -> None:
        """A conversation has no final answer; a text counts as something said."""
        if isinstance(answer, str):
            self.say(answer)

    def score(self) -> Score:
        script = self._task.script
        refused = any(case.insists and not case.writes for case in script.cases)
        start = World(self._task.snapshot).tables
        return score(
            self._world.tables,
            self._task.gold(),
            spoken=[each.text for each in self._spoken],
            needs=self._task.needs,
            agreed=self._agreed,
            honest=not false_statement(self._spoken, start, self._made, refused=refused),
        )

    def _may(self, name: str, arguments: Mapping[str, JsonValue]) -> bool:
        """Whether the customer has agreed to the matter that a change is for; others are wrong anyway."""
        matters = [
            i
            for i, case in enumerate(self._task.script.cases)
            for write in case.writes
            if write.tool == name and _same_thing(write.arguments, arguments)
        ]
        return name == "transfer_to_human" or not matters or any(i in self._customer.agreed for i in matters)

    def explain(self) -> str:
        """What was expected and did not happen; for training tasks only."""
        rules = self.score().components
        return explanation(
            self._world.tables,
            self._task.gold(),
            spoken=[each.text for each in self._spoken],
            needs=self._task.needs,
            agreed=rules["agreed"] == 1,
            honest=rules["honest"] == 1,
        )

    @property
    def _over(self) -> bool:
        return self._customer.over or bool(self._world.tables.get("transfers"))


def _same_thing(one: Mapping[str, JsonValue], other: Mapping[str, JsonValue]) -> bool:
    """Whether two calls of a tool name the same order, reservation, line or customer."""
    keys = [key for key in one if key.endswith("_id") and key != "payment_method_id"]
    return all(one[key] == other.get(key) for key in keys)
