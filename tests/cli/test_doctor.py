"""`sigmaloop doctor`: every line was tried, and a missing wall is a failure."""

from __future__ import annotations

import json
from collections.abc import Callable
from subprocess import CompletedProcess

Command = Callable[..., "CompletedProcess[str]"]


def test_a_machine_with_a_wall_is_fine(command: Command) -> None:
    done = command("doctor", "--json", SOME_API_KEY="sk-do-not-show-me")
    told = json.loads(done.stdout)
    assert done.returncode == 0, told
    found = {finding["name"]: finding for finding in told["findings"]}
    assert {
        "python", "landlock", "seccomp", "bubblewrap", "bytecode", "secrets", "git", "disk", "gateway", "model",
        "sandbox", "agent", "self-test", "cores", "left open",
    } == set(found)  # fmt: skip
    assert "SOME_API_KEY" in found["secrets"]["detail"]
    assert "do-not-show" not in done.stdout
    assert "process ids" in found["left open"]["detail"]
    stopped, _, tried = found["self-test"]["detail"].split()[:3]
    assert stopped == tried
    assert int(tried) >= 12


def test_more_rollouts_than_the_cores_carry_is_a_note(command: Command) -> None:
    done = command("doctor", "--concurrency", "1000", "--sandbox", "none")
    assert "note cores          concurrency 1000 is more than 16 for each of" in done.stdout


def test_without_a_wall_every_canary_gets_through_and_the_exit_code_says_so(command: Command) -> None:
    done = command("doctor", "--sandbox", "none")
    assert done.returncode == 1
    assert "FAIL sandbox        none" in done.stdout
    assert "reads a file: got through" in done.stdout
    assert "FAIL self-test" in done.stdout


def test_an_endpoint_that_is_not_there_is_named(command: Command) -> None:
    done = command("doctor", "--upstream", "openai", "--base-url", "http://127.0.0.1:9/v1")
    assert done.returncode == 1
    assert "FAIL model" in done.stdout
    assert "127.0.0.1:9" in done.stdout
