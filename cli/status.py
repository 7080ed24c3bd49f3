"""`sigmaloop status`: what the runs of a home have found so far; works while a run is busy."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import click

from sigmaloop.cli.completion import complete_runs
from sigmaloop.cli.options import home_option, json_option
from sigmaloop.cli.report_text import print_report
from sigmaloop.cli.terminal import tell
from sigmaloop.graph.run import Run, runs_of
from sigmaloop.report.record import Report
from sigmaloop.settings import load_settings

WATCH_SECONDS = 5.0


@click.command()
@click.argument("run_id", required=False, shell_complete=complete_runs)
@home_option
@json_option
@click.option("--all", "show_all", is_flag=True, help="Show one line for every run.")
@click.option("--watch", is_flag=True, help="Show it again every few seconds, until the run stops.")
def status(*, run_id: str | None, home: Path | None, as_json: bool, show_all: bool, watch: bool) -> None:
    """Show a run: the newest, or the one whose ID begins with RUN_ID."""
    home = home or load_settings().home
    if show_all:
        _list(home, as_json=as_json)
        return
    run = Run.open(run_id, home=home)
    report = run.report()
    if as_json:
        tell(json.dumps(_as_json(run, report), indent=2))
        return
    print_report(report)
    while watch and report.process:
        time.sleep(WATCH_SECONDS)
        report = run.report()
        if sys.stdout.isatty():
            click.clear()
        print_report(report)


def _as_json(run: Run, report: Report) -> dict[str, Any]:
    clusters = [
        {"id": c.id, "title": c.title, "failures": c.size, "resolved": c.resolution_rate, "attempts": c.attempts}
        for c in run.clusters().values()
    ]
    more = {"process": report.process, "head": run.head, "next": list(run.next), "waits_for": run.question}
    return {**report.summary.as_json(), **report.sentences(), **more, "clusters_list": clusters}


def _list(home: Path, *, as_json: bool) -> None:
    lines = runs_of(home)
    if as_json:
        tell(json.dumps([facts.model_dump() for facts, _ in lines], indent=2))
        return
    for facts, process in lines:
        running = f"running (process {process}), " if process else ""
        state = running + (facts.problem or ("certified" if facts.certified else f"{facts.batches} batches so far"))
        tell(f"{facts.run_id[:8]}  {facts.attempts} attempts, {facts.kept} kept, {state}")
    if not lines:
        tell(f"no runs in {home}; start one with `sigmaloop run`")
