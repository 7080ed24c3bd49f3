"""`sigmaloop eval`: score any agent file, without a loop around it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from sigmaloop.cli.options import config_option, json_option, settings_options
from sigmaloop.cli.terminal import tell


@click.command("eval")
@config_option
@json_option
@click.option("--split", type=click.Choice(["train", "validation"]), default="validation", show_default=True)
@click.option("--limit", type=click.IntRange(min=1), help="Only the first so many tasks.")
@click.option("--trials", type=click.IntRange(min=1), default=1, show_default=True, help="Trials of each task.")
@settings_options(
    only=(
        "agent", "benchmark", "seed", "concurrency", "upstream", "base_url", "target_model", "temperature",
        "max_tokens", "model_timeout", "model_tries", "step_seconds", "rollout_seconds", "cpu_seconds",
        "sandbox",
    )
)  # fmt: skip
def score(*, config: Path | None, as_json: bool, split: str, limit: int | None, trials: int, **flags: Any) -> None:
    """Score an agent file on a split. The test split stays sealed: only a run's certification opens it."""
    from sigmaloop.settings import load_settings

    settings = load_settings(config=config, **flags)
    from rich.console import Console
    from rich.progress import Progress

    from sigmaloop.graph.scoring import score_file

    with Progress(console=Console(stderr=True), transient=True, disable=as_json) as bar:
        task = bar.add_task("rollouts", total=None)
        summary = score_file(
            settings,
            split=split,  # type: ignore[arg-type]
            limit=limit,
            trials=trials,
            on_total=lambda total: bar.update(task, total=total),
            on_done=lambda _rollout: bar.advance(task),
        )
    if as_json:
        tell(json.dumps({**summary.model_dump(mode="json"), "simulated": settings.simulated}, indent=2))
        return
    low, high = summary.interval
    kind = "  (simulated model)" if settings.simulated else ""
    tell(f"{summary.mean:.3f} on {split}, {summary.tasks} tasks x {trials}, 95 % {low:.3f} to {high:.3f}{kind}")
    tell("  " + ", ".join(f"{count} {status}" for status, count in summary.statuses.items()))
    for kind_name, (passed, total) in sorted(summary.by_request_type.items()):
        tell(f"  {kind_name:<28} {passed}/{total}")
