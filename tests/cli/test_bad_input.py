"""Whatever is wrong with the input: one clear message, exit code 2, and nothing half-written."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from endpoint import Endpoint, serve
from processes import sigmaloop

Command = Callable[..., "CompletedProcess[str]"]
RUN = "def run(session):\n"


def refused(done: CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 2, (done.stdout, done.stderr[-1_500:])
    assert "Traceback" not in done.stderr
    for word in words:
        assert word.lower() in done.stderr.lower(), done.stderr


def untouched(folder: Path) -> None:
    assert not list(folder.glob(".sigmaloop/runs/*")), "something was half-written"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def run(session:\n", ["line 1", "agent.py"]),
        ("print('no agent')\n", ["run(session)"]),
        ("def run():\n    pass\n", ["run"]),
        (RUN + "    while True: pass\n", ["seconds"]),
        (RUN + "    import sys\n    sys.exit(0)\n", ["exit"]),
        (RUN + "    import os\n    os._exit(0)\n", ["exit", "died", "ended"][:1]),
        (RUN + "    raise KeyError('tools')\n", ["KeyError", "line 2"]),
        (RUN + "    print('hello')\n    session.say('hello')\n", ["standard output"]),
        ("", ["empty"]),
    ],
    ids=["not-python", "no-run", "no-parameter", "for-ever", "sys-exit", "os-exit", "raises", "prints", "empty"],
)
def test_a_broken_agent_file_is_explained(command: Command, tmp_path: Path, source: str, words: list[str]) -> None:
    (tmp_path / "agent.py").write_text(source)
    refused(command("run", "--agent", "agent.py", "--upstream", "simulated"), *words)
    untouched(tmp_path)


def test_a_missing_agent_file_is_named(command: Command, tmp_path: Path) -> None:
    refused(command("run", "--agent", "nowhere.py"), "nowhere.py", "does not exist")
    untouched(tmp_path)


def test_settings_that_do_not_exist_or_do_not_fit_are_named(command: Command, tmp_path: Path) -> None:
    refused(command("run", "--config", "nowhere.toml"), "nowhere.toml", "does not exist")
    (tmp_path / "sigmaloop.toml").write_text("batches = [broken")
    refused(command("run"), "sigmaloop.toml", "toml")
    (tmp_path / "sigmaloop.toml").write_text("batchez = 3\n")
    refused(command("run"), "batchez", "did you mean `batches`")
    (tmp_path / "sigmaloop.toml").write_text("batches = -3\n")
    refused(command("run"), "batches", "greater than or equal to 1")
    (tmp_path / "sigmaloop.toml").unlink()
    refused(command("run", SIGMALOOP_BATCHES="many"), "batches")
    refused(command("run", "--batches", "0"), "batches")
    refused(command("run", "--no-such-flag"), "no such option")
    untouched(tmp_path)


def test_an_unknown_benchmark_lists_the_shipped_ones(command: Command, tmp_path: Path) -> None:
    refused(command("run", "--benchmark", "nonesuch"), "nonesuch", "helpdesk")
    refused(command("run", "--benchmark", "no.module:Thing"), "no.module:Thing")
    refused(command("benchmark", "check", "nonesuch"), "helpdesk")
    untouched(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("class Own(:\n", ["cannot be loaded", "SyntaxError"]),
        (
            "from sigmaloop import BenchmarkRunner\nclass Own(BenchmarkRunner):\n    pass\n",
            ["cannot be loaded", "tasks"],
        ),
        ("class Own:\n    pass\n", ["not a BenchmarkRunner"]),
        (
            "from sigmaloop import BenchmarkRunner\nclass Own(BenchmarkRunner):\n"
            "    def tasks(self, split):\n        raise KeyError(split)\n",
            ["tasks() failed", "KeyError"],
        ),
        (
            "from sigmaloop import BenchmarkRunner\nfrom sigmaloop.records import Task\n"
            "class Own(BenchmarkRunner):\n    def tasks(self, split):\n        return [Task(id='same', split=split)]\n"
            "    def run(self, agent, task_ids, *, seed):\n        return dict.fromkeys(task_ids, 1.0)\n",
            ["more than once"],
        ),
        (
            "from sigmaloop import BenchmarkRunner\nfrom sigmaloop.records import Task\n"
            "class Own(BenchmarkRunner):\n    def tasks(self, split):\n        return [Task(id=split, split=split)]\n",
            ["neither run() nor open()"],
        ),
    ],
    ids=["not-python", "abstract", "no-benchmark", "tasks-raise", "splits-overlap", "cannot-score"],
)
def test_a_broken_benchmark_is_explained(command: Command, tmp_path: Path, text: str, words: list[str]) -> None:
    (tmp_path / "own_benchmark.py").write_text(text)
    refused(command("run", "--benchmark", "own_benchmark:Own", "--upstream", "simulated"), *words)
    untouched(tmp_path)


OWN = (
    "from sigmaloop import BenchmarkRunner\n"
    "from sigmaloop.records import Task\n"
    "class Own(BenchmarkRunner):\n    def tasks(self, split):\n"
    "        return [Task(id=f'{split}{k}', split=split) for k in (1, 2)]\n"
    "    hosts_agent = False\n    def open(self, task_id, *, seed):\n        raise ValueError\n"
)


@pytest.mark.parametrize("name", ["run", "plan"])
def test_a_benchmark_that_the_simulated_model_does_not_know_needs_a_key(
    command: Command, tmp_path: Path, name: str
) -> None:
    (tmp_path / "own_benchmark.py").write_text(OWN)
    agent = [] if name == "run" else ["--agent", "agent.py"]
    (tmp_path / "agent.py").write_text("def run(session):\n    pass\n")
    words = ("knows helpdesk only", "OPENAI_API_KEY", "--base-url", "--upstream simulated")
    refused(command(name, *agent, "--benchmark", "own_benchmark:Own"), *words)
    assert not (tmp_path / ".sigmaloop" / "runs").exists()


def test_the_first_line_of_a_run_names_the_model(command: Command, tmp_path: Path) -> None:
    """Refused later, for a test of one line needs no run."""
    (tmp_path / "own_benchmark.py").write_text(OWN)
    (tmp_path / "agent.py").write_text("import nonesuch\n\ndef run(session):\n    pass\n")
    first = [
        command("run", "--agent", "agent.py", *more).stderr.splitlines()[0]
        for more in ((), ("--benchmark", "own_benchmark:Own", "--upstream", "simulated"), ("--upstream", "openai"))
    ]
    assert "simulated model; checking helpdesk" in first[0]
    assert "knows helpdesk only: what it does on own_benchmark:Own says nothing" in first[1]
    assert "model gpt-4.1-mini; checking" in first[2]


def test_without_git_the_fix_is_told(command: Command, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    refused(command("run", "--upstream", "simulated", PATH=str(empty)), "git", "install")
    untouched(tmp_path)


def test_an_unwritable_home_is_named(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    refused(command("run", "--upstream", "simulated", "--home", "file/home"), "file/home")
    if os.geteuid() != 0:
        locked = tmp_path / "locked"
        locked.mkdir(mode=0o500)
        refused(command("run", "--upstream", "simulated", "--home", str(locked / "home")), "locked")


def test_a_second_run_in_one_home_is_refused_and_status_still_answers(command: Command, tmp_path: Path) -> None:
    first = subprocess.Popen(
        sigmaloop("run", "--upstream", "simulated", "--batches", "3"),
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert first.stderr is not None
        for line in first.stderr:
            if "baseline" in line:
                break
        refused(command("run", "--upstream", "simulated"), str(first.pid), "--home")
        refused(command("resume"), str(first.pid))
        assert len(list((tmp_path / ".sigmaloop" / "runs").iterdir())) == 1
        told = json.loads(command("status", "--json").stdout)
        assert (told["condition"], told["process"]) == ("running", first.pid)
        assert f"running (process {first.pid})" in command("status").stdout
        assert f"running (process {first.pid})" in command("status", "--all").stdout
    finally:
        first.kill()
        first.communicate()


def test_an_unknown_run_cannot_be_resumed_shown_or_applied(command: Command) -> None:
    for name in ("resume", "status", "apply"):
        refused(command(name, "feedbeef"), "no run")
        refused(command(name), "no run")


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("401", ["401", "OPENAI_API_KEY"]),
        ("404", ["404"]),
        ("500", ["500"]),
        ("garbage", ["hotel wifi"]),
        ("hang", ["did not answer within 2 s"]),
    ],
)
def test_an_endpoint_in_trouble_is_explained_before_anything_is_written(
    command: Command, tmp_path: Path, trouble: str, words: list[str]
) -> None:
    with serve(Endpoint(trouble=trouble)) as endpoint:
        done = command(
            "run",
            "--base-url",
            endpoint.url,
            "--model-timeout",
            "2",
            "--model-tries",
            "2",
            OPENAI_API_KEY="sk-loop-00000",
        )
    refused(done, *words)
    assert "sk-loop-00000" not in done.stderr + done.stdout
    untouched(tmp_path)


def test_an_unreachable_endpoint_is_named(command: Command, tmp_path: Path) -> None:
    done = command("run", "--base-url", "http://127.0.0.1:9/v1", "--model-tries", "1", OPENAI_API_KEY="sk-loop-00000")
    refused(done, "127.0.0.1:9")
    untouched(tmp_path)


def test_a_bad_key_message_in_json_is_json(command: Command) -> None:
    done = command("run", "--json", "--agent", "nowhere.py")
    assert done.returncode == 2
    assert "nowhere.py" in json.loads(done.stdout)["error"]
