"""`sigmaloop eval`: score any agent file, without a loop around it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sigmaloop.cli.options import SettingsCommand, config_option, json_option, settings_options
from sigmaloop.cli.terminal import tell

if TYPE_CHECKING:
    from sigmaloop.eval.scoring import ScoreSummary
    from sigmaloop.records import Rollout

FAULTS = 3


@click.command("eval", cls=SettingsCommand)
@config_option
@json_option
@click.option(
    "--split",
    type=click.Choice(["train", "validation"]),
    default="validation",
    show_default=True,
    help="Split to score on.",
)
@click.option("--task", "tasks", multiple=True, metavar="ID", help="ID of a task to score; repeatable.")
@click.option("--limit", type=click.IntRange(min=1), help="Score only the first LIMIT tasks.")
@click.option("--trials", type=click.IntRange(min=1), default=1, show_default=True, help="Trials of each task.")
@settings_options(
    only=(
        "agent", "benchmark", "seed", "concurrency", "upstream", "base_url", "target_model", "temperature",
        "max_tokens", "model_timeout", "model_tries", "step_seconds", "rollout_seconds", "cpu_seconds",
        "sandbox",
    )
)  # fmt: skip
def score(
    *,
    config: Path | None,
    as_json: bool,
    split: str,
    tasks: tuple[str, ...],
    limit: int | None,
    trials: int,
    **flags: Any,
) -> None:
    """Score an agent file on a split. The test split stays sealed; only a run's certification opens it.

    Exits 3 if rollouts ended in an infrastructure fault. Those are excluded from the mean.
    """
    from sigmaloop.settings import load_settings

    settings = load_settings(config=config, **flags)
    from rich.console import Console
    from rich.progress import Progress

    from sigmaloop.graph.standalone import score_file

    with Progress(console=Console(stderr=True), transient=True, disable=as_json) as bar:
        task = bar.add_task("rollouts", total=None)
        rewards: list[float] = []

        def done(rollout: Rollout) -> None:
            rewards.append(rollout.reward or 0.0)
            bar.advance(task)

        summary = score_file(
            settings,
            split=split,  # type: ignore[arg-type]
            limit=limit,
            trials=trials,
            task_ids=tasks,
            on_total=lambda total: bar.update(task, total=total),
            on_done=done,
        )
    _show(summary, sum(rewards), split, simulated=settings.simulated, as_json=as_json)
    if _faults(summary):
        sys.exit(FAULTS)


def _show(summary: ScoreSummary, earned: float, split: str, *, simulated: bool, as_json: bool) -> None:
    faults, rollouts = _faults(summary), sum(summary.statuses.values())
    of_all = earned / rollouts
    if as_json:
        output = {**summary.model_dump(mode="json"), "mean_of_all": of_all, "simulated": simulated}
        tell(json.dumps(output, indent=2))
        return
    low, high = summary.interval
    kind = "  (simulated model)" if simulated else ""
    tell(f"{summary.mean:.3f} on {split}, {summary.tasks} tasks x {summary.trials}, 95 % {low:.3f} to {high:.3f}{kind}")
    tell("  " + ", ".join(f"{count} {status}" for status, count in summary.statuses.items()))
    for kind_name, (passed, total) in sorted(summary.by_request_type.items()):
        tell(f"  {kind_name:<28} {passed}/{total}")
    if faults:
        tell(
            f"{faults} of {rollouts} rollouts ended in an infrastructure fault and are excluded from the mean "
            f"({of_all:.3f} if they counted as 0); fix the cause and score again",
            err=True,
        )


def _faults(summary: ScoreSummary) -> int:
    return summary.statuses.get("infra", 0)
