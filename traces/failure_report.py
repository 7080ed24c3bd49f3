"""Why conversations failed, ranked: what `sigmaloop mine` writes, as Markdown and as JSON."""

from __future__ import annotations

from collections import Counter

from pydantic import Field

from sigmaloop.clean_text import clean_line
from sigmaloop.records import Cluster, FailureRecord, Record, Usage
from sigmaloop.traces.imported import Problem

SIMULATED = (
    "Written by the simulated model: a stand-in that knows the symptoms of the shipped helpdesk benchmark only. On "
    "other conversations it matches words and explains nothing. Read this for its form, and mine with a real model."
)
_SHOWN = 5
"""Examples of one cause."""


class Source(Record):
    """Where a mined conversation stands."""

    conversation: str
    file: str
    line: int
    task: str = ""


class Counts(Record):
    """How many conversations there were, by what became of them."""

    conversations: int = Field(default=0, ge=0)
    failed: int = Field(default=0, ge=0)
    passed: int = Field(default=0, ge=0)
    unknown: int = Field(default=0, ge=0)
    mined: int = Field(default=0, ge=0)
    """Those that a failure miner read."""


class FailureReport(Record):
    """Causes of failed conversations, the one that costs most first."""

    files: tuple[str, ...]
    counts: Counts
    clusters: tuple[Cluster, ...]
    """Ranked by failures x severity."""
    sources: dict[str, Source]
    """By the id of a failure's rollout."""
    problems: tuple[Problem, ...] = ()
    model: str
    simulated: bool
    usage: Usage = Usage()


def as_markdown(report: FailureReport) -> str:
    """The report for people. What a model wrote stands in it as plain lines."""
    counts, usage = report.counts, report.usage
    lines = ["# Why conversations failed", ""]
    if report.simulated:
        lines += [f"> **{SIMULATED}**", ""]
    lines += [
        f"{counts.conversations} conversations in {', '.join(f'`{file}`' for file in report.files)}: {counts.failed} "
        f"failed, {counts.passed} passed, {counts.unknown} unknown. {counts.mined} were read by `{report.model}` "
        f"({usage.calls} calls, {usage.tokens:,} tokens). Nothing was changed.",
        "",
    ]
    if report.clusters:
        lines += ["| cause | failures | share | severity | tasks |", "|---|---|---|---|---|"]
        lines += [
            f"| {place}. {_cell(cluster.title)} | {cluster.size} | {_share(cluster, report)} | "
            f"{cluster.severity:.1f} | {len(cluster.tasks)} |"
            for place, cluster in enumerate(report.clusters, start=1)
        ]
        lines.append("")
    for place, cluster in enumerate(report.clusters, start=1):
        lines += _section(place, cluster, report)
    lines += _problems(report)
    return "\n".join(lines).rstrip() + "\n"


def _section(place: int, cluster: Cluster, report: FailureReport) -> list[str]:
    first = cluster.failures[0]
    mechanisms = Counter(clean_line(failure.mechanism) for failure in cluster.failures)
    lines = [
        f"## {place}. {clean_line(cluster.title)}",
        "",
        f"- **Cause**: {clean_line(cluster.root_cause)}",
        f"- **What should have been done**: {clean_line(first.should_have)}",
        f"- **How it shows**: {', '.join(f'{name} ({count})' for name, count in mechanisms.most_common(4))}",
        "",
    ]
    for failure in sorted(cluster.failures, key=lambda f: -f.severity)[:_SHOWN]:
        lines.append(f"- {_where(failure, report)}: {clean_line(failure.what_failed)}")
        lines += [f"  - step {found.step}: \u201c{clean_line(found.quote)}\u201d" for found in failure.evidence]
    if cluster.size > _SHOWN:
        lines.append(f"- and {cluster.size - _SHOWN} more")
    return [*lines, ""]


def _problems(report: FailureReport) -> list[str]:
    if not report.problems:
        return []
    lost = sum(problem.lost for problem in report.problems)
    lines = [
        "## What the files lacked",
        "",
        f"{lost} records were left out; others were used with less known of them.",
        "",
    ]
    same = Counter(problem.said for problem in report.problems)
    seen: set[str] = set()
    for problem in report.problems:
        if problem.said not in seen:
            seen.add(problem.said)
            more = f" (and {same[problem.said] - 1} more like it)" if same[problem.said] > 1 else ""
            lines.append(f"- `{problem.file}:{problem.line}`: {clean_line(problem.said)}{more}")
    return [*lines[:54], *([f"- and {len(lines) - 54} more"] if len(lines) > 54 else [])]


def _where(failure: FailureRecord, report: FailureReport) -> str:
    source = report.sources.get(failure.rollout_id)
    return f"`{source.file}:{source.line}` {clean_line(source.conversation)}" if source else failure.rollout_id


def _share(cluster: Cluster, report: FailureReport) -> str:
    return f"{100 * cluster.size / max(1, report.counts.mined):.0f} %"


def _cell(text: str) -> str:
    return clean_line(text).replace("|", "\\|")
