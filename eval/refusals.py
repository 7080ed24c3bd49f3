"""Whose doing is it when an endpoint refuses requests (4xx): the agent's, or the endpoint's?

One refused request says that an agent asked for too much. Most rollouts of a stage, refused alike, say that the
endpoint was restarted with a smaller context, filters everything, or does not take a parameter: no evidence about an
agent, but an outage.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sigmaloop.records import Rollout

FEWEST = 3
"""Fewer rollouts alike prove nothing: an agent alone can do that."""


def suspicious(rollout: Rollout) -> bool:
    """Whether a refusal of the endpoint was the last word of a rollout that did not pass."""
    return bool(rollout.refusal) and rollout.valid and not rollout.passed


def blanket_refusal(rollouts: Sequence[Rollout], *, asked: int) -> str | None:
    """The one refusal that more than half of the `asked` rollouts of a stage ended with; None: there is none.

    It must be at least `FEWEST` of them. Rollouts that are not suspicious do not count.
    """
    counts = Counter(rollout.refusal for rollout in rollouts if suspicious(rollout))
    refusal, count = max(counts.items(), key=lambda item: item[1], default=("", 0))
    return refusal if count >= FEWEST and 2 * count > asked else None


def as_infra(rollout: Rollout) -> Rollout:
    """The rollout as the infrastructure fault that a blanket refusal is: without a reward, to be run again."""
    detail = f"the endpoint refuses most requests alike ({rollout.refusal}): {rollout.detail}"[:500]
    return rollout.model_copy(update={"status": "infra", "reward": None, "components": {}, "detail": detail})
