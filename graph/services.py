"""The composition root: the one place where a run's parts are made and wired together."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sigmaloop.agents.clusterer import Clusterer
from sigmaloop.agents.failure_miner import FailureMiner
from sigmaloop.agents.gate_judge import GateJudge
from sigmaloop.agents.harness_engineer import HarnessEngineer
from sigmaloop.eval.benchmark import BenchmarkRunner, EpisodeBenchmark
from sigmaloop.eval.rollouts import RolloutEngine
from sigmaloop.graph.door import GatewayDoor
from sigmaloop.memory.index import FailureIndex
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.runs import RunPaths
from sigmaloop.records import Task, Usage
from sigmaloop.settings import Settings, api_key, secrets
from sigmaloop.tools.gateway import Gateway
from sigmaloop.tools.sandbox import Supervisor
from sigmaloop.tools.upstream import HttpUpstream, InProcessUpstream, Upstream
from sigmaloop.tools.versions import Versions


@dataclass
class Services:
    """Everything that a run's nodes work with."""

    run_id: str
    settings: Settings
    paths: RunPaths
    journal: Journal
    benchmark: BenchmarkRunner
    gateway: Gateway
    supervisor: Supervisor
    miners: threading.Semaphore = field(init=False)
    """Bounds parallel miners (the graph's own limit would also delay saving)."""

    def __post_init__(self) -> None:
        self.miners = threading.Semaphore(max(1, self.settings.concurrency))

    @cached_property
    def versions(self) -> Versions:
        return Versions(self.paths.versions)

    @cached_property
    def engine(self) -> RolloutEngine:
        return RolloutEngine(
            self.benchmark,
            self.supervisor,
            self.gateway,
            self.journal,
            run_seed=self.settings.seed,
            concurrency=self.settings.concurrency,
            max_calls=self.settings.max_calls,
        )

    @cached_property
    def index(self) -> FailureIndex:
        from sigmaloop.memory.embedder import make_embedder

        return FailureIndex(self.paths.index, make_embedder(self.settings, api_key()), journal=self.journal)

    @cached_property
    def door(self) -> GatewayDoor:
        settings = self.settings

        def charge(scope: str, role: str, usage: Usage) -> None:
            self.journal.add_usage(scope, role, 0, "", usage)

        return GatewayDoor(
            self.gateway,
            model=settings.models()[1],
            seed=settings.seed,
            timeout=settings.model_timeout * settings.model_tries + 60,
            charge=charge,
        )

    @cached_property
    def miner(self) -> FailureMiner:
        return FailureMiner(self.door)

    @cached_property
    def clusterer(self) -> Clusterer:
        return Clusterer(self.door)

    @cached_property
    def engineer(self) -> HarnessEngineer:
        return HarnessEngineer(self.door)

    @cached_property
    def judge(self) -> GateJudge:
        return GateJudge(self.door)

    @cached_property
    def tasks(self) -> Mapping[str, Task]:
        """Every task of the training and validation splits by id (the test split is opened by `certify` alone)."""
        return {t.id: t for split in ("train", "validation") for t in self.benchmark.tasks(split)}  # type: ignore[arg-type]

    @cached_property
    def task_texts(self) -> tuple[tuple[str, ...], str]:
        """The openings of those tasks, of which no change may quote anything, and their policies, which all may."""
        if not isinstance(self.benchmark, EpisodeBenchmark):
            return (), ""
        episodes = [self.benchmark.open(task_id, seed=0) for task_id in self.tasks]
        policies = dict.fromkeys(episode.instructions for episode in episodes)
        return tuple(episode.opening for episode in episodes), "\n".join(policies)

    def instructions(self, task_id: str) -> str:
        """The policy that the agent was given on a task; empty for a benchmark without episodes."""
        if not isinstance(self.benchmark, EpisodeBenchmark):
            return ""
        return self.benchmark.open(task_id, seed=0).instructions

    def close(self) -> None:
        """End servers, processes and files; what was written stays."""
        for name in ("engine", "index"):
            if name in self.__dict__:
                self.__dict__[name].close()
        self.supervisor.stop()
        self.gateway.stop()
        self.journal.close()


def make_upstream(settings: Settings) -> Upstream:
    """Where model calls go: the simulated model, or the endpoint."""
    if settings.simulated:
        from sigmaloop.simulation.model import SimulatedModel

        return InProcessUpstream(SimulatedModel())
    key = api_key()
    return HttpUpstream(
        settings.endpoint or "https://api.openai.com/v1",
        key.get_secret_value() if key else "",
        timeout=settings.model_timeout,
        tries=settings.model_tries,
    )


def make_gateway(settings: Settings, *, journal: Journal | None) -> Gateway:
    target, specialist = settings.models()
    return Gateway(
        make_upstream(settings),
        target_model=target,
        specialist_model=specialist,
        temperature=settings.temperature,
        max_tokens=settings.max_tokens,
        price_input=settings.price_input,
        price_output=settings.price_output,
        call_journal=journal,
        embedding_model=None if settings.simulated else settings.embedding_model,
        redact=secrets(),
    )


SMOKE_SECONDS = 5.0


def make_supervisor(settings: Settings, *, smoke: bool = False) -> Supervisor:
    return Supervisor(
        step_seconds=min(settings.step_seconds, SMOKE_SECONDS) if smoke else settings.step_seconds,
        rollout_seconds=min(settings.rollout_seconds, 2 * SMOKE_SECONDS) if smoke else settings.rollout_seconds,
        cpu_seconds=settings.cpu_seconds,
        max_steps=settings.max_steps,
        sandbox=settings.sandbox,
        hide=[settings.benchmark.partition(":")[0]] if ":" in settings.benchmark else (),
    )
