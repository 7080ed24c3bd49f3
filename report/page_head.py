"""The head of the page: the answer with its evidence, what to do now, and the strip of figures."""

from __future__ import annotations

from typing import NamedTuple

from sigmaloop.report import pictures
from sigmaloop.report.diff_markup import diff_block
from sigmaloop.report.markup import Markup, el, join
from sigmaloop.report.record import Command, Report, Step


class Section(NamedTuple):
    """A part of the page with a place in its navigation."""

    id: str
    title: str
    markup: Markup


def section(
    id_: str, title: str, question: str, answer: object, evidence: Markup, *, lead: str = "", wide: bool = False
) -> Section:
    """Question, answer as heading, evidence beside it."""
    head = el(
        "header",
        el("p", question, class_="q"),
        el("h2", answer, id=f"{id_}-h"),
        el("p", lead, class_="lead") if lead else None,
    )
    made = el(
        "section", head, el("div", evidence, class_="ev"), id=id_, class_="wide" if wide else None,
        aria_labelledby=f"{id_}-h",
    )  # fmt: skip
    return Section(id_, title, made)


def hero(report: Report) -> Markup:
    """Is it better, for certain? Beside it: what to do now."""
    said = report.headline
    answer = el(
        "div",
        el("p", said.badge, class_=f"badge {said.tone}"),
        el("h1", said.title),
        *(el("p", el("b", line) if place == 0 and said.measures else line, class_="said")
          for place, line in enumerate(said.evidence)),
        el("p", report.live.text, class_="said") if report.live else None,
        el("p", el("b", "Take care. "), said.caution, class_="care") if said.caution else None,
        pictures.intervals(said.measures) if said.measures else None,
    )  # fmt: skip
    steps = el("ol", *(_step(step) for step in report.todo))
    aside = el("aside", el("h2", "What to do now"), steps, class_="now", aria_label="What to do now")
    return el("div", answer, aside if report.todo else None, class_="hero")


def strip(report: Report) -> Markup | None:
    """Five figures."""
    if not report.strip:
        return None
    return el(
        "dl",
        *(el("div", el("dt", f.label), el("dd", f.value), el("dd", f.more, class_="sub")) for f in report.strip),
        class_="strip",
    )


def question_section(report: Report) -> Section | None:
    """What a waiting run asks."""
    asked = report.question
    if asked is None:
        return None
    parts = [
        el("p", el("b", "Hypothesis. "), asked.hypothesis) if asked.hypothesis else None,
        el("p", el("b", "Reviewer. "), asked.reviewer) if asked.reviewer else None,
        diff_block(asked.diff),
    ]
    return section("asked", "Asked", "What is asked?", asked.text, join(parts))


def command(found: Command) -> Markup:
    """A command that a click selects whole."""
    return el("code", found.text, class_="cmd", tabindex=0)


def _step(step: Step) -> Markup:
    link = el("a", "Show", href=f"#{step.section}") if step.section else None
    return el("li", step.text, " " if link else None, link, *(command(found) for found in step.commands))
