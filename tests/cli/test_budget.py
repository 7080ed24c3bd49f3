"""A spent budget as a user meets it: a clear stop with exit code 3, and `resume` with more."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

Command = Callable[..., "CompletedProcess[str]"]
SMALL = (
    "--benchmark", "small:TinyHelpdesk", "--batches", "2", "--batch-size", "6", "--attempts", "3",
    "--certify-trials", "1", "--canaries", "0", "--harmful-canaries", "0", "--upstream", "simulated",
)  # fmt: skip


def test_a_spent_run_says_so_and_is_resumed_with_more(command: Command, tmp_path: Path) -> None:
    whole = command("run", *SMALL, "--json", "--home", str(tmp_path / "whole"))
    used = json.loads(whole.stdout)["total"]
    limit = int(0.97 * (used["input_tokens"] + used["output_tokens"]))
    stopped = command("run", *SMALL, "--max-run-tokens", str(limit))
    assert stopped.returncode == 3, stopped.stderr[-1_000:]
    assert f"of {limit:,} tokens are spent" in stopped.stderr
    assert "sigmaloop resume" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert command("resume", "--max-run-tokens", "0").returncode == 2
    resumed = command("resume", "--json", "--max-run-tokens", "1000000000")
    assert resumed.returncode == 0, resumed.stderr[-1_000:]
    assert json.loads(resumed.stdout)["condition"] == "finished"


def test_a_budget_for_less_than_one_attempt_is_refused_and_says_what_is_needed(command: Command) -> None:
    refused = command("run", *SMALL, "--max-run-tokens", "60000")
    assert refused.returncode == 2, refused.stderr[-1_000:]
    assert "one attempt" in refused.stderr
    assert "Traceback" not in refused.stderr
