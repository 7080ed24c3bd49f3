"""When a habit strikes: one draw per habit and rollout, in part from the task and in part from the trial.

A Gaussian copula: the task's normal score comes from the customer's opening, the trial's from the request's seed,
and their mix is compared with the rate. So hard tasks stay hard from trial to trial (the intraclass correlation of
outcomes), and every call of a rollout sees the same draw, however many messages it carries.

The words of the harness play a part, too: another wording is another roll of the dice at some decisions, though it
mean the same. Which decisions get a fresh draw follows from a hash of the words (`edition`).
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from statistics import NormalDist

RHO = 0.94
"""Share of the variance of the mixed normal score that belongs to the task."""
REDRAWN = 0.15
"""Share of a task's decisions whose luck is drawn again between one wording of the harness and another."""
_OWN = 1 - (1 - REDRAWN) ** 0.5
"""Share of decisions whose luck belongs to one wording alone; two wordings differ where either has its own."""

_NORMAL = NormalDist()


@lru_cache(maxsize=65536)
def draw(habit: str, opening: str, seed: int, edition: str = "") -> float:
    """A number in (0, 1), uniform over tasks and trials: the habit strikes when it is below the rate."""
    where = " ".join(opening.split())
    own = edition if edition and _share("edition", habit, where, edition) < _OWN else ""
    task = _NORMAL.inv_cdf(_share("task", habit, where, *([own] if own else [])))
    trial = _NORMAL.inv_cdf(_share("trial", habit, where, seed))
    return _NORMAL.cdf(RHO**0.5 * task + (1 - RHO) ** 0.5 * trial)


def strikes(habit: str, *, rate: float, opening: str, seed: int, edition: str = "") -> bool:
    """Whether the habit strikes in this rollout, at this rate, under this wording of the harness."""
    return draw(habit, opening, seed, edition) < rate


def _share(*parts: object) -> float:
    """A number in (0, 1), a function of the parts alone."""
    raw = hashlib.sha256("\x1f".join(map(str, parts)).encode("utf-8", "replace")).digest()
    return (int.from_bytes(raw[:7], "big") + 0.5) / 2**56
