"""Waiting for a fact instead of for a time: a busy machine makes a test slower, never wrong."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 30.0
"""Seconds after which a fact is taken to be missing; a sound program needs a fraction of the first one."""


def wait_for(fact: Callable[[], object], *, seconds: float = PATIENCE) -> None:
    """Return as soon as it holds; fail when it never does."""
    end = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)
