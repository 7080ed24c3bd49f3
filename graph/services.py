"""The composition root: the one place where a run's parts are made and wired together."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from sigmaloop.agents.clusterer import Clusterer
from sigmaloop.agents.failure_miner import FailureMiner
from sigmaloop.agents.gate_judge import GateJudge
from sigmaloop.agents.harness_engineer import HarnessEngineer
from sigmaloop.errors import ModelUnavailable
from sigmaloop.eval.benchmark import BenchmarkRunner
from sigmaloop.eval.rollouts import RolloutEngine
from sigmaloop.graph import spending
from sigmaloop.graph.agent_files import AgentForm, described, form_of, package_of
from sigmaloop.graph.answering import JournalNames
from sigmaloop.graph.embedding import EmbeddingCalls
from sigmaloop.graph.history import History
from sigmaloop.graph.model_access import GatewayAccess
from sigmaloop.memory.embedder import EndpointEmbedder, HashEmbedder
from sigmaloop.memory.index import FailureIndex
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.runs import RunPaths
from sigmaloop.records import Rollout, RolloutKey, Step, Task, Usage, agent_hash
from sigmaloop.settings import Settings, api_key, secrets
from sigmaloop.tools.changes.package_modules import PackageModules, modules_of
from sigmaloop.tools.gateway.budget import Prices
from sigmaloop.tools.gateway.call_log import TraceFile
from sigmaloop.tools.gateway.gateway import Gateway
from sigmaloop.tools.gateway.gateway_settings import (
    UNDER_WAY,
    GatewayLimits,
    GatewaySettings,
    Models,
    RolePrices,
    Sampling,
    SpendingLimit,
)
from sigmaloop.tools.gateway.prices import OPENAI, check_prices, prices_of, specialist_prices_of
from sigmaloop.tools.redaction import Redactor
from sigmaloop.tools.sandbox.supervisor import Supervisor
from sigmaloop.tools.upstream.upstream import HttpUpstream, InProcessUpstream, Upstream
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
    def form(self) -> AgentForm:
        """What kind of file the run changes."""
        return form_of(self.settings, hosted=self.benchmark.hosts_agent)

    @cached_property
    def own_modules(self) -> PackageModules:
        """What a change may import from the agent's package."""
        return modules_of(self.supervisor.package.programs() if self.supervisor.package else ())

    def identity(self, source: str) -> str:
        """`agent_hash` of a source together with the run's package."""
        return agent_hash(source, self.supervisor.package.digest if self.supervisor.package else "")

    @cached_property
    def history(self) -> History:
        return History(self.journal, suite_cap=self.settings.suite_cap)

    @cached_property
    def engine(self) -> RolloutEngine:
        return RolloutEngine(
            self.benchmark,
            self.supervisor,
            self.gateway,
            RedactedStore(self.journal, Redactor(secrets())),
            run_seed=self.settings.seed,
            concurrency=self.settings.concurrency,
            max_calls=self.settings.max_calls,
        )

    @cached_property
    def index(self) -> FailureIndex:
        if self.settings.embedder == "hash-v1" or self.settings.simulated:
            return FailureIndex(self.paths.index, HashEmbedder(), journal=self.journal)
        calls = EmbeddingCalls(self.gateway, self.journal)
        embedder = EndpointEmbedder(self.settings.embedding_model, calls.ask)
        return FailureIndex(self.paths.index, embedder, journal=self.journal)

    @cached_property
    def door(self) -> GatewayAccess:
        settings = self.settings

        def charge(scope: str, role: str, usage: Usage) -> None:
            self.journal.add_usage(scope, role, 0, "", usage)

        return GatewayAccess(
            self.gateway,
            model=settings.models()[1],
            seed=settings.seed,
            timeout=settings.model_timeout * settings.model_tries + 60,
            charge=charge,
        )

    @cached_property
    def miner(self) -> FailureMiner:
        return FailureMiner(self.door, setting=self.benchmark.setting)

    @cached_property
    def clusterer(self) -> Clusterer:
        return Clusterer(self.door, setting=self.benchmark.setting)

    @cached_property
    def engineer(self) -> HarnessEngineer:
        return HarnessEngineer(self.door, setting=f"{self.benchmark.setting}{described(self.form)}")

    @cached_property
    def judge(self) -> GateJudge:
        return GateJudge(self.door, setting=self.benchmark.setting)

    @cached_property
    def tasks(self) -> Mapping[str, Task]:
        """Every task of the training and validation splits by id (the test split is opened by `certify` alone)."""
        return {t.id: t for split in ("train", "validation") for t in self.benchmark.tasks(split)}  # type: ignore[arg-type]

    @cached_property
    def task_texts(self) -> tuple[tuple[str, ...], str]:
        """The openings of those tasks, of which no change may quote anything, and their policies, which all may."""
        briefings = [self.benchmark.briefing(task_id) for task_id in self.tasks]
        policies = dict.fromkeys(briefing.instructions for briefing in briefings)
        return tuple(briefing.opening for briefing in briefings if briefing.opening), "\n".join(policies)

    def instructions(self, task_id: str) -> str:
        """The policy that the agent was given on a task; empty for a benchmark without episodes."""
        return self.benchmark.briefing(task_id).instructions

    def close(self) -> None:
        """End servers, processes and files; what was written stays."""
        for name in ("engine", "index"):
            if name in self.__dict__:
                self.__dict__[name].close()
        self.supervisor.stop()
        self.gateway.stop()
        self.journal.close()


def make_upstream(settings: Settings) -> Upstream:
    """Where model calls go: the simulated model, or the endpoint. Raises BadInput when a limit cannot be kept."""
    check_prices(settings)
    _check_key(settings)
    if settings.simulated:
        from sigmaloop.simulation.model import SimulatedModel

        return InProcessUpstream(SimulatedModel())
    key = api_key()
    return HttpUpstream(
        settings.endpoint or OPENAI,
        key.get_secret_value() if key else "",
        timeout=settings.model_timeout,
        tries=settings.model_tries,
        connections=calls_under_way(settings),
        efforts={settings.target_model: settings.reasoning_effort} if settings.reasoning_effort else {},
    )


def _check_key(settings: Settings) -> None:
    """Raises ModelUnavailable when OpenAI's own endpoint would be asked without a key."""
    if not settings.simulated and settings.endpoint is None and api_key() is None:
        raise ModelUnavailable(
            f"OPENAI_API_KEY is not set, and {OPENAI} wants a key: set it, or name another endpoint with --base-url",
            status=503,
        )


def calls_under_way(settings: Settings) -> int:
    """How many model calls may be upstream at the same time: no rollout waits for another one's place."""
    return max(UNDER_WAY, settings.concurrency)


def make_gateway(settings: Settings, *, journal: Journal | None) -> Gateway:
    """The door to the models, with the run's limits as they were set last, and what it has spent of them."""
    return Gateway(
        make_upstream(settings),
        gateway_settings(settings, spending.limits(settings, journal)),
        call_journal=journal,
        account=spending.JournalAccount(journal) if journal else None,
        traces=TraceFile(journal.path.with_name(TRACES)) if journal and settings.record_calls else None,
        names=JournalNames(journal) if journal and not settings.simulated else None,
        redact=secrets(),
    )


def gateway_settings(settings: Settings, run: spending.RunLimits) -> GatewaySettings:
    """What of the settings is the gateway's business; `run`: the run's limits as they were set last."""
    target, specialist = settings.models()
    return GatewaySettings(
        models=Models(
            target=target,
            specialist=specialist,
            embedding=None if settings.simulated else settings.embedding_model,
        ),
        sampling=Sampling(
            temperature=settings.temperature,
            max_tokens=settings.max_tokens,
            reasoning_effort=settings.reasoning_effort,
        ),
        prices=RolePrices(target=prices_of(settings) or Prices(), specialist=specialist_prices_of(settings)),
        limits=GatewayLimits(
            run=SpendingLimit(tokens=run.max_run_tokens, money=run.max_money),
            rollout=SpendingLimit(tokens=settings.max_rollout_tokens, money=settings.max_rollout_money),
            under_way=calls_under_way(settings),
        ),
    )


class RedactedStore:
    """The journal as the rollout engine sees it: no secret of this process gets into a trace."""

    def __init__(self, journal: Journal, redactor: Redactor) -> None:
        self._journal = journal
        self._redactor = redactor

    def rollout(self, key: RolloutKey) -> Rollout | None:
        return self._journal.rollout(key)

    def save_rollout(self, rollout: Rollout, trace: Sequence[Step], *, scope: str | None = None) -> None:
        if self._redactor:
            rollout = rollout.model_copy(update={"detail": self._redactor.text(rollout.detail)})
            trace = [Step(**self._redactor.tree(step.model_dump())) for step in trace]
        self._journal.save_rollout(rollout, trace, scope=scope)

    def add_usage(self, id: str, role: str, batch: int, task: str, usage: Usage) -> None:  # noqa: A002
        self._journal.add_usage(id, role, batch, task, usage)


TRACES = "calls.traces"
"""Beside the journal: every model call, if `record_calls` is set."""
SMOKE_SECONDS = 5.0


def make_supervisor(settings: Settings, *, smoke: bool = False) -> Supervisor:
    return Supervisor(
        step_seconds=min(settings.step_seconds, SMOKE_SECONDS) if smoke else settings.step_seconds,
        rollout_seconds=min(settings.rollout_seconds, 2 * SMOKE_SECONDS) if smoke else settings.rollout_seconds,
        cpu_seconds=settings.cpu_seconds,
        max_steps=settings.max_steps,
        sandbox=settings.sandbox,
        hide=[settings.benchmark.partition(":")[0]] if ":" in settings.benchmark else (),
        package=package_of(settings),
    )
