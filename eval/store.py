"""Where rollouts are kept so that none is paid for twice: the protocol, and a store for one process."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Protocol

from sigmaloop.records import NO_COURSE, Course, Rollout, RolloutKey, Step, Trace, Usage


class RolloutStore(Protocol):
    """What the rollout engine needs of a memory. All writes are safe to repeat."""

    def rollout(self, key: RolloutKey, /) -> Rollout | None:
        """The valid result of a key; None when there is none yet or only an infrastructure fault."""

    def save_rollout(
        self,
        rollout: Rollout,
        trace: Sequence[Step],
        /,
        *,
        course: Course = NO_COURSE,
        scope: str | None = None,
    ) -> None:
        """Keep a result and its trace; a fault gives way to any later result. `scope`: its model calls."""

    def add_usage(self, id: str, role: str, batch: int, task: str, usage: Usage, /) -> None:  # noqa: A002
        """Count what a rollout's model calls cost, once for each id."""


class MemoryStore:
    """Rollouts of this process only, for scoring an agent without a run. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rollouts: dict[RolloutKey, Trace] = {}
        self._usage: dict[str, tuple[str, Usage]] = {}

    def rollout(self, key: RolloutKey, /) -> Rollout | None:
        with self._lock:
            entry = self._rollouts.get(key)
        return entry.rollout if entry and entry.rollout.valid else None

    def save_rollout(
        self,
        rollout: Rollout,
        trace: Sequence[Step],
        /,
        *,
        course: Course = NO_COURSE,
        scope: str | None = None,
    ) -> None:
        with self._lock:
            known = self._rollouts.get(rollout.key)
            if known is None or not known.rollout.valid:
                self._rollouts[rollout.key] = Trace(rollout=rollout, steps=tuple(trace), course=course)

    def add_usage(self, id: str, role: str, batch: int, task: str, usage: Usage, /) -> None:  # noqa: A002
        with self._lock:
            self._usage.setdefault(id, (role, usage))

    def trace(self, rollout_id: str) -> tuple[Step, ...]:
        """What happened in a rollout. Raises KeyError when it is not stored."""
        with self._lock:
            traces = {key.id: entry.steps for key, entry in self._rollouts.items()}
        return traces[rollout_id]

    def whole(self, key: RolloutKey) -> Trace:
        """A rollout with everything that was seen of it. Raises KeyError when it is not stored."""
        with self._lock:
            return self._rollouts[key]

    def usage(self) -> dict[str, Usage]:
        """Sums by role."""
        sums: dict[str, Usage] = {}
        with self._lock:
            for _, (role, usage) in sorted(self._usage.items()):
                sums[role] = sums.get(role, Usage()) + usage
        return sums
