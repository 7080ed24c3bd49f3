"""Does this machine have the processors for so many rollouts at once?"""

from __future__ import annotations

import os

ROLLOUTS_A_CORE = 16
"""At the same time: more of them wait for each other where agents compute rather than wait for a model."""


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
