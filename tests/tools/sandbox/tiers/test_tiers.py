"""Choosing a tier, failing closed, and what is left on disk."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from sandbox_tiers import each_tier

from sigmaloop.errors import SandboxError
from sigmaloop.tools.sandbox import supervisor
from sigmaloop.tools.sandbox import zygote as zygote_module
from sigmaloop.tools.sandbox.child.wall import landlock
from sigmaloop.tools.sandbox.supervisor import Supervisor
from sigmaloop.tools.sandbox.tiers import bubblewrap, tiers


class Silence:
    """Handlers of a rollout in which nothing happens."""

    def init(self) -> dict[str, Any]:
        return {"instructions": "", "tools": [], "opening": ""}

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


def make(tier: Any = "auto") -> Supervisor:
    return Supervisor(step_seconds=5, rollout_seconds=5, cpu_seconds=5, max_steps=5, sandbox=tier)


@pytest.mark.parametrize("tier", each_tier("none", "landlock", "bubblewrap", "seatbelt"))
def test_a_tier_asked_for_by_name_is_the_one_that_is_raised_and_recorded(tier: Any) -> None:
    with make(tier) as supervisor:
        assert supervisor.tier == tier
        ended = supervisor.run("def run(session): pass", Silence())
    assert (ended.status, ended.tier) == ("ok", tier)


def test_auto_never_means_none() -> None:
    with make() as supervisor:
        assert supervisor.tier in ("bubblewrap", "landlock", "seatbelt")


def test_without_any_sandbox_auto_refuses_with_the_reasons_and_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "version", lambda: 0)
    monkeypatch.setattr(tiers.shutil, "which", lambda name: None)
    with pytest.raises(SandboxError) as refused:
        make().start()
    for part in ("bwrap is not installed", "no Landlock", "Linux 5.13", "--sandbox none"):
        assert part in str(refused.value)


def test_a_better_tier_that_does_not_start_is_passed_over_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo bubblewrap 0.9.0 && exit\necho No permissions >&2; exit 1\n'
    )
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(bubblewrap, "unreadable", lambda paths: None)
    with make() as supervisor:
        assert supervisor.tier == "landlock"
        assert any("bubblewrap" in why for why in supervisor.passed_over)


def test_a_sandbox_that_does_not_hold_is_infra_and_no_source_is_sent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The child checks its sandbox before it asks for the source; here the sandbox lacks its filter."""
    monkeypatch.setattr(zygote_module, "_WORKER", _weakened(tmp_path))
    with make("landlock") as supervisor:
        ended = supervisor.run("def run(session): session.say('x')", Silence())
    assert ended.status == "infra"
    assert ended.detail == "the sandbox was not set up: the sandbox does not hold: a socket could be opened"


def test_a_disk_without_room_is_a_sandbox_error_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "full"))
    with pytest.raises(SandboxError, match=r"no folder for rollouts can be made: .*; free some space, or set TMPDIR"):
        make("none").start()


def test_the_folder_of_a_supervisor_is_gone_after_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with make("landlock") as supervisor:
        assert supervisor.run("def run(session): open('x', 'w')", Silence()).status == "ok"
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


def _weakened(folder: Path) -> Path:
    """A worker that forgets its seccomp filter."""
    tools = Path(str(supervisor.__file__)).resolve().parent / "child"
    for name in ("worker.py", "forkserver.py", "program.py", "session.py", "frames.py"):
        shutil.copy(tools / name, folder)
    shutil.copytree(tools / "wall", folder / "wall", ignore=shutil.ignore_patterns("__pycache__"))
    worker = folder / "worker.py"
    text = worker.read_text()
    assert text.count("    seccomp.install(filter_program, pid=os.getpid())\n") == 1
    worker.write_text(text.replace("    seccomp.install(filter_program, pid=os.getpid())\n", ""))
    return worker
