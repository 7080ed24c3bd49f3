"""What a run ends with in the terminal: doubts before figures, and next commands that work as they are written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from made_runs import certificate, made_run

from sigmaloop.cli.progress import describe
from sigmaloop.cli.report_text import print_report
from sigmaloop.graph.events import CertificateMade
from sigmaloop.memory.journal import Journal
from sigmaloop.report.build import build_report
from sigmaloop.report.record import Report

Told = pytest.CaptureFixture[str]


def report_of(home: Path, *, condition: str = "finished", **made: Any) -> Report:
    paths = made_run(home, **made)
    with Journal(paths.journal, readonly=True) as journal:
        return build_report(paths, journal, condition=condition)


def printed(told: Told, report: Report) -> str:
    print_report(report)
    return " ".join(told.readouterr().out.split())


def test_a_certain_gain_is_told_with_its_interval(capsys: Told, tmp_path: Path) -> None:
    report = report_of(tmp_path, certificates=[certificate()])
    text = printed(capsys, report)
    assert "+10.0 points, and with 95% confidence between +5.5 and +14.5." in text
    assert report.summary.certified
    assert report.summary.as_json()["certified"] is True
    assert f"apply abcdef12 --home {tmp_path} --output better_agent.py" in text
    assert "--uncertified" not in text


def test_an_interval_that_reaches_below_zero_is_said_before_the_figures(capsys: Told, tmp_path: Path) -> None:
    report = report_of(tmp_path, certificates=[certificate(standard_error=0.06)])
    text = printed(capsys, report)
    assert text.index("NOT PROVEN") < text.index("+10.0")
    assert not report.summary.certified
    assert report.summary.as_json()["certified"] is False
    assert "better_agent.py --uncertified" in text, "the next command works as it is written"


def test_four_tasks_are_too_few_for_an_interval(capsys: Told, tmp_path: Path) -> None:
    few = certificate(tasks=4, final=1.0, baseline=0.0, difference=1.0, standard_error=0.0)
    report = report_of(tmp_path, certificates=[few])
    assert "+100.0 points; 4 tasks are too few for an interval." in printed(capsys, report)
    assert not report.summary.certified
    assert describe(CertificateMade(changed=True, certificate=few)).startswith("certified on test")


def test_where_nothing_was_kept_nothing_is_doubted(capsys: Told, tmp_path: Path) -> None:
    same = certificate(final=0.4, difference=0.0, standard_error=0.0)
    text = printed(capsys, report_of(tmp_path, certificates=[same], kept=()))
    assert text.startswith("NO CHANGE none of 6 attempts kept; 40% of unseen tasks solved")
    assert "NOT PROVEN" not in text


def test_rejections_clusters_and_costs_are_told(capsys: Told, tmp_path: Path) -> None:
    text = printed(capsys, report_of(tmp_path, condition="ready"))
    assert "Rejected 3 own failures 2 held-out" in text
    assert "C001 takes the first 1 1 5" in text, "failing, kept, rejected"
    assert "Tokens 9.00 k, in 18 calls" in text
    assert f"go on sigmaloop resume abcdef12 --home {tmp_path}" in text
