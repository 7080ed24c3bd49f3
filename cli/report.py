"""`sigmaloop report`: write the page of a run, open it, serve it on this machine, or put all runs side by side."""

from __future__ import annotations

import json
from pathlib import Path

import click

from sigmaloop.cli.completion import complete_runs
from sigmaloop.cli.options import home_option, json_option
from sigmaloop.cli.terminal import tell


@click.command()
@click.argument("run_id", required=False, shell_complete=complete_runs)
@home_option
@json_option
@click.option("--open", "show", is_flag=True, help="Open the page in the browser.")
@click.option("--serve", is_flag=True, help="Serve the page on this machine, fresh at every look, until Ctrl-C.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port for --serve.  [default: a free one]")
@click.option("--all", "every", is_flag=True, help="One page with every run of the home side by side.")
def report(
    *, run_id: str | None, home: Path | None, as_json: bool, show: bool, serve: bool, port: int, every: bool
) -> None:
    """Write report.html of a run: the newest, or the one whose ID begins with RUN_ID.

    The page needs no network and holds no script. While a run is busy it shows how far it is.
    """
    from sigmaloop.settings import load_settings

    home = home or load_settings().home
    if every:
        from sigmaloop.graph.run_reports import write_home_page

        path = write_home_page(home)
    else:
        from sigmaloop.graph.run import Run

        run = Run.open(run_id, home=home)
        if serve:
            _serve(run_id or run.id, home, port=port, show=show)
            return
        path = run.write_report()
    tell(json.dumps({"page": str(path)}) if as_json else str(path))
    if show:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())


def _serve(run_id: str, home: Path, *, port: int, show: bool) -> None:
    """Answers one address on this machine; the page is made anew for each look."""
    from sigmaloop.cli.page_server import PageServer
    from sigmaloop.graph.run import Run
    from sigmaloop.report.page import page

    with PageServer(lambda: page(Run.open(run_id, home=home).report()), port=port) as server:
        tell(f"{server.address}   (Ctrl-C ends it)")
        if show:
            import webbrowser

            webbrowser.open(server.address)
        server.serve_forever()
