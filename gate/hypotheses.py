"""Tests of the difference between two agents: no worse than a margin, better at all, better by how much.

`b` counts the tasks that the candidate passes and the incumbent fails, `c` the reverse, `n` all tasks; one
trial each. With several trials of a task average them first (`statistics.paired_difference`).
"""

from __future__ import annotations

from math import isfinite, sqrt
from statistics import NormalDist

from sigmaloop.gate.statistics import Estimate
from sigmaloop.records import Record

NORMAL = NormalDist()


class NonInferiority(Record):
    """A test of "not worse than the incumbent by more than the margin"."""

    margin: float
    alpha: float
    z: float
    p: float
    """Chance of so large a z if the candidate were worse by exactly the margin."""

    @property
    def accepted(self) -> bool:
        """Shown to be no worse: the hypothesis that it is worse by the margin is rejected."""
        return self.p < self.alpha


def noninferiority(difference: Estimate, *, margin: float, alpha: float = 0.05) -> NonInferiority:
    """H0: true difference <= -margin. Accepted iff (D + margin) / SE > z(alpha): doubt counts against the candidate.

    `difference`: candidate minus incumbent over tasks. For several metrics every one must be accepted, each at
    alpha (intersection-union: no correction). Raises ValueError for a negative margin, an alpha outside (0, 1),
    or a standard error that is not positive; where every task agrees, use `tango_z`.
    Source: Berger 1982, Technometrics 24, 295-300, for the intersection-union of several metrics.
    """
    if not (isfinite(margin) and margin >= 0):
        raise ValueError(f"a margin is a share of score of at least 0, not {margin}")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha lies between 0 and 1, not at {alpha}")
    if not (isfinite(difference.mean) and isfinite(difference.standard_error) and difference.standard_error > 0):
        raise ValueError("the difference has no spread: nothing can be concluded from its standard error")
    z = (difference.mean + margin) / difference.standard_error
    return NonInferiority(margin=margin, alpha=alpha, z=z, p=NORMAL.cdf(-z))


def mcnemar_mid_p(b: int, c: int) -> float:
    """Two-sided mid-p value of "equally good", from the tasks on which the agents differ; 1 without one.

    Twice the binomial tail at one half, with half of the observed outcome's own probability.
    Source: Fagerland, Lydersen & Laake 2013, BMC Medical Research Methodology 13:91.
    """
    from scipy.stats import binom

    if b < 0 or c < 0:
        raise ValueError(f"counts of tasks cannot be negative: {b}, {c}")
    n, low = b + c, min(b, c)
    if b == c:
        return float(1 - 0.5 * binom.pmf(b, n, 0.5)) if n else 1.0
    return float(2 * (binom.cdf(low, n, 0.5) - 0.5 * binom.pmf(low, n, 0.5)))


def tango_z(b: int, c: int, n: int, *, difference: float = 0.0) -> float:
    """Score statistic of "the true difference of pass rates is `difference`"; with 0 it is McNemar's.

    Its variance is the one under that hypothesis, so that it works where all tasks agree. Non-inferiority with a
    margin: accept iff `tango_z(b, c, n, difference=-margin)` > z(alpha).
    Source: Tango 1998, Statistics in Medicine 17, 891-908.
    """
    _check(b, c, n)
    if not -1 < difference < 1:
        raise ValueError(f"a difference of pass rates lies between -1 and 1, not at {difference}")
    linear = (2 * n - b + c) * difference - b - c
    product = -c * difference * (1 - difference)
    q = (sqrt(max(0.0, linear * linear - 8 * n * product)) - linear) / (4 * n)
    variance = n * (2 * q + difference * (1 - difference))
    observed = b - c - n * difference
    if variance <= 0:
        return 0.0 if observed == 0 else float("inf") * observed
    return observed / sqrt(variance)


def tango_interval(b: int, c: int, n: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Differences of pass rates, candidate minus incumbent, that the score test does not reject.

    Source: Tango 1998, Statistics in Medicine 17, 891-908.
    """
    from scipy.optimize import brentq

    _check(b, c, n)
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies between 0 and 1, not at {confidence}")
    z, edge = NORMAL.inv_cdf((1 + confidence) / 2), 1 - 1e-9
    estimate = (b - c) / n

    def limit(z_there: float, low: float, high: float) -> float:
        root: float = brentq(lambda d: tango_z(b, c, n, difference=d) - z_there, low, high, xtol=1e-12)
        return root

    lower = -1.0 if estimate == -1 else limit(z, -edge, min(estimate, edge))
    upper = 1.0 if estimate == 1 else limit(-z, max(estimate, -edge), edge)
    return lower, upper


def _check(b: int, c: int, n: int) -> None:
    if b < 0 or c < 0 or n < 1 or b + c > n:
        raise ValueError(f"{b} and {c} differing tasks of {n} are impossible")
