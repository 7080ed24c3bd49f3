"""`sigmaloop compare`: two runs, or two agent files, on the same tasks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from sigmaloop.cli.completion import complete_runs
from sigmaloop.cli.options import SettingsCommand, config_option, home_option, json_option, settings_options
from sigmaloop.cli.terminal import tell

if TYPE_CHECKING:
    from sigmaloop.report.compare import Comparison
    from sigmaloop.settings import Settings


@click.command(cls=SettingsCommand)
@click.argument("first", shell_complete=complete_runs)
@click.argument("second", shell_complete=complete_runs)
@home_option
@config_option
@json_option
@click.option(
    "--split", type=click.Choice(["train", "validation"]), default="validation", show_default=True,
    help="Split to score agent files on.",
)  # fmt: skip
@click.option("--limit", type=click.IntRange(min=1), help="Score agent files on the first LIMIT tasks only.")
@click.option("--trials", type=click.IntRange(min=1), default=2, show_default=True, help="Trials of each task.")
@settings_options(
    only=(
        "benchmark", "seed", "concurrency", "upstream", "base_url", "target_model", "temperature", "max_tokens",
        "sandbox",
    )
)  # fmt: skip
def compare(
    *,
    first: str,
    second: str,
    home: Path | None,
    config: Path | None,
    as_json: bool,
    split: Literal["train", "validation"],
    limit: int | None,
    trials: int,
    **flags: Any,
) -> None:
    """Compare FIRST with SECOND: two runs by their certificates, or two agent files by fresh rollouts.

    Prints the paired difference with its interval, and what became of single tasks. A name that ends in .py is a file.
    """
    from sigmaloop.errors import BadInput
    from sigmaloop.graph.comparing import compare_runs
    from sigmaloop.graph.run import Run
    from sigmaloop.settings import load_settings

    files = [name.endswith(".py") for name in (first, second)]
    if any(files) != all(files):
        raise BadInput("give two runs or two agent files, not one of each; `sigmaloop apply` writes a run's agent")
    settings = load_settings(config=config, **flags)
    if all(files):
        found = _agents(Path(first), Path(second), settings, split=split, trials=trials, limit=limit, quiet=as_json)
    else:
        home = home or settings.home
        found = compare_runs(Run.open(first, home=home), Run.open(second, home=home))
    if as_json:
        tell(json.dumps(found.model_dump(mode="json"), indent=2))
    else:
        tell("\n".join(_lines(found)))


def _agents(
    first: Path,
    second: Path,
    settings: Settings,
    *,
    split: Literal["train", "validation"],
    trials: int,
    limit: int | None,
    quiet: bool,
) -> Comparison:
    from rich.console import Console
    from rich.progress import Progress

    from sigmaloop.graph.comparing import compare_agents

    with Progress(console=Console(stderr=True), transient=True, disable=quiet) as bar:
        shown = bar.add_task("rollouts", total=None)
        return compare_agents(
            first, second, settings, split=split, trials=trials, limit=limit,
            on_total=lambda total: bar.update(shown, total=total), on_done=lambda _rollout: bar.advance(shown),
        )  # fmt: skip


def _lines(found: Comparison) -> list[str]:
    """The sentence, the counts, then kinds of request from the most gained to the most lost."""
    from sigmaloop.report.words import cut, percent

    counts = found.flips
    lines = [
        f"{found.first} against {found.second}, {found.where}",
        found.sentence,
        f"{counts.title}; never solved and now always {counts.fixed}, always solved and now never {counts.broken}.",
    ]
    if counts.types:
        lines += ["", f"  {'kind of request':<34}{'tasks':>6}{'first':>8}{'second':>8}"]
    for row in counts.types:
        name = cut(row.request_type, 33)
        lines.append(f"  {name:<34}{row.tasks:>6}{percent(row.before):>8}{percent(row.after):>8}")
    return lines
