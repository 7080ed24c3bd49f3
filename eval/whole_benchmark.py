"""Rollouts of the smallest benchmark: it hosts the agent itself and answers with rewards by task id."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from inspect import Parameter, signature
from numbers import Real
from typing import Any

from sigmaloop.errors import BadInput, SigmaLoopError, boundary
from sigmaloop.eval.benchmark import BenchmarkRunner
from sigmaloop.eval.results import TaskResult
from sigmaloop.eval.session import EpisodeFault
from sigmaloop.records import Rollout, RolloutKey, Step

TIER = "benchmark"
"""The agent ran inside the benchmark, not behind our wall: recorded in every result."""


def run_whole(
    benchmark: BenchmarkRunner, source: str, keys: Sequence[RolloutKey], *, run_seed: int, tries: int
) -> list[tuple[Rollout, tuple[Step, ...]]]:
    """One agent on the tasks of one trial, in the order of `keys`, with traces where the benchmark gives any.

    Missing and None rewards are tried again.

    Every rollout has its own seed, the one of its key: tasks of a trial share nothing, and a resumed batch is the
    same batch. Raises BadInput that names the tasks whose reward is not a number in [0, 1], or that were not
    asked for, and for a `run` that takes neither `seeds` nor `seed`.
    """
    seeds = {key.task_id: key.seed(run_seed) for key in keys}
    results: dict[str, TaskResult] = {}
    reasons: dict[str, str] = {}
    for _ in range(tries):
        left = {task: seed for task, seed in seeds.items() if task not in results}
        if not left:
            break
        for part in _parts(benchmark, left):
            try:
                with boundary(EpisodeFault, "benchmark: run()"):
                    answer = _run(benchmark, source, part)
            except BadInput:
                raise
            except SigmaLoopError as fault:
                reasons |= dict.fromkeys(part, str(fault))
                continue
            checked = _checked(answer, list(part), benchmark.name)
            reasons |= dict.fromkeys(part, "benchmark: run() gave no reward")
            reasons |= {task: f"benchmark: {r.detail}" for task, r in checked.items() if r.reward is None and r.detail}
            results |= {task: result for task, result in checked.items() if result.reward is not None}
    return [
        _rollout(key, seeds[key.task_id], results.get(key.task_id), f"{reasons.get(key.task_id, '')} (try {tries})")
        for key in keys
    ]


def check_run(benchmark: BenchmarkRunner) -> None:
    """Raises BadInput for a benchmark that hosts the agent and does not say how."""
    if type(benchmark).run is BenchmarkRunner.run:
        raise BadInput(f"benchmark {benchmark.name} implements neither run() nor open(): see BenchmarkRunner")


def takes_seeds(benchmark: BenchmarkRunner) -> bool:
    """Whether `run` takes a seed for every task; False: one `seed`, so that each task needs a call of its own.

    Raises BadInput for a `run` that takes neither: its trials could not be repeated.
    """
    named = signature(benchmark.run).parameters
    if "seeds" in named or any(p.kind is Parameter.VAR_KEYWORD for p in named.values()):
        return True
    if "seed" in named:
        return False
    raise BadInput(
        f"benchmark {benchmark.name}: run() takes no seeds; write `def run(self, agent, task_ids, *, seeds)` "
        "and draw everything random of a task from seeds[task_id]"
    )


def _parts(benchmark: BenchmarkRunner, seeds: Mapping[str, int]) -> list[Mapping[str, int]]:
    """What each call of `run` is asked for: everything at once, or task by task where it knows one seed only."""
    return [seeds] if takes_seeds(benchmark) else [{task: seed} for task, seed in seeds.items()]


def _run(benchmark: BenchmarkRunner, source: str, seeds: Mapping[str, int]) -> object:
    if takes_seeds(benchmark):
        return benchmark.run(source, list(seeds), seeds=dict(seeds))
    (task, seed), *_ = seeds.items()
    one_seed: Any = benchmark.run  # written for `seed: int`
    return one_seed(source, [task], seed=seed)


def _rollout(key: RolloutKey, seed: int, result: TaskResult | None, reason: str) -> tuple[Rollout, tuple[Step, ...]]:
    if result is None:
        return Rollout(key=key, seed=seed, status="infra", reward=None, detail=_line(reason), tier=TIER), ()
    rollout = Rollout(
        key=key,
        seed=seed,
        status="agent_error" if result.crashed else "ok",
        reward=0.0 if result.crashed else result.reward,
        detail=_line(result.detail),
        components=result.components,
        steps=sum(step.kind in ("say", "act", "submit") for step in result.trace),
        tier=TIER,
    )
    return rollout, result.trace


def _line(text: str) -> str:
    return " ".join(text.split())[:500]


def _checked(answer: object, task_ids: Sequence[str], name: str) -> dict[str, TaskResult]:
    """The results in an answer; a bare None is left out."""
    if not isinstance(answer, Mapping):
        raise BadInput(f"benchmark {name}: run() returned {type(answer).__name__}, not a mapping of task id to reward")
    unknown = sorted(str(task) for task in answer.keys() - set(task_ids))
    if unknown:
        raise BadInput(f"benchmark {name}: run() returned tasks that were not asked for: {_listed(unknown)}")
    bare = {task: reward for task, reward in answer.items() if not isinstance(reward, TaskResult)}
    wrong = [f"{task}: {reward!r}" for task, reward in bare.items() if reward is not None and not _fits(reward)]
    if wrong:
        raise BadInput(f"benchmark {name}: rewards must be numbers in [0, 1]; run() returned {_listed(sorted(wrong))}")
    made = {task: TaskResult(reward=float(reward)) for task, reward in bare.items() if reward is not None}
    return {**made, **{task: result for task, result in answer.items() if isinstance(result, TaskResult)}}


def _fits(reward: object) -> bool:
    return isinstance(reward, Real) and math.isfinite(reward) and 0 <= float(reward) <= 1


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
