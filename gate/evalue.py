"""Betting e-values: evidence against "no better" that keeps its meaning however often it is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import fsum, isfinite
from typing import NamedTuple

from sigmaloop.gate.bank import Bank
from sigmaloop.gate.finding import Pair
from sigmaloop.records import REWARD_MICROS, Rollout

STAKES = (0.02, 0.04, 0.08, 0.15, 0.25, 0.4)
"""Shares of its capital that each of the bettors stakes on every pair."""


class EValue(NamedTuple):
    """How the bettors' mean capital went."""

    pairs: int
    final: float
    largest: float
    """The most that it ever was, 1 at least: what it began with."""

    @property
    def anytime_p(self) -> float:
        """p-value that holds at every stopping time: the chance that capital ever grows so large is below it."""
        return 1 / self.largest


def betting_evalue(differences: Iterable[float], *, margin: float = 0.0, stakes: Sequence[float] = STAKES) -> EValue:
    """E_t = mean over the stakes l of the product over pairs of (1 + l (d - margin)), for d in [-1, 1].

    If every pair is new and its difference has a mean of at most `margin` whatever came before, each product is
    a nonnegative supermartingale that begins at 1, and so is their mean; by Ville's inequality it reaches 1/a
    with a chance of at most a. Differences drawn task by task without repeats meet this for tasks that are
    themselves a sample of what the agent will see.

    Raises ValueError for a difference outside [-1, 1], or stakes that could lose more than everything.
    Source: Waudby-Smith & Ramdas 2024, Journal of the Royal Statistical Society B 86, 1-27.
    """
    if not all(0 <= stake * (1 + max(0.0, margin)) < 1 for stake in stakes) or not -1 <= margin <= 1:
        raise ValueError("a bettor could lose more than everything: stakes lie in [0, 1), the margin in [-1, 1]")
    capital = [1.0] * len(stakes)
    largest = final = 1.0
    pairs = 0
    for d in differences:
        if not (isfinite(d) and -1 <= d <= 1):
            raise ValueError(f"a difference of rewards lies in [-1, 1], not {d}")
        capital = [c * (1 + stake * (d - margin)) for c, stake in zip(capital, stakes, strict=True)]
        final = fsum(capital) / len(capital)
        largest = max(largest, final)
        pairs += 1
    return EValue(pairs, final, largest)


def fresh_pairs(order: Sequence[Pair], rollouts: Iterable[Rollout], bank: Bank) -> list[float]:
    """Differences in the order of the rollouts: the k-th valid result of a task against the bank's k-th of it.

    Every result of either agent is used once; what has no partner is left out.
    """
    results = {(r.key.task_id, r.key.trial): r.reward_micros for r in rollouts if r.valid}
    used: dict[str, int] = {}
    differences: list[float] = []
    for pair in order:
        task, held = pair[0], bank.held.get(pair[0])
        if pair not in results or held is None:
            continue
        k = used.get(task, 0)
        if k < len(held.reward_micros):
            used[task] = k + 1
            differences.append((results[pair] - held.reward_micros[k]) / REWARD_MICROS)
    return differences
