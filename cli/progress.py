"""What a person sees while the loop works: a bar with the budget, and a readable line per event."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from sigmaloop.clean_text import clean_line
from sigmaloop.graph import events
from sigmaloop.records import Certificate
from sigmaloop.report.summary import Summary
from sigmaloop.settings import Settings


class Progress:
    """Shows events as they come; without a terminal (nohup, CI) the lines alone."""

    def __init__(self, settings: Settings, *, quiet: bool) -> None:
        self._quiet = quiet
        self._budget = min(settings.max_attempts, settings.batches * settings.attempts)
        self._batches = settings.batches
        self._console = Console(stderr=True, highlight=False)
        self._bar = Bar(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("attempts"),
            TextColumn("{task.fields[now]}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=quiet or not self._console.is_terminal,
        )
        self._task = self._bar.add_task("baseline", total=self._budget, now="")
        self._stage, self._rolled, self._passed = "", 0, 0

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, event: events.Event) -> None:
        """Update the bar; print a line when the event deserves one."""
        if isinstance(event, events.RolloutDone):
            self._count(event)
            return
        if isinstance(event, events.WindowDrawn):
            self._bar.update(self._task, description=f"batch {event.batch}/{self._batches}")
        if isinstance(event, events.Learned):
            self._bar.advance(self._task)
        line = describe(event)
        if line and not self._quiet:
            self._bar.console.print(line, soft_wrap=True)

    def _count(self, rollout: events.RolloutDone) -> None:
        if rollout.stage != self._stage:
            self._stage, self._rolled, self._passed = rollout.stage, 0, 0
        self._rolled += 1
        self._passed += rollout.passed
        self._bar.update(self._task, now=f"{self._stage}: {self._passed}/{self._rolled} passed")


def describe(event: events.Event) -> str:
    """The event's line as rich markup; empty for an event without one."""
    text = event.line()
    style = _STYLES.get(event.tone)
    return f"[{style}]{escape(text)}[/{style}]" if text and style else escape(text)


def print_summary(
    summary: Summary, *, home: Path, question: dict[str, Any] | None = None, process: int | None = None
) -> None:
    """The page that a run ends with; `process`: the one that works on it now."""
    console = Console(highlight=False)
    kind = "  [yellow]simulated model[/yellow]" if summary.simulated else ""
    by = f" (process {process})" if process else ""
    console.print(f"\n[bold]run {summary.run_id[:8]}[/bold]  {summary.condition}{by}{kind}")
    for name, value in _rows(summary):
        console.print(f"[dim]{name:<11}[/dim]{value}", soft_wrap=True)
    if question:
        asked = clean_line(str(question.get("message") or question.get("question")))
        console.print(f"[yellow]waits:[/yellow] {escape(asked)}")
    place = "" if str(home) == ".sigmaloop" else f" --home {home}"
    for text in _next_steps(summary, place, asked=bool(question and "answers" in question)):
        console.print(f"[dim]{'next':<11}[/dim]{text}", soft_wrap=True)


def _rows(summary: Summary) -> list[tuple[str, str]]:
    simulated = " (simulated model)" if summary.simulated else ""
    rows = []
    if summary.certificate:
        if summary.kept and not summary.certified:
            rows.append(("[red]uncertain[/red]  ", _doubt(summary.certificate)))
        rows.append(("certified", f"{_certified(summary, summary.certificate)}{simulated}"))
        if summary.on_validation and summary.certificate.split != "validation":
            rows.append(("", f"{_certified(summary, summary.on_validation)}{simulated}"))
    if summary.baseline is not None:
        rows.append(("validation", f"{_validation(summary)}{simulated}"))
    rejected = ", ".join(f"{count} {gate}" for gate, count in summary.rejected.items()) or "none"
    rows += [
        ("batches", f"{summary.batches} of {summary.planned_batches}"),
        ("attempts", f"{summary.attempts}: {summary.kept} kept; rejected by gate: {rejected}"),
        ("failures", f"{summary.failures} in {summary.clusters} clusters"),
        ("suite", f"{summary.suite} regression cases{_refused(summary.suite_refused)}"),
        ("gate", f"{summary.policy}{'; ' + summary.canaries if summary.canaries else ''}"),
        ("tokens", _cost(summary)),
        ("sandbox", summary.tier if summary.tier != "none" else "[yellow]none: candidates ran unprotected[/yellow]"),
        ("lies in", summary.path),
    ]
    return rows


def _validation(summary: Summary) -> str:
    first = f"{_score(summary.baseline or 0.0)} at first"
    if summary.policy == "reference":
        best = _score(summary.best or 0.0)
        one = f"one trial each of {summary.validation_results}: a bar, not a result"
        return f"{first}, best seen {best} ({one}; {_optimism(summary)})"
    if summary.estimate is None:
        return first
    mean, low, high = (_score(value) for value in summary.estimate)
    return f"{first}, running estimate {mean} ({low} to {high}; pooled: not a result; {_optimism(summary)})"


def _optimism(summary: Summary) -> str:
    """By how much an estimate that chose the agent flatters it."""
    if summary.optimism is None:
        return "how much too high is not known"
    mean, error = summary.optimism
    return f"at the end of such a run {mean:.1f} +- {error:.1f} points too high"


def _doubt(c: Certificate) -> str:
    """Why the kept agent may be worse than the one that the run began with: said before its score is."""
    if c.interval is None:
        return f"[red]{c.tasks} tasks are too few to say whether the kept agent is better than the first one[/red]"
    return (
        "[red]the interval reaches below 0: the kept agent may be no better than the first one, or worse[/red]; "
        "more tasks or --certify-trials narrow it"
    )


def _certified(summary: Summary, c: Certificate) -> str:
    where = "on the sealed test split" if c.split == "test" else "on fresh trials of validation, which it was chosen by"
    if not summary.kept:
        return f"{_score(c.baseline)} {where}; no change was kept, so there is no difference"
    told = f"{_score(c.baseline)} -> {_score(c.final)} {where}, {100 * c.difference:+.1f} points, "
    if c.interval is None:
        return f"{told}too few tasks ({c.tasks}) for an interval"
    low, high = c.interval
    return f"{told}95 % interval {100 * low:+.1f} to {100 * high:+.1f}"


def _cost(summary: Summary) -> str:
    total = summary.total
    money = f", {total.cost:.2f} money" if total.cost else ""
    roles = ", ".join(f"{role} {usage.tokens:,}" for role, usage in sorted(summary.usage.items()))
    return f"{total.tokens:,} in {total.calls:,} calls{money} ({roles})"


def _next_steps(summary: Summary, place: str, *, asked: bool) -> list[str]:
    run = summary.run_id[:8]
    if asked:
        return [f"sigmaloop resume {run}{place} --approve   (or --decline)"]
    if summary.condition == "running":
        return [f"sigmaloop status {run}{place}   (Ctrl-C where it runs, or SIGTERM, stops it; nothing is lost)"]
    if summary.condition in {"paused", "ready", "new"}:
        return [f"sigmaloop resume {run}{place}"]
    steps = [f"sigmaloop status {run}{place}"]
    if summary.kept:
        doubt = "" if summary.certified else " --uncertified"
        steps.append(f"sigmaloop apply {run}{place} --output better_agent.py{doubt}")
    return [*steps, f"read {summary.path}/learnings.md"]


def _refused(tasks: int) -> str:
    return f"; it is full, {tasks} more did not fit" if tasks else ""


def _score(value: float) -> str:
    return f"{value:.3f}".lstrip("0") if value < 1 else f"{value:.2f}"


_STYLES: dict[events.Tone, str] = {"good": "bold green", "bad": "red", "warning": "yellow", "heading": "bold"}
