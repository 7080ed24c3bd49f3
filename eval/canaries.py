"""Canaries: changes whose worth is known go through the real gates, so that a run measures its own gate.

A byte-identical copy of the incumbent must not be kept, and neither may a copy that was blinded to the policy
text. Their rollouts are fresh (trial numbers of their own), nothing is learned from them, and they are never kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Literal

from sigmaloop.eval.decision import Decision
from sigmaloop.eval.rules import CANARY_STEP, GATE_TRIALS
from sigmaloop.records import Record

Worth = Literal["identical", "harmful"]

_BLINDED = """

class _WithoutPolicy:
    instructions = ""

    def __init__(self, session):
        self._session = session

    def __getattr__(self, name):
        return getattr(self._session, name)


_run_with_policy = run


def run(session):
    return _run_with_policy(_WithoutPolicy(session))
"""


class Canary(Record):
    """One change of known worth."""

    number: int
    """1-based within the run."""
    worth: Worth

    @property
    def id(self) -> str:
        """Its candidate id: never that of an attempt."""
        return f"K{self.number:03d}"

    @property
    def first_trial(self) -> int:
        """Where its trial numbers begin, so that no rollout of the incumbent is found again."""
        return GATE_TRIALS + CANARY_STEP * self.number

    @property
    def control_trial(self) -> int:
        """Trial number of the incumbent's rollouts beside it: none of its own, though it may be the same agent."""
        return self.first_trial + CANARY_STEP // 2

    def source(self, incumbent: str) -> str:
        """The text of the agent that goes through the gates."""
        return incumbent if self.worth == "identical" else incumbent.rstrip("\n") + "\n" + _BLINDED


def canaries(identical: int, harmful: int) -> tuple[Canary, ...]:
    """Every canary of a run, harmful ones last."""
    return tuple(
        Canary(number=i, worth="identical" if i <= identical else "harmful") for i in range(1, identical + harmful + 1)
    )


def due(planned: tuple[Canary, ...], done: Iterable[str], *, progress: Fraction) -> Canary | None:
    """The canary whose turn it is when this share of the run is over: they are spread evenly over it.

    `done`: candidate ids of decided canaries. None: not yet, or all are done.
    """
    waiting = [canary for canary in planned if canary.id not in set(done)]
    if not waiting:
        return None
    first = waiting[0]
    return first if progress >= Fraction(first.number, len(planned) + 1) else None


class CanaryReport(Record):
    """What the gates did with the canaries of a run."""

    identical: int = 0
    identical_kept: int = 0
    """Passed every gate; none was really kept."""
    harmful: int = 0
    harmful_kept: int = 0
    indecisive: int = 0

    @property
    def sentence(self) -> str:
        """For status, report and headline; empty without canaries."""
        parts = []
        if self.identical:
            parts.append(f"of {self.identical} byte-identical changes the gate kept {self.identical_kept}")
        if self.harmful:
            parts.append(f"of {self.harmful} known-harmful ones {self.harmful_kept}")
        return ", ".join(parts)


def canary_report(logs: Iterable[Decision]) -> CanaryReport:
    """Counts over the decisions of a run; those that are no canaries are passed over."""
    counts = dict.fromkeys(CanaryReport.model_fields, 0)
    for log in logs:
        worth = log.subject.canary
        if not worth:
            continue
        if log.outcome == "indecisive":
            counts["indecisive"] += 1
            continue
        counts[worth] += 1
        counts[f"{worth}_kept"] += log.outcome == "passed"
    return CanaryReport(**counts)
