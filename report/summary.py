"""A run in a page: what it found, kept and rejected, what it cost, and what to do next."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sigmaloop.errors import BadInput
from sigmaloop.gate.canaries import canary_report
from sigmaloop.gate.decision import Decision
from sigmaloop.gate.statistics import Estimate
from sigmaloop.gate.worlds.power import Foretold
from sigmaloop.memory.clusters import fold_clusters
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.lineage import lineage
from sigmaloop.memory.runs import RunPaths
from sigmaloop.memory.suite import SUITE_FULL, fold_suite
from sigmaloop.records import REWARD_MICROS, Certificate, LedgerEntry, Record, Usage

FORETOLD = ("foretold", "run")
"""Where the journal keeps what the plan says of the run's own figures."""


class Summary(Record):
    """The facts of a run, all folded from its journal."""

    run_id: str
    path: str
    condition: str
    """new, ready (can be resumed), paused or finished."""
    simulated: bool
    tier: str
    """Sandbox tier that the candidates run in."""
    benchmark: str
    batches: int
    planned_batches: int
    attempts: int
    kept: int
    rejected: dict[str, int]
    """Rejected attempts by the gate that rejected them."""
    failures: int
    clusters: int
    suite: int
    suite_refused: int
    """Tasks that would have joined the suite and did not, because it was full."""
    policy: str
    """The law of the gate."""
    validation_results: int
    """Valid results behind `baseline`: one a task for the reference policy, more for those that measure."""
    baseline: float | None
    """Validation mean of the first agent, one trial a task."""
    best: float | None
    """Reference policy: the running maximum on validation, the bar of the gate, too optimistic to be a result."""
    estimate: tuple[float, float, float] | None
    """Pooled mean of the kept agent on validation after the newest decision, with its 95 % interval: a running
    estimate, not a result."""
    optimism: tuple[float, float] | None
    """Points by which such an estimate is too high at the end of a run of this size, and its standard error; None:
    not foretold."""
    canaries: str
    """What the gate did with changes of known worth, and what was to be expected; empty before the first."""
    certificate: Certificate | None
    """The headline: the final agent on the sealed test split; on validation where that was not opened for it."""
    on_validation: Certificate | None
    """The same agents, fresh trials on the split that the gate chose by."""
    usage: dict[str, Usage]
    """By role."""

    @property
    def total(self) -> Usage:
        return sum(self.usage.values(), Usage())

    @property
    def gain(self) -> float | None:
        """Certified difference, in reward; None before certification."""
        return self.certificate.difference if self.certificate else None

    @property
    def certified(self) -> bool:
        """A change was kept, and fresh trials show the kept agent to be no worse than the first one.

        False before certification, where the interval's lower end is below 0, and where tasks are too few for one.
        """
        return self.kept > 0 and self.certificate is not None and self.certificate.certified

    def as_json(self) -> dict[str, Any]:
        return {
            **self.model_dump(mode="json"),
            "total": self.total.model_dump(),
            "gain": self.gain,
            "certified": self.certified,
        }


def summarise(paths: RunPaths, journal: Journal, *, condition: str, agent: str, incumbent: str) -> Summary:
    """Fold the journal of a run, as far as it belongs to the agent that is kept now.

    `agent`: its hash, whose certificates count; `incumbent`: its commit, whose lineage counts.
    """
    events = lineage(journal, incumbent).of(journal.events())
    by_kind: dict[str, list[Any]] = {}
    for event in events:
        by_kind.setdefault(event.kind, []).append(event.payload)
    if "run_started" not in by_kind:
        raise BadInput(
            f"run {paths.run_id} in {paths.home} was never fully started; start another with `sigmaloop run`"
        )
    started = by_kind["run_started"][0]
    settings = started["settings"]
    ledger = [LedgerEntry.model_validate(p) for p in by_kind.get("ledger", [])]
    base = by_kind.get("baseline", [None])[0]
    tasks = base["tasks"] if base else 0
    scores = [base["reward_micros"] / tasks] if base else []
    scores += [
        v.reward_micros / v.evaluated
        for e in ledger
        if e.outcome == "kept"
        for v in e.verdicts
        if v.gate == "validation"
    ]
    stored = journal.get(*FORETOLD)
    foretold = Foretold.model_validate(stored) if stored else None
    certificates = [Certificate.model_validate(payload) for payload in by_kind.get("certificate", [])]
    own = {c.split: c for c in certificates if c.agent == agent}
    return Summary(
        run_id=paths.run_id,
        path=str(paths.root),
        condition=condition,
        simulated=started["simulated"],
        tier=started["tier"],
        benchmark=settings["benchmark"],
        batches=max((p["batch"] for p in by_kind.get("batch_started", [])), default=0),
        planned_batches=settings["batches"],
        attempts=len(ledger),
        kept=sum(e.outcome == "kept" for e in ledger),
        rejected=dict(sorted(Counter(e.gate or "other" for e in ledger if e.outcome == "rejected").items())),
        failures=len(by_kind.get("failure_assigned", [])),
        clusters=len(fold_clusters(events)),
        suite=len(fold_suite([e for e in events if e.kind == "promoted"], cap=settings["suite_cap"])),
        suite_refused=len({task for payload in by_kind.get(SUITE_FULL, []) for task in payload["tasks"]}),
        policy=settings["policy"],
        validation_results=tasks,
        baseline=base["reward_micros"] / REWARD_MICROS / tasks if tasks else None,
        best=max(scores) / REWARD_MICROS if scores else None,
        estimate=_estimate(by_kind.get("decision", [])),
        optimism=(foretold.optimism.mean, foretold.optimism.standard_error) if foretold else None,
        canaries=_canaries(by_kind.get("decision", []), foretold),
        certificate=own.get("test", own.get("validation")),
        on_validation=own.get("validation"),
        usage=journal.usage(),
    )


def _estimate(decisions: list[dict[str, Any]]) -> tuple[float, float, float] | None:
    made = [d["after"] for d in decisions if not d["subject"]["canary"] and d["after"]]
    if not made:
        return None
    found = Estimate.model_validate(made[-1])
    return found.mean, *found.interval


def _canaries(decisions: list[dict[str, Any]], foretold: Foretold | None) -> str:
    report = canary_report([Decision.model_validate(d) for d in decisions if d["subject"]["canary"]])
    return report.sentence(foretold.copies_kept if foretold else None)
