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
from sigmaloop.endpoints import SPECIALISTS, RoleName
from sigmaloop.eval.benchmark import BenchmarkRunner
from sigmaloop.eval.rollouts import RolloutEngine
from sigmaloop.graph import spending
from sigmaloop.graph.agent_files import AgentForm, described, form_of, package_of
from sigmaloop.graph.answering import JournalNames
from sigmaloop.graph.embedding import EmbeddingCalls
from sigmaloop.graph.endpoints import calls_under_way, make_upstreams, models_of
from sigmaloop.graph.history import History
from sigmaloop.graph.model_access import GatewayAccess
from sigmaloop.memory.embedder import EndpointEmbedder, HashEmbedder
from sigmaloop.memory.index import FailureIndex
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.runs import CALLS, RunPaths
from sigmaloop.records import NO_COURSE, Course, Rollout, RolloutKey, Step, Task, Usage, agent_hash
from sigmaloop.settings import Settings, secrets
from sigmaloop.tools.changes.package_modules import PackageModules, modules_of
from sigmaloop.tools.gateway.budget import Prices
from sigmaloop.tools.gateway.call_log import TraceFile
from sigmaloop.tools.gateway.gateway import Gateway
from sigmaloop.tools.gateway.gateway_settings import GatewayLimits, GatewaySettings, RolePrices, SpendingLimit
from sigmaloop.tools.gateway.prices import prices_of, specialist_prices_of
from sigmaloop.tools.redaction import Redactor
from sigmaloop.tools.sandbox.supervisor import Supervisor
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
            RedactedStore(self.journal, Redactor(secrets(self.settings))),
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
            self.journal.add_usage(scope, role, self.journal.newest_batch(), "", usage)

        return GatewayAccess(
            self.gateway,
            model=settings.models()[1],
            seed=settings.seed,
            timeout=max(settings.role(role).timeout for role in SPECIALISTS) * settings.model_tries + 60,
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


def make_gateway(settings: Settings, *, journal: Journal | None) -> Gateway:
    """The door to the models, with the run's limits as they were set last, and what it has spent of them."""
    return Gateway(
        make_upstreams(settings),
        gateway_settings(settings, spending.limits(settings, journal)),
        call_journal=journal,
        account=spending.JournalAccount(journal) if journal else None,
        traces=TraceFile(journal.path.with_name(CALLS)) if journal and settings.record_calls else None,
        names=JournalNames(journal) if journal and not settings.simulated else None,
        redact=secrets(settings),
    )


def gateway_settings(settings: Settings, run: spending.RunLimits) -> GatewaySettings:
    """What of the settings is the gateway's business; `run`: the run's limits as they were set last."""
    models = models_of(settings)
    priced: tuple[RoleName, ...] = (*models.own, "embedding") if not settings.simulated else ()
    return GatewaySettings(
        models=models,
        prices=RolePrices(
            target=prices_of(settings) or Prices(),
            specialist=specialist_prices_of(settings),
            own={role: prices_of(settings, role) or Prices() for role in priced},
        ),
        limits=GatewayLimits(
            run=SpendingLimit(
                tokens=run.max_run_tokens, money=run.max_money, calls=run.max_run_calls, hours=run.max_hours
            ),
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

    def save_rollout(
        self,
        rollout: Rollout,
        trace: Sequence[Step],
        *,
        course: Course = NO_COURSE,
        scope: str | None = None,
    ) -> None:
        if self._redactor:
            clean = self._redactor.text
            told = {"detail": clean(rollout.detail), "explanation": clean(rollout.explanation)}
            rollout = rollout.model_copy(update=told)
            trace = [Step(**self._redactor.tree(step.model_dump())) for step in trace]
        self._journal.save_rollout(rollout, trace, course=course, scope=scope)

    def add_usage(self, id: str, role: str, batch: int, task: str, usage: Usage) -> None:  # noqa: A002
        self._journal.add_usage(id, role, batch, task, usage)


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
