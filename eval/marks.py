"""Can anything pass? Rewards that lie between 0 and 1 and never reach the mark leave a gate nothing to count."""

from __future__ import annotations

from collections.abc import Iterable

from sigmaloop.records import REWARD_MICROS, Rollout


def out_of_reach(rollouts: Iterable[Rollout]) -> str:
    """What to do, in a sentence, when rewards are graded and not one reaches its task's mark; empty otherwise."""
    valid = [r for r in rollouts if r.valid]
    graded = sum(0 < r.reward_micros < REWARD_MICROS for r in valid)
    if not graded or any(r.passed for r in valid):
        return ""
    best, least = max(r.reward or 0 for r in valid), min(r.pass_at for r in valid)
    return (
        f"nothing passes: {graded} of {len(valid)} rewards lie between 0 and 1, the highest is {best:.4g}, and a task "
        f"counts as passed from {least:.4g}; so no cluster is ever mended and no change kept. Set `pass_at` in the "
        "benchmark's class to a reward that is good enough"
    )
