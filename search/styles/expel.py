"""`expel`: insights drawn from pairs of a failed and a passed attempt, by votes, and the nearest successes."""

from __future__ import annotations

from sigmaloop.search.styles.shown import Item, Memory, Shown
from sigmaloop.search.words import Slot

NEAREST = 3
MOST = 12


class Expel:
    def shows(self, slot: Slot, memory: Memory) -> Shown:
        voted = sorted((i for i in memory.insights if i.votes > 0), key=lambda i: (-i.votes, i.id))[:MOST]
        near = sorted(memory.successes, key=lambda s: (-s.similarity, s.rollout))[:NEAREST]
        return Shown(
            heading="Insights, with their votes",
            items=tuple(Item(of=i.id, text=i.text, score=i.votes) for i in voted),
            examples=tuple(Item(of=s.rollout, text=s.text, score=s.similarity) for s in near),
            may_write=("insight", "vote"),
        )
