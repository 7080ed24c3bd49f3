"""The rollout engine: an agent on many tasks at once, every result a record, none paid for twice.

A rollout ends in one of three ways that are never mixed: `ok` with the benchmark's reward, `agent_error`
(whatever the agent did wrong: reward 0), or `infra` (the benchmark, the gateway or the sandbox failed: no
reward). Infrastructure faults are tried again within a bound before they are recorded. An end that may have come
from outside, such as a kill, is played again from the start, its model calls from the call journal: what happens
then is the result, so the agent's own doing comes back, and an accident does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Self

from sigmaloop.eval.benchmark import SPLITS, BenchmarkRunner
from sigmaloop.eval.benchmark_models import scope_of_role
from sigmaloop.eval.executors import (
    Drained,
    EpisodeExecutor,
    Executor,
    Job,
    Result,
    StopFlag,
    TaskFacts,
    WholeExecutor,
    scope_of,
)
from sigmaloop.eval.store import RolloutStore
from sigmaloop.eval.whole_benchmark import check_run
from sigmaloop.records import Rollout, RolloutKey, Task, agent_hash
from sigmaloop.tools.gateway.gateway import Gateway
from sigmaloop.tools.gateway.roles import Role
from sigmaloop.tools.sandbox.supervisor import Supervisor

__all__ = ["Drained", "OnDone", "RolloutEngine"]

OnDone = Callable[[Rollout], None]


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
        """`max_calls`: model calls in one rollout. `on_done` is called with every result of every `run`.

        Raises BadInput for a benchmark that neither opens episodes nor runs the agent itself.
        """
        self._benchmark = benchmark
        self._store = store
        self._run_seed = run_seed
        self._package = supervisor.package.digest if supervisor.package else ""
        self._on_done = on_done
        self._stop = StopFlag()
        self._executor: Executor
        if benchmark.hosts_agent:
            check_run(benchmark)
            self._executor = WholeExecutor(benchmark, self._stop)
        else:
            self._executor = EpisodeExecutor(
                benchmark, supervisor, gateway, self._stop, concurrency=concurrency, max_calls=max_calls
            )

    def run(
        self,
        agent_source: str,
        pairs: Sequence[tuple[str, int]],
        *,
        role: Role = "target",
        batch: int = 0,
        stage: str = "",
        on_done: OnDone | None = None,
    ) -> list[Rollout]:
        """The rollouts of an agent on (task id, trial) pairs, in the order asked.

        Stored results are returned as they are; fresh ones carry the `stage`, and split and request type of their
        task. `on_done` is called in this thread, as results come in,
        stored ones first. Raises Drained when told to stop, or interrupted, before the last one was begun,
        and BadInput when a benchmark's own `run` answers with anything but rewards of the tasks asked.
        """
        agent = self.identity(agent_source)
        keys = [RolloutKey(agent=agent, task_id=task, trial=trial) for task, trial in pairs]
        job = Job(agent_source, role, batch, self._run_seed, self._about)
        done: dict[RolloutKey, Rollout] = {}

        def report(rollout: Rollout) -> None:
            done[rollout.key] = rollout
            for listener in (self._on_done, on_done):
                if listener is not None:
                    listener(rollout)

        def keep(result: Result) -> None:
            rollout = result.rollout.model_copy(update={"stage": stage})
            self._save(result._replace(rollout=rollout), job)
            report(rollout)

        for key in dict.fromkeys(keys):
            stored = self._store.rollout(key)
            if stored is not None:
                report(stored)
        self._executor.execute(job, [key for key in dict.fromkeys(keys) if key not in done], keep)
        left = len(set(keys)) - len(done)
        if left:
            raise Drained(f"stopped before {left} of {len(set(keys))} rollouts were begun; nothing is lost")
        return [done[key] for key in keys]

    def identity(self, source: str) -> str:
        """`agent_hash` of a source together with the package that all agents here have."""
        return agent_hash(source, self._package)

    @property
    def draining(self) -> bool:
        """Whether it was told to stop."""
        return self._stop.raised

    def drain(self) -> None:
        """Begin nothing more; `run` finishes what is in flight and raises Drained. Signal handlers may."""
        self._stop.raised = True

    def close(self) -> None:
        """End the threads, after what is in flight. May be called twice."""
        self.drain()
        self._executor.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _save(self, result: Result, job: Job) -> None:
        """Usage before the result: a run killed in between counts it again under the same id, not never.

        The usage of a fault is not counted yet: the try that ends it replays those calls and counts them.
        """
        rollout, scope = result.rollout, scope_of(result.rollout.key)
        if rollout.valid:
            self._store.add_usage(scope, job.role, job.batch, rollout.task_id, rollout.usage)
            for role, usage in result.models.items():
                self._store.add_usage(scope_of_role(scope, role), role, job.batch, rollout.task_id, usage)
        self._store.save_rollout(rollout, result.trace, course=result.course, scope=scope)

    def _about(self, task_id: str) -> TaskFacts:
        task = self._tasks.get(task_id)
        return {
            "pass_at": self._marks.get(task_id, self._benchmark.pass_at),
            "split": task.split if task else None,
            "request_type": task.request_type if task else "",
        }

    @cached_property
    def _tasks(self) -> Mapping[str, Task]:
        return {task.id: task for split in SPLITS for task in self._benchmark.tasks(split)}

    @cached_property
    def _marks(self) -> Mapping[str, float]:
        return self._benchmark.pass_marks()
