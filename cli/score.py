"""`sigmaloop eval`: score any agent file, without a loop around it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sigmaloop.cli.options import SettingsCommand, config_option, json_option, settings_options
from sigmaloop.cli.terminal import tell, width

if TYPE_CHECKING:
    from sigmaloop.eval.scoring import ScoreSummary
    from sigmaloop.graph.standalone import ScoredTraces
    from sigmaloop.records import Rollout, Trace

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
        "sandbox", "record_calls", "home",
    )
)  # fmt: skip
@click.option(
    "--show",
    type=click.Choice(["failures", "all"]),
    help="Show the conversations: those that failed or have no result, or all.",
)
@click.option("--full", is_flag=True, help="With --show: show every line of long steps.")
def score(
    *,
    config: Path | None,
    as_json: bool,
    split: str,
    tasks: tuple[str, ...],
    limit: int | None,
    trials: int,
    show: str | None,
    full: bool,
    **flags: Any,
) -> None:
    """Score an agent file on a split. The test split stays sealed; only a run's certification opens it.

    Exits 3 if rollouts ended in an infrastructure fault. Those are excluded from the mean.

    With --record-calls the conversations and all model calls are stored in the home for `sigmaloop trace`, and the
    same eval, when it was interrupted, goes on where it stopped.
    """
    from sigmaloop.settings import load_settings

    settings = load_settings(config=config, **flags)
    from rich.console import Console
    from rich.progress import Progress

    from sigmaloop.graph.standalone import score_file

    with Progress(console=Console(stderr=True), transient=True, disable=as_json) as bar:
        task = bar.add_task("rollouts", total=None)
        rewards: list[float] = []
        scored: list[ScoredTraces] = []

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
            on_scored=scored.append,
        )
    name = scored[0].name
    shown = [t for t in scored[0].traces if show == "all" or (show and t.rollout.outcome != "passed")]
    _show(summary, sum(rewards), split, simulated=settings.simulated, shown=shown, name=name, as_json=as_json)
    if not as_json:
        _show_traces(shown, name, full=full, home=settings.home)
    if _faults(summary):
        sys.exit(FAULTS)


def _show(
    summary: ScoreSummary,
    earned: float,
    split: str,
    *,
    simulated: bool,
    shown: list[Trace],
    name: str | None,
    as_json: bool,
) -> None:
    faults, rollouts = _faults(summary), sum(summary.statuses.values())
    of_all = earned / rollouts
    if as_json:
        output = {**summary.model_dump(mode="json"), "mean_of_all": of_all, "simulated": simulated, "recorded": name}
        output["traces"] = [t.model_dump(mode="json") | {"outcome": t.rollout.outcome} for t in shown]
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


def _show_traces(shown: list[Trace], name: str | None, *, full: bool, home: Path) -> None:
    from sigmaloop.traces.conversation_text import conversation

    for trace in shown:
        tell("\n" + "-" * width())
        for line in conversation(trace, width=width(), place=name or "", full=full):
            tell(line)
    if name:
        at = "" if str(home) == ".sigmaloop" else f" --home {home}"
        tell(f"recorded as {name}: `sigmaloop trace --run {name}{at}` lists it, `sigmaloop trace ID --calls` shows one")


def _faults(summary: ScoreSummary) -> int:
    return summary.statuses.get("infra", 0)
