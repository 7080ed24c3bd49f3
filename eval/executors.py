"""How an agent's rollouts are carried out: episodes in parallel threads, or a benchmark that hosts the agent itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Protocol

from sigmaloop.errors import ModelUnavailable, SigmaLoopError
from sigmaloop.eval.benchmark import BenchmarkRunner
from sigmaloop.eval.episode_rollout import Played, play
from sigmaloop.eval.refusals import as_infra, blanket_refusal, suspicious
from sigmaloop.eval.whole_benchmark import run_whole
from sigmaloop.records import Rollout, RolloutKey, Step, Usage
from sigmaloop.tools.gateway.gateway import Gateway
from sigmaloop.tools.gateway.roles import Role
from sigmaloop.tools.sandbox.supervisor import Supervisor

EXTRA_TRIES = 2
"""How often an infrastructure fault is tried again before it is recorded as one."""

Result = tuple[Rollout, tuple[Step, ...]]
Keep = Callable[[Result], None]
"""Stores a result; called in the thread that called `execute`."""


class Drained(SigmaLoopError):
    """The engine was told to stop: what was in flight is finished and stored, the rest was never begun."""

    exit_code = 130


@dataclass
class StopFlag:
    """Raised once, by a signal handler perhaps; threads look at it before they begin anything."""

    raised: bool = False


@dataclass(frozen=True)
class Job:
    """An agent, and what its model calls are counted under."""

    source: str
    role: Role
    batch: int
    run_seed: int
    pass_mark: Callable[[str], float]
    """Reward from which a task counts as passed, by its id."""


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
                    keep((rollout.model_copy(update={"pass_at": job.pass_mark(rollout.task_id)}), trace))
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
        elif (result := future.result()) is not None and result[0].key not in self.taken:
            self.taken.add(result[0].key)
            if suspicious(result[0]):
                self.suspects.append(result)
            else:
                self.keep(result)

    def judge_refusals(self, total: int) -> None:
        """Keep the suspects: as faults where the endpoint refuses most of the `asked` rollouts alike."""
        refusal = blanket_refusal([rollout for rollout, _ in self.suspects], asked=total)
        for rollout, trace in self.suspects:
            self.keep((as_infra(rollout) if rollout.refusal == refusal else rollout, trace))


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
            played, usage, refusal = self._try(key, progress.job)
            if played.doubtful and not doubted:
                tries, doubted = tries - 1, True
                continue
            hopeless = isinstance(played.fault, ModelUnavailable) or tries > EXTRA_TRIES
            if played.status != "infra" or hopeless:
                detail = f"{played.detail} (try {tries})" if played.status == "infra" else played.detail
                rollout = self._rollout(key, progress.job, played, usage, detail, time.perf_counter() - began)
                return rollout.model_copy(update={"refusal": refusal}), played.trace
        return None

    def _try(self, key: RolloutKey, job: Job) -> tuple[Played, Usage, str]:
        """How it ended, what it cost, how the endpoint refused its last call (empty: it did not).

        Every try has the same scope and seed: model calls that were answered before are not paid again.
        """
        seed = key.seed(job.run_seed)
        with self._gateway.lease(
            job.role, scope=scope_of(key), seed=seed, max_calls=self._max_calls, batch=job.batch
        ) as lease:
            played = play(
                self._benchmark,
                key.task_id,
                seed=seed,
                source=job.source,
                supervisor=self._supervisor,
                complete=lease.complete,
            )
            return played, lease.usage(), lease.refusal

    def _rollout(self, key: RolloutKey, job: Job, played: Played, usage: Usage, detail: str, seconds: float) -> Rollout:
        return Rollout(
            key=key,
            seed=key.seed(job.run_seed),
            status=played.status,
            reward=played.reward,
            detail=" ".join(detail.split())[:500],
            components=played.components,
            usage=usage,
            steps=sum(step.kind in ("say", "act", "submit") for step in played.trace),
            wall_seconds=round(seconds, 3),
            tier=self._supervisor.tier,
            pass_at=job.pass_mark(key.task_id),
        )


def scope_of(key: RolloutKey) -> str:
    """What a rollout's model calls are stored and counted under."""
    return f"rollout:{key.id}"
