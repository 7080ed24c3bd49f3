"""A table of outcomes in five whole numbers, and how many results a gate may wait for without waste."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from fractions import Fraction
from math import ceil
from typing import Literal, NamedTuple

from sigmaloop.records import REWARD_MICROS, Outcome, Rollout

ResultKind = Literal["perfect", "zero", "infra"]


class Tally(NamedTuple):
    """What is known of a table."""

    passes: int
    valid: int
    reward_micros: int
    """Reward summed over the valid results."""
    infra: int
    left: int
    """Tasks not run yet."""
    lost: int = 0
    """Faults on tasks that nothing is known of: they leave the denominator of a mean."""
    spare: int = 0
    """Of the tasks left, those on which a fault would."""

    def after(self, count: int, kind: ResultKind) -> Tally:
        """The tally after `count` more results, all of one kind."""
        left = self.left - count
        gone = min(count, self.spare)
        if kind == "infra":
            return self._replace(infra=self.infra + count, left=left, lost=self.lost + gone, spare=self.spare - gone)
        good = count if kind == "perfect" else 0
        return self._replace(
            passes=self.passes + good,
            valid=self.valid + count,
            reward_micros=self.reward_micros + good * REWARD_MICROS,
            left=left,
            spare=min(self.spare, left),
        )


def tally_of(seen: Sequence[Rollout], tasks: Sequence[str], *, measured: Collection[str] = ()) -> Tally:
    """`seen`: the rollouts of those of the `tasks` that have run. `measured`: tasks on which a fault counts as 0."""
    valid = [r for r in seen if r.valid]
    lost = sum(not r.valid and r.task_id not in measured for r in seen)
    ran = {r.task_id for r in seen}
    return Tally(
        passes=sum(r.passed for r in valid),
        valid=len(valid),
        reward_micros=sum(r.reward_micros for r in valid),
        infra=len(seen) - len(valid),
        left=len(tasks) - len(seen),
        lost=lost,
        spare=sum(task not in measured and task not in ran for task in tasks),
    )


def next_size(tally: Tally, wave: int, reachable: Callable[[Tally], Collection[Outcome]]) -> int:
    """How many to run before looking again: a wave, or more while looking sooner could not decide anything.

    `reachable` gives the decisions that are still possible; it only ever shrinks as results come in.
    """
    soonest = tally.left
    counts = range(1, tally.left + 1)
    kinds: tuple[ResultKind, ...] = ("perfect", "zero", "infra")
    for kind in kinds:
        decided = bisect_left(counts, True, key=lambda k: len(reachable(tally.after(k, kind))) == 1)
        soonest = min(soonest, decided + 1)
    return min(tally.left, max(wave, soonest))


def share(value: float | Fraction) -> Fraction:
    """The share as it was written: .8 means 4/5, not the nearest binary number.

    Raises ValueError outside [0, 1].
    """
    exact = value if isinstance(value, Fraction) else Fraction(str(value))
    if not 0 <= exact <= 1:
        raise ValueError(f"{value} is not a share between 0 and 1")
    return exact


def faults_allowed(total: int, coverage: Fraction) -> int:
    """Most infrastructure faults among `total` results that still leave them covered, at least one valid."""
    return total - max(1, ceil(coverage * total)) if total else 0
