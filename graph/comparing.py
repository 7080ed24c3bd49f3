"""Comparisons of two finished runs by their certificates, and of two agent files by fresh rollouts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from sigmaloop.errors import BadInput
from sigmaloop.gate.statistics import task_means
from sigmaloop.graph.run import Run
from sigmaloop.records import Certificate, Rollout, Split
from sigmaloop.report.compare import Comparison, compared
from sigmaloop.settings import Settings

SPLITS: tuple[Split, ...] = ("test", "validation")


def compare_runs(first: Run, second: Run) -> Comparison:
    """The kept agents of two runs on the tasks that both were certified on: the sealed ones, else the held-out.

    Raises BadInput for runs of different benchmarks, and where a certificate with its tasks is missing.
    """
    one, other = first.certificates(), second.certificates()
    if first.settings.benchmark != second.settings.benchmark:
        raise BadInput(
            f"run {first.id[:8]} is of benchmark {first.settings.benchmark} and run {second.id[:8]} of "
            f"{second.settings.benchmark}: no task is in both"
        )
    for split in SPLITS:
        if split in one and split in other:
            return _by_certificates(first, second, one[split], other[split])
    raise BadInput(
        f"runs {first.id[:8]} and {second.id[:8]} have no certificate of one split in common; let both finish first"
    )


def compare_agents(
    first: Path,
    second: Path,
    settings: Settings,
    *,
    split: Literal["train", "validation"],
    trials: int,
    limit: int | None = None,
    on_total: Callable[[int], None] = lambda _total: None,
    on_done: Callable[[Rollout], None] = lambda _rollout: None,
) -> Comparison:
    """Fresh rollouts of two agent files on the same tasks and seeds. Raises BadInput, ModelUnavailable."""
    from sigmaloop.eval.benchmark import load_benchmark
    from sigmaloop.graph.agent_files import form_of
    from sigmaloop.graph.prepare import probed, smoke_test
    from sigmaloop.graph.standalone import engine_for
    from sigmaloop.tools.changes.edits import check_agent

    benchmark = load_benchmark(settings.benchmark)
    sources = []
    for path in (first, second):
        own = settings.model_copy(update={"agent": path, "edit": None})
        sources.append(own.agent_source())
        # In a package both take the place of the one file that changes.
        played = settings if settings.agent_packages else own
        form = form_of(played, hosted=benchmark.hosts_agent)
        check_agent(sources[-1], str(path), kind=form.kind, main=form.main)
        smoke_test(played, sources[-1], benchmark)
    settings = probed(settings, "target", *benchmark.model_roles)
    tasks = benchmark.tasks(split)[:limit]
    pairs = [(task.id, trial) for trial in range(trials) for task in tasks]
    on_total(len(sources) * len(pairs))
    with engine_for(settings, benchmark) as engine:
        means = [task_means(engine.run(source, pairs, on_done=on_done)) for source in sources]
    return compared(
        str(first), str(second), *means, where=f"{split} tasks, {trials} trials each",
        request_types={task.id: task.request_type for task in tasks},
    )  # fmt: skip


def _by_certificates(first: Run, second: Run, one: Certificate, other: Certificate) -> Comparison:
    if not one.by_task or not other.by_task:
        raise BadInput("a certificate of an older version holds no single tasks: certify both runs with this one")
    names = {"test": "sealed test", "validation": "held-out", "train": "training"}
    return compared(
        first.id[:8],
        second.id[:8],
        {scores.task_id: scores.final for scores in one.by_task},
        {scores.task_id: scores.final for scores in other.by_task},
        where=f"{names[one.split]} tasks, {one.trials} and {other.trials} trials each",
        request_types={scores.task_id: scores.request_type for scores in (*one.by_task, *other.by_task)},
    )
