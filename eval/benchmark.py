"""The contract between SigmaLoop and a benchmark.

Two sizes. The smallest benchmark names its tasks and returns `{task_id: reward}` for a batch of them
(`BenchmarkRunner.run`). A richer one (`EpisodeBenchmark`) opens an *episode* per rollout: environment, user
and scorer live here in the parent, the agent talks to them from inside the sandbox, and traces come for free.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any, Literal, Protocol, runtime_checkable

from pydantic import Field, JsonValue

from sigmaloop.errors import BadInput, boundary
from sigmaloop.eval.results import TaskResult
from sigmaloop.records import JsonObject, Record, Split, Task, digest

ModelRole = Literal["user", "judge"]


class BenchmarkModels(Protocol):
    """A benchmark's own models in one rollout: its simulated user and its judge, as `[models.user]` and
    `[models.judge]` say. Their calls are journaled, budgeted and counted; a fault of theirs is never the agent's.
    """

    def user(self, request: JsonObject) -> JsonObject:
        """A chat completion of the user's model: `{"messages": [...]}` in, the whole answer out."""
        ...

    def judge(self, request: JsonObject) -> JsonObject:
        """The same of the judge's model."""
        ...

    def base_url(self, role: ModelRole) -> str:
        """An OpenAI-compatible address, for libraries that speak HTTP; with `key` it works until the rollout ends."""
        ...

    def key(self, role: ModelRole) -> str:
        """The API key for `base_url`."""
        ...


class NoModels:
    """What is handed to `open` outside a rollout: opening an episode asks no model."""

    def user(self, request: JsonObject) -> JsonObject:
        raise BadInput("the benchmark's models answer inside a rollout only: open() and planning a run call none")

    judge = user

    def base_url(self, role: ModelRole) -> str:
        raise BadInput(f"outside a rollout there is no {role} model: take base_url and key when the first call is made")

    key = base_url


def open_episode(
    benchmark: BenchmarkRunner, task_id: str, *, seed: int, models: BenchmarkModels | None = None
) -> Episode:
    """A fresh episode, from an `open` that takes `models`, or one that does not."""
    if not takes_models(benchmark):
        return benchmark.open(task_id, seed=seed)
    opened: Any = benchmark.open
    episode: Episode = opened(task_id, seed=seed, models=models or NoModels())
    return episode


def takes_models(benchmark: BenchmarkRunner) -> bool:
    """Whether its `open` wants the benchmark's own models."""
    named = signature(benchmark.open).parameters
    return "models" in named or any(p.kind is Parameter.VAR_KEYWORD for p in named.values())


SPLITS: tuple[Split, ...] = ("train", "validation", "test")


class Score(Record):
    """What the scorer says of a finished episode."""

    reward: float = Field(ge=0.0, le=1.0, allow_inf_nan=False)
    components: dict[str, float] = Field(default_factory=dict)
    """Named parts of the reward, each in [0, 1]."""
    missing: str = ""
    """What was not achieved, in words that name no gold answer."""


@runtime_checkable
class Episode(Protocol):
    """One task being worked on. All of it lives in the parent; only texts cross into the sandbox.

    `act` returns the tool's result as text; a refused or impossible call returns text that starts with
    `Error:`, it does not raise. `say` returns the user's answer, or None when the conversation is over.
    `score` may be called once the agent has stopped, however it stopped, and has no side effects.
    """

    @property
    def instructions(self) -> str: ...
    @property
    def tools(self) -> Sequence[JsonObject]: ...
    @property
    def opening(self) -> str: ...
    def act(self, name: str, arguments: Mapping[str, JsonValue]) -> str: ...
    def say(self, text: str) -> str | None: ...
    def submit(self, answer: object) -> None: ...
    def score(self) -> Score: ...


@dataclass(frozen=True)
class Briefing:
    """What an agent is shown before it works on a task."""

    instructions: str = ""
    """The policy that it must follow."""
    tools: Sequence[JsonObject] = ()
    """JSON schemas of the tools that it may call."""
    opening: str = ""
    """What the user says first."""


class BenchmarkRunner(ABC):
    """A set of tasks in three disjoint splits, and a way to score an agent on them."""

    name: str = "benchmark"
    version: str = "0"
    pass_at: float = 1.0
    """Reward from which a task counts as passed, in (0, 1]. Failures, cluster tasks and the suite count passes;
    validation and certificates compare mean rewards. For rewards that are seldom exactly 1; `Task.pass_at` sets it
    for one task."""

    setting: str = "An agent works on tasks and is scored on the results."
    """What the agent does and for whom, in one sentence: what the specialists are told of the benchmark's world."""
    model_roles: tuple[ModelRole, ...] = ()
    """Models of its own that the benchmark asks through `open(..., models=...)`: checked before a run begins."""
    hosts_agent: bool = True
    """Whether the agent runs inside `run`; otherwise it talks to episodes from inside the sandbox."""

    @abstractmethod
    def tasks(self, split: Split) -> Sequence[Task]:
        """The tasks of a split, always the same ones in the same order, ids unique over all splits."""

    def run(
        self, agent: str, task_ids: Sequence[str], *, seeds: Mapping[str, int]
    ) -> Mapping[str, float | TaskResult | None]:
        """Reward in [0, 1] by task id for the agent whose source text is `agent`; None: infrastructure fault.

        A `TaskResult` in place of a bare reward brings a trace, which the failure miner reads, and the reason.

        Implement this for a benchmark that hosts the agent itself. Every id asked for should come back;
        missing ones count as infrastructure faults.

        `seeds`: a 31-bit seed by task id. Draw everything random of a task from its own seed: one generator for
        all tasks of a call makes them share their luck, and every error estimate takes tasks for independent.
        A `run` with `seed: int` in place of `seeds` is called once for every task, with that task's seed.
        """
        raise NotImplementedError(f"benchmark {self.name} implements neither run() nor open()")

    def open(self, task_id: str, *, seed: int) -> Episode:
        """A fresh episode of a task, unless the benchmark hosts the agent itself: see `EpisodeBenchmark`."""
        raise NotImplementedError(f"benchmark {self.name} hosts the agent itself: it opens no episodes")

    def explain(self, episode: Episode) -> str:
        """What may be told of how a *training* task ended: the first fact that differs from what was expected, or was
        left out. Specialists read it, so it is asked for on no other split. Empty: only what the score says.
        """
        return ""

    def briefing(self, task_id: str) -> Briefing:
        """What an agent is shown before it works on a task; empty where only the benchmark knows."""
        return Briefing()

    def fingerprint(self) -> str:
        """16 hex digits over every task of every split: a changed benchmark is another benchmark."""
        mark = () if self.pass_at == 1 else (self.pass_at,)
        return digest(self.name, self.version, [[t.model_dump() for t in self.tasks(s)] for s in SPLITS], *mark)

    def pass_marks(self) -> dict[str, float]:
        """The reward from which each task counts as passed, by task id, over every split.

        Raises BadInput for a mark outside (0, 1].
        """
        if not 0 < self.pass_at <= 1:
            raise BadInput(f"benchmark {self.name}: pass_at is {self.pass_at}; it must be above 0 and at most 1")
        return {t.id: self.pass_at if t.pass_at is None else t.pass_at for s in SPLITS for t in self.tasks(s)}


class EpisodeBenchmark(BenchmarkRunner):
    """A benchmark whose tasks are episodes."""

    hosts_agent = False

    @abstractmethod
    def open(self, task_id: str, *, seed: int) -> Episode:
        """A fresh episode of a task; nothing is shared between two of them. It is cheap and calls no model.

        With a parameter `models: BenchmarkModels` it is handed the benchmark's own models: name those that it asks in
        `model_roles`.
        """

    def briefing(self, task_id: str) -> Briefing:
        """What its episode shows first, whatever the seed."""
        episode = open_episode(self, task_id, seed=0)
        return Briefing(instructions=episode.instructions, tools=tuple(episode.tools), opening=episode.opening)


def load_benchmark(name: str) -> BenchmarkRunner:
    """The benchmark called `name`: a shipped one, or `module:Class` in the current folder or on the import path.

    Raises BadInput that lists the shipped ones.
    """
    import sys
    from importlib import import_module
    from pathlib import Path

    from sigmaloop.eval.benchmarks import SHIPPED

    place = SHIPPED.get(name, name)
    module, _, attribute = place.partition(":")
    if not attribute:
        raise BadInput(f"unknown benchmark {name!r}; shipped: {', '.join(SHIPPED)}; your own: module:Class")
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))  # last: nothing in the folder hides a module that is installed
    with boundary(BadInput, f"benchmark {name!r} cannot be loaded (is it here, or its folder on PYTHONPATH?)"):
        benchmark = getattr(import_module(module), attribute)()
    if not isinstance(benchmark, BenchmarkRunner):
        raise BadInput(f"benchmark {name!r} is not a BenchmarkRunner (see sigmaloop.eval.benchmark)")
    return benchmark
