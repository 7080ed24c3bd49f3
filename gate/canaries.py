"""Canaries: changes whose worth is known go through the real gates, so that a run measures its own gate.

A byte-identical copy of the incumbent must not be kept, and neither may a copy that was blinded to the policy
text. Their rollouts are fresh (trial numbers of their own), nothing is learned from them, and they are never kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Literal

from pydantic import Field

from sigmaloop.gate.decision import Decision
from sigmaloop.gate.judging import STAGES
from sigmaloop.gate.rules import CANARY_STEP, GATE_TRIALS
from sigmaloop.records import GateName, Record

Worth = Literal["identical", "harmful"]

FEWEST_ATTEMPTS = 4
"""A run of fewer attempts is not worth measuring its gate."""

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
    straight: bool = False
    """Whether it is sent to the comparison without the gates before."""

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

    @property
    def stages(self) -> tuple[GateName, ...]:
        """The gates that it goes through: the first of each worth goes straight to the comparison.

        A copy mends nothing that it is aimed at, and a harmful change breaks what it is aimed at, so that most are
        stopped before; and it is the comparison that keeps, or fails to stop.
        """
        return ("validation",) if self.straight else STAGES

    def source(self, incumbent: str, *, blank: str | None = None) -> str:
        """The text of the agent that goes through the gates.

        `blank`: for a file without `run(session)`, one of its kind that says nothing.
        """
        if self.worth == "identical":
            return incumbent
        return incumbent.rstrip("\n") + "\n" + _BLINDED if blank is None else blank


def canaries(identical: int, harmful: int, *, attempts: int) -> tuple[Canary, ...]:
    """Every canary of a run of so many attempts, harmful ones last: none below four attempts, else one for two at most.

    Where not all find room, both worths are tried: a harmful one as long as there is an identical one as well.
    """
    room = attempts // 2 if attempts >= FEWEST_ATTEMPTS else 0
    bad = min(harmful, max(room // 2, room - identical))
    good = min(identical, room - bad)
    return tuple(
        Canary(number=i, worth="identical" if i <= good else "harmful", straight=i in (1, good + 1))
        for i in range(1, good + bad + 1)
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


def progress_of(*, attempts: int, most_attempts: int, batch: int, batches: int) -> Fraction:
    """Which share of a run is over before its next attempt: 0 before the first one, whatever its batch is.

    A run that keeps much ends its batches before its attempts: whatever is further on counts. `batch`: the current
    one, from 1; `attempts`: those that are over.
    """
    if not attempts:
        return Fraction(0)
    return max(Fraction(attempts, most_attempts), Fraction(batch - 1, batches))


class CopiesKept(Record):
    """How often a policy keeps a byte-identical change, by the synthetic worlds of a run's size and noise."""

    straight: float = Field(ge=0, le=1)
    """Of those that go straight to the comparison."""
    whole: float = Field(ge=0, le=1)
    """Of those that go through all gates."""


class CanaryReport(Record):
    """What the gates did with the canaries of a run."""

    identical: int = 0
    identical_kept: int = 0
    """Passed every gate; none was really kept."""
    straight: int = 0
    """Of the identical ones, those that were sent straight to the comparison."""
    harmful: int = 0
    harmful_kept: int = 0
    indecisive: int = 0

    def sentence(self, expected: CopiesKept | None) -> str:
        """For status, report and headline, with what was to be expected; empty without canaries."""
        parts = []
        if self.identical:
            kept = f"of {self.identical} byte-identical changes the gate kept {self.identical_kept}"
            parts.append(f"{kept} ({self._usual(expected)})")
        if self.harmful:
            parts.append(f"of {self.harmful} known-harmful ones {self.harmful_kept}")
        return ", ".join(parts)

    def _usual(self, expected: CopiesKept | None) -> str:
        if expected is None:
            return "how many this policy keeps here is not known"
        mean = (self.straight * expected.straight + (self.identical - self.straight) * expected.whole) / self.identical
        return f"this policy keeps about {'one in ' + format(1 / mean, '.0f') if mean >= 0.01 else 'none'}"


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
        counts["straight"] += worth == "identical" and log.inputs.stages == ("validation",)
    return CanaryReport(**counts)
