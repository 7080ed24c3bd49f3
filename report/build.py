"""The report of a run, from its journal alone: no benchmark, no model and no graph is needed to read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sigmaloop.memory.journal import Journal
from sigmaloop.memory.runs import RunPaths
from sigmaloop.report.attempts import (
    attempts_of,
    changes_title,
    funnel_of,
    lines_changed,
    rejected_of,
    rejected_title,
)
from sigmaloop.report.cluster_rows import cluster_rows, clusters_title
from sigmaloop.report.costs import costs_of
from sigmaloop.report.flips import flips_of, needs_of
from sigmaloop.report.headline import BANNER, headline, live_of, question_of, state_of
from sigmaloop.report.known_changes import known_changes
from sigmaloop.report.material import Material, read_material
from sigmaloop.report.night import night_of
from sigmaloop.report.record import Attempt, Costs, Figure, Report
from sigmaloop.report.summary import summarise
from sigmaloop.report.todo import todo_of
from sigmaloop.report.trust import checks_of
from sigmaloop.report.words import amount, count, duration, masked, money, percent, plural, span

SHOWN_PAUSES = 5


def build_report(
    paths: RunPaths,
    journal: Journal,
    *,
    condition: str,
    incumbent: str | None = None,
    agent: str = "",
    question: dict[str, Any] | None = None,
    process: int | None = None,
    whole_diff: str = "",
) -> Report:
    """Everything that is told of a run, as far as it belongs to the agent that is kept now.

    `incumbent`: its commit, whose lineage counts; without one all that happened does. `agent`: its hash. `question`:
    what the run waits for. `whole_diff`: from the first agent to the kept one. Raises BadInput for a run that was
    never fully started.
    """
    if process and condition != "finished":
        condition, question = "running", None
    material = read_material(paths, journal, condition=condition, incumbent=incumbent, agent=agent)
    return report_of(material, question=question, process=process, whole_diff=whole_diff)


def report_of(
    material: Material, *, question: dict[str, Any] | None = None, process: int | None = None, whole_diff: str = ""
) -> Report:
    """The report of what was read."""
    state = state_of(material, question)
    attempts = attempts_of(material)
    kept = [attempt for attempt in attempts if attempt.group == "kept"]
    known, costs, needs = known_changes(material.decisions), costs_of(material), needs_of(material)
    said, rows = headline(material, state, question), cluster_rows(material)
    added, removed = _lines(whole_diff, kept)
    return Report(
        run_id=material.paths.run_id,
        home=str(material.paths.home),
        path=str(material.paths.root),
        benchmark=material.settings.benchmark,
        agent_path=str(material.settings.edited or "agent.py"),
        state=state,
        condition=material.condition,
        process=process,
        banner=BANNER if material.simulated else "",
        headline=said,
        todo=todo_of(material, state, kept, needs),
        strip=_strip(material, attempts, costs),
        question=question_of(question),
        live=live_of(material) if state in ("running", "stopped", "paused") else None,
        pauses=tuple(pause.message for pause in material.pauses[-SHOWN_PAUSES:]),
        night=night_of(material, attempts, known),
        changes_title=changes_title(kept, added, removed),
        rejected_title=rejected_title(attempts),
        attempts=attempts,
        funnel=funnel_of(attempts) if attempts else (),
        rejected=rejected_of(attempts),
        known=known,
        clusters_title=clusters_title(rows),
        clusters=rows,
        tasks=flips_of(material),
        needs=needs,
        checks=checks_of(material, state, known, said.caution) if material.results else (),
        costs=costs,
        whole_diff=whole_diff,
        settings=_settings(material),
        facts=_facts(material),
        when=span(*material.times) if material.times else "",
        written=material.times[1] if material.times else None,
        summary=summarise(material),
    )


def _lines(whole_diff: str, kept: Sequence[Attempt]) -> tuple[int, int]:
    if whole_diff:
        return lines_changed(whole_diff)
    return sum(attempt.added for attempt in kept), sum(attempt.removed for attempt in kept)


def _strip(material: Material, attempts: Sequence[Attempt], costs: Costs) -> tuple[Figure, ...]:
    if not material.baseline:
        return ()
    kept = sum(attempt.group == "kept" for attempt in attempts)
    statuses = list(material.clusters.statuses().values())
    solved = statuses.count("resolved")
    tokens = sum(line.tokens for line in costs.by_role)
    calls = sum(line.calls for line in costs.by_role)
    cost = sum(line.cost for line in costs.by_role)
    begun, ended = material.times or (0.0, 0.0)
    share = f"{percent(kept / len(attempts))} of the attempts" if attempts else "nothing was tried"
    spent = Figure(label="Tokens", value=amount(tokens), more=f"in {count(calls)} calls")
    if cost:
        spent = Figure(label="Cost", value=money(cost), more=f"{amount(tokens)} tokens")
    return (
        Figure(label="Changes kept", value=f"{kept} of {len(attempts)}", more=share),
        Figure(
            label="Failure clusters", value=str(len(statuses)), more=f"{solved} resolved, {len(statuses) - solved} open"
        ),
        Figure(label="Regression suite", value=plural(len(material.suite), "task"), more="must stay fixed"),
        spent,
        Figure(
            label="Duration",
            value=duration(ended - begun),
            more=f"{material.batch} of {plural(material.settings.batches, 'batch', 'batches')}",
        ),
    )


def _settings(material: Material) -> tuple[tuple[str, str], ...]:
    """As they were pinned, without what is secret in addresses."""
    return tuple(
        (name, masked(str(value))) for name, value in sorted(material.started.settings.items()) if value is not None
    )


def _facts(material: Material) -> tuple[tuple[str, str], ...]:
    """Ids, files and the program."""
    made = [(made.version, made.command) for made in material.made_by]
    return (
        ("Run", material.paths.run_id),
        ("Folder", str(material.paths.root)),
        ("Benchmark", f"{material.settings.benchmark} ({material.started.benchmark[:16] or 'no fingerprint'})"),
        ("Kept agent", material.incumbent[:12]),
        ("Journal's head", material.head[:16]),
        ("SigmaLoop", ", ".join(dict.fromkeys(version for version, _ in made)) or "not noted"),
        ("Called as", "; then ".join(dict.fromkeys(command for _, command in made)) or "not noted"),
    )
