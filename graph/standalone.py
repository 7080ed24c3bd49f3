"""Scoring outside a run: one agent file, or a benchmark's own contract.

Nothing is stored, unless a scoring is recorded (`--record-calls`): then it has a journal of its own in the home.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, NamedTuple

from sigmaloop.errors import BadInput
from sigmaloop.eval.benchmark import BenchmarkRunner, load_benchmark
from sigmaloop.eval.conformance import ConformanceReport, check_benchmark
from sigmaloop.eval.rollouts import RolloutEngine
from sigmaloop.eval.scoring import ScoreSummary, score_agent
from sigmaloop.eval.store import MemoryStore, RolloutStore
from sigmaloop.graph.agent_files import check_own, package_of
from sigmaloop.graph.prepare import probed, smoke_test
from sigmaloop.graph.services import RedactedStore, make_gateway, make_supervisor
from sigmaloop.graph.trace_reading import read_traces
from sigmaloop.memory.evals import EvalFinished, EvalStarted, record_eval
from sigmaloop.memory.journal import Journal
from sigmaloop.records import Rollout, RolloutKey, Task, Trace, agent_hash
from sigmaloop.settings import Settings, secrets
from sigmaloop.tools.redaction import Redactor


@contextmanager
def engine_for(
    settings: Settings, benchmark: BenchmarkRunner, *, store: RolloutStore | None = None, journal: Journal | None = None
) -> Iterator[RolloutEngine]:
    """A rollout engine whose results live in memory only, or in the store given; `journal`: of its model calls."""
    gateway, supervisor = make_gateway(settings, journal=journal), make_supervisor(settings)
    engine = RolloutEngine(
        benchmark,
        supervisor,
        gateway,
        MemoryStore() if store is None else store,
        run_seed=settings.seed,
        concurrency=settings.concurrency,
        max_calls=settings.max_calls,
    )
    try:
        yield engine
    finally:
        engine.close()
        supervisor.stop()
        gateway.stop()


def score_file(
    settings: Settings,
    *,
    split: Literal["train", "validation"],
    limit: int | None,
    trials: int,
    task_ids: Sequence[str] = (),
    on_total: Callable[[int], None] = lambda _total: None,
    on_done: Callable[[Rollout], None] = lambda _rollout: None,
    on_scored: Callable[[ScoredTraces], None] = lambda _scored: None,
) -> ScoreSummary:
    """Mean reward of the settings' agent on a split: on `task_ids`, or else on its first `limit` tasks.

    `on_scored` is handed all traces at the end. With `settings.record_calls` they and all model calls are stored.

    Raises BadInput, ModelUnavailable.
    """
    source = settings.agent_source()
    benchmark = load_benchmark(settings.benchmark)
    check_own(settings, source, hosted=benchmark.hosts_agent)
    tasks = _chosen(benchmark, settings.benchmark, split, task_ids)[:limit]
    if not tasks:
        raise BadInput(f"benchmark {settings.benchmark} has no {split} tasks")
    smoke_test(settings, source, benchmark)
    settings = probed(settings, "target", *benchmark.model_roles)
    on_total(len(tasks) * trials)
    rollouts: list[Rollout] = []

    def done(rollout: Rollout) -> None:
        rollouts.append(rollout)
        on_done(rollout)

    with _kept(settings, benchmark, source, tasks, trials) as kept:
        with engine_for(settings, benchmark, store=kept.store, journal=kept.journal) as engine:
            summary = score_agent(engine, source, tasks, trials=trials, on_done=done)
        place = {task.id: number for number, task in enumerate(tasks)}
        ordered = sorted(rollouts, key=lambda r: (place[r.task_id], r.key.trial))
        on_scored(ScoredTraces(kept.name, kept.read([rollout.key for rollout in ordered])))
        if kept.journal is not None and not summary.statuses.get("infra"):  # else the faults are run again next time
            kept.journal.write(EvalFinished(mean=summary.mean, passed=summary.passed))
        return summary


class ScoredTraces(NamedTuple):
    """What an agent did on the tasks that it was scored on."""

    name: str | None
    """Under which it was recorded; None: it was not."""
    traces: list[Trace]
    """By task, in the benchmark's order, and trial."""


class _Kept(NamedTuple):
    name: str | None
    store: RolloutStore
    journal: Journal | None
    read: Callable[[Sequence[RolloutKey]], list[Trace]]


@contextmanager
def _kept(
    settings: Settings, benchmark: BenchmarkRunner, source: str, tasks: Sequence[Task], trials: int
) -> Iterator[_Kept]:
    """Where the rollouts of a scoring are kept: in memory, or in a recording of its own."""
    if not settings.record_calls:
        memory = MemoryStore()
        yield _Kept(None, memory, None, lambda keys: [memory.whole(key) for key in keys])
        return
    package = package_of(settings)
    started = EvalStarted(
        settings=settings.stored(),
        benchmark=benchmark.fingerprint(),
        agent=agent_hash(source, package.digest if package else ""),
        split=tasks[0].split,
        tasks=tuple(task.id for task in tasks),
        trials=trials,
    )

    with record_eval(settings.home, started) as recording:
        store = RedactedStore(recording.journal, Redactor(secrets(settings)))
        path = recording.journal.path
        yield _Kept(recording.name, store, recording.journal, lambda keys: read_traces(path, [key.id for key in keys]))


def _chosen(
    benchmark: BenchmarkRunner, name: str, split: Literal["train", "validation"], task_ids: Sequence[str]
) -> list[Task]:
    there = {task.id: task for task in benchmark.tasks(split)}
    unknown = [task_id for task_id in task_ids if task_id not in there]
    if unknown:
        like = ", ".join(list(there)[:3])
        raise BadInput(f"{', '.join(unknown[:5])}: no {split} task of benchmark {name}; its ids are like {like}")
    return [there[task_id] for task_id in dict.fromkeys(task_ids)] if task_ids else list(there.values())


def check_named(settings: Settings) -> ConformanceReport:
    """The conformance kit on the settings' benchmark; one that hosts the agent is measured with theirs, if named."""
    benchmark = load_benchmark(settings.benchmark)
    agent = settings.agent_source() if settings.edited else None
    with engine_for(settings, benchmark) as engine:
        return check_benchmark(benchmark, engine=engine, agent=agent)
