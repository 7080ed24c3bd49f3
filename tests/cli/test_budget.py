"""A spent budget as a user meets it: a clear stop with exit code 3, and `resume` with more."""

from __future__ import annotations

import json
from collections.abc import Callable
from subprocess import CompletedProcess

Command = Callable[..., "CompletedProcess[str]"]
SMALL = (
    "--benchmark", "small:SmallHelpdesk", "--batches", "1", "--batch-size", "4", "--attempts", "1",
    "--certify-trials", "1", "--upstream", "simulated",
)  # fmt: skip


def test_a_spent_run_says_so_and_is_resumed_with_more(command: Command) -> None:
    stopped = command("run", *SMALL, "--max-run-tokens", "60000")
    assert stopped.returncode == 3, stopped.stderr[-1_000:]
    assert "of 60,000 tokens are spent" in stopped.stderr
    assert "sigmaloop resume" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert command("resume", "--max-run-tokens", "0").returncode == 2
    resumed = command("resume", "--json", "--max-run-tokens", "1000000000")
    assert resumed.returncode == 0, resumed.stderr[-1_000:]
    assert json.loads(resumed.stdout)["condition"] == "finished"
