"""The commands as a user types them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from processes import environment, sigmaloop

from sigmaloop.settings import GROUPS, Settings, flag_of, place_of

Command = Callable[..., "CompletedProcess[str]"]
SMALL = (
    "--benchmark", "small:TinyHelpdesk", "--batches", "2", "--batch-size", "8", "--attempts", "3",
    "--certify-trials", "1",
)  # fmt: skip


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory, command_in: Callable[[Path], Command]
) -> tuple[Command, Path, dict[str, Any]]:
    """A run that kept something: commands in its folder, the folder, and what `run --json` said."""
    folder = tmp_path_factory.mktemp("finished")
    command = command_in(folder)
    done = command("run", "--json", *SMALL, "--seed", "0")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["kept"] >= 1, "nothing was kept on this seed; choose another"
    return command, folder, told


def test_help_lists_every_command_without_loading_the_machine(command: Command) -> None:
    done = command("--help")
    for name in ("run", "resume", "status", "eval", "benchmark", "apply"):
        assert name in done.stdout
    loaded = subprocess.run(
        [
            sys.executable, "-c",
            "import sys\nfrom sigmaloop.cli.main import main\n"
            "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
            "print(sorted(m for m in sys.modules if m in {'langgraph', 'chromadb', 'openai', 'pydantic', 'numpy'}))",
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert loaded.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", ["run", "resume", "status", "eval", "apply", "benchmark"])
def test_every_command_has_help(command: Command, name: str) -> None:
    done = command(name, "--help")
    assert done.returncode == 0
    assert "--json" in done.stdout or name == "benchmark"


def options_of(text: str) -> dict[str, str]:
    """Flags of a help text, with the heading that each stands under."""
    heading, found = "", {}
    for line in text.splitlines():
        if line.endswith(":") and not line.startswith(" "):
            heading = line[:-1]
        elif line.startswith("  -"):
            found[line.split()[0]] = heading
    return found


def test_help_shows_the_common_settings_in_groups_and_help_all_every_one(command: Command) -> None:
    common, every = (options_of(command("run", flag).stdout) for flag in ("--help", "--help-all"))
    for name in Settings.model_fields:
        flag, place = flag_of(name), place_of(name)
        if place.group == "models":  # told once for all roles
            assert flag not in every
            continue
        assert every[flag] == GROUPS[place.group]
        assert common.get(flag) == (GROUPS[place.group] if place.common else None)
    assert common.keys() < every.keys()
    assert every["--ROLE-base-url"] == GROUPS["models"]
    assert {"--policy", "--batches", "--max-money", "--sandbox"} <= common.keys()
    assert not {"--wave", "--cluster-floor", "--promotion-passes", "--bank-cap"} & common.keys()


@pytest.mark.slow
def test_run_status_and_apply_tell_one_story(finished: tuple[Command, Path, dict[str, Any]]) -> None:
    command, _, told = finished
    assert told["condition"] == "finished"
    assert told["simulated"] is True
    assert told["attempts"] == told["kept"] + sum(told["rejected"].values())
    shown = json.loads(command("status", "--json").stdout)
    assert {key: shown[key] for key in told if key in shown and key != "waits_for"} == {
        key: told[key] for key in told if key != "waits_for"
    }
    text = command("status").stdout
    assert "simulated model" in text
    assert told["run_id"][:8] in command("status", "--all").stdout

    assert command("apply", "--output", "better.py", "--uncertified").returncode == 0
    assert command("apply", "--output", "better.py", "--uncertified").returncode == 2
    scored = command("eval", "--agent", "better.py", "--benchmark", "small:SmallHelpdesk", "--limit", "4", "--json")
    assert json.loads(scored.stdout)["tasks"] == 4


@pytest.mark.slow
def test_apply_makes_a_branch_and_a_patch_that_git_accepts(finished: tuple[Command, Path, dict[str, Any]]) -> None:
    command, folder, _ = finished
    repo = folder / "mine"
    repo.mkdir()
    git = ["git", "-c", "user.name=u", "-c", "user.email=u@example.org", "-C", str(repo)]
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    (repo / "agent.py").write_text(Settings().agent_source())
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "first"], check=True)
    ways = ("--branch", "better", "--repo", "mine", "--path", "agent.py", "--patch", "better.patch")
    done = command("apply", *ways, "--uncertified")
    assert done.returncode == 0, done.stderr
    subprocess.run([*git, "apply", "--check", str(folder / "better.patch")], check=True)
    on_branch = subprocess.run([*git, "show", "better:agent.py"], capture_output=True, text=True, check=True).stdout
    assert command("apply", "--output", "taken.py", "--uncertified").returncode == 0
    assert on_branch == (folder / "taken.py").read_text()
    assert subprocess.run([*git, "status", "--porcelain"], capture_output=True, check=True).stdout == b""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
@pytest.mark.slow
def test_a_signal_stops_at_a_checkpoint_and_resume_goes_on(command: Command, tmp_path: Path, name: str) -> None:
    process = subprocess.Popen(
        sigmaloop("run", *SMALL, "--batches", "3"),
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "attempt 1" in line:
            break
    time.sleep(0.1)
    process.send_signal(getattr(signal, name))
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 130, (output, errors)
    assert "resume" in output
    done = command("resume", "--json", timeout=200)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["condition"] == "finished"


def test_eval_scores_an_agent_by_request_type(command: Command) -> None:
    done = command("eval", "--split", "train", "--limit", "10", "--benchmark", "small:SmallHelpdesk")
    assert done.returncode == 0, done.stderr
    assert "simulated model" in done.stdout
    refused = command("eval", "--split", "test")
    assert refused.returncode == 2


def test_the_shipped_benchmark_is_listed(command: Command) -> None:
    rows = json.loads(command("benchmark", "list", "--json").stdout)
    assert rows[0]["name"] == "helpdesk"
    assert rows[0]["train"] + rows[0]["validation"] + rows[0]["test"] >= 580
