"""Commands that only read load only what reading needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from processes import environment

from sigmaloop.memory.facts import FORM, RunStarted
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.runs import RunPaths
from sigmaloop.settings import load_settings
from sigmaloop.tools.versions import Versions

RUN = "12345678-run"
MOST_MODULES = 900
HEAVY = {"langgraph", "langchain", "chromadb", "aiohttp", "openai", "scipy", "uvicorn"}
PROGRAM = """
import sys
from sigmaloop.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    code = ended.code
print(code, len(sys.modules), *{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a run has begun."""
    monkeypatch.chdir(tmp_path)
    settings = load_settings(upstream="simulated")
    paths = RunPaths(settings.home, RUN)
    paths.make()
    Versions(paths.versions).begin(settings.agent_source(), "baseline")
    with Journal(paths.journal) as journal:
        journal.write(
            RunStarted(
                settings=settings.stored(),
                benchmark="",
                models=settings.models(),
                prompts={},
                simulated=True,
                tier="none",
                form=FORM,
            )
        )
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["status"], "0"),
        (["status", "--json"], "0"),
        (["status", "--all"], "0"),
        (["report"], "0"),
        (["attempts"], "0"),
        (["apply"], "0"),
        (["gate", "explain", "A0001"], "2"),
        (["trace"], "0"),
    ],
    ids=" ".join,
)
def test_a_command_that_only_reads_loads_no_machinery(folder: Path, arguments: list[str], code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], cwd=folder, env=environment(), capture_output=True, text=True
    )
    ended, modules, *names = done.stderr.splitlines()[-1].split()
    assert ended == code, done.stderr
    assert int(modules) < MOST_MODULES
    assert HEAVY & {*names} == set()
