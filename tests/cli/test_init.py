"""`sigmaloop init`: files that work at once, and nothing of the user's touched."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from sigmaloop.cli.init import KINDS
from sigmaloop.errors import BadInput
from sigmaloop.eval.benchmark import load_benchmark
from sigmaloop.graph.prepare import smoke_test
from sigmaloop.settings import load_settings
from sigmaloop.tools.changes.edits import check_agent

Command = Callable[..., "CompletedProcess[str]"]
NAMES = {"sigmaloop.toml", "program.md", "agent.py", "my_benchmark.py"}


def test_an_empty_folder_gets_what_works_at_once(command: Command, tmp_path: Path) -> None:
    done = command("init")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == NAMES
    checked = command("benchmark", "check", "my_benchmark:FrontDesk")
    assert checked.returncode == 0, checked.stdout
    assert "oracle (ceiling)             mean 1.000" in checked.stdout
    scored = command("eval", "--limit", "5", "--upstream", "simulated")
    assert scored.returncode == 0, scored.stderr
    assert scored.stdout.startswith("0.000 on validation")


@pytest.mark.slow
def test_a_run_without_a_key_mends_the_agent_of_the_template(command: Command) -> None:
    command("init")
    done = command("run", "--upstream", "simulated", "--batches", "1", "--certify-trials", "1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("BETTER")


def test_nothing_is_overwritten(command: Command, tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text("mine")
    (tmp_path / "program.md").symlink_to(tmp_path / "elsewhere.md")
    done = command("init", "--agent", "openai")
    assert "kept  agent.py" in done.stdout
    assert "wrote my_benchmark.py" in done.stdout
    assert (tmp_path / "agent.py").read_text() == "mine"
    assert not (tmp_path / "elsewhere.md").exists()
    again = command("init")
    assert "wrote" not in again.stdout


def test_a_folder_that_cannot_be_made_is_refused(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = command("init", "file/below")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_every_agent_passes_its_smoke_test(
    command: Command, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("init", "made", "--agent", kind)
    monkeypatch.chdir(tmp_path / "made")
    settings = load_settings(upstream="simulated", benchmark="helpdesk")
    assert settings.agent_source() == (tmp_path / "made" / "agent.py").read_text()
    check_agent(settings.agent_source(), "agent.py")
    smoke_test(settings, settings.agent_source(), load_benchmark("helpdesk"))


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("syntax", "def tasks(:\n", r"mine_syntax\.py, line 1"),
        ("imports", "import no_such_thing\n", "no_such_thing"),
        ("other", "class Other: pass\n", "no attribute 'Mine'"),
        ("base", "class Mine: pass\n", "is not a BenchmarkRunner"),
        ("raises", "raise RuntimeError('no data here')\n", "no data here"),
    ],
)
def test_a_module_in_this_folder_that_is_wrong_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, says: str
) -> None:
    (tmp_path / f"mine_{name}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(BadInput, match=says):
        load_benchmark(f"mine_{name}:Mine")
