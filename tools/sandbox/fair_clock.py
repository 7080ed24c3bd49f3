"""How much of a child's silence is its own: not the wait for a processor, nor the time in which it was stopped.

A busy machine must not decide how an agent scores. What the kernel says about the child's threads is looked at
now and then while it is silent; where the kernel says nothing (no /proc), all of the silence is the child's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

SLICE_SECONDS = 0.25
"""Between two looks at a silent child."""
FIRST_SLICE_SECONDS = 0.05
"""Before the first one: most children answer within it and are never looked at."""
PATIENCE = 60
"""A child that waits without end is given up after so many times its limit, charged or not."""
CLOSE = 0.001
"""Seconds that are too few to wait for."""
_HELD = "TtD"
"""States in which a process does nothing of its own: stopped, traced, waiting for a disk or for swapped memory."""


class Look(NamedTuple):
    """What the kernel says about a child at one moment."""

    state: str
    """One letter, as in proc(5), of its first thread."""
    ran: Mapping[int, int]
    """Nanoseconds on a processor so far, by thread."""
    waited: Mapping[int, int]
    """Nanoseconds ready to run without a processor so far, by thread; written when the wait ends."""


def threads(pid: int) -> int:
    """How many threads a process has; 0 where nobody says."""
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return 0


def state(pid: int) -> str | None:
    """The letter of a process's state, as in proc(5); None when there is no such process, or no /proc."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0].decode()
    except (OSError, IndexError):
        return None


def look(pid: int) -> Look | None:
    """A child as it is now; None where the kernel does not say."""
    ran, waited = {}, {}
    now = state(pid)
    if now is None:
        return None
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/schedstat", "rb") as file:
                first, second, *_ = file.read().split()
            ran[int(thread)], waited[int(thread)] = int(first), int(second)
    except (OSError, ValueError):  # a thread ended, or the kernel keeps no such counts
        return None
    return Look(now, ran, waited)


@dataclass
class FairClock:
    """The time between two frames of one child, in seconds, as it is charged for it."""

    see: Callable[[], Look | None]
    passed: float = 0.0
    """All of it."""
    stopped: bool = False
    """Whether it was stopped at the last look."""
    _held: float = 0.0
    _pending: float = 0.0
    """A wait that the kernel has not written down yet, because it goes on."""
    _first: Look | None = None
    _last: Look | None = None

    @property
    def charged(self) -> float:
        """What the child has to answer for; never less than what it ran, however many threads waited."""
        if self._first is None or self._last is None:
            return self.passed
        first = self._first
        waited = max(0, *(ns - first.waited.get(thread, 0) for thread, ns in self._last.waited.items()), 0)
        ran = sum(ns - first.ran.get(thread, 0) for thread, ns in self._last.ran.items())
        own = self.passed - self._held - self._pending - waited / 1e9
        return max(0.0, own, min(ran / 1e9, self.passed))

    @property
    def threads(self) -> int:
        """How many it had at the last look; 0 before the first."""
        return len(self._last.ran) if self._last else 0

    def next_slice(self, allowed: float) -> float:
        """Seconds to wait before the next look; 0 when the child's time, of which `allowed` is the most, is up."""
        left = min(allowed - self.charged, PATIENCE * allowed - self.passed)
        if left < CLOSE or (self.stopped and self.passed >= allowed):
            return 0.0
        return min(left, SLICE_SECONDS if self.passed else FIRST_SLICE_SECONDS)

    def count(self, seconds: float) -> None:
        """So many seconds have passed without a frame: look what the child did."""
        self.passed += seconds
        now = self.see()
        if now is None:
            return
        self.stopped = now.state in "Tt"
        if self._last is not None:
            if now.state in _HELD:
                self._held += seconds
            ready = now.state == "R" and now.ran == self._last.ran
            self._pending = self._pending + seconds if ready else 0.0
        self._first, self._last = self._first or now, now
