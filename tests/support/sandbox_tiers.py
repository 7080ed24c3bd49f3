"""The tiers that this machine has, for tests that run in each; those it lacks are skipped with the reason."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any

import pytest

from sigmaloop.errors import SandboxError
from sigmaloop.tools.sandbox.supervisor import Supervisor

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


def on_this_side(pid: int) -> int:
    """The process below this one that knows itself by this id: inside bubblewrap it has one of its own."""
    below = [os.getpid()]
    for parent in below:
        for task in Path(f"/proc/{parent}/task").iterdir():
            below += map(int, (task / "children").read_text().split())
    for found in below[1:]:
        names = Path(f"/proc/{found}/status").read_text().partition("NSpid:")[2].split("\n")[0].split()
        if int(names[-1]) == pid:
            return found
    raise LookupError(f"no process below this one calls itself {pid}")


def each_tier(*names: str) -> list[Any]:
    """Parameters for pytest, one a tier."""
    made = []
    for name in names or REAL_TIERS:
        why = missing(name)
        marks = [pytest.mark.skip(reason=f"{name}: {why}")] if why else []
        made.append(pytest.param(name, marks=marks))
    return made
