"""`sigmaloop gate`: explain a decision from its log, or judge a hand-made change with the same policy."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from sigmaloop.cli.options import SettingsCommand, config_option, home_option, json_option, settings_options
from sigmaloop.cli.terminal import tell
from sigmaloop.errors import BadInput, InadmissibleChange
from sigmaloop.gate.decision import Decision, discrepancies
from sigmaloop.gate.explain import explained, verdict_of
from sigmaloop.gate.policies import make_policy
from sigmaloop.gate.rules import rules_of
from sigmaloop.graph.run import Run
from sigmaloop.settings import Settings, load_settings
from sigmaloop.tools.changes.edits import check_agent
from sigmaloop.tools.changes.edits import check_change as check_text
from sigmaloop.tools.changes.package_modules import modules_of

KEEP, REJECT, INDECISIVE = 0, 1, 3


@click.group()
def gate() -> None:
    """Explain a decision of the gate, or judge a hand-made change."""


@gate.command()
@click.argument("candidate_id")
@click.option("--run", "run_id", help="Run ID or the beginning of one.  [default: the newest run]")
@home_option
@json_option
def explain(*, candidate_id: str, run_id: str | None, home: Path | None, as_json: bool) -> None:
    """Recompute a decision from its log and explain it. Exits 1 if the log is inconsistent."""
    log = Run.open(run_id, home=home).decision(candidate_id)
    wrong = discrepancies(log)
    if as_json:
        told = {"verdict": verdict_of(log), "recomputed": not wrong, "discrepancies": list(wrong)}
        tell(json.dumps({**told, "decision": log.model_dump(mode="json")}, indent=2))
    else:
        for line in explained(log):
            tell(line)
        tell("recomputed from the log: same result" if not wrong else "THE LOG IS INCONSISTENT:")
        for line in wrong:
            tell(f"  {line}")
    sys.exit(1 if wrong else 0)


@gate.command(cls=SettingsCommand)
@config_option
@json_option
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    help="Agent that the change would replace.  [default: the shipped agent]",
)
@click.option("--suite", "suite", multiple=True, help="Training task that must stay fixed; repeatable.")
@click.option("--target", "cluster_tasks", multiple=True, help="Training task that the change must fix; repeatable.")
@click.option("--log", type=click.Path(path_type=Path), help="Write the whole log of the decision to this file.")
@settings_options(
    only=(
        "agent", "benchmark", "seed", "policy", "concurrency", "regression_floor", "coverage_floor", "cluster_floor",
        "bank_trials", "wave", "upstream", "base_url", "target_model", "temperature", "max_tokens", "model_timeout",
        "model_tries", "step_seconds", "rollout_seconds", "cpu_seconds",
    )
)  # fmt: skip
def check(
    *,
    config: Path | None,
    as_json: bool,
    against: Path | None,
    suite: tuple[str, ...],
    cluster_tasks: tuple[str, ...],
    log: Path | None,
    **flags: Any,
) -> None:
    """Judge the change in the agent file --agent. Exits 0 for keep, 1 for reject, 3 for indecisive.

    Policy, split and sandbox are those of a run; what the agent prints or returns cannot change them.
    """
    settings = load_settings(config=config, **flags)
    if settings.edited is None:
        raise BadInput("name the changed agent file with --agent")
    try:
        decision = _decide(settings, against, suite, cluster_tasks, quiet=as_json)
    except InadmissibleChange as problem:
        told = {"verdict": "reject", "reason": problem.code, "message": str(problem)}
        tell(json.dumps(told, indent=2) if as_json else f"reject ({problem.code}): {problem}")
        sys.exit(REJECT)
    if log is not None:
        log.write_text(decision.model_dump_json(indent=1), encoding="utf-8")
    verdict = verdict_of(decision)
    if as_json:
        told = {"verdict": verdict, "reason": decision.reason, "message": decision.findings[-1].message}
        shown = decision.model_dump(mode="json", exclude={"rows", "inputs"})
        tell(json.dumps({**told, "simulated": settings.simulated, "decision": shown}, indent=2))
    else:
        tell(f"{verdict} ({decision.reason}){'  (simulated model)' if settings.simulated else ''}")
        for line in explained(decision)[2:]:
            tell(line)
    sys.exit({"keep": KEEP, "reject": REJECT, "indecisive": INDECISIVE}[verdict])


def _decide(
    settings: Settings, against: Path | None, suite: tuple[str, ...], cluster_tasks: tuple[str, ...], *, quiet: bool
) -> Decision:
    """Check both files, then let the gates decide."""
    # Loaded here, for the machinery is not needed to explain a decision.
    from rich.console import Console
    from rich.progress import Progress

    from sigmaloop.eval.benchmark import load_benchmark
    from sigmaloop.eval.change_check import judge_change
    from sigmaloop.graph.agent_files import check_own, package_of
    from sigmaloop.graph.prepare import probed, smoke_test
    from sigmaloop.graph.standalone import engine_for

    candidate = settings.agent_source()
    before = settings.model_copy(update={"agent": against, "edit": None})
    incumbent = before.agent_source()
    benchmark = load_benchmark(settings.benchmark)
    form = check_own(settings, candidate, hosted=benchmark.hosts_agent)
    check_agent(incumbent, str(against or "the shipped agent.py"), kind=form.kind, main=form.main)
    train = {task.id for task in benchmark.tasks("train")}
    unknown = sorted({*suite, *cluster_tasks} - train)
    if unknown:
        raise BadInput(f"{', '.join(unknown[:5])}: no training task of benchmark {settings.benchmark}")
    tasks = [task.id for task in benchmark.tasks("validation")]
    snapshot = package_of(settings)
    own = modules_of(snapshot.programs() if snapshot else ())
    check_text(incumbent, candidate, task_ids=[*train, *tasks], package=own, **form._asdict())
    smoke_test(settings, candidate, benchmark)
    settings = probed(settings, "target", *benchmark.model_roles)
    bar = Progress(console=Console(stderr=True), transient=True, disable=quiet)
    with bar, engine_for(settings, benchmark) as engine:
        stages: dict[str, Any] = {}

        def show(stage: str, _rollout: Any) -> None:
            if stage not in stages:
                stages[stage] = bar.add_task(stage, total=None)
            bar.advance(stages[stage])

        return judge_change(
            engine, make_policy(rules_of(settings)), incumbent=incumbent, candidate=candidate, tasks=tasks,
            suite=suite, cluster_tasks=cluster_tasks, run_seed=settings.seed, on_rollout=show,
        )  # fmt: skip
