"""The paired comparison of a candidate with the incumbent's bank, task by task.

Exact where it matters: the difference is a fraction of whole numbers, so a tie is a tie. The error is floating
point made of sums that do not depend on order (`fsum`) and of correctly rounded operations: the same counts
give the same bits on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import fsum, lcm, sqrt
from typing import NamedTuple

from sigmaloop.gate.bank import Count
from sigmaloop.gate.rules import PRIOR_PASSES, PRIOR_TRIALS
from sigmaloop.records import REWARD_MICROS


class Comparison(NamedTuple):
    """Candidate minus incumbent."""

    tasks: int
    difference: Fraction
    """Mean over tasks of per-task mean rewards."""
    standard_error: float

    @property
    def z(self) -> float:
        return float(self.difference) / self.standard_error


def compare(candidate: Mapping[str, Count], incumbent: Mapping[str, Count]) -> Comparison:
    """Over the tasks that both were measured on.

    d_i = s1/k1 - s0/k0 for rewards s in k trials; D = mean d_i over the m tasks; its variance
    V = sum p (1 - p) (1/k1 + 1/k0) / m^2, with p = (s0 + s1 + .373) / (k0 + k1 + .667) the pooled and shrunk
    rate. Only the luck of trials counts: the tasks are the same for both, so how unequal they are cancels, and
    shrinking keeps the variance above 0 when everything passes. For rewards between 0 and 1, p (1 - p) is the
    largest variance that a mean of p allows, so z is never too large.

    Raises ValueError without a common task.
    """
    common = [(counts, incumbent[task]) for task, counts in candidate.items() if task in incumbent]
    if not common:
        raise ValueError("no task was measured for both agents: there is nothing to compare")
    scale = lcm(*(one.trials for one, _ in common), *(other.trials for _, other in common))
    total, spread = 0, []
    for (s1, k1), (s0, k0) in common:
        total += s1 * (scale // k1) - s0 * (scale // k0)
        p = ((s0 + s1) / REWARD_MICROS + PRIOR_PASSES) / (k0 + k1 + PRIOR_TRIALS)
        spread.append(p * (1 - p) * (1 / k1 + 1 / k0))
    m = len(common)
    return Comparison(m, Fraction(total, scale * REWARD_MICROS * m), sqrt(fsum(spread)) / m)
