"""The page that a run ends with: a certificate without an interval, one that reaches below 0, and honest estimates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sigmaloop.cli.progress import describe, print_summary
from sigmaloop.graph.events import CertificateMade
from sigmaloop.records import Certificate
from sigmaloop.report.summary import Summary

Told = pytest.CaptureFixture[str]


def certificate(**more: Any) -> Certificate:
    made: dict[str, Any] = {
        "split": "test", "agent": "a", "tasks": 100, "trials": 4, "baseline": 0.5, "final": 0.6, "difference": 0.1,
        "standard_error": 0.03, "simulated": False,
    }  # fmt: skip
    return Certificate(**{**made, **more})


def summary(**more: Any) -> Summary:
    made: dict[str, Any] = {
        "run_id": "r" * 8, "path": "p", "condition": "finished", "simulated": False, "tier": "landlock",
        "benchmark": "helpdesk", "batches": 1, "planned_batches": 1, "attempts": 4, "kept": 1, "rejected": {},
        "failures": 1, "clusters": 1, "suite": 0, "suite_refused": 0, "policy": "paired",
        "validation_results": 200, "baseline": 0.5,
        "best": None, "estimate": (0.612, 0.55, 0.67), "optimism": (2.5, 0.4), "canaries": "",
        "certificate": certificate(), "on_validation": None, "usage": {},
    }  # fmt: skip
    return Summary(**{**made, **more})


def page(told: Told, **more: Any) -> str:
    print_summary(summary(**more), home=Path(".sigmaloop"))
    return told.readouterr().out


def test_a_certain_gain_is_told_with_its_interval(capsys: Told) -> None:
    text = page(capsys)
    assert "+10.0 points, 95 % interval +4.0 to +16.0" in text
    assert "uncertain" not in text
    assert summary().certified
    assert summary().as_json()["certified"] is True


def test_an_interval_that_reaches_below_zero_is_said_before_the_score(capsys: Told) -> None:
    doubtful = {"certificate": certificate(standard_error=0.06)}
    text = page(capsys, **doubtful)
    assert text.index("the interval reaches below 0") < text.index("certified")
    assert not summary(**doubtful).certified
    assert summary(**doubtful).as_json()["certified"] is False
    assert "better_agent.py --uncertified" in text, "the next command works as it is written"


def test_four_tasks_are_too_few_for_an_interval(capsys: Told) -> None:
    few = certificate(tasks=4, final=1.0, baseline=0.0, difference=1.0, standard_error=0.0)
    text = page(capsys, certificate=few)
    assert "+100.0 points, too few tasks (4) for an interval" in text
    assert "4 tasks are too few to say" in text
    assert not summary(certificate=few).certified
    assert describe(CertificateMade(changed=True, certificate=few)).startswith("certified on test")


def test_where_nothing_was_kept_nothing_is_doubted(capsys: Told) -> None:
    same = certificate(final=0.5, difference=0.0, standard_error=0.0)
    text = page(capsys, certificate=same, kept=0)
    assert "no change was kept" in text
    assert "uncertain" not in text


def test_a_running_estimate_never_stands_alone(capsys: Told) -> None:
    assert (
        "running estimate .612 (.550 to .670; pooled: not a result; at the end of such a run 2.5 +- 0.4 points"
        in page(capsys).replace("\n", " ")
    )
    assert "how much too high is not known" in page(capsys, optimism=None)
    assert "at the end of such a run 5.4 +- 0.3 points too high" in page(
        capsys, policy="reference", best=0.6, optimism=(5.4, 0.3)
    )
