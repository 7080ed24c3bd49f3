"""Scoring outside a run: one agent file, or a benchmark's own contract. Nothing is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

from sigmaloop.errors import BadInput
from sigmaloop.eval.benchmark import BenchmarkRunner, load_benchmark
from sigmaloop.eval.conformance import ConformanceReport, check_benchmark
from sigmaloop.eval.rollouts import RolloutEngine
from sigmaloop.eval.scoring import ScoreSummary, score_agent
from sigmaloop.eval.store import MemoryStore
from sigmaloop.graph.agent_files import check_own
from sigmaloop.graph.prepare import check_models, smoke_test
from sigmaloop.graph.services import make_gateway, make_supervisor
from sigmaloop.records import Rollout, Task
from sigmaloop.settings import Settings


@contextmanager
def engine_for(settings: Settings, benchmark: BenchmarkRunner) -> Iterator[RolloutEngine]:
    """A rollout engine whose results live in memory only."""
    gateway, supervisor = make_gateway(settings, journal=None), make_supervisor(settings)
    engine = RolloutEngine(
        benchmark,
        supervisor,
        gateway,
        MemoryStore(),
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
) -> ScoreSummary:
    """Mean reward of the settings' agent on a split: on `task_ids`, or else on its first `limit` tasks.

    Raises BadInput, ModelUnavailable.
    """
    source = settings.agent_source()
    benchmark = load_benchmark(settings.benchmark)
    check_own(settings, source, hosted=benchmark.hosts_agent)
    tasks = _chosen(benchmark, settings.benchmark, split, task_ids)[:limit]
    if not tasks:
        raise BadInput(f"benchmark {settings.benchmark} has no {split} tasks")
    smoke_test(settings, source, benchmark)
    check_models(settings, settings.models()[0])
    on_total(len(tasks) * trials)
    with engine_for(settings, benchmark) as engine:
        return score_agent(engine, source, tasks, trials=trials, on_done=on_done)


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
