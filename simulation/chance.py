"""When a habit strikes: one draw per habit and rollout, in part from the task and in part from the trial.

A Gaussian copula: the task's normal score comes from the customer's opening, the trial's from the request's seed,
and their mix is compared with the rate. So hard tasks stay hard from trial to trial (the intraclass correlation of
outcomes), and every call of a rollout sees the same draw, however many messages it carries.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from statistics import NormalDist

RHO = 0.94
"""Share of the variance of the mixed normal score that belongs to the task."""

_NORMAL = NormalDist()


@lru_cache(maxsize=65536)
def draw(habit: str, opening: str, seed: int) -> float:
    """A number in (0, 1), uniform over tasks and trials: the habit strikes when it is below the rate."""
    task = _score("task", habit, " ".join(opening.split()))
    trial = _score("trial", habit, " ".join(opening.split()), seed)
    return _NORMAL.cdf(RHO**0.5 * task + (1 - RHO) ** 0.5 * trial)


def strikes(habit: str, *, rate: float, opening: str, seed: int) -> bool:
    """Whether the habit strikes in this rollout, at this rate."""
    return draw(habit, opening, seed) < rate


def _score(*parts: object) -> float:
    """A standard normal score, a function of the parts alone."""
    raw = hashlib.sha256("\x1f".join(map(str, parts)).encode("utf-8", "replace")).digest()
    return _NORMAL.inv_cdf((int.from_bytes(raw[:7], "big") + 0.5) / 2**56)
