"""Single sections of the page for notebooks: the same pictures and tables, inline SVG without a plotting library."""

from __future__ import annotations

from sigmaloop.errors import BadInput
from sigmaloop.report.markup import Markup, el
from sigmaloop.report.page import style
from sigmaloop.report.page_head import question_section
from sigmaloop.report.page_sections import (
    changes_section,
    clusters_section,
    costs_section,
    needs_section,
    night_section,
    rejected_section,
    tasks_section,
    trust_section,
)
from sigmaloop.report.record import Report

SECTIONS = {
    "question": question_section,
    "night": night_section,
    "changes": lambda report: changes_section(report, most=60_000),
    "rejected": lambda report: rejected_section(report, most=60_000),
    "clusters": clusters_section,
    "tasks": tasks_section,
    "needs": needs_section,
    "trust": trust_section,
    "costs": costs_section,
}


class Drawn:
    """What a notebook shows as HTML."""

    def __init__(self, html: str, words: str) -> None:
        self.html = html
        self._words = words

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self._words


def drawn_section(report: Report, name: str) -> Drawn:
    """One section of the page, or a line where there is nothing to tell yet. Raises BadInput that lists the names."""
    if name not in SECTIONS:
        raise BadInput(f"the report has no section {name!r}; there are {', '.join(SECTIONS)}")
    section = SECTIONS[name](report)
    if section is None:
        return Drawn(el("p", f"{name}: nothing yet"), f"{name}: nothing yet")
    own = style().replace(":root{", ":scope{")  # the page's colours stay inside
    html = el("div", el("style", Markup(f"@scope{{{own}}}")), el("div", section.markup, class_="report"))
    return Drawn(html, f"{section.title}: shown as HTML in a notebook")
