"""What a comparison on held-out tasks measured when a change was judged."""

from __future__ import annotations

from sigmaloop.gate.finding import Finding
from sigmaloop.records import Record


class Effect(Record):
    """A difference to the incumbent, mean over tasks."""

    difference: float
    standard_error: float
    rollouts: int
    short: float | None = None
    """How much was missing to pass; None where nothing was."""

    @property
    def low(self) -> float:
        """Of its 95 % interval (normal)."""
        return self.difference - 1.96 * self.standard_error

    @property
    def high(self) -> float:
        return self.difference + 1.96 * self.standard_error


def effect_of(finding: Finding | None) -> Effect | None:
    """The look that decided; None where no difference was measured."""
    if finding is None or finding.difference is None or finding.standard_error is None:
        return None
    looks, beside = finding.looks, finding.control
    judged = beside if finding.outcome == "failed" and beside and beside.z < beside.bound else None
    last = judged or (looks[-1] if looks else None)
    if last is None:
        return Effect(difference=finding.difference, standard_error=finding.standard_error, rollouts=finding.evaluated)
    missing = max(0.0, last.bound * last.standard_error - last.difference) if finding.outcome == "failed" else None
    return Effect(
        difference=last.difference,
        standard_error=last.standard_error,
        rollouts=looks[-1].planned if looks else last.planned,
        short=missing,
    )
