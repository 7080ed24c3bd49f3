"""Which split a task belongs to, by the hash of its id: more tasks move none of those that were there."""

from __future__ import annotations

from collections.abc import Mapping

from sigmaloop.errors import BadInput
from sigmaloop.records import Split, digest

SHARES: Mapping[Split, float] = {"train": 0.5, "validation": 0.25, "test": 0.25}


def split_of(task_id: str, shares: Mapping[Split, float] = SHARES) -> Split:
    """The split of a task. `shares` add up to 1. Raises BadInput when they do not."""
    if abs(sum(shares.values()) - 1) > 1e-9 or min(shares.values()) < 0:
        raise BadInput(f"shares of the splits must add up to 1, not {sum(shares.values()):g}: {dict(shares)}")
    place, reached = int(digest("split", task_id, size=8), 16) / 16**8, 0.0
    for split, share in shares.items():
        reached += share
        if place < reached:
            return split
    return max(shares, key=lambda split: shares[split])
