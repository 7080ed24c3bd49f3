"""`sigmaloop status`: what the runs of a home have found so far; works while a run is busy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from sigmaloop.cli.options import home_option, json_option
from sigmaloop.cli.progress import print_summary
from sigmaloop.cli.terminal import tell
from sigmaloop.graph.run import Run, runs_of
from sigmaloop.settings import load_settings


@click.command()
@click.argument("run_id", required=False)
@home_option
@json_option
@click.option("--all", "show_all", is_flag=True, help="Show one line for every run.")
def status(*, run_id: str | None, home: Path | None, as_json: bool, show_all: bool) -> None:
    """Show a run: the newest, or the one whose ID begins with RUN_ID."""
    home = home or load_settings().home
    if show_all:
        _list(home, as_json=as_json)
        return
    run = Run.open(run_id, home=home)
    summary, process = run.summary(), run.process
    if process and summary.condition != "finished":
        summary = summary.model_copy(update={"condition": "running"})
    if not as_json:
        print_summary(summary, home=home, question=None if process else run.question, process=process)
        return
    clusters = [
        {"id": c.id, "title": c.title, "failures": c.size, "resolved": c.resolution_rate, "attempts": c.attempts}
        for c in run.clusters().values()
    ]
    more: dict[str, Any] = {"process": process, "head": run.head, "next": list(run.next), "waits_for": run.question}
    tell(json.dumps({**summary.as_json(), **more, "clusters_list": clusters}, indent=2))


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
