"""Supervisors that a module's tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sandbox_tiers import each_tier

from sigmaloop.tools.sandbox.supervisor import Supervisor


@pytest.fixture(scope="module", params=each_tier("none", "landlock", "bubblewrap"))
def supervisor(request: pytest.FixtureRequest) -> Iterator[Supervisor]:
    with Supervisor(step_seconds=10, rollout_seconds=20, cpu_seconds=10, max_steps=50, sandbox=request.param) as made:
        yield made


@pytest.fixture(scope="module")
def hasty() -> Iterator[Supervisor]:
    with Supervisor(step_seconds=0.3, rollout_seconds=0.6, cpu_seconds=10, max_steps=50) as made:
        yield made
