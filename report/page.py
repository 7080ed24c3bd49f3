"""report.html: one self-contained page, drawn from a `Report`. No script, no request, at most 300 kB."""

from __future__ import annotations

from functools import cache
from importlib import resources

from sigmaloop.report import pictures
from sigmaloop.report.markup import Markup, el, join
from sigmaloop.report.page_head import hero, question_section, strip
from sigmaloop.report.page_sections import (
    changes_section,
    clusters_section,
    costs_section,
    footer,
    needs_section,
    night_section,
    rejected_section,
    tasks_section,
    trust_section,
)
from sigmaloop.report.record import Report

MOST_BYTES = 300_000
REJECTED_BYTES = 110_000
CHANGES_BYTES = 90_000
REFRESH_SECONDS = 15
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(report: Report) -> str:
    """The whole page, at most `MOST_BYTES`: where everything does not fit, diffs go first, then rows."""
    for share in (1.0, 0.6, 0.35, 0.15, 0.0):
        made = _page(report, share)
        if len(made.encode()) <= MOST_BYTES:
            return made
    return made


def notebook_page(report: Report) -> str:
    """What a notebook shows of a run: headline, strip, night. Its style keeps to itself."""
    parts = [_top(report), _banner(report), hero(report), strip(report)]
    if report.night.attempts:
        parts.append(pictures.night(report.night, report.attempts))
    own = style().replace(":root{", ":scope{")
    return el("div", el("style", Markup(f"@scope{{{own}}}")), el("div", join(parts), class_="report"))


@cache
def style() -> str:
    """The style sheet."""
    text = resources.files("sigmaloop.report").joinpath("page.css").read_text(encoding="utf-8")
    return text.replace("\n", "")


def _page(report: Report, share: float) -> str:
    sections = [
        section
        for section in (
            question_section(report),
            night_section(report),
            changes_section(report, most=int(CHANGES_BYTES * share)),
            rejected_section(report, most=int(REJECTED_BYTES * share)),
            clusters_section(report),
            tasks_section(report),
            needs_section(report),
            trust_section(report),
            costs_section(report),
        )
        if section
    ]
    links = [el("a", section.title, href=f"#{section.id}") for section in sections]
    nav = el("nav", join(links), aria_label="Sections") if links else None
    content = [
        _top(report),
        _banner(report),
        el("main", hero(report), strip(report), nav, *(section.markup for section in sections), id="main"),
        footer(report),
    ]
    title = f"{report.headline.badge} – {report.benchmark}, run {report.short_id}"
    return document(title, *content, refresh=report.state == "running")


def document(title: str, *content: Markup | None, refresh: bool = False) -> str:
    """A page of ours around its content; `refresh`: the browser loads it again and again."""
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width,initial-scale=1"),
        el("meta", http_equiv="Content-Security-Policy", content=Markup(POLICY)),
        el("meta", name="color-scheme", content="light dark"),
        el("meta", name="referrer", content="no-referrer"),
        el("meta", http_equiv="refresh", content=REFRESH_SECONDS) if refresh else None,
        el("title", f"{title} – SigmaLoop"),
        el("style", Markup(style())),
    )
    skip = el("a", "Skip to the result", class_="skip", href="#main")
    body = el("body", skip, *content, class_="report")
    return f'<!doctype html><html lang="en">{head}{body}</html>\n'


def _top(report: Report) -> Markup:
    parts = (el("span", part) for part in (report.benchmark, f"run {report.short_id}", report.when) if part)
    return el("header", el("p", el("b", "SigmaLoop"), *parts), class_="top")


def _banner(report: Report) -> Markup | None:
    return el("p", report.banner, class_="banner", role="note") if report.banner else None
