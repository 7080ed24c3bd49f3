"""`sigmaloop plan`: before a run, what each policy can see with this benchmark and what it will cost."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sigmaloop.cli.options import SettingsCommand, config_option, json_option, settings_options

if TYPE_CHECKING:
    from sigmaloop.eval.benchmark import BenchmarkRunner
    from sigmaloop.gate.worlds.power import Budgeted, Costs, Noise, PolicyPlan
    from sigmaloop.records import Rollout
    from sigmaloop.settings import Settings


@click.command(cls=SettingsCommand)
@config_option
@json_option
@click.option("--mean", type=float, help="Mean score of the baseline. With --correlation, nothing is run.")
@click.option("--correlation", type=float, help="Intraclass correlation of a task's trials, between 0 and 1.")
@click.option(
    "--validation", type=click.IntRange(min=2), help="Number of validation tasks.  [default: as in the benchmark]"
)
@click.option("--tokens", type=click.FloatRange(min=0), help="Tokens per rollout.  [default: as measured]")
@click.option("--money", type=click.FloatRange(min=0), help="Money per rollout.  [default: as measured]")
@click.option("--seconds", type=click.FloatRange(min=0), help="Seconds per rollout.  [default: as measured]")
@click.option("--budget", type=click.IntRange(min=1), help="Maximum number of rollouts in the whole run.")
@click.option(
    "--worlds", type=click.IntRange(min=2), default=12, show_default=True, help="Number of synthetic runs per policy."
)
@settings_options(leave_out=("home", "review", "embedder", "embedding_model"))
def plan(
    *,
    config: Path | None,
    as_json: bool,
    mean: float | None,
    correlation: float | None,
    validation: int | None,
    tokens: float | None,
    money: float | None,
    seconds: float | None,
    budget: int | None,
    worlds: int,
    **flags: Any,
) -> None:
    """Plan a run: smallest detectable gain, false keeps, rollouts, tokens, money and time, per policy.

    Without --mean and --correlation, the baseline is run twice on every validation task, after a first estimate.
    """
    from sigmaloop.errors import BadInput
    from sigmaloop.eval.benchmark import load_benchmark
    from sigmaloop.eval.marks import out_of_reach
    from sigmaloop.gate.rules import LOOKS, rules_of
    from sigmaloop.gate.worlds.power import Budgeted, costs_of, first_estimate, plans, priced
    from sigmaloop.settings import load_settings
    from sigmaloop.tools.gateway.prices import pinned_prices

    if (mean is None) != (correlation is None):
        raise BadInput("give both --mean and --correlation, or neither to measure the baseline")
    settings = load_settings(config=config, **flags)
    settings = settings.model_copy(update=pinned_prices(settings))
    benchmark = load_benchmark(settings.benchmark)
    run = Budgeted.of(
        settings,
        validation=validation or _enough(settings, len(benchmark.tasks("validation"))),
        test=len(benchmark.tasks("test")),
    )

    def costs_by(rollouts: Sequence[Rollout]) -> Costs:
        output = {"tokens": tokens, "money": money, "seconds": seconds}
        costs = costs_of(rollouts, concurrency=settings.concurrency, priced=priced(settings))
        return costs.model_copy(update={name: value for name, value in output.items() if value is not None})

    def before(rollouts: Sequence[Rollout]) -> None:
        if not as_json:
            click.echo(first_estimate(rules_of(settings), run, costs_by(rollouts)), err=True)

    rollouts: Sequence[Rollout] = ()
    if mean is None:
        rollouts = _baseline(settings, benchmark, quiet=as_json, before=before)
    missed = out_of_reach(rollouts)
    if missed:
        click.echo(f"warning: {missed}", err=True)
    noise, costs = _noise(mean, correlation, rollouts), costs_by(rollouts)
    names = LOOKS if flags["policy"] is None else (settings.policy,)
    rules = [rules_of(settings, policy=name) for name in names]
    if not as_json:
        click.echo(f"working out {2 * worlds} synthetic runs of each policy ...", err=True)
    found = plans(rules, noise, run, costs, worlds=worlds, budget=budget)
    if as_json:
        output = {"warning": missed, "noise": noise.model_dump(), "run": run.model_dump(), "costs": costs.model_dump()}
        click.echo(json.dumps({**output, "plans": [p.model_dump(mode="json") for p in found]}, indent=2))
        return
    _print(settings, noise, run, found)


def _baseline(
    settings: Settings, benchmark: BenchmarkRunner, *, quiet: bool, before: Callable[[Sequence[Rollout]], None]
) -> Sequence[Rollout]:
    """Two trials of the settings' agent on every validation task; `before` is handed the first few of them."""
    from rich.console import Console
    from rich.progress import Progress

    from sigmaloop.graph.agent_files import check_own
    from sigmaloop.graph.prepare import probed, smoke_test
    from sigmaloop.graph.standalone import engine_for

    source = settings.agent_source()
    check_own(settings, source, hosted=benchmark.hosts_agent)
    smoke_test(settings, source, benchmark)
    settings = probed(settings, "target", *benchmark.model_roles)
    tasks = [task.id for task in benchmark.tasks("validation")]
    pairs = [(task, trial) for trial in range(2) for task in tasks]
    with Progress(console=Console(stderr=True), transient=True, disable=quiet) as bar:
        shown = bar.add_task("baseline", total=len(pairs))
        with engine_for(settings, benchmark) as engine:
            before([r for r in engine.run(source, pairs[: settings.wave]) if r.valid])
            return engine.run(source, pairs, on_done=lambda _rollout: bar.advance(shown))


def _noise(mean: float | None, correlation: float | None, rollouts: Sequence[Rollout]) -> Noise:
    from sigmaloop.errors import BadInput
    from sigmaloop.gate.worlds.power import Noise, noise_of

    if mean is None or correlation is None:
        return noise_of(rollouts)
    if not (0 < mean < 1 and 0 < correlation < 1):
        raise BadInput(f"--mean {mean} and --correlation {correlation} must both lie between 0 and 1, ends excluded")
    return Noise(mean=mean, correlation=correlation)


def _enough(settings: Settings, tasks: int) -> int:
    from sigmaloop.errors import BadInput

    if tasks < 2:
        raise BadInput(f"benchmark {settings.benchmark} has {tasks} validation tasks; a comparison needs at least two")
    return tasks


def _print(settings: Settings, noise: Noise, run: Budgeted, found: Sequence[PolicyPlan]) -> None:
    from sigmaloop.gate.worlds.power import headlines

    how = "measured with 2 trials a task" if noise.measured else "as given"
    kind = "  (simulated model)" if noise.measured and settings.simulated else ""
    click.echo(f"{settings.benchmark}: {run.validation} validation tasks, {run.attempts} attempts at most{kind}")
    click.echo(f"noise: mean {noise.mean:.3f}, correlation within a task {noise.correlation:.2f}, {how}")
    for each in found:
        click.echo("")
        for line in headlines(each):
            click.echo(f"  {line}")
        click.echo(
            f"  smallest gain that its full sample shows at alpha .05, power .8: {each.detectable:.1f} points; "
            f"without any effect the validation looks pass {each.null_kept:.0%}"
        )
        click.echo(
            f"  {each.gate_rollouts.mean:,.0f} +- {each.gate_rollouts.standard_error:,.0f} rollouts by the gate, "
            f"{each.canary_rollouts:,.0f} of canaries, {run.traffic:,} of traffic, {run.certification:,} of "
            f"certification; one attempt needs {each.least_rollouts:,}"
        )
        copies = each.copies_kept
        click.echo(
            f"  of byte-identical changes it keeps {copies.whole:.0%}, {copies.straight:.0%} of those sent straight to "
            f"the comparison; its running estimate ends {each.optimism.mean:.1f} +- "
            f"{each.optimism.standard_error:.1f} points too high"
        )
        if each.attempts_afforded is not None:
            click.echo(f"  the budget pays for about {each.attempts_afforded} of {run.attempts} attempts")
