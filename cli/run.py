"""`sigmaloop run` and `sigmaloop resume`: the main job, with progress, and a clean stop on Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sigmaloop.cli.options import SettingsCommand, config_option, home_option, json_option, settings_options
from sigmaloop.cli.terminal import tell

if TYPE_CHECKING:
    from sigmaloop.graph.run import Run
    from sigmaloop.settings import Settings

PAUSED = 3
STOPPED = 130


@click.command(cls=SettingsCommand)
@config_option
@json_option
@settings_options()
def run(*, config: Path | None, as_json: bool, **flags: Any) -> None:
    """Improve an agent.

    Runs batches of sampled traffic, mines and clusters the failures, lets the harness engineer change
    the agent file, and keeps only changes that pass the gate. Stop it with Ctrl-C; continue with `sigmaloop resume`.
    """
    from sigmaloop.settings import load_settings

    settings = load_settings(config=config, **flags)
    settings.agent_source()  # a wrong path is reported before the machinery loads
    _say(f"sigmaloop: {first_line(settings)}; checking {settings.benchmark} and the agent ...", quiet=as_json)
    from sigmaloop.graph.run import Run

    started = Run.start(settings)
    for line in started.endpoints():
        _say(f"endpoint: {line}", quiet=as_json)
    _work(started, as_json=as_json, answer=None)


@click.command()
@click.argument("run_id", required=False)
@home_option
@json_option
@click.option("--approve", "answer", flag_value="approve", help="Keep the change that is waiting for review.")
@click.option("--max-money", type=float, help="New money limit for a run that has reached its limit.")
@click.option("--max-run-tokens", type=int, help="New token limit for a run that has reached its limit.")
@click.option("--max-run-calls", type=int, help="New limit of model calls for a run that has reached its limit.")
@click.option("--max-hours", type=float, help="New limit of hours for a run that has reached its limit.")
@click.option("--decline", "answer", flag_value="decline", help="Reject the change that is waiting for review.")
def resume(
    *,
    run_id: str | None,
    home: Path | None,
    as_json: bool,
    answer: str | None,
    max_money: float | None,
    max_run_tokens: int | None,
    max_run_calls: int | None,
    max_hours: float | None,
) -> None:
    """Continue a run: the newest, or the one whose ID begins with RUN_ID.

    Finished work is neither repeated nor paid for again.
    """
    from sigmaloop.errors import BadInput
    from sigmaloop.graph.run import Run

    found = Run.open(run_id, home=home)
    question = found.question
    if question and "answers" in question and answer is None:
        _say(json.dumps(question, indent=2) if as_json else f"{question['question']}\n\n{question['diff']}")
        raise BadInput("this run is waiting for review; resume it with --approve or --decline")
    if answer and not (question and "answers" in question):
        raise BadInput(f"this run is {found.condition} and not waiting for review; resume it without --{answer}")
    found.limit(max_money=max_money, max_run_tokens=max_run_tokens, max_run_calls=max_run_calls, max_hours=max_hours)
    _say(f"sigmaloop: {first_line(found.settings)}; resuming {found.id[:8]} ({found.condition})", quiet=as_json)
    _work(found, as_json=as_json, answer=answer)


def first_line(settings: Settings) -> str:
    """The model, and a warning where the stand-in was asked for by name on a benchmark that is not its own."""
    if settings.simulated and settings.benchmark != "helpdesk":
        return f"{settings.model_named}, which knows helpdesk only: what it does on {settings.benchmark} says nothing"
    return settings.model_named


def _work(run: Run, *, as_json: bool, answer: str | None) -> None:
    """Follow the run to its end, its next pause, or a signal; then say how it stands."""
    from sigmaloop.cli.progress import Progress
    from sigmaloop.cli.report_text import print_report
    from sigmaloop.graph.events import Drained

    drained = False
    done = len(run.ledger())
    with _draining(run), Progress(run.settings, quiet=as_json, beat=run.heartbeat, done=done) as progress:
        for event in run.follow(answer=answer):
            drained = drained or isinstance(event, Drained)
            progress.show(event)
    report = run.report(now=True)
    if as_json:
        tell(json.dumps({**report.summary.as_json(), **report.sentences(), "waits_for": run.question}, indent=2))
    else:
        print_report(report)
    if report.condition == "paused":
        sys.exit(PAUSED)
    if drained:
        sys.exit(STOPPED)


@contextmanager
def _draining(run: Run) -> Iterator[None]:
    """SIGINT and SIGTERM stop at a checkpoint; a second one stops at once (and still loses nothing)."""

    def ask(_signum: int, _frame: Any) -> None:
        for name in previous:
            signal.signal(name, lambda *_: os._exit(STOPPED))  # all that is finished is on disk
        click.echo("stopping at the next checkpoint; press Ctrl-C again to stop now", err=True)
        run.drain()

    previous = {name: signal.signal(name, ask) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for name, handler in previous.items():
            signal.signal(name, handler)


def _say(text: str, *, quiet: bool = False) -> None:
    if not quiet:
        tell(text, err=True)
