"""`sigmaloop mine`: why stored conversations failed, as a report; nothing is changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sigmaloop.cli.options import SettingsCommand, config_option, json_option, settings_options
from sigmaloop.cli.terminal import tell

if TYPE_CHECKING:
    from sigmaloop.records import FailureRecord
    from sigmaloop.traces.imported import Format

EXAMPLES = 5
"""Problems that are told one by one."""


@click.command(cls=SettingsCommand)
@config_option
@json_option
@click.option(
    "--traces",
    "files",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="File with conversations; repeatable, and more may follow it.",
)
@click.argument("more", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="[FILE]...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["tau-bench", "openai", "langsmith", "otel"]),
    help="Format of the files.  [default: told by the first record]",
)
@click.option("--output", type=click.Path(path_type=Path), help="Write the report here (.json for JSON).")
@click.option(
    "--pass-at",
    type=click.FloatRange(),
    default=1.0,
    show_default=True,
    help="Reward from which a conversation passed.",
)
@click.option("--unlabelled", is_flag=True, help="Mine conversations without an outcome, too.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=100, show_default=True, help="Mine only the first LIMIT failures."
)
@click.option("--setting", help="What the agent does and for whom, in a sentence, for the miner.")
@settings_options(
    only=(
        "seed", "concurrency", "upstream", "base_url", "specialist_model", "model_timeout", "model_tries", "max_money",
        "max_run_tokens",
    )
)  # fmt: skip
def mine(
    *,
    config: Path | None,
    as_json: bool,
    files: tuple[Path, ...],
    more: tuple[Path, ...],
    form: Format | None,
    output: Path | None,
    pass_at: float,
    unlabelled: bool,
    limit: int,
    setting: str | None,
    **flags: Any,
) -> None:
    """Report why conversations of stored traces failed, the costliest cause first. Nothing is changed.

    Reads tau-bench trajectories, lists of OpenAI messages (JSONL), LangSmith run exports and OpenTelemetry GenAI spans
    (JSON). With the simulated model it only shows the form of a report.
    """
    from rich.console import Console
    from rich.progress import Progress

    from sigmaloop.graph.mining import SETTING, mine_traces
    from sigmaloop.settings import load_settings
    from sigmaloop.traces.failure_report import SIMULATED, as_markdown

    if output is not None and output.exists():
        raise click.UsageError(f"{output} exists already; name another file with --output")
    settings = load_settings(config=config, **flags)
    with Progress(console=Console(stderr=True), transient=True, disable=as_json) as bar:
        task = bar.add_task("failures mined", total=None)

        def mined(_failure: FailureRecord) -> None:
            bar.advance(task)

        report = mine_traces(
            settings,
            [*files, *more],
            format=form,
            pass_at=pass_at,
            unlabelled=unlabelled,
            limit=limit,
            setting=setting or SETTING,
            on_mined=mined,
        )
    for problem in report.problems[:EXAMPLES]:
        tell(str(problem), err=True)
    if len(report.problems) > EXAMPLES:
        tell(f"and {len(report.problems) - EXAMPLES} more problems; the report lists each kind once", err=True)
    left = report.counts.failed + (report.counts.unknown if unlabelled else 0) - report.counts.mined
    if left > 0:
        tell(f"{left} more failures were not mined; --limit takes more", err=True)
    if report.simulated:
        tell(SIMULATED, err=True, fg="yellow")
    as_object = as_json or (output is not None and output.suffix == ".json")
    text = report.model_dump_json(indent=2) + "\n" if as_object else as_markdown(report)
    if output is None:
        tell(text.rstrip("\n"))
    else:
        _write(output, text)
        tell(f"{output}: {len(report.clusters)} causes of {report.counts.mined} failures", err=as_json)


def _write(path: Path, text: str) -> None:
    """All of it or nothing."""
    from sigmaloop.errors import BadInput

    half = path.with_name(f".{path.name}.part")
    try:
        half.write_text(text, encoding="utf-8")
        os.replace(half, path)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}; name another file with --output") from None
