"""A run in a page: what it found, kept and rejected, what it cost, and what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sigmaloop.memory.facts import BaselineMeasured, FailureAssigned, SuiteFull, facts_in
from sigmaloop.records import REWARD_MICROS, Certificate, LedgerEntry, Record, Usage
from sigmaloop.report.known_changes import canary_sentence, known_changes
from sigmaloop.report.material import FORETOLD as FORETOLD
from sigmaloop.report.material import FORETOLD_RUN as FORETOLD_RUN
from sigmaloop.report.material import Material
from sigmaloop.report.rulings import Ruling


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
    """The acceptance policy."""
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


def summarise(material: Material) -> Summary:
    """Fold the facts of a run, as far as they belong to the agent that is kept now."""
    settings, ledger, base = material.settings, material.ledger, material.baseline
    events, own = material.events, material.certificates
    foretold = material.foretold
    return Summary(
        run_id=material.paths.run_id,
        path=str(material.paths.root),
        condition=material.condition,
        simulated=material.simulated,
        tier=material.started.tier,
        benchmark=settings.benchmark,
        batches=material.batch,
        planned_batches=settings.batches,
        attempts=len(ledger),
        kept=sum(e.outcome == "kept" for e in ledger),
        rejected=dict(sorted(Counter(e.gate or "other" for e in ledger if e.outcome == "rejected").items())),
        failures=len(facts_in(events, FailureAssigned)),
        clusters=len(material.clusters.clusters()),
        suite=len(material.suite),
        suite_refused=len({task for fact in facts_in(events, SuiteFull) for task in fact.tasks}),
        policy=settings.policy,
        validation_results=base.tasks if base else 0,
        baseline=base.reward_micros / REWARD_MICROS / base.tasks if base and base.tasks else None,
        best=_best(base, ledger),
        estimate=_estimate(material.decisions),
        optimism=(foretold.optimism.mean, foretold.optimism.standard_error) if foretold else None,
        canaries=canary_sentence(known_changes(material.decisions), foretold.copies_kept if foretold else None),
        certificate=_shown(own.get("test", own.get("validation"))),
        on_validation=_shown(own.get("validation")),
        usage=dict(material.usage),
    )


def _shown(certificate: Certificate | None) -> Certificate | None:
    return certificate.headline if certificate else None


def _best(base: BaselineMeasured | None, ledger: Sequence[LedgerEntry]) -> float | None:
    """The running maximum on validation."""
    if base is None or not base.tasks:
        return None
    kept = [v for e in ledger if e.outcome == "kept" for v in e.verdicts if v.gate == "validation"]
    return max(base.reward_micros / base.tasks, *(v.reward_micros / v.evaluated for v in kept), 0) / REWARD_MICROS


def _estimate(decisions: Sequence[Ruling]) -> tuple[float, float, float] | None:
    newest = next((d.after for d in reversed(decisions) if not d.subject.canary and d.after), None)
    return None if newest is None else (newest.mean, *newest.interval)
