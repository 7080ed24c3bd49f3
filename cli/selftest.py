"""`sigmaloop selftest`: the gate in synthetic worlds, where the truth is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sigmaloop.cli.options import SettingsCommand, config_option, json_option, settings_options

if TYPE_CHECKING:
    from sigmaloop.gate.statistics import Estimate


@click.command(cls=SettingsCommand)
@config_option
@json_option
@click.option(
    "--validation", type=click.IntRange(min=2), default=100, show_default=True, help="Number of validation tasks."
)
@click.option("--test", type=click.IntRange(min=2), default=100, show_default=True, help="Number of sealed test tasks.")
@click.option("--mean", type=float, default=0.56, show_default=True, help="Mean score of the baseline.")
@click.option(
    "--correlation", type=float, default=0.60, show_default=True, help="Intraclass correlation of a task's trials."
)
@click.option(
    "--worlds", type=click.IntRange(min=2), default=20, show_default=True, help="Number of synthetic runs per scene."
)
@settings_options(
    only=(
        "policy", "batches", "batch_size", "max_attempts", "regression_floor", "coverage_floor", "suite_cap", "wave",
        "cluster_tasks", "cluster_trials", "cluster_floor", "suite_tries", "promotion_passes", "quarantine_floor",
        "bank_trials", "bank_cap", "pool_below_z",
    )
)  # fmt: skip
def selftest(
    *,
    config: Path | None,
    as_json: bool,
    validation: int,
    test: int,
    mean: float,
    correlation: float,
    worlds: int,
    **flags: Any,
) -> None:
    """Test the gate in synthetic worlds, where the true value of every change is known.

    Three scenes: no change helps (A/A), the usual mix of changes, and a hard mix.
    """
    from sigmaloop.errors import BadInput
    from sigmaloop.gate.policies import make_policy
    from sigmaloop.gate.rules import rules_of
    from sigmaloop.gate.worlds.selftest import selftest as put_to_test
    from sigmaloop.gate.worlds.worlds import Terrain
    from sigmaloop.settings import load_settings

    if not (0 < mean < 1 and 0 < correlation < 1):
        raise BadInput(f"--mean {mean} and --correlation {correlation} must both lie between 0 and 1, ends excluded")
    settings = load_settings(config=config, **flags)
    terrain = Terrain(
        validation=validation,
        test=test,
        traffic=settings.batches * settings.batch_size,
        batches=settings.batches,
        proposals=min(settings.max_attempts, settings.batches * settings.attempts),
        suite_cap=settings.suite_cap,
        mean=mean,
        correlation=correlation,
    )
    found = put_to_test(terrain, make_policy(rules_of(settings)), worlds=worlds)
    if as_json:
        click.echo(json.dumps({"terrain": terrain.model_dump(), **found.model_dump(mode="json")}, indent=2))
        return
    click.echo(
        f"policy {settings.policy}: {validation} validation tasks, {terrain.proposals} proposals, {worlds} worlds"
    )
    idle, usual = found.nothing_helps, found.usual
    click.echo(
        f"  nothing helps: keeps {_of(idle.kept)}, its estimate is {_of(idle.reported_minus_true)} points too high"
    )
    click.echo(f"  byte-identical changes: {_of(usual.no_op_kept, 100)} % kept by all gates together, "
               f"{_of(usual.no_op_rejected, 100)} % rejected by the suite alone")  # fmt: skip
    for name, scene in (("usual mix", usual), ("hard mix", found.hard)):
        click.echo(f"  {name}: true gain {_of(scene.true_gain)}; reported {_of(scene.reported_minus_true)} more, "
                   f"certified {_of(scene.certified_minus_true)} more")  # fmt: skip
        click.echo(f"    keeps {_of(scene.power, 100)} % of the helpful, {_of(scene.null_kept, 100)} % of those "
                   f"without effect; {_of(scene.harmful_share, 100)} % of the kept ones harm")  # fmt: skip
        click.echo(f"    {_of(scene.rollouts)} rollouts, {_of(scene.rollouts_per_helpful)} for a helpful keep; "
                   f"ends worse than it began with probability {_of(scene.ends_worse, digits=2)}")  # fmt: skip


def _of(estimate: Estimate | None, scale: float = 1.0, digits: int = 1) -> str:
    if estimate is None:
        return "-"
    value, error = scale * estimate.mean, scale * estimate.standard_error
    digits = 0 if value >= 100 else digits
    return f"{value:.{digits}f} (+-{error:.{digits}f})"
