"""The runs of a home side by side: a line each, with its answer and its interval on one shared axis."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from sigmaloop.report import pictures
from sigmaloop.report.effects import Effect
from sigmaloop.report.markup import Markup, el
from sigmaloop.report.page import document
from sigmaloop.report.record import Report
from sigmaloop.report.words import between, cut, percent, plural, points

MOST_RUNS = 200


class RunRow(BaseModel):
    """A run, or why there is none to show."""

    run_id: str
    report: Report | None = None
    problem: str = ""


def home_page(home: Path, rows: Sequence[RunRow]) -> str:
    """The whole page, the newest run first."""
    effects = [effect for row in rows if (effect := _effect(row))]
    axis = pictures.shared_axis(effects)
    names = ("Run", "Answer", "Difference", "Solved", "Kept", "Tokens")
    head = el("tr", *(el("th", name, scope="col") for name in names))
    body = [_row(row, axis) for row in rows[:MOST_RUNS]]
    more = el("p", f"{plural(len(rows) - MOST_RUNS, 'older run')} left out.") if len(rows) > MOST_RUNS else None
    table = el("table", el("caption", "Differences in points on the sealed test, else on held-out tasks, with 95% "
                           "intervals"), el("thead", head), el("tbody", *body))  # fmt: skip
    title = f"{plural(len(rows), 'run')} in {home}"
    content = [el("h1", title), table if rows else el("p", "Start one with sigmaloop run."), more]
    return document(title, el("main", *content, id="main"))


def _effect(row: RunRow) -> Effect | None:
    """The certified difference as something to draw."""
    if row.report is None or not row.report.headline.measures:
        return None
    found = row.report.headline.measures[0]
    half = 0.0 if found.low is None or found.high is None else (found.high - found.low) / 2
    return Effect(difference=found.difference, standard_error=half / 1.96, rollouts=found.tasks * found.trials)


def _row(row: RunRow, axis: tuple[float, float]) -> Markup:
    name = el("a", row.run_id[:8], href=f"runs/{row.run_id}/report.html")
    if row.report is None:
        return el("tr", el("th", name, scope="row"), el("td", cut(row.problem, 300), colspan=5))
    report, effect = row.report, _effect(row)
    measure = report.headline.measures[0] if report.headline.measures else None
    shown = [pictures.effect(effect, axis), " ", points(effect.difference)] if effect else []
    if effect and measure and measure.low is not None and measure.high is not None:
        shown.append(f" ({between(measure.low, measure.high)})")
    simulated = el("span", " simulated model", class_="mut small") if report.banner else None
    return el(
        "tr",
        el("th", name, el("br"), el("span", report.when, class_="mut small"), scope="row"),
        el("td", el("span", report.headline.badge, class_=f"badge {report.headline.tone}"), simulated,
           el("p", report.headline.caution, class_="small") if report.headline.caution else None),
        el("td", *shown),
        el("td", f"{percent(measure.baseline)} → {percent(measure.final)}" if measure else ""),
        el("td", f"{len(report.kept)} of {len(report.attempts)}"),
        el("td", next((figure.value for figure in report.strip if figure.label in ("Tokens", "Cost")), "")),
    )  # fmt: skip
