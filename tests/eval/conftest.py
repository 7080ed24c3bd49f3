"""A toy benchmark and an engine, beside the rollouts by letter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from lettered import make_rollout as make_rollout
from lettered import outcomes as outcomes

from sigmaloop.eval.benchmark import BenchmarkRunner, EpisodeBenchmark, Score
from sigmaloop.eval.rollouts import RolloutEngine
from sigmaloop.eval.store import MemoryStore, RolloutStore
from sigmaloop.records import Split, Task
from sigmaloop.tools.gateway.gateway import Gateway
from sigmaloop.tools.sandbox.supervisor import Supervisor
from sigmaloop.tools.upstream.scripted import ScriptedModel

SUM_TOOL = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Add two numbers.",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "required": ["a", "b"],
        },
    },
}


class SumEpisode:
    """A user who wants 2 + 3 and says thanks; `task` names what is broken about it, if anything."""

    instructions = "Use the tool to add."
    tools = [SUM_TOOL]
    opening = "What is 2 + 3?"

    def __init__(self, task: str, seed: int) -> None:
        self.task, self.seed = task, seed
        self.said: list[str] = []
        self.called: list[dict[str, Any]] = []
        self.submitted: list[Any] = []

    def act(self, name: str, arguments: Mapping[str, Any]) -> str:
        if self.task == "broken-act":
            raise RuntimeError("the database is on fire")
        self.called.append(dict(arguments))
        if name != "add":
            return f"Error: no tool {name}"
        return str(arguments.get("a", 0) + arguments.get("b", 0))

    def say(self, text: str) -> str | None:
        if self.task == "broken-say":
            return 5  # type: ignore[return-value]
        self.said.append(text)
        return "Thanks! And why?" if len(self.said) == 1 and self.task.startswith("chatty") else None

    def submit(self, answer: Any) -> None:
        self.submitted.append(answer)

    def score(self) -> Score:
        if self.task == "broken-score":
            raise ZeroDivisionError("no gold")
        if self.task == "nan-score":
            return Score.model_construct(reward=float("nan"), components={}, missing="")
        right = any("5" in said for said in self.said)
        return Score(reward=float(right), components={"answer": float(right)}, missing="" if right else "the sum")


class SumBenchmark(EpisodeBenchmark):
    """Tasks are whatever is asked for; it keeps every episode that it opened."""

    name = "sums"
    version = "1"

    def __init__(self) -> None:
        self.opened: list[SumEpisode] = []
        self.on_open: Callable[[SumEpisode], None] = lambda episode: None

    def tasks(self, split: Split) -> Sequence[Task]:
        return [Task(id=f"{split}-{i}", split=split, fingerprint=f"{split}{i}") for i in range(3)]

    def open(self, task_id: str, *, seed: int) -> SumEpisode:
        episode = SumEpisode(task_id, seed)
        self.opened.append(episode)
        if task_id == "broken-open":
            raise FileNotFoundError("tasks.json")
        tries = sum(e.task == task_id for e in self.opened)
        if task_id.startswith("flaky") and tries <= int(task_id[-1]):
            raise ConnectionError(f"no database yet, try {tries}")
        self.on_open(episode)
        return episode


@pytest.fixture
def sums() -> SumBenchmark:
    return SumBenchmark()


@pytest.fixture(scope="session")
def supervisor() -> Iterator[Supervisor]:
    with Supervisor(step_seconds=5, rollout_seconds=20, cpu_seconds=5, max_steps=60) as made:
        yield made


@pytest.fixture
def make_engine(sums: SumBenchmark, supervisor: Supervisor) -> Iterator[Callable[..., RolloutEngine]]:
    """`(benchmark=sums, store=new, model=a scripted one, **engine options)`; all are closed at the end."""
    opened: list[Any] = []

    def make(
        benchmark: BenchmarkRunner | None = None,
        *,
        store: RolloutStore | None = None,
        model: Any = None,
        journal: Any = None,
        **options: Any,
    ) -> RolloutEngine:
        gateway = Gateway(
            model or ScriptedModel(["It is 5."], repeat=True),
            target_model="target",
            specialist_model="specialist",
            call_journal=journal,
        )
        settings: dict[str, Any] = {"run_seed": 7, "concurrency": 4, "max_calls": 5, **options}
        engine = RolloutEngine(benchmark or sums, supervisor, gateway, store or MemoryStore(), **settings)
        opened.extend([engine.close, gateway.stop])
        return engine

    yield make
    for close in opened:
        close()
