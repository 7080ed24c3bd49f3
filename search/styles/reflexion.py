"""`reflexion`: the engineer's own critiques of what it tried on this cause and failed with, the newest three."""

from __future__ import annotations

from sigmaloop.search.styles.shown import Item, Memory, Shown
from sigmaloop.search.words import Slot

NEWEST = 3


class Reflexion:
    def shows(self, slot: Slot, memory: Memory) -> Shown:
        own = sorted((c for c in memory.critiques if c.cluster in slot.clusters), key=lambda c: (c.number, c.draft))
        items = tuple(Item(of=c.draft, text=c.text) for c in own[-NEWEST:])
        return Shown(heading="Your critiques of what failed here", items=items, may_write=("critique",))
