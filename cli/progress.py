"""What a person sees while the loop works: a bar with the budget, and a readable line per event."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from sigmaloop.clean_text import clean_json, clean_line
from sigmaloop.records import REWARD_MICROS, Certificate
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

    def show(self, event: dict[str, Any]) -> None:
        """Update the bar; print a line when the event deserves one."""
        name = event["event"]
        if name == "rollout":
            self._count(event)
            return
        if name == "batch_started":
            self._bar.update(self._task, description=f"batch {event['batch']}/{self._batches}")
        if name == "learned":
            self._bar.advance(self._task)
        line = describe(event)
        if line and not self._quiet:
            self._bar.console.print(line, soft_wrap=True)

    def _count(self, event: dict[str, Any]) -> None:
        if event["stage"] != self._stage:
            self._stage, self._rolled, self._passed = event["stage"], 0, 0
        self._rolled += 1
        self._passed += bool(event["passed"])
        self._bar.update(self._task, now=f"{self._stage}: {self._passed}/{self._rolled} passed")


def describe(event: dict[str, Any]) -> str | None:
    """One line for an event, as rich markup; None for events without one."""
    made = _LINES.get(event["event"])
    return made(clean_json(event, clean_line)) if made else None


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
        steps.append(f"sigmaloop apply {run}{place} --output better_agent.py")
    return [*steps, f"read {summary.path}/learnings.md"]


def _score(value: float) -> str:
    return f"{value:.3f}".lstrip("0") if value < 1 else f"{value:.2f}"


def _verdict(event: dict[str, Any]) -> str:
    mark = {"passed": "[green]passed[/green]", "failed": "[red]failed[/red]"}.get(
        event["outcome"], "[yellow]undecided[/yellow]"
    )
    return f"    {event['gate']:<13}{mark}  {escape(event['message'])}"


def _refused(tasks: int) -> str:
    return f"; it is full and refused {tasks}: raise --suite-cap in the next run" if tasks else ""


_SPLITS = {"test": "sealed test"}
_LINES: dict[str, Any] = {
    "baseline_started": lambda e: f"baseline: scoring the agent on {e['tasks']} validation tasks",
    "baseline": lambda e: f"baseline: {_score(e['reward_micros'] / REWARD_MICROS / max(1, e['tasks']))} on validation",
    "traffic": lambda e: (
        f"[bold]batch {e['batch']}[/bold]: {e['passed']} of {e['tasks']} tasks passed"
        + (f", {e['infra']} met an infrastructure fault" if e["infra"] else "")
    ),
    "failure": lambda e: f"  failure {e['id']}: {escape(e['mechanism'])} ({escape(e['request_type'])})",
    "cluster_created": lambda e: f"  cluster {e['cluster_id']} is new: {escape(e['title'])}",
    "target": lambda e: f"  worst cluster: {e['cluster_id']} {escape(e['title'])} ({e['failures']} failures)",
    "attempt": lambda e: f"  [bold]{e['id']}[/bold] attempt {e['attempt']} on {e['cluster_id']} {escape(e['title'])}",
    "proposal": lambda e: f"    {e['kind']:<13}{escape(e['summary'])}",
    "verdict": _verdict,
    "judged": lambda e: f"    judge        {e['classification']}{', vetoed' if e['veto'] else ''}",
    "canary": lambda e: (
        f"  [bold]{e['id']}[/bold] canary: the gate {'would have kept' if e['outcome'] == 'passed' else 'stopped'} "
        f"a known {e['worth']} change at {e['stage']}"
    ),
    "kept": lambda e: f"    [bold green]kept[/bold green]         {escape(e['summary'])}",
    "reverted": lambda e: f"    reverted     {escape(str(e['reason']))}",
    "promoted": lambda e: (
        f"    promoted     {e['tasks']} fixed tasks; the suite holds {e['suite']}{_refused(e['refused'])}"
    ),
    "paused": lambda e: f"[yellow]paused[/yellow]: {escape(e['message'])}",
    "certify_started": lambda e: (
        f"certify: {e['rollouts']} fresh rollouts on {e['tasks']} {_SPLITS.get(e['split'], e['split'])} tasks, "
        f"{e['trials']} {'trials' if e['trials'] > 1 else 'trial'} of each for each agent"
    ),
    "certificate": lambda e: (
        f"certified on {e['split']}: {_score(e['baseline'])}"
        + (f" -> {_score(e['final'])}" if e["changed"] else ", no change was kept")
        + (" (simulated model)" if e["simulated"] else "")
    ),
    "uncertified": lambda e: f"not certified on {e['split']}: {escape(e['message'])}",
    "estimate": lambda e: f"plan: {escape(e['line'])}",
    "plan": lambda e: "\n".join(f"plan: {escape(line)}" for line in e["lines"]),
    "note": lambda e: f"[yellow]note[/yellow]: {escape(e['message'])}",
    "warning": lambda e: f"[yellow]warning[/yellow]: {escape(e['message'])}",
    "drained": lambda e: "stopped at a checkpoint; nothing is lost",
}
