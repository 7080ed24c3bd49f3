"""What all tests share: a clean environment, a home of their own, and the command as a user types it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from processes import environment, sigmaloop

from sigmaloop.settings import Settings, load_settings

SMALL = {
    "benchmark": "small:TinyHelpdesk",
    "batches": 2,
    "batch_size": 8,
    "attempts": 3,
    "certify_trials": 1,
    "concurrency": 2,
}
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True, scope="session")
def clean_environment() -> Iterator[None]:
    """No key, no endpoint, no tracing, no settings of the person who runs the tests; also for runs that tests share."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("OPENAI_", "SIGMALOOP_", "LANGSMITH_", "LANGCHAIN_")):
                patch.delenv(name)
        patch.setenv("LANGSMITH_TRACING", "false")
        yield


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def small_settings(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """A run of seconds: two batches on a slice of helpdesk."""
    monkeypatch.chdir(tmp_path)
    return load_settings(home=home, **SMALL)


@pytest.fixture(scope="session")
def command_in() -> Callable[[Path], Command]:
    """Makes commands like `command` for a folder that tests share."""
    return _command_in


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Run `sigmaloop ...` as a process in an empty folder; returns exit code, output and errors."""
    return _command_in(tmp_path)


def _command_in(folder: Path) -> Command:
    def run(*arguments: str, timeout: float = 240, **changed: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            sigmaloop(*arguments),
            cwd=folder,
            env=environment(**{"NO_COLOR": "1", "COLUMNS": "200", **changed}),
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    return run
