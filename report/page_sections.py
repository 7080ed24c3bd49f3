"""The sections of the page: night, changes, rejected, failures, tasks, people's matters, trust, cost."""

from __future__ import annotations

from collections.abc import Sequence

from sigmaloop.report import pictures
from sigmaloop.report.diff_markup import diff_block
from sigmaloop.report.gates import TITLES
from sigmaloop.report.markup import Markup, el, join
from sigmaloop.report.page_head import Section, section
from sigmaloop.report.record import Attempt, ClusterCell, ClusterRow, CostLine, RejectedGroup, Report
from sigmaloop.report.words import SUMMARY, TITLE, amount, between, count, cut, money, percent, plural, points

MOST_KEPT, MOST_CLUSTERS, MOST_BATCHES, OPEN_ROWS, MOST_IDS, MOST_NEEDS = 40, 60, 60, 6, 40, 30
WIDE_BATCHES = 12
"""With more batches than this the clusters take the whole width."""
MARKS = {"fine": "✓", "caution": "!", "bad": "✕"}
STATES = {"open": "", "part": "◐", "resolved": "✓"}


def night_section(report: Report) -> Section | None:
    """How the run went."""
    if not report.night.attempts:
        return None
    lead = (
        "● kept, ✕ measured on held-out tasks and rejected, ▏rejected before, ◇ changes of known worth. The line is a "
        "running estimate on tasks that the changes are chosen by: it flatters, the result at the top does not."
    )
    picture = pictures.night(report.night, report.attempts)
    return section("night", "Night", "How did the night go?", report.night.title, picture, lead=lead)


def changes_section(report: Report, *, most: int) -> Section | None:
    """What was changed, and why. `most`: bytes of diffs."""
    kept = report.kept
    if not kept:
        return None
    axis = pictures.shared_axis([attempt.effect for attempt in kept if attempt.effect])
    rows, left = [], most
    for attempt in kept[:MOST_KEPT]:
        diff = diff_block(attempt.diff)
        diff = diff if len(diff) <= left else _elsewhere(attempt.id, report)
        left -= len(diff)
        rows.append(_change(attempt, axis, diff))
    if len(kept) > MOST_KEPT:
        rows.append(el("li", f"{plural(len(kept) - MOST_KEPT, 'more change')}: see results.tsv", class_="change"))
    parts = [el("ol", *rows, class_="plain changes")]
    whole = diff_block(report.whole_diff, most=400)
    if whole and len(whole) <= max(left, most // 2):
        parts.append(el("details", el("summary", "All changes as one diff"), whole))
    lead = (
        "The bar shows what each change did on held-out tasks when it was judged, with its 95% interval; the upright "
        "line is no change. None of them is proof by itself: what they do together is the figure at the top."
    )
    return section("changed", "Changes", "What changed, and why?", report.changes_title, join(parts), lead=lead)


def rejected_section(report: Report, *, most: int) -> Section | None:
    """What was tried and rejected, by how much. `most`: bytes of rows; diffs go first, then rows."""
    if not report.rejected:
        return None
    by_id = {attempt.id: attempt for attempt in report.attempts}
    axis = pictures.shared_axis([a.effect for a in report.attempts if a.effect and a.group == "validation"])
    rows = {id_: _rejection(by_id[id_], axis, diff=True) for group in report.rejected for id_ in group.ids[:200]}
    if sum(map(len, rows.values())) > most:
        rows = {id_: _rejection(by_id[id_], axis, diff=False) for id_ in rows}
    share = max(1500, most // len(report.rejected))
    groups = [_group(group, rows, share, report) for group in report.rejected]
    lead = "In each group the nearest to passing comes first. Open a line for its reasons and its diff."
    evidence = join([_funnel(report), *groups])
    return section("rejected", "Rejected", "What was rejected?", report.rejected_title, evidence, lead=lead)


def clusters_section(report: Report) -> Section | None:
    """How each cluster developed, batch by batch."""
    if not report.clusters:
        return None
    batches = max((len(row.cells) for row in report.clusters), default=0)
    rows = [_cluster(row) for row in report.clusters[:MOST_CLUSTERS]]
    if len(report.clusters) > MOST_CLUSTERS:
        left = plural(len(report.clusters) - MOST_CLUSTERS, "more cluster")
        rows.append(el("li", f"{left}: see sigmaloop clusters {report.short_id}", class_="crow"))
    lead = (
        "One field a batch: how many of the cluster’s tasks fail on the kept agent, as far as known; framed where new "
        "failures came, ◐ some of them pass, ✓ all pass. Open causes come first, the most urgent on top."
    )
    evidence = el("ul", *rows, class_="plain")
    wide = batches > WIDE_BATCHES
    return section(
        "clusters", "Failures", "How did failures develop?", report.clusters_title, evidence, lead=lead, wide=wide
    )


def tasks_section(report: Report) -> Section | None:
    """For whom is it better, for whom worse?"""
    found = report.tasks
    if found is None or not found.tasks:
        return None
    names = (
        ("fixed", "never solved → always", found.fixed), ("better", "better", found.better),
        ("same", "the same", found.same), ("worse", "worse", found.worse),
        ("broken", "always solved → never", found.broken),
    )  # fmt: skip
    bar = [el("span", number, class_=f"f-{name}", style=f"flex:{number}") for name, _, number in names if number]
    key = [el("span", el("i", class_=f"sw f-{name}"), label, " ", el("b", number)) for name, label, number in names]
    said = ", ".join(f"{number} {label}" for _, label, number in names)
    parts = [
        el("p", found.where, class_="small mut"),
        el("div", *bar, class_="flip", role="img", aria_label=said),
        el("p", *key, class_="flipkey"),
    ]
    if found.types:
        parts.append(_types(report))
    return section("tasks", "Tasks", "For whom is it better, for whom worse?", found.title, join(parts))


def needs_section(report: Report) -> Section | None:
    """What only a person can decide."""
    if not report.needs:
        return None
    rows = [
        el("div", el("dt", cut(need.title, TITLE)), el("dd", need.text),
           el("dd", _ids(need.ids), class_="ids") if need.ids else None)
        for need in report.needs[:MOST_NEEDS]
    ]  # fmt: skip
    title = f"{plural(len(report.needs), 'thing')} that only a person can decide"
    return section("needs", "For you", "What needs a person?", title, el("dl", *rows, class_="rows"))


def trust_section(report: Report) -> Section | None:
    """Why to trust the result, or not."""
    if not report.checks:
        return None
    words = {"fine": "Fine: ", "caution": "Caution: ", "bad": "Bad: "}
    rows = [
        el(
            "div",
            el("dt", el("span", MARKS[c.mark], class_="mk", aria_hidden="true"), el("span", words[c.mark], class_="vh"),
               c.title),
            el("dd", c.text),
            class_=c.mark,
        )
        for c in report.checks
    ]  # fmt: skip
    cautions = len(report.cautions)
    title = (
        f"{plural(cautions, 'caution')}, {len(report.checks) - cautions} fine"
        if cautions
        else "Nothing speaks against it"
    )
    return section("trust", "Trust", "Can it be trusted?", title, el("dl", *rows, class_="rows checks"))


def costs_section(report: Report) -> Section | None:
    """What it cost, and where."""
    found = report.costs
    if not found.by_purpose:
        return None
    tables = (
        ("By purpose", found.by_purpose),
        ("By role", found.by_role),
        ("By batch", found.by_batch[-MOST_BATCHES:]),
    )
    clusters = {row.id: cut(row.title, 80) for row in report.clusters}
    named = tuple(
        line.model_copy(update={"label": f"{line.label} {clusters.get(line.label, '')}"})
        for line in found.by_cluster[:8]
    )
    parts = [
        _cost_table(title, lines, found.priced) for title, lines in (*tables, ("Attempts, by cluster", named)) if lines
    ]
    return section("cost", "Cost", "What did it cost, and where?", found.title, join(parts))


def footer(report: Report) -> Markup:
    """Settings, ids, files."""
    facts = [el("tr", el("th", name, scope="row"), el("td", cut(value, 400))) for name, value in report.facts]
    settings = [el("tr", el("th", name, scope="row"), el("td", cut(value, 200))) for name, value in report.settings]
    return el(
        "footer",
        el("table", el("caption", "This run"), *facts),
        el("details", el("summary", "Settings"), el("table", el("caption", "Settings as they were pinned"), *settings)),
        el("p", "learnings.md, results.tsv and suite.json lie beside this page."),
    )


def _change(attempt: Attempt, axis: tuple[float, float], diff: Markup) -> Markup:
    flag = None
    if attempt.reviewer and attempt.reviewer != "sound":
        flag = el("span", f"reviewer: {attempt.reviewer}", class_="flag")
    found = attempt.effect
    row = None
    if found:
        said = el(
            "span", el("b", points(found.difference)), f" points ({between(found.low, found.high)})", class_="eff"
        )
        row = el("div", pictures.effect(found, axis), said, class_="effrow")
    joined = f"; {plural(attempt.promoted, 'fixed task')} joined the suite" if attempt.promoted else ""
    return el(
        "li",
        el("h3", el("span", attempt.id, class_="id"), cut(attempt.summary, SUMMARY), " " if flag else None, flag),
        _aim(attempt),
        _parts(attempt),
        row,
        el("p", f"{attempt.by}{joined}.", class_="small mut"),
        el("details", el("summary", "Why and what exactly ", *_plus(attempt)), _why(attempt), diff),
        class_="change",
        id=attempt.id,
    )


def _parts(attempt: Attempt) -> Markup | None:
    """The drafts that were merged, each with the cluster that it is for."""
    if not attempt.parts:
        return None
    rows = [
        el("li", el("span", part.draft, class_="id"), f" {part.cluster_id}: ", cut(part.summary, SUMMARY))
        for part in attempt.parts
    ]
    return el("details", el("summary", f"Merged from {plural(len(rows), 'draft')}"), el("ul", *rows, class_="small"))


def _rejection(attempt: Attempt, axis: tuple[float, float], *, diff: bool) -> Markup:
    picture = pictures.effect(attempt.effect, axis) if attempt.effect and attempt.group == "validation" else None
    head = el(
        "summary",
        el("span", attempt.id, class_="id"),
        el("span", cut(attempt.summary or attempt.by, SUMMARY), class_="what"),
        el("span", picture, cut(attempt.by, SUMMARY), class_="by"),
    )
    detail = el("p", el("b", "Most failing trials: "), cut(attempt.detail, SUMMARY)) if attempt.detail else None
    inside = [_aim(attempt), _why(attempt), detail, diff_block(attempt.diff, most=40) if diff else None]
    return el("li", el("details", head, el("div", *inside, class_="in")), class_="rej1", id=attempt.id)


def _group(group: RejectedGroup, rows: dict[str, Markup], most: int, report: Report) -> Markup:
    """The nearest open, the rest folded, as far as they fit."""
    fitting, used = [], 0
    for id_ in group.ids:
        row = rows.get(id_)
        if row is None or used + len(row) > most:
            break
        fitting.append(row)
        used += len(row)
    left = len(group.ids) - len(fitting)
    folded = fitting[OPEN_ROWS:]
    parts: list[Markup | None] = [
        el("h3", f"{group.title} ", el("span", count(len(group.ids)), class_="mut")),
        el("p", group.why, class_="small mut"),
        el("ul", *fitting[:OPEN_ROWS], class_="plain") if fitting else None,
    ]
    if folded:
        parts.append(el("details", el("summary", f"{len(folded)} more"), el("ul", *folded, class_="plain")))
    if left:
        where = f"see results.tsv, or sigmaloop attempts {report.short_id}"
        parts.append(el("p", f"{plural(left, 'more attempt')}: {where}", class_="small mut"))
    return el("div", *parts, class_="group")


def _funnel(report: Report) -> Markup:
    whole = max(1, len(report.attempts))
    last = len(report.funnel) - 1
    rows = [
        el(
            "tr", el("th", line.label, scope="row"), el("td", count(line.passed), class_="r"),
            el("td", el("i", style=f"width:{100 * line.passed / whole:.1f}%", class_="good" if place == last else None),
               class_="bar"),
        )
        for place, line in enumerate(report.funnel)
    ]  # fmt: skip
    return el("table", el("caption", "How many got past each gate"), *rows)


def _cluster(row: ClusterRow) -> Markup:
    state = "resolved" if not row.open else "open" if row.failing == row.tasks else "part"
    skipped = max(0, len(row.cells) - MOST_BATCHES)
    cells = [_cell(cell) for cell in row.cells[skipped:]]
    work = (
        f"{row.status}, {row.failing} of {plural(row.tasks, 'task')} failing; {row.kept} kept, {row.rejected} rejected"
    )
    first = f"since batch {row.cells[0].batch}: " if row.cells else ""
    chip = el("span", row.status, class_=f"chip {state}")
    kinds = el("p", f"Kinds of request: {', '.join(row.request_types)}", class_="small mut")
    return el(
        "li",
        el("h3", el("span", row.id, class_="id"), cut(row.title, TITLE), " ", chip),
        el("p", work, class_="aim"),
        el("p", el("span", first, class_="small mut"), *cells, class_="cells"),
        el("details", el("summary", "Root cause"), el("p", cut(row.root_cause, 600)), kinds),
        class_="crow",
        id=row.id,
    )


def _cell(cell: ClusterCell) -> Markup:
    new = f", {plural(cell.new, 'new failure')}" if cell.new else ""
    said = f"batch {cell.batch}: {cell.failing} of {plural(cell.tasks, 'task')} fail{new}"
    shown = f"{STATES[cell.state]}{cell.failing or ''}"
    return el("span", shown, class_=f"cell {cell.state}{' new' if new else ''}", title=said)


def _types(report: Report) -> Markup:
    assert report.tasks
    rows = [
        el(
            "tr", el("th", cut(row.request_type, 80), scope="row"), el("td", count(row.tasks), class_="r"),
            el("td", percent(row.before), class_="r"),
            el("td", pictures.change_of(row.before, row.after), class_="pic"),
            el("td", percent(row.after), class_="r"),
        )
        for row in report.tasks.types[:40]
    ]  # fmt: skip
    head = el(
        "tr", el("th", "Kind of request", scope="col"), el("th", "tasks", scope="col", class_="r"),
        el("th", "before", scope="col", class_="r"), el("td", "", class_="pic"),
        el("th", "after", scope="col", class_="r"),
    )  # fmt: skip
    return el("table", el("caption", "By kind of request; few tasks each, so single lines prove little"),
              el("thead", head), el("tbody", *rows), class_="types")  # fmt: skip


def _cost_table(title: str, lines: Sequence[CostLine], priced: bool) -> Markup:
    most = max(1, *(line.tokens for line in lines))
    head = el(
        "tr", el("td", ""), el("th", "rollouts", scope="col", class_="r"),
        el("th", "cost" if priced else "tokens", scope="col", class_="r"), el("td", "", class_="bar"),
    )  # fmt: skip
    rows = [
        el(
            "tr", el("th", _label(title, line.label), scope="row"),
            el("td", count(line.rollouts) if line.rollouts else "", class_="r"),
            el("td", money(line.cost) if priced else amount(line.tokens), class_="r"),
            el("td", el("i", style=f"width:{100 * line.tokens / most:.1f}%"), class_="bar"),
        )
        for line in lines
    ]  # fmt: skip
    return el("table", el("caption", title), el("thead", head), el("tbody", *rows), class_="cost")


def _label(title: str, label: str) -> str:
    if title != "By batch":
        return label
    return "Certification" if label == "end" else "Before the first" if label == "0" else f"Batch {label}"


def _aim(attempt: Attempt) -> Markup:
    about = f" · {attempt.kind}" if attempt.kind else ""
    place = f"{about} · batch {attempt.batch}, attempt {attempt.attempt}"
    return el(
        "p",
        "Against ",
        el("a", f"“{cut(attempt.cluster_title, TITLE)}”", href=f"#{attempt.cluster}"),
        place,
        class_="aim",
    )


def _why(attempt: Attempt) -> Markup:
    parts = [
        el("p", el("b", "Hypothesis. "), cut(attempt.hypothesis, 600)) if attempt.hypothesis else None,
        el("p", el("b", f"Reviewer ({attempt.reviewer or 'no class'}). "), cut(attempt.reviewer_says, 600))
        if attempt.reviewer_says
        else None,
        el("p", f"{TITLES[attempt.group]}; {amount(attempt.tokens)} tokens.", class_="small mut"),
    ]
    return join(parts)


def _plus(attempt: Attempt) -> tuple[Markup, ...]:
    return el("span", f"+{attempt.added}", class_="plus"), el("span", f" −{attempt.removed}", class_="minus")


def _elsewhere(id_: str, report: Report) -> Markup:
    return el(
        "p", f"The diff is too long for this page: sigmaloop diff {id_} --run {report.short_id}", class_="small mut"
    )


def _ids(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - MOST_IDS} more" if len(ids) > MOST_IDS else ""
    return f"{', '.join(ids[:MOST_IDS])}{more}"
