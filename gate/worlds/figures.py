"""What many synthetic runs say of a policy, with standard errors over worlds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import fsum, sqrt

from sigmaloop.gate.policy import Policy
from sigmaloop.gate.statistics import Estimate
from sigmaloop.gate.worlds.worlds import SyntheticWorld, Terrain, Walk, WalkResult
from sigmaloop.records import Record

POINTS = 100
"""Gains are given in points, hundredths of score."""


class Figures(Record):
    """A policy over a number of worlds. A ratio is None where nothing was counted below its line."""

    worlds: int
    rollouts: Estimate
    """In one run."""
    kept: Estimate
    true_gain: Estimate
    """Points, over the population."""
    reported_minus_true: Estimate
    """Points by which the running estimate of the gain is too high."""
    certified_minus_true: Estimate
    """The same for fresh trials on the sealed test split: 0 but for luck."""
    certified_on_validation_minus_true: Estimate
    """Fresh trials, but on the tasks that the changes were chosen by."""
    ends_worse: Estimate
    """Share of runs that end with a worse agent than they began with."""
    rollouts_per_helpful: Estimate | None
    harmful_share: Estimate | None
    """Of the kept changes."""
    power: Estimate | None
    """Share of the helpful proposals that were kept."""
    null_kept: Estimate | None
    """Share of the proposals that change nothing, kept all the same."""
    no_op_rejected: Estimate | None
    """Share of byte-identical copies that the suite rejects."""
    no_op_kept: Estimate | None
    """Share of byte-identical copies that all gates together would keep."""
    no_op_rollouts: Estimate | None
    """That all gates together run for one."""


def simulate(terrain: Terrain, policy: Policy, *, worlds: int, first: int = 0, plain: bool = False) -> Figures:
    """Walk a policy through worlds `first`, `first + 1`, ..."""
    return figures(
        [Walk(SyntheticWorld(terrain, seed), policy, plain=plain).run() for seed in range(first, first + worlds)]
    )


def figures(outcomes: Sequence[WalkResult]) -> Figures:
    """Raises ValueError for no outcome."""
    if not outcomes:
        raise ValueError("no world was walked through: there is nothing to tell")

    def mean(value: Callable[[WalkResult], float]) -> Estimate:
        return _mean([value(o) for o in outcomes])

    def ratio(above: Callable[[WalkResult], float], below: Callable[[WalkResult], float]) -> Estimate | None:
        return _ratio([above(o) for o in outcomes], [below(o) for o in outcomes])

    return Figures(
        worlds=len(outcomes),
        rollouts=mean(lambda o: o.rollouts),
        kept=mean(lambda o: sum(o.kept.values())),
        true_gain=mean(lambda o: POINTS * o.true_gain),
        reported_minus_true=mean(lambda o: POINTS * (o.reported_gain - o.true_gain)),
        certified_minus_true=mean(lambda o: POINTS * (o.certified_gain - o.true_gain)),
        certified_on_validation_minus_true=mean(lambda o: POINTS * (o.certified_on_validation - o.true_gain)),
        ends_worse=mean(lambda o: float(o.ended_worse)),
        rollouts_per_helpful=ratio(lambda o: o.rollouts, lambda o: o.kept["helpful"]),
        harmful_share=ratio(lambda o: o.kept["harmful"], lambda o: sum(o.kept.values())),
        power=ratio(lambda o: o.kept["helpful"], lambda o: o.proposed["helpful"]),
        null_kept=ratio(lambda o: o.kept["null"], lambda o: o.proposed["null"]),
        no_op_rejected=ratio(lambda o: o.no_op_rejected, lambda o: o.no_op_trials),
        no_op_kept=ratio(lambda o: o.no_op_kept, lambda o: o.no_op_trials),
        no_op_rollouts=ratio(lambda o: o.no_op_rollouts, lambda o: o.no_op_trials),
    )


def _mean(values: Sequence[float]) -> Estimate:
    n = len(values)
    mean = fsum(values) / n
    spread = fsum((x - mean) ** 2 for x in values)
    return Estimate(mean=mean, standard_error=sqrt(spread / (n * (n - 1))) if n > 1 else 0.0, tasks=n)


def _ratio(above: Sequence[float], below: Sequence[float]) -> Estimate | None:
    """Ratio of two sums; its error by linearisation over worlds (Cochran 1977, Sampling Techniques, chapter 6)."""
    n, total = len(above), fsum(below)
    if not total:
        return None
    ratio = fsum(above) / total
    spread = fsum((x - ratio * y) ** 2 for x, y in zip(above, below, strict=True))
    error = sqrt(n / (n - 1) * spread) / total if n > 1 else 0.0
    return Estimate(mean=ratio, standard_error=error, tasks=n)
