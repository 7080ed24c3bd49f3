"""`single`: one draft for the best cluster, one candidate, nothing screened."""

from __future__ import annotations

from sigmaloop.gate.finding import Finding
from sigmaloop.search.bisect import judged
from sigmaloop.search.rounds import of_fate, slot_id, unscreened
from sigmaloop.search.screening import NoScreen
from sigmaloop.search.strategy import SearchRules, Stage, affordable
from sigmaloop.search.words import Candidate, Field, Group, Measure, Nothing, Pick, Slot


class Single:
    """The plain loop."""

    def __init__(self, rules: SearchRules) -> None:
        self.rules = rules

    def slots(self, field: Field) -> tuple[Slot, ...]:
        if not field.clusters or not affordable(field, self.rules):
            return ()
        return (Slot(id=slot_id(field, 1), clusters=(field.clusters[0].id,)),)

    def screen(self, field: Field) -> Stage:
        return NoScreen(unscreened(field))

    def pick(self, field: Field) -> Pick:
        if waiting := unscreened(field):
            return Measure(groups=waiting)
        ready = of_fate(field, "surviving")
        return Candidate(group=Group(drafts=(ready[0].id,))) if ready else Nothing(why="its one draft was judged")

    def after(self, field: Field, finding: Finding) -> Field:
        return judged(field, finding)
