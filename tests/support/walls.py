"""The tiers that this machine has, for tests that run in each; those it lacks are skipped with the reason."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from sigmaloop.errors import SandboxError
from sigmaloop.tools.sandbox import Supervisor

REAL_TIERS = ("landlock", "bubblewrap", "seatbelt")


@functools.cache
def missing(tier: Any) -> str | None:
    """Why a tier cannot be tested here; None when it can."""
    supervisor = Supervisor(step_seconds=5, rollout_seconds=5, cpu_seconds=5, max_steps=5, sandbox=tier)
    try:
        supervisor.start()
    except SandboxError as error:
        return str(error)
    finally:
        supervisor.stop()
    return None


def each_tier(*names: str) -> list[Any]:
    """Parameters for pytest, one a tier."""
    made = []
    for name in names or REAL_TIERS:
        why = missing(name)
        marks = [pytest.mark.skip(reason=f"{name}: {why}")] if why else []
        made.append(pytest.param(name, marks=marks))
    return made
