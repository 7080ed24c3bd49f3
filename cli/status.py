"""`sigmaloop status`: what the runs of a home have found so far; works while a run is busy."""

from __future__ import annotations

import json
from pathlib import Path

import click

from sigmaloop.cli.options import home_option, json_option


@click.command()
@click.argument("run_id", required=False)
@home_option
@json_option
@click.option("--all", "show_all", is_flag=True, help="A line for every run of the home.")
def status(*, run_id: str | None, home: Path | None, as_json: bool, show_all: bool) -> None:
    """Show a run: the newest, or the one whose id begins with RUN_ID."""
    from sigmaloop.cli.progress import print_summary
    from sigmaloop.graph.run import Run
    from sigmaloop.memory.runs import list_runs
    from sigmaloop.settings import load_settings

    home = home or load_settings().home
    if show_all:
        found = [Run(home, known.run_id).summary() for known in list_runs(home)]
        if as_json:
            click.echo(json.dumps([s.as_json() for s in found], indent=2))
        for summary in [] if as_json else found:
            click.echo(
                f"{summary.run_id[:8]}  {summary.condition:<9} batch {summary.batches}/{summary.planned_batches}"
                f"  {summary.attempts} attempts, {summary.kept} kept{'  simulated model' if summary.simulated else ''}"
            )
        if not found and not as_json:
            click.echo(f"no runs in {home}; start one with `sigmaloop run`")
        return
    run = Run.open(run_id, home=home)
    if as_json:
        clusters = [
            {
                "id": c.id,
                "title": c.title,
                "failures": c.size,
                "resolved": c.resolution_rate,
                "attempts": c.attempts,
            }
            for c in run.clusters().values()
        ]
        shown = {
            **run.summary().as_json(),
            "next": list(run.next),
            "waits_for": run.question,
            "clusters_list": clusters,
        }
        click.echo(json.dumps(shown, indent=2))
    else:
        print_summary(run.summary(), home=home, question=run.question)
