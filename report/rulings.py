"""Decisions as a page needs them: who was judged, what each gate found, and the estimates before and after."""

from __future__ import annotations

from typing import Self

from sigmaloop.gate.decision import Subject
from sigmaloop.gate.finding import Finding
from sigmaloop.gate.statistics import Estimate
from sigmaloop.memory.events import Event
from sigmaloop.records import Outcome, Record


class Ruling(Record):
    """A decision without its rollouts and its bank."""

    subject: Subject
    findings: tuple[Finding, ...]
    outcome: Outcome
    reason: str
    kept: bool
    veto: str
    before: Estimate | None
    after: Estimate | None
    stages: tuple[str, ...]

    @classmethod
    def of(cls, event: Event) -> Self:
        return cls.model_validate(event.payload)

    @property
    def compared(self) -> Finding | None:
        """The comparison on held-out tasks, where it was reached."""
        found = next((finding for finding in self.findings if finding.gate == "validation"), None)
        return found if found and (found.looks or found.evaluated) else None
