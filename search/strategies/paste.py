"""`paste`: what the miner says should have been done, for every cluster, without a gate. A peer, never the default."""

from __future__ import annotations

from sigmaloop.gate.finding import Finding
from sigmaloop.search.bisect import judged
from sigmaloop.search.rounds import of_fate, slot_id, strongest, unscreened
from sigmaloop.search.screening import NoScreen
from sigmaloop.search.strategy import SearchRules, Stage
from sigmaloop.search.words import Candidate, Field, Group, Measure, Nothing, Pick, Slot


class Paste:
    """One part a cluster, all of them, kept ungated."""

    def __init__(self, rules: SearchRules) -> None:
        self.rules = rules

    def slots(self, field: Field) -> tuple[Slot, ...]:
        pasted = {cluster for part in field.parts for cluster in part.clusters}
        fresh = [cluster for cluster in field.clusters if cluster.id not in pasted]
        slots = [
            Slot(id=slot_id(field, place), clusters=(cluster.id,), lever="example")
            for place, cluster in enumerate(fresh, start=1)
        ]
        return tuple(slots[: field.budget.drafts_left])

    def screen(self, field: Field) -> Stage:
        return NoScreen(unscreened(field))

    def pick(self, field: Field) -> Pick:
        if waiting := unscreened(field):
            return Measure(groups=waiting)
        ready = strongest(field, of_fate(field, "surviving"))
        if not ready or field.candidates:
            return Nothing(why="everything was pasted")
        return Candidate(group=Group(drafts=tuple(draft.id for draft in ready)), ungated=True)

    def after(self, field: Field, finding: Finding) -> Field:
        return judged(field, finding)
