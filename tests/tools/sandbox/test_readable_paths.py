"""What an agent may read: the packages, but not ours and not the benchmark."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sigmaloop.tools.sandbox.readable_paths import readable_paths
from sigmaloop.tools.sandbox.supervisor import Supervisor


class Silence:
    """Handlers of a rollout in which nothing happens."""

    def init(self) -> dict[str, Any]:
        return {"instructions": "", "tools": [], "opening": ""}

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


def make(tier: Any = "auto") -> Supervisor:
    return Supervisor(step_seconds=5, rollout_seconds=5, cpu_seconds=5, max_steps=5, sandbox=tier)


def test_our_package_and_the_benchmarks_are_holes() -> None:
    import sigmaloop

    found = readable_paths(["pydantic.main"])
    assert str(Path(str(sigmaloop.__file__)).resolve().parent) in found.holes
    assert any(hole.endswith("/pydantic") for hole in found.holes)
    assert any(root.endswith("site-packages") for root in found.roots)
    assert not any(root in ("/", "/usr", "/etc", "/tmp", os.path.expanduser("~")) for root in found.roots)


def test_a_hidden_package_can_not_be_read_and_the_others_can() -> None:
    supervisor = Supervisor(
        step_seconds=5, rollout_seconds=5, cpu_seconds=5, max_steps=5, sandbox="landlock", hide=["tenacity"]
    )
    source = """
import yaml
def run(session):
    try:
        import tenacity
    except (ImportError, OSError):
        return
    1 / 0
"""
    with supervisor:
        assert supervisor.run(source, Silence()).detail == ""
    with make("landlock") as open_:
        assert "ZeroDivisionError" in open_.run(source, Silence()).detail
