"""Whether the run still gets anywhere, by the incumbent's bank: what to do when it does not."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot
from typing import Literal

from sigmaloop.gate.statistics import Estimate
from sigmaloop.records import Record

SPAN = 8
"""Batches over which a gain is measured."""
Advice = Literal["go_on", "diversify", "prune", "stop"]


class Progress(Record):
    """Gain of the last batches."""

    gain: float
    """Bank mean now minus that of `SPAN` batches ago, in shares of score."""
    error: float
    advice: Advice


def progress(
    means: Sequence[Estimate],
    *,
    diversified: int | None = None,
    pruned: int | None = None,
    stop_when_flat: bool = False,
    point_worth: float | None = None,
    spent: float = 0.0,
) -> Progress | None:
    """`means`: the bank's after each batch. None before there are enough of them.

    A gain below its own error: look elsewhere, eight batches later prune. Stopping is the user's choice: at a gain
    below 0 (`stop_when_flat`), or when the points gained are worth less (`point_worth` each) than the money `spent` on
    these batches. `diversified`, `pruned`: the batch, counted from 1, in which that was last begun.
    """
    if len(means) <= SPAN:
        return None
    now, then, batch = means[-1], means[-1 - SPAN], len(means)
    gain, error = now.mean - then.mean, hypot(now.standard_error, then.standard_error)
    flat = gain < error
    advice: Advice = "go_on"
    if (stop_when_flat and gain < 0) or (point_worth is not None and 100 * max(0.0, gain) * point_worth < spent):
        advice = "stop"
    elif flat and (diversified is None or (pruned is not None and batch - diversified >= 2 * SPAN)):
        advice = "diversify"
    elif flat and diversified is not None and batch - diversified >= SPAN and (pruned is None or pruned < diversified):
        advice = "prune"
    return Progress(gain=gain, error=error, advice=advice)
