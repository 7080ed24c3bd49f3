"""Rollouts of the smallest benchmark: it hosts the agent itself and answers with rewards by task id."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

from sigmaloop.errors import BadInput, SigmaLoopError, boundary
from sigmaloop.eval.benchmark import BenchmarkRunner
from sigmaloop.eval.session import EpisodeFault
from sigmaloop.records import Rollout, RolloutKey, digest

TIER = "benchmark"
"""The agent ran inside the benchmark, not behind our wall: recorded in every result."""


def run_whole(
    benchmark: BenchmarkRunner, source: str, keys: Sequence[RolloutKey], *, run_seed: int, tries: int
) -> list[Rollout]:
    """One agent on the tasks of one trial, in the order of `keys`; missing and None rewards are tried again.

    The seed depends on run, agent and trial alone, so that a resumed batch is the same batch.
    Raises BadInput that names the tasks whose reward is not a number in [0, 1], or that were not asked for.
    """
    agent, trial = keys[0].agent, keys[0].trial
    seed = int(digest("trial", run_seed, agent, trial, size=8), 16) & 0x7FFFFFFF
    asked = [key.task_id for key in keys]
    rewards: dict[str, float] = {}
    reason = ""
    for _ in range(tries):
        left = [task for task in asked if task not in rewards]
        if not left:
            break
        try:
            with boundary(EpisodeFault, "benchmark: run()"):
                answer = benchmark.run(source, left, seed=seed)
        except BadInput:
            raise
        except SigmaLoopError as fault:
            reason = str(fault)
            continue
        reason = "benchmark: run() gave no reward"
        rewards |= _checked(answer, left, benchmark.name)
    return [_rollout(key, seed, rewards.get(key.task_id), f"{reason} (try {tries})") for key in keys]


def _rollout(key: RolloutKey, seed: int, reward: float | None, reason: str) -> Rollout:
    if reward is None:
        detail = " ".join(reason.split())[:500]
        return Rollout(key=key, seed=seed, status="infra", reward=None, detail=detail, tier=TIER)
    return Rollout(key=key, seed=seed, status="ok", reward=reward, tier=TIER)


def _checked(answer: object, asked: Sequence[str], name: str) -> dict[str, float]:
    """The rewards in an answer; faults (None) left out."""
    if not isinstance(answer, Mapping):
        raise BadInput(f"benchmark {name}: run() returned {type(answer).__name__}, not a mapping of task id to reward")
    unknown = sorted(str(task) for task in answer.keys() - set(asked))
    if unknown:
        raise BadInput(f"benchmark {name}: run() returned tasks that were not asked for: {_listed(unknown)}")
    wrong = [f"{task}: {reward!r}" for task, reward in answer.items() if reward is not None and not _fits(reward)]
    if wrong:
        raise BadInput(f"benchmark {name}: rewards must be numbers in [0, 1]; run() returned {_listed(sorted(wrong))}")
    return {task: float(reward) for task, reward in answer.items() if reward is not None}


def _fits(reward: Any) -> bool:
    return isinstance(reward, Real) and math.isfinite(reward) and 0 <= float(reward) <= 1


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
