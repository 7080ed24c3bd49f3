"""What a zygote's report on a child's end means, without a child."""

from __future__ import annotations

from typing import Any

import pytest

from sigmaloop.tools.sandbox.rollout_end import end_of

REPORTS: dict[str, tuple[dict[str, Any], str, str, bool]] = {
    "a fault of ours": ({"error": "no child could be forked"}, "infra", "no child could be forked", False),
    "too many threads": ({"threads": 999}, "agent_error", "it had 999 threads", False),
    "a full folder": ({"full": 10, "files": 3}, "agent_error", "it filled its folder: 3 files, 10 bytes", False),
    "all its processor time": ({"cpu": 5.0, "exit": -9}, "agent_error", "more than cpu_seconds = 5 of", False),
    "killed from outside": ({"cpu": 0.1, "exit": -9}, "agent_error", "killed by SIGKILL", True),
    "killed by its own fault": ({"cpu": 0.1, "exit": -11}, "agent_error", "killed by SIGSEGV", False),
    "a signal without a name": ({"cpu": 0.1, "exit": -40}, "agent_error", "killed by signal 40", False),
    "left early": ({"cpu": 0.1, "exit": 0}, "agent_error", "exit code 0 before run() returned", False),
}


@pytest.mark.parametrize(("report", "status", "words", "doubtful"), REPORTS.values(), ids=REPORTS.keys())
def test_a_report_is_read_as_whose_fault_the_end_was(
    report: dict[str, Any], status: str, words: str, doubtful: bool
) -> None:
    end = end_of(report, cpu_seconds=5.0)
    assert (end.status, end.doubtful) == (status, doubtful)
    assert words in end.detail
