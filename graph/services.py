"""The composition root: the one place where a run's parts are made and wired together.

Services are opened once per run and process and shared by all nodes; `close_services` ends them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from sigmaloop.agents.clusterer import Clusterer
from sigmaloop.agents.failure_miner import FailureMiner
from sigmaloop.agents.gate_judge import GateJudge
from sigmaloop.agents.harness_engineer import HarnessEngineer
from sigmaloop.errors import BadInput
from sigmaloop.eval.benchmark import BenchmarkRunner, EpisodeBenchmark, load_benchmark
from sigmaloop.eval.rollouts import RolloutEngine
from sigmaloop.graph.door import GatewayDoor
from sigmaloop.graph.state import RunContext
from sigmaloop.memory.index import FailureIndex
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.lock import HomeLock
from sigmaloop.memory.runs import RunPaths
from sigmaloop.records import Task, Usage
from sigmaloop.settings import Settings, api_key, load_settings, restore_settings, secrets
from sigmaloop.tools.dry_run import dry_run
from sigmaloop.tools.edits import check_agent
from sigmaloop.tools.gateway import Gateway
from sigmaloop.tools.sandbox import Supervisor
from sigmaloop.tools.upstream import HttpUpstream, InProcessUpstream, Upstream
from sigmaloop.tools.versions import Versions

STARTED = "run_started"


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


_open: dict[str, Services] = {}
_guard = threading.RLock()


@contextmanager
def at_work(state: Mapping[str, Any], *, thread_id: str, context: RunContext | None) -> Iterator[Services]:
    """The run's services, with the home's lock held while a node works.

    A thread that is not a run yet becomes one: its settings are the context's fields over the usual sources.
    """
    run_id = str(state.get("run_id") or thread_id)
    with _guard:
        services = _open.get(run_id)
        home = services.settings.home if services else load_settings().home
        if services is None and not RunPaths(home, run_id).exists():
            settings = load_settings(**(context.given() if context else {}))
            prepare_run(run_id, settings)
    with HomeLock(home):
        yield services or open_services(run_id, home=home)


def open_services(run_id: str, *, home: Path) -> Services:
    """The services of an existing run, with the settings that it was started with. Raises BadInput."""
    with _guard:
        if run_id in _open:
            return _open[run_id]
        paths = RunPaths(home, run_id)
        if not paths.exists():
            raise BadInput(f"no run {run_id} in {home}; see `sigmaloop status` for the runs there")
        journal = Journal(paths.journal)
        started = journal.event(STARTED)
        if started is None:
            raise BadInput(
                f"run {run_id} in {home} was never fully started; start another with `sigmaloop run`"
            )
        settings = restore_settings(home, started.payload["settings"])
        benchmark = load_benchmark(settings.benchmark)
        if benchmark.fingerprint() != started.payload["benchmark"]:
            raise BadInput(
                f"benchmark {settings.benchmark} has changed since run {run_id} began; "
                "its scores cannot be compared: start a new run"
            )
        gateway = make_gateway(settings, journal=journal)
        supervisor = make_supervisor(settings)
        _open[run_id] = Services(run_id, settings, paths, journal, benchmark, gateway, supervisor)
        return _open[run_id]


def opened(run_id: str) -> Services | None:
    """The run's services if this process has them open. Takes no lock: a signal handler may call it."""
    return _open.get(run_id)


def close_services(run_id: str) -> None:
    """End a run's services in this process; harmless when they are not open."""
    with _guard:
        services = _open.pop(run_id, None)
    if services:
        services.close()


def prepare_run(run_id: str, settings: Settings) -> None:
    """Check everything that a run needs, then make its folder with its first event; all or nothing.

    Raises BadInput, ModelUnavailable or SandboxError, and then nothing has been written.
    """
    source = settings.agent_source()
    check_agent(source, str(settings.agent or "the shipped agent.py"))
    benchmark = load_benchmark(settings.benchmark)
    for split in ("train", "validation"):
        if not benchmark.tasks(split):  # type: ignore[arg-type]
            raise BadInput(
                f"benchmark {settings.benchmark} has no {split} tasks; a run needs train and validation"
            )
    Versions.check_git()
    upstream = make_upstream(settings)
    try:
        upstream.check(settings.models())
    finally:
        upstream.close()
    smoke_test(settings, source, benchmark)
    with HomeLock(settings.home):
        paths = RunPaths(settings.home, run_id)
        paths.make()
        journal = Journal(paths.journal)
        try:
            Versions(paths.versions).begin(source, "baseline\n\nThe agent that the run began with.")
            journal.append(STARTED, STARTED, _first_event(settings, benchmark))
        finally:
            journal.close()


def smoke_test(settings: Settings, source: str, benchmark: BenchmarkRunner) -> None:
    """Run the user's agent once against a scripted model. Raises BadInput with what went wrong and where."""
    supervisor = make_supervisor(settings, smoke=True)
    try:
        tried = dry_run(supervisor, source, **smoke_session(benchmark))
    finally:
        supervisor.stop()
    if not tried.ok:
        raise BadInput(f"agent file {settings.agent or 'agent.py'} fails its smoke test: {tried.detail}")


def smoke_session(benchmark: BenchmarkRunner) -> dict[str, Any]:
    """What a dry run shows the agent: the benchmark's own policy and tools, from its first training task."""
    if not isinstance(benchmark, EpisodeBenchmark):
        return {"instructions": "", "tools": [], "opening": "Hello, I need some help."}
    episode = benchmark.open(benchmark.tasks("train")[0].id, seed=0)
    return {
        "instructions": episode.instructions,
        "tools": list(episode.tools),
        "opening": "Hello, I need some help.",
    }


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
        rollout_seconds=min(settings.rollout_seconds, 2 * SMOKE_SECONDS)
        if smoke
        else settings.rollout_seconds,
        cpu_seconds=settings.cpu_seconds,
        max_steps=settings.max_steps,
    )


def _first_event(settings: Settings, benchmark: BenchmarkRunner) -> dict[str, Any]:
    from sigmaloop.agents.prompt import prompt_hashes

    return {
        "settings": settings.model_copy(
            update={"upstream": "simulated" if settings.simulated else "openai"}
        ).stored(),
        "benchmark": benchmark.fingerprint(),
        "models": list(settings.models()),
        "prompts": prompt_hashes(),
        "simulated": settings.simulated,
    }
