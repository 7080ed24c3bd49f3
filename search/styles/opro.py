"""`opro`: earlier texts with the scores of their probes, ascending, so that the best stands last."""

from __future__ import annotations

from sigmaloop.search.styles.shown import Item, Memory, Shown
from sigmaloop.search.words import Slot

MOST = 12


class Opro:
    def shows(self, slot: Slot, memory: Memory) -> Shown:
        best = sorted(memory.texts, key=lambda t: (t.z, t.draft))[-MOST:]
        items = tuple(Item(of=t.draft, text=t.text, score=t.z) for t in best)
        return Shown(heading="Earlier texts and the z of their probes, ascending", items=items)
