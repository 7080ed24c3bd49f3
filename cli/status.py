"""`sigmaloop status`: what the runs of a home have found so far; works while a run is busy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from sigmaloop.cli.options import home_option, json_option
from sigmaloop.cli.terminal import tell


@click.command()
@click.argument("run_id", required=False)
@home_option
@json_option
@click.option("--all", "show_all", is_flag=True, help="A line for every run of the home.")
def status(*, run_id: str | None, home: Path | None, as_json: bool, show_all: bool) -> None:
    """Show a run: the newest, or the one whose id begins with RUN_ID."""
    from sigmaloop.settings import load_settings

    home = home or load_settings().home
    if show_all:
        _list(home, as_json=as_json)
        return
    from sigmaloop.cli.progress import print_summary
    from sigmaloop.graph.run import Run
    from sigmaloop.memory.lock import services_for_node

    run = Run.open(run_id, home=home)
    summary, process = run.summary(), services_for_node(home, run.id)
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
    from sigmaloop.memory.lock import services_for_node
    from sigmaloop.memory.runs import list_runs

    found = list_runs(home)
    if as_json:
        tell(json.dumps([facts.model_dump() for facts in found], indent=2))
        return
    for facts in found:
        process = services_for_node(home, facts.run_id)
        running = f"running (process {process}), " if process else ""
        state = running + (facts.problem or ("certified" if facts.certified else f"{facts.batches} batches so far"))
        tell(f"{facts.run_id[:8]}  {facts.attempts} attempts, {facts.kept} kept, {state}")
    if not found:
        tell(f"no runs in {home}; start one with `sigmaloop run`")
