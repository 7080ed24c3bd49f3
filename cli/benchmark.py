"""`sigmaloop benchmark`: list what ships, check that a benchmark keeps its contract."""

from __future__ import annotations

import json
import sys

import click

from sigmaloop.cli.options import json_option
from sigmaloop.cli.terminal import tell
from sigmaloop.eval.benchmark import load_benchmark
from sigmaloop.eval.benchmarks import SHIPPED
from sigmaloop.settings import load_settings


@click.group()
def benchmark() -> None:
    """List the shipped benchmarks, or check that one keeps its contract."""


@benchmark.command("list")
@json_option
def list_them(*, as_json: bool) -> None:
    """List the shipped benchmarks and the sizes of their splits."""
    rows = []
    for name in SHIPPED:
        found = load_benchmark(name)
        sizes = {split: len(found.tasks(split)) for split in ("train", "validation", "test")}  # type: ignore[arg-type]
        rows.append({"name": name, "version": found.version, **sizes, "fingerprint": found.fingerprint()})
    if as_json:
        tell(json.dumps(rows, indent=2))
        return
    for row in rows:
        tell(
            f"{row['name']:<12} {row['version']:<8} {row['train']} train, {row['validation']} validation, "
            f"{row['test']} test tasks  {row['fingerprint']}"
        )


@benchmark.command()
@click.argument("name", default="helpdesk")
@json_option
def check(*, name: str, as_json: bool) -> None:
    """Check a benchmark: determinism, disjoint splits, and the scores of do-nothing and oracle agents.

    NAME is a shipped benchmark, or `module:Class` for your own. Exits 1 if a check fails.
    """
    from sigmaloop.graph.standalone import check_named  # the machinery; `list` goes without

    report = check_named(load_settings(benchmark=name))
    if as_json:
        tell(json.dumps(report.model_dump(mode="json"), indent=2))
    else:
        for found in report.checks:
            tell(f"{'ok  ' if found.ok else 'FAIL'} {found.name:<28} {found.detail}")
    sys.exit(0 if report.ok else 1)
