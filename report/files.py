"""The files that people open beside a run: report.html, learnings.md, results.tsv, suite.json, progress.json.

All are functions of the journal: written atomically, byte-identical when they are written again.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from sigmaloop.errors import BadInput
from sigmaloop.memory.clusters import ClusterFold
from sigmaloop.memory.events import Event
from sigmaloop.memory.facts import AttemptEnded, BaselineMeasured, BatchStarted, Certified, RunStarted, facts_in
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.lineage import lineage
from sigmaloop.memory.runs import LEARNINGS, PROGRESS, RESULTS, SUITE, RunPaths
from sigmaloop.memory.suite import fold_suite
from sigmaloop.records import REWARD_MICROS, GateName, Learning, LedgerEntry, SuiteCase, Verdict
from sigmaloop.report.build import build_report
from sigmaloop.report.learnings import plain, render_learnings
from sigmaloop.report.page import page
from sigmaloop.report.record import Report
from sigmaloop.settings import SIMULATED, Settings

COLUMNS = (
    "attempt_id", "batch", "attempt", "cluster", "kind", "summary", "outcome", "gate", "reason",
    "suite", "validation", "best", "rollouts", "commit", "model",
)  # fmt: skip


def write_views(
    run: RunPaths | Path,
    journal: Journal,
    *,
    learnings: Sequence[Learning] = (),
    incumbent: str | None = None,
    suite_cap: int | None = None,
) -> None:
    """Write the files into a folder, the page with them where it is a run's. Raises BadInput when it cannot be written.

    `learnings`: what the attempts taught, oldest first. `incumbent`: commit of the kept agent, whose lineage the
    files tell; without one they tell all that happened.
    The suite's cap is the one of the run's settings, unless another is given.
    """
    folder = run.root if isinstance(run, RunPaths) else run
    events = journal.events()
    if incumbent is not None:
        events = lineage(journal, incumbent).of(events)
    clusters = ClusterFold().extend(events)
    suite = fold_suite(events, _cap(events) if suite_cap is None else suite_cap)
    ledger, model = ledger_of(events), _model(events)
    texts = {
        LEARNINGS: render_learnings(learnings, survivor=clusters.survivor, simulated=model == SIMULATED),
        RESULTS: render_results(ledger, model=model),
        SUITE: _json([{**case.model_dump(mode="json"), "model": model} for case in suite]),
        PROGRESS: _json(
            {
                **_progress(journal, events, ledger=ledger, suite=suite, clusters=clusters),
                SAID: _known_progress(folder / PROGRESS).get(SAID),  # until the page is written again
            }
        ),
    }
    for name, text in texts.items():
        replace_text(folder / name, text)
    if isinstance(run, RunPaths) and incumbent is not None:
        write_page_now_and_then(run, journal, incumbent=incumbent)


_PACE: dict[str, tuple[float, float]] = {}
"""By run: when its page was written last, and how long that took."""
SHARE = 20
"""Writing the page takes at most one part in so many of the time."""


def write_page_now_and_then(run: RunPaths, journal: Journal, *, incumbent: str) -> None:
    """The page of a run that is being worked on; passed over when writing it again would take too much of the time.

    It is written in any case when the run ends or stops (`write_page`).
    """
    last, took = _PACE.get(run.run_id, (0.0, 0.0))
    begun = monotonic()
    certified = any(incumbent.startswith(fact.commit) for fact in journal.read(Certified))
    if not certified and last and begun - last < SHARE * took:
        return
    report = build_report(run, journal, condition="finished" if certified else "running", incumbent=incumbent)
    write_page(run, report)
    _PACE[run.run_id] = (monotonic(), monotonic() - begun)


def write_page(run: RunPaths, report: Report) -> None:
    """report.html, and what progress.json says of the run's state. Raises BadInput when they cannot be written."""
    replace_text(run.report, page(report))
    replace_text(run.progress, _json({**_known_progress(run.progress), SAID: report.sentences()}))


SAID = "report"
"""Where progress.json says in words how the run stands."""


def _known_progress(path: Path) -> dict[str, Any]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def ledger_of(events: Sequence[Event]) -> list[LedgerEntry]:
    """Every attempt, in the order in which they ended."""
    return [fact.entry for fact in facts_in(events, AttemptEnded)]


def render_results(ledger: Sequence[LedgerEntry], *, model: str = "-") -> str:
    """One line per attempt, kept or not, tab-separated under a header; `model`: the target's."""
    return "".join("\t".join(line) + "\n" for line in [COLUMNS, *((*_line(entry), model) for entry in ledger)])


def in_points(reward_micros: int) -> str:
    """A sum of rewards as exact decimal text: 61500000 units are 61.5."""
    sign, whole = ("-", -reward_micros) if reward_micros < 0 else ("", reward_micros)
    text = f"{sign}{whole // REWARD_MICROS}.{whole % REWARD_MICROS:06d}"
    return text.rstrip("0").rstrip(".")


def _model(events: Sequence[Event]) -> str:
    """The target's model: its name, or that it is the simulated one."""
    started = next(iter(facts_in(events, RunStarted)), None)
    if started is None:
        return "-"
    return SIMULATED if started.simulated else _cell(started.models[0])


def _cap(events: Sequence[Event]) -> int:
    started = next(iter(facts_in(events, RunStarted)), None)
    cap = started.settings.get("suite_cap") if started else None
    return int(str(cap or Settings.model_fields["suite_cap"].default))


def _line(entry: LedgerEntry) -> tuple[str, ...]:
    return (
        entry.candidate_id,
        str(entry.batch),
        str(entry.attempt),
        entry.cluster_id,
        entry.kind or "-",
        _cell(entry.summary),
        entry.outcome,
        entry.gate or "-",
        _cell(entry.reason),
        _suite(_verdict(entry, "regression")),
        _validation(_verdict(entry, "validation")),
        in_points(entry.best_micros),
        str(entry.rollouts),
        entry.commit or "-",
    )


def _verdict(entry: LedgerEntry, gate: GateName) -> Verdict | None:
    """The last word of a gate: one that was indecisive is asked again."""
    return next((verdict for verdict in reversed(entry.verdicts) if verdict.gate == gate), None)


def _suite(verdict: Verdict | None) -> str:
    if verdict is None:
        return "-"
    stopped = "" if verdict.evaluated == verdict.total else f" after {verdict.evaluated}"
    return f"{verdict.passes}/{verdict.total}{stopped}"


def _validation(verdict: Verdict | None) -> str:
    if verdict is None:
        return "-"
    if verdict.upper_bound_micros is not None:  # stopped early: what it could have reached is not a score
        return f"<={in_points(verdict.upper_bound_micros)}/{verdict.total}"
    return f"{in_points(verdict.reward_micros)}/{verdict.total}"


def _cell(text: str) -> str:
    line = plain(text, 200)
    # A spreadsheet would run a text that starts like a formula.
    return f"'{line}" if line[:1] in ("=", "+", "-", "@") else line or "-"


def _progress(
    journal: Journal,
    events: Sequence[Event],
    *,
    ledger: Sequence[LedgerEntry],
    suite: Sequence[SuiteCase],
    clusters: ClusterFold,
) -> dict[str, Any]:
    baseline = next(iter(facts_in(events, BaselineMeasured)), None)
    certificates = [fact.certificate for fact in facts_in(events, Certified)]
    batches = [fact.batch for fact in facts_in(events, BatchStarted)]
    bars: list[int | None] = [baseline.reward_micros] if baseline else []
    bars += [entry.score_micros for entry in ledger]
    rejected = Counter(entry.gate or "unusable" for entry in ledger if entry.outcome == "rejected")
    times = journal.times()
    return {
        "batch": max(batches, default=0),
        "batches_started": len(batches),
        "attempts": len(ledger),
        "kept": sum(entry.outcome == "kept" for entry in ledger),
        "rejected": dict(sorted(rejected.items())),
        "baseline": baseline.payload() if baseline else None,
        "best_micros": max((reward_micros for reward_micros in bars if reward_micros is not None), default=None),
        "clusters": dict(sorted(Counter(clusters.statuses().values()).items())),
        "suite": len(suite),
        "usage": {role: used.model_dump(mode="json") for role, used in journal.usage().items()},
        "certificates": [certificate.headline.model_dump(mode="json") for certificate in certificates],
        "head": journal.head(),
        "written": None if times is None else times[1],
    }


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, sort_keys=True) + "\n"


def replace_text(path: Path, text: str) -> None:
    # A fixed name: the writer holds the home's lock, and a killed one leaves at most this one file.
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8", newline="\n")
        os.replace(temporary, path)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}; mend that, then resume") from None
