"""All runs of a home on one page, side by side."""

from __future__ import annotations

from pathlib import Path

from sigmaloop.errors import SigmaLoopError
from sigmaloop.graph.run import Run, runs_of
from sigmaloop.report.files import replace_text
from sigmaloop.report.home_page import RunRow, home_page


def home_rows(home: Path) -> list[RunRow]:
    """Every run of a home, the newest first; one that cannot be read says why."""
    rows = []
    for facts, _ in runs_of(home):
        try:
            rows.append(RunRow(run_id=facts.run_id, report=Run(home, facts.run_id).report()))
        except SigmaLoopError as error:
            rows.append(RunRow(run_id=facts.run_id, problem=str(error)))
    return rows


def write_home_page(home: Path) -> Path:
    """Write <home>/report.html; returns its path. Raises BadInput when it cannot be written."""
    path = home / "report.html"
    replace_text(path, home_page(home, home_rows(home)))
    return path
