"""A report as lines for the terminal: the same sentences as on the page, and no others."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Literal, NamedTuple

import click

from sigmaloop.clean_text import clean
from sigmaloop.report.gates import ORDER, SHORT
from sigmaloop.report.record import ClusterRow, Report
from sigmaloop.report.words import cut

Style = Literal["", "good", "bad", "warn", "dim", "bold"]
WIDTH = 80
LABEL = 15
OPEN_CLUSTERS = 5
_STYLES: dict[str, dict[str, object]] = {
    "good": {"fg": "green", "bold": True}, "bad": {"fg": "red", "bold": True}, "warn": {"fg": "yellow", "bold": True},
    "plain": {"bold": True}, "bold": {"bold": True}, "dim": {"dim": True}, "": {},
}  # fmt: skip


class Line(NamedTuple):
    """A line, and how its first word is set off where there is colour."""

    text: str
    mark: str = ""
    """How many of its first characters are styled: those of this text."""
    style: str = ""


def print_report(report: Report, *, clusters: bool = True) -> None:
    """The report on standard output."""
    for line in report_lines(report, clusters=clusters):
        said = clean(line.text)
        styled = click.style(line.mark, **_STYLES[line.style]) if line.mark else ""  # type: ignore[arg-type]
        click.echo(styled + said[len(line.mark) :] if said.startswith(line.mark) else said)


def report_lines(report: Report, *, clusters: bool = True) -> list[Line]:
    """Headline, figures, open clusters, what to do next."""
    lines = [*_headline(report), Line(""), Line(_run_line(report)), Line("")]
    lines += [line for label, value in _rows(report) for line in _row(label, value)]
    if clusters and report.state != "waiting":
        lines += _clusters(report)
    if report.question:
        lines += _question(report)
    return [*lines, *_next(report)]


def _headline(report: Report) -> list[Line]:
    said = report.headline
    badge = said.badge.upper()
    first = f"{badge}  {said.short}"
    if report.banner:
        first = f"{first:<{WIDTH - 17}}  simulated model"
    lines = [Line(first, badge, said.tone)]
    indent = " " * min(len(badge) + 2, 10)
    about = [] if said.short.rstrip(".") == said.title.rstrip(".") or said.measures else [said.title]
    for text in (*about, *said.evidence, said.caution, report.live.text if report.live else ""):
        lines += [Line(f"{indent}{part}") for part in textwrap.wrap(text, WIDTH - len(indent))]
    return lines


def _run_line(report: Report) -> str:
    by = f" (process {report.process})" if report.process else ""
    return f"{report.benchmark}  run {report.short_id}  {report.condition}{by}  {report.when}"


def _rows(report: Report) -> list[tuple[str, str]]:
    rows = [(figure.label, f"{figure.value}, {figure.more}") for figure in report.strip]
    stopped = {gate: sum(attempt.group == gate for attempt in report.attempts) for gate in ORDER}
    rejected = sorted(((number, gate) for gate, number in stopped.items() if number), reverse=True)
    if rejected:
        said = "  ".join(f"{number} {SHORT[gate]}" for number, gate in rejected)
        rows.insert(1, ("Rejected", said))
    rows += [("Caution", f"{check.title}: {check.text}") for check in report.cautions if check.text != report.banner]
    return rows


def _row(label: str, value: str) -> list[Line]:
    name = {"Changes kept": "Kept", "Failure clusters": "Clusters", "Regression suite": "Suite"}.get(label, label)
    wrapped = textwrap.wrap(value, WIDTH - LABEL - 2) or [""]
    first = Line(f"  {name:<{LABEL - 2}}{wrapped[0]}", "", "")
    return [first, *(Line(" " * LABEL + part) for part in wrapped[1:])]


def _clusters(report: Report) -> list[Line]:
    rows = [row for row in report.clusters if row.open][:OPEN_CLUSTERS]
    if not rows:
        return []
    return [Line(""), Line(f"{'Open clusters':<56}{'failing':>8}{'kept':>6}{'rejected':>10}", "Open clusters", "bold"),
            *(Line(cluster_line(row)) for row in rows)]  # fmt: skip


def cluster_line(row: ClusterRow) -> str:
    """One cluster in a list."""
    return f"  {row.id:<6}{cut(row.title, 46):<48}{row.failing:>8}{row.kept:>6}{row.rejected:>10}"


def _question(report: Report) -> list[Line]:
    asked = report.question
    assert asked
    about = next((a.summary for a in report.attempts if a.id == asked.candidate), "")
    texts = [text for text in (about, asked.hypothesis, asked.reviewer) if text]
    return [Line(""), *(Line(part) for text in texts for part in textwrap.wrap(cut(text, 600), WIDTH)),
            Line(f"the diff: sigmaloop diff {asked.candidate} --run {report.short_id}")]  # fmt: skip


def _next(report: Report) -> list[Line]:
    lines = [Line(""), Line("Next", "Next", "bold")]
    page = Path(report.path) / "report.html"
    if report.kept:
        lines.append(Line(f"  {'read the changes':<18}{page}"))
    else:
        lines.append(Line(f"  {'read more':<18}{page}"))
    for step in report.todo:
        lines += [Line(f"  {command.why or 'go on':<18}{command.text}") for command in step.commands]
    return lines
