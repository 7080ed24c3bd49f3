"""How an agent's rollouts are carried out: episodes in parallel threads, or a benchmark that hosts the agent itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import NamedTuple, Protocol, TypedDict

from sigmaloop.errors import ModelUnavailable, SigmaLoopError, UpstreamError
from sigmaloop.eval.benchmark import BenchmarkRunner, takes_models
from sigmaloop.eval.benchmark_models import RolloutModels, rollout_models
from sigmaloop.eval.episode_rollout import Played, play
from sigmaloop.eval.refusals import as_infra, blanket_refusal, suspicious
from sigmaloop.eval.whole_benchmark import run_whole
from sigmaloop.records import NO_COURSE, Course, ModelCall, Rollout, RolloutKey, Split, Step, Usage
from sigmaloop.tools.gateway.gateway import Gateway
from sigmaloop.tools.gateway.roles import Role
from sigmaloop.tools.sandbox.supervisor import Supervisor

EXTRA_TRIES = 2
"""How often an infrastructure fault is tried again before it is recorded as one."""


class Result(NamedTuple):
    """A rollout with what was seen of it."""

    rollout: Rollout
    trace: tuple[Step, ...] = ()
    course: Course = NO_COURSE
    models: Mapping[str, Usage] = {}
    """What the benchmark's own models cost in it, by role."""


Keep = Callable[[Result], None]
"""Stores a result; called in the thread that called `execute`."""


class Drained(SigmaLoopError):
    """The engine was told to stop: what was in flight is finished and stored, the rest was never begun."""

    exit_code = 130


@dataclass
class StopFlag:
    """Raised once, by a signal handler perhaps; threads look at it before they begin anything."""

    raised: bool = False


class TaskFacts(TypedDict):
    """What a rollout's record says of its task."""

    pass_at: float
    split: Split | None
    request_type: str


@dataclass(frozen=True)
class Job:
    """An agent, and what its model calls are counted under."""

    source: str
    role: Role
    batch: int
    run_seed: int
    about: Callable[[str], TaskFacts]
    """What a rollout's record says of its task, by the task's id."""


class Executor(Protocol):
    """Carries out rollouts; what went wrong in one of them is a result."""

    def execute(self, job: Job, keys: Sequence[RolloutKey], keep: Keep) -> None:
        """Every rollout that can be begun before a stop. Raises Drained when interrupted."""

    def close(self) -> None:
        """End the threads, after what is in flight."""


@dataclass(frozen=True)
class WholeExecutor:
    """The smallest benchmark, in one call a trial."""

    benchmark: BenchmarkRunner
    stop: StopFlag

    def execute(self, job: Job, keys: Sequence[RolloutKey], keep: Keep) -> None:
        try:
            for trial in sorted({key.trial for key in keys}):
                if self.stop.raised:
                    return
                same = [key for key in keys if key.trial == trial]
                for rollout, trace in run_whole(
                    self.benchmark, job.source, same, run_seed=job.run_seed, tries=1 + EXTRA_TRIES
                ):
                    keep(Result(rollout.model_copy(update={**job.about(rollout.task_id)}), trace))
        except KeyboardInterrupt:
            self.stop.raised = True
            raise Drained("interrupted; finished trials are stored") from None

    def close(self) -> None:
        """It has no threads."""


@dataclass
class _Progress:
    """One call of `execute`."""

    job: Job
    keep: Keep
    taken: set[RolloutKey] = field(default_factory=set)
    suspects: list[Result] = field(default_factory=list)
    """Results after a refusal of the endpoint: whose doing it is shows when the others are in."""
    stopped: bool = False
    """Nothing more of this call is begun."""
    error: BaseException | None = None
    """The first thing that went wrong and is not a result: a defect, or a broken store."""

    def take(self, future: Future[Result | None]) -> None:
        error = future.exception()
        if error is not None:
            self.stopped, self.error = True, self.error or error
        elif (result := future.result()) is not None and result.rollout.key not in self.taken:
            self.taken.add(result.rollout.key)
            if suspicious(result.rollout):
                self.suspects.append(result)
            else:
                self.keep(result)

    def judge_refusals(self, total: int) -> None:
        """Keep the suspects: as faults where the endpoint refuses most of the `asked` rollouts alike."""
        refusal = blanket_refusal([result.rollout for result in self.suspects], asked=total)
        for result in self.suspects:
            blamed = result.rollout.refusal == refusal
            self.keep(result._replace(rollout=as_infra(result.rollout)) if blamed else result)


class EpisodeExecutor:
    """Episodes, up to `concurrency` at a time; its threads live until `close`."""

    def __init__(
        self,
        benchmark: BenchmarkRunner,
        supervisor: Supervisor,
        gateway: Gateway,
        stop: StopFlag,
        *,
        concurrency: int,
        max_calls: int | None,
    ) -> None:
        self._benchmark = benchmark
        self._supervisor = supervisor
        self._gateway = gateway
        self._stop = stop
        self._max_calls = max_calls
        self._training = frozenset(task.id for task in benchmark.tasks("train"))
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="rollout")

    def execute(self, job: Job, keys: Sequence[RolloutKey], keep: Keep) -> None:
        """Raises, once what is in flight has ended, the first thing that went wrong and is not a result."""
        progress = _Progress(job, keep)
        finished: SimpleQueue[Future[Result | None]] = SimpleQueue()
        futures = [self._threads.submit(self._one, key, progress) for key in keys]
        for future in futures:
            future.add_done_callback(finished.put)
        try:
            for _ in futures:
                progress.take(finished.get())
            if not (progress.stopped or self._stop.raised):  # after a stop suspects run again, at no cost
                progress.judge_refusals(len(futures))
        except KeyboardInterrupt:
            self._stop.raised = True
            for future in futures:  # a second interrupt ends even this
                progress.take(future)
            raise Drained("interrupted; what was in flight is finished and stored") from None
        finally:
            progress.stopped = True
        if progress.error is not None:
            raise progress.error

    def close(self) -> None:
        self._threads.shutdown()

    def _one(self, key: RolloutKey, progress: _Progress) -> Result | None:
        """One rollout, in a thread of the pool; None when it was not begun, or given up, for a stop."""
        tries, doubted = 0, False
        while not (self._stop.raised or progress.stopped):
            tries += 1
            began = time.perf_counter()
            played, calls, usage, refusal, more = self._try(key, progress.job)
            if played.doubtful and not doubted:
                tries, doubted = tries - 1, True
                continue
            hopeless = tries > EXTRA_TRIES or _lasting(played.fault)
            if played.status != "infra" or hopeless:
                detail = f"{played.detail} (try {tries})" if played.status == "infra" else played.detail
                rollout = self._rollout(key, progress.job, played, usage, detail, time.perf_counter() - began)
                kept = rollout.model_copy(update={"refusal": refusal})
                return Result(kept, played.trace, _course(played.course, calls), more)
        return None

    def _try(self, key: RolloutKey, job: Job) -> tuple[Played, list[ModelCall], Usage, str, Mapping[str, Usage]]:
        """How it ended, its model calls, what they cost, how the endpoint refused its last call (empty: it did not),
        and what the benchmark's own models cost by role.

        Every try has the same scope and seed: model calls that were answered before are not paid again.
        """
        seed = key.seed(job.run_seed)
        scope = scope_of(key)
        with (
            self._gateway.lease(job.role, scope=scope, seed=seed, max_calls=self._max_calls, batch=job.batch) as lease,
            self._models(scope, seed, job.batch) as models,
        ):
            played = play(
                self._benchmark,
                key.task_id,
                seed=seed,
                source=job.source,
                supervisor=self._supervisor,
                complete=lease.complete,
                explained=key.task_id in self._training,
                models=models,
            )
            own = models.usage() if models else {}
            return played, list(lease.calls), lease.usage(), lease.refusal, own

    def _models(self, scope: str, seed: int, batch: int) -> AbstractContextManager[RolloutModels | None]:
        """The benchmark's own models, for one that wants them."""
        if not takes_models(self._benchmark):
            return nullcontext()
        return rollout_models(self._gateway, scope, seed=seed, batch=batch)

    def _rollout(self, key: RolloutKey, job: Job, played: Played, usage: Usage, detail: str, seconds: float) -> Rollout:
        return Rollout(
            key=key,
            seed=key.seed(job.run_seed),
            status=played.status,
            reward=played.reward,
            detail=" ".join(detail.split())[:500],
            components=played.components,
            explanation=" ".join(played.explanation.split()),
            usage=usage,
            steps=sum(step.kind in ("say", "act", "submit") for step in played.trace),
            wall_seconds=round(seconds, 3),
            tier=self._supervisor.tier,
            **job.about(key.task_id),
        )


def _course(seen: Course, calls: Sequence[ModelCall]) -> Course:
    """The session knows where in the conversation a call stands, the gateway what it was."""
    placed = zip(seen.calls, calls, strict=False)
    return Course(calls=tuple(call.model_copy(update={"step": at.step}) for at, call in placed), seen=seen.seen)


def _lasting(fault: SigmaLoopError | None) -> bool:
    """Whether the same try would end in the same fault: it is recorded after one."""
    return isinstance(fault, ModelUnavailable) or (isinstance(fault, UpstreamError) and fault.code == "content_filter")


def scope_of(key: RolloutKey) -> str:
    """What a rollout's model calls are stored and counted under."""
    return f"rollout:{key.id}"
