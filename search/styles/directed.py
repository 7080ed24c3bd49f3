"""`directed`: the failures, earlier attempts and learnings that every engineer is given, and nothing more."""

from __future__ import annotations

from sigmaloop.search.styles.shown import Memory, Shown
from sigmaloop.search.words import Slot


class Directed:
    def shows(self, slot: Slot, memory: Memory) -> Shown:
        return Shown()
