"""`sigmaloop doctor`: every line was tried, and a missing wall is a failure."""

from __future__ import annotations

import json
from collections.abc import Callable
from subprocess import CompletedProcess

from dialects import dialects, serve_dialect

from sigmaloop.endpoints import TABLES

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


def test_a_line_for_each_role_says_how_it_has_to_be_asked(command: Command) -> None:
    with serve_dialect(dialects()["openai-reasoning"]) as picky, serve_dialect(dialects()["gemini"]) as signed:
        done = command(
            *("doctor", "--endpoint", "--target-base-url", picky.url, "--target-key-env", "KEY_A"),
            *("--specialist-base-url", signed.url, "--specialist-key-env", "KEY_B", "--json"),
            *("--judge-base-url", "http://127.0.0.1:9/v1"),
            KEY_A=picky.key,
            KEY_B=signed.key,
        )
        found = {finding["name"]: finding for finding in json.loads(done.stdout)["findings"]}
        assert len(picky.asked) + len(signed.asked) == 6 + 4, "each is asked once, whoever shares it"
    assert list(found) == list(TABLES)
    assert "max_completion_tokens in place of max_tokens; temperature left out" in found["target"]["detail"]
    assert f"{picky.url}, key in KEY_A (bearer)" in found["target"]["detail"]
    assert found["user"]["detail"] == f"as target: {found['target']['detail']}"
    assert "seed left out" in found["gate_judge"]["detail"]
    assert (found["judge"]["state"], done.returncode) == ("FAIL", 1)
    assert "127.0.0.1:9" in found["judge"]["detail"]
    assert picky.key not in done.stdout


def test_every_role_is_the_simulated_model_without_an_endpoint(command: Command) -> None:
    done = command("doctor", "--endpoint")
    assert done.returncode == 0
    assert done.stdout.count("in this process") == len(TABLES)
