"""The rollout engine: an agent on many tasks at once, every result a record, none paid for twice.

A rollout ends in one of three ways that are never mixed: `ok` with the benchmark's reward, `agent_error`
(whatever the agent did wrong: reward 0), or `infra` (the benchmark, the gateway or the sandbox failed: no
reward). Infrastructure faults are tried again within a bound before they are recorded. An end that may have come
from outside, such as a kill, is played again from the start, its model calls from the call journal: what happens
then is the result, so the agent's own doing comes back, and an accident does not.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from queue import SimpleQueue
from typing import Self

from sigmaloop.errors import BadInput, ModelUnavailable, SigmaLoopError
from sigmaloop.eval.benchmark import BenchmarkRunner, EpisodeBenchmark
from sigmaloop.eval.episode_rollout import Played, play
from sigmaloop.eval.refusals import as_infra, blanket_refusal, suspicious
from sigmaloop.eval.store import MemoryStore, RolloutStore
from sigmaloop.eval.whole_benchmark import run_whole
from sigmaloop.records import Rollout, RolloutKey, Step, Usage, agent_hash
from sigmaloop.tools.gateway.gateway import Gateway
from sigmaloop.tools.gateway.roles import Role
from sigmaloop.tools.sandbox.supervisor import Supervisor

__all__ = ["Drained", "MemoryStore", "RolloutEngine", "crowding"]

EXTRA_TRIES = 2
"""How often an infrastructure fault is tried again before it is recorded as one."""

ROLLOUTS_A_CORE = 16
"""At the same time: more of them wait for each other where agents compute rather than wait for a model."""

OnDone = Callable[[Rollout], None]
Result = tuple[Rollout, tuple[Step, ...]]


class Drained(SigmaLoopError):
    """The engine was told to stop: what was in flight is finished and stored, the rest was never begun."""

    exit_code = 130


def crowding(concurrency: int, *, cores: int | None = None) -> str | None:
    """A warning when this machine's processors carry so many rollouts only if agents hardly compute; else None.

    `cores` None: those that this process may use. No result depends on it: the wait is not charged to an agent.
    """
    if cores is None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if concurrency <= ROLLOUTS_A_CORE * cores:
        return None
    return (
        f"concurrency {concurrency} is more than {ROLLOUTS_A_CORE} for each of {cores} cores: agents that compute will "
        f"wait for a processor, which is not charged but takes time; up to {ROLLOUTS_A_CORE * cores} is fine here"
    )


@dataclass
class _Work:
    """One call of `run`."""

    source: str
    role: Role
    batch: int
    on_done: OnDone | None
    done: dict[RolloutKey, Rollout] = field(default_factory=dict)
    held: list[Result] = field(default_factory=list)
    """Results after a refusal of the endpoint: whose doing it is shows when the others are in."""
    stopped: bool = False
    """Nothing more of this call is begun."""
    error: BaseException | None = None
    """The first thing that went wrong and is not a result: a defect, or a broken store."""


class RolloutEngine:
    """Runs agents on tasks with up to `concurrency` rollouts at a time; its threads live until `close`."""

    def __init__(
        self,
        benchmark: BenchmarkRunner,
        supervisor: Supervisor,
        gateway: Gateway,
        store: RolloutStore,
        *,
        run_seed: int,
        concurrency: int = 4,
        max_calls: int | None = None,
        on_done: OnDone | None = None,
    ) -> None:
        """`max_calls`: model calls in one rollout. `on_done` is called with every result of every `run`."""
        if not isinstance(benchmark, EpisodeBenchmark) and type(benchmark).run is BenchmarkRunner.run:
            raise BadInput(f"benchmark {benchmark.name} implements neither run() nor open(): see BenchmarkRunner")
        self._benchmark = benchmark
        self._supervisor = supervisor
        self._gateway = gateway
        self._store = store
        self._run_seed = run_seed
        self._max_calls = max_calls
        self._on_done = on_done
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="rollout")
        self._draining = False

    @cached_property
    def _marks(self) -> Mapping[str, float]:
        return self._benchmark.pass_marks()

    def run(
        self,
        agent_source: str,
        asked: Sequence[tuple[str, int]],
        *,
        role: Role = "target",
        batch: int = 0,
        on_done: OnDone | None = None,
    ) -> list[Rollout]:
        """The rollouts of an agent on (task id, trial) pairs, in the order asked.

        Stored results are returned as they are. `on_done` is called in this thread, as results come in,
        stored ones first. Raises Drained when told to stop, or interrupted, before the last one was begun,
        and BadInput when a benchmark's own `run` answers with anything but rewards of the tasks asked.
        """
        agent = agent_hash(agent_source)
        keys = [RolloutKey(agent=agent, task_id=task, trial=trial) for task, trial in asked]
        work = _Work(agent_source, role, batch, on_done)
        for key in dict.fromkeys(keys):
            stored = self._store.rollout(key)
            if stored is not None:
                self._tell(stored, work)
        missing = [key for key in dict.fromkeys(keys) if key not in work.done]
        if isinstance(self._benchmark, EpisodeBenchmark):
            self._run_episodes(self._benchmark, missing, work)
        else:
            self._run_whole(missing, work)
        left = len(set(keys)) - len(work.done)
        if left:
            raise Drained(f"stopped before {left} of {len(set(keys))} rollouts were begun; nothing is lost")
        return [work.done[key] for key in keys]

    @property
    def draining(self) -> bool:
        """Whether it was told to stop."""
        return self._draining

    def drain(self) -> None:
        """Begin nothing more; `run` finishes what is in flight and raises Drained. Signal handlers may."""
        self._draining = True

    def close(self) -> None:
        """End the threads, after what is in flight. May be called twice."""
        self.drain()
        self._threads.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Episodes, in parallel

    def _run_episodes(self, benchmark: EpisodeBenchmark, keys: Sequence[RolloutKey], work: _Work) -> None:
        finished: SimpleQueue[Future[Result | None]] = SimpleQueue()
        waiting = [self._threads.submit(self._one, benchmark, key, work) for key in keys]
        for future in waiting:
            future.add_done_callback(finished.put)
        try:
            for _ in waiting:
                self._take(finished.get(), work)
            self._judge_refusals(len(waiting), work)
        except KeyboardInterrupt:
            self.drain()
            for future in waiting:  # a second interrupt ends even this
                self._take(future, work)
            raise Drained("interrupted; what was in flight is finished and stored") from None
        finally:
            work.stopped = True
        if work.error is not None:
            raise work.error

    def _one(self, benchmark: EpisodeBenchmark, key: RolloutKey, work: _Work) -> Result | None:
        """One rollout, in a thread of the pool; None when it was not begun, or given up, for a stop."""
        tries, doubted = 0, False
        while not (self._draining or work.stopped):
            tries += 1
            began = time.perf_counter()
            played, usage, refusal = self._try(benchmark, key, work)
            if played.doubtful and not doubted:
                tries, doubted = tries - 1, True
                continue
            hopeless = isinstance(played.fault, ModelUnavailable) or tries > EXTRA_TRIES
            if played.status != "infra" or hopeless:
                detail = f"{played.detail} (try {tries})" if played.status == "infra" else played.detail
                rollout = self._rollout(key, played, usage, detail, time.perf_counter() - began)
                return rollout.model_copy(update={"refusal": refusal}), played.trace
        return None

    def _try(self, benchmark: EpisodeBenchmark, key: RolloutKey, work: _Work) -> tuple[Played, Usage, str]:
        """How it ended, what it cost, how the endpoint refused its last call (empty: it did not).

        Every try has the same scope and seed: model calls that were answered before are not paid again.
        """
        seed = key.seed(self._run_seed)
        with self._gateway.lease(
            work.role, scope=_scope(key), seed=seed, max_calls=self._max_calls, batch=work.batch
        ) as lease:
            played = play(
                benchmark,
                key.task_id,
                seed=seed,
                source=work.source,
                supervisor=self._supervisor,
                complete=lease.complete,
            )
            return played, lease.usage(), lease.refusal

    def _rollout(self, key: RolloutKey, played: Played, usage: Usage, detail: str, seconds: float) -> Rollout:
        return Rollout(
            key=key,
            seed=key.seed(self._run_seed),
            status=played.status,
            reward=played.reward,
            detail=" ".join(detail.split())[:500],
            components=played.components,
            usage=usage,
            steps=sum(step.kind in ("say", "act", "submit") for step in played.trace),
            wall_seconds=round(seconds, 3),
            tier=self._supervisor.tier,
            pass_at=self._mark(key.task_id),
        )

    def _mark(self, task_id: str) -> float:
        """Reward from which a task counts as passed."""
        return self._marks.get(task_id, self._benchmark.pass_at)

    # The smallest benchmark, in one call a trial

    def _run_whole(self, keys: Sequence[RolloutKey], work: _Work) -> None:
        try:
            for trial in sorted({key.trial for key in keys}):
                if self._draining:
                    return
                same = [key for key in keys if key.trial == trial]
                for rollout in run_whole(
                    self._benchmark, work.source, same, run_seed=self._run_seed, tries=1 + EXTRA_TRIES
                ):
                    self._keep((rollout.model_copy(update={"pass_at": self._mark(rollout.task_id)}), ()), work)
        except KeyboardInterrupt:
            self.drain()
            raise Drained("interrupted; finished trials are stored") from None

    # Results, in the caller's thread

    def _take(self, future: Future[Result | None], work: _Work) -> None:
        error = future.exception()
        if error is not None:
            work.stopped, work.error = True, work.error or error
        elif (result := future.result()) is not None and result[0].key not in work.done:
            if suspicious(result[0]):
                work.held.append(result)
            else:
                self._keep(result, work)

    def _judge_refusals(self, asked: int, work: _Work) -> None:
        """Keep what was held back: as faults where the endpoint refuses most of the `asked` rollouts alike.

        Not after a stop: what was held is run again, and its answered calls are not paid again.
        """
        if work.stopped or self._draining:
            return
        refusal = blanket_refusal([rollout for rollout, _ in work.held], asked=asked)
        for rollout, trace in work.held:
            self._keep((as_infra(rollout) if rollout.refusal == refusal else rollout, trace), work)

    def _keep(self, result: Result, work: _Work) -> None:
        """Usage before the result: a run killed in between counts it again under the same id, not never.

        The usage of a fault is not counted yet: the try that ends it replays those calls and counts them.
        """
        rollout, trace = result
        if rollout.valid:
            self._store.add_usage(_scope(rollout.key), work.role, work.batch, rollout.task_id, rollout.usage)
        self._store.save_rollout(rollout, trace, scope=_scope(rollout.key))
        self._tell(rollout, work)

    def _tell(self, rollout: Rollout, work: _Work) -> None:
        work.done[rollout.key] = rollout
        for on_done in (self._on_done, work.on_done):
            if on_done is not None:
                on_done(rollout)


def _scope(key: RolloutKey) -> str:
    return f"rollout:{key.id}"
