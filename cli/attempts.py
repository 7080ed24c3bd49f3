"""`sigmaloop attempts`, `clusters`, `failures` and `diff`: lists of a run, and one of each in full."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from sigmaloop.cli.completion import (
    complete_attempts,
    complete_clusters,
    complete_failures,
    complete_runs,
    found_id,
)
from sigmaloop.cli.options import home_option, json_option
from sigmaloop.cli.report_text import WIDTH, cluster_line
from sigmaloop.cli.terminal import tell
from sigmaloop.graph.run import Run
from sigmaloop.records import FailureRecord
from sigmaloop.report.gates import SHORT
from sigmaloop.report.record import Attempt, ClusterRow
from sigmaloop.report.words import cut, plural

Command = TypeVar("Command", bound=Callable[..., Any])


def _on_a_run(command: Command) -> Command:
    """The options that name a run."""
    run = click.option(
        "--run", "run_id", shell_complete=complete_runs,
        help="Run ID or the beginning of one.  [default: the newest run]",
    )  # fmt: skip
    return run(home_option(json_option(command)))


@click.command()
@click.argument("attempt_id", required=False, shell_complete=complete_attempts)
@_on_a_run
@click.option("--outcome", type=click.Choice(list(SHORT)), help="Only those that ended so.")
def attempts(
    *, attempt_id: str | None, run_id: str | None, home: Path | None, as_json: bool, outcome: str | None
) -> None:
    """List the attempts of a run, or show one: A0007, or A7."""
    rows = Run.open(run_id, home=home).report().attempts
    if attempt_id:
        _show(_one(rows, attempt_id, "attempt"), _attempt_lines, as_json=as_json)
        return
    chosen = [row for row in rows if outcome in (None, row.group)]
    _list(chosen, _attempt_line, "no attempt has ended so" if outcome else "no attempt has ended yet", as_json=as_json)


@click.command()
@click.argument("cluster_id", required=False, shell_complete=complete_clusters)
@_on_a_run
def clusters(*, cluster_id: str | None, run_id: str | None, home: Path | None, as_json: bool) -> None:
    """List the failure clusters of a run, open ones first, or show one: C006, or C6."""
    report = Run.open(run_id, home=home).report()
    if cluster_id:
        row = _one(report.clusters, cluster_id, "cluster")
        tried = [attempt for attempt in report.attempts if attempt.cluster == row.id]
        _show(row, lambda found: [*_cluster_lines(found), *map(_attempt_line, tried)], as_json=as_json)
        return
    if not as_json and report.clusters:
        tell(f"{report.clusters_title}\n\n{'':<56}{'failing':>8}{'kept':>6}{'rejected':>10}")
    _list(report.clusters, cluster_line, "no failure has been clustered yet", as_json=as_json)


@click.command()
@click.argument("failure_id", required=False, shell_complete=complete_failures)
@_on_a_run
@click.option("--cluster", "cluster_id", shell_complete=complete_clusters, help="Only those of this cluster.")
def failures(
    *, failure_id: str | None, run_id: str | None, home: Path | None, as_json: bool, cluster_id: str | None
) -> None:
    """List the mined failures of a run, or show one."""
    run = Run.open(run_id, home=home)
    found = run.failures()
    if failure_id:
        name = found_id(failure_id, [failure.id for failure in found], "failure")
        _show(next(failure for failure in found if failure.id == name), _failure_lines, as_json=as_json)
        return
    if cluster_id:
        known = run.clusters()
        found = list(known[found_id(cluster_id, known, "cluster")].failures)
    _list(found, _failure_line, "no failure has been mined yet", as_json=as_json)


@click.command()
@click.argument("attempt_id", required=False, shell_complete=complete_attempts)
@_on_a_run
def diff(*, attempt_id: str | None, run_id: str | None, home: Path | None, as_json: bool) -> None:
    """Show what an attempt changed, such as A0007 or A7; without one, what the whole run changed."""
    run = Run.open(run_id, home=home)
    name = None
    if attempt_id:
        waiting = str((run.question or {}).get("question") or "").removeprefix("Keep ").rstrip("?")
        known = [*(entry.candidate_id for entry in run.ledger()), waiting]
        name = found_id(attempt_id, dict.fromkeys(filter(None, known)), "attempt")
    text = run.diff(name)
    if as_json:
        tell(json.dumps({"attempt": name, "diff": text}, indent=2))
    else:
        tell(text.rstrip("\n") or "nothing was changed")


Row = TypeVar("Row", Attempt, ClusterRow)
Shown = TypeVar("Shown", Attempt, ClusterRow, FailureRecord)


def _one(rows: Sequence[Row], text: str, what: str) -> Row:
    name = found_id(text, [row.id for row in rows], what)
    return next(row for row in rows if row.id == name)


def _list(rows: Iterable[Shown], line: Callable[[Shown], str], nothing: str, *, as_json: bool) -> None:
    found = list(rows)
    if as_json:
        tell(json.dumps([{"id": row.id, **row.model_dump(mode="json")} for row in found], indent=2))
        return
    for row in found:
        tell(line(row))
    if not found:
        tell(nothing)


def _show(row: Shown, lines: Callable[[Shown], list[str]], *, as_json: bool) -> None:
    if as_json:
        tell(json.dumps({"id": row.id, **row.model_dump(mode="json")}, indent=2))
    else:
        tell("\n".join(lines(row)))


def _attempt_line(row: Attempt) -> str:
    ended = "kept" if row.group == "kept" else f"rejected  {SHORT[row.group]}"
    by = cut(row.by, 60) if row.group != "kept" else ""
    if row.ungated:
        by = "without a gate"
    elif row.group == "kept" and row.effect:
        by = f"{100 * row.effect.difference:+.1f} points".replace("-", "\u2212")
    return f"  {row.id}  {row.cluster}  {ended:<23} {by:<24} {cut(row.summary, 70)}"


def _attempt_lines(row: Attempt) -> list[str]:
    ended = "kept" if row.group == "kept" else f"rejected: {SHORT[row.group]}"
    lines = [
        f"{row.id}  {ended}  (batch {row.batch}, attempt {row.attempt})", "",
        *_field("Change", row.summary), *_field("Kind", row.kind), *_field("By", row.by),
        *_field("Against", f"{row.cluster} {row.cluster_title}"),
        *(line for part in row.parts for line in _field(part.draft, f"{part.cluster_id} [{part.kind}] {part.summary}")),
        *_field("Takes out", ", ".join(row.removes)), *_field("Hypothesis", row.hypothesis),
        *_field("Reviewer", f"{row.reviewer}: {row.reviewer_says}" if row.reviewer else ""),
        *_field("Failing trials", row.detail),
        *_field("Joined suite", plural(row.promoted, "task") if row.promoted else ""),
        *_field("Cost", f"{row.tokens:,} tokens"),
    ]  # fmt: skip
    return [*lines, "", row.diff.rstrip("\n")] if row.diff else lines


def _cluster_lines(row: ClusterRow) -> list[str]:
    course = "  ".join(f"{cell.batch}:{cell.failing}/{cell.tasks}" for cell in row.cells)
    return [
        f"{row.id}  {cut(row.title, 140)}  ({row.status})", "",
        *_field("Root cause", row.root_cause), *_field("Requests", ", ".join(row.request_types)),
        *_field("Tasks", f"{row.failing} of {row.tasks} failing, {plural(row.failures, 'failure')}"),
        *_field("Attempts", f"{row.kept} kept, {row.rejected} rejected"),
        *_field("By batch", course), "",
    ]  # fmt: skip


def _failure_line(row: FailureRecord) -> str:
    return f"  {row.id}  batch {row.batch:<3} {cut(row.request_type, 24):<25} {cut(row.mechanism, 80)}"


def _failure_lines(row: FailureRecord) -> list[str]:
    quotes = [line for quote in row.evidence for line in _field(f"Step {quote.step}", quote.quote)]
    return [
        f"{row.id}  {cut(row.mechanism, 80)}  (batch {row.batch}, severity {row.severity})", "",
        *_field("Task", f"{row.task_id} ({row.request_type})"), *_field("What failed", row.what_failed),
        *_field("Root cause", row.root_cause), *_field("Should have", row.should_have), *quotes,
        *_field("Rollout", row.rollout_id),
    ]  # fmt: skip


def _field(name: str, value: str) -> list[str]:
    """A labelled text, wrapped; nothing for an empty one."""
    wrapped = textwrap.wrap(cut(value, 2000), WIDTH - 16)
    return [f"{name if not place else '':<16}{part}" for place, part in enumerate(wrapped)]
