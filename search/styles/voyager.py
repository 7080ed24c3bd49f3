"""`voyager`: a library of pieces that were kept, the nearest to this cause first."""

from __future__ import annotations

from sigmaloop.search.styles.shown import Item, Memory, Shown
from sigmaloop.search.words import Slot

NEAREST = 5


class Voyager:
    def shows(self, slot: Slot, memory: Memory) -> Shown:
        near = sorted(memory.pieces, key=lambda p: (-p.similarity, p.draft))[:NEAREST]
        items = tuple(Item(of=p.draft, text=p.text, score=p.similarity) for p in near)
        return Shown(heading="Pieces that were kept", items=items, may_write=("piece",))
