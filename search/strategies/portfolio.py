"""`portfolio`: drafts for several clusters side by side, screened, redrafted with reasons; the best merge into one."""

from __future__ import annotations

from sigmaloop.gate.finding import Finding
from sigmaloop.search.bisect import judged
from sigmaloop.search.rounds import of_fate, redrafts, slot_id, strongest, unscreened
from sigmaloop.search.screening import Screen
from sigmaloop.search.strategy import SearchRules, Stage, affordable
from sigmaloop.search.words import Candidate, Draft, Field, Group, Measure, Nothing, OpenCluster, Pick, Redraft, Slot


class Portfolio:
    """Several survivors share one validation."""

    def __init__(self, rules: SearchRules) -> None:
        self.rules = rules

    def slots(self, field: Field) -> tuple[Slot, ...]:
        if not affordable(field, self.rules):
            return ()
        width = min(self.rules.width, field.budget.drafts_left)
        found: list[Slot] = []
        for cluster, turn in _turns(field, width):
            levers = cluster.levers
            lever = levers[(turn + field.diversify) % len(levers)]
            found.append(Slot(id=slot_id(field, len(found) + 1), clusters=(cluster.id,), lever=lever))
        return tuple(found)

    def screen(self, field: Field) -> Stage:
        return Screen(field, unscreened(field), self.rules)

    def pick(self, field: Field) -> Pick:
        if waiting := unscreened(field):
            return Measure(groups=waiting)
        if not field.budget.can_finish(self.rules.gate_most):
            return Nothing(why="the budget is spent")
        if field.queue:
            return Candidate(group=field.queue[0])
        if not field.candidates:
            if (again := redrafts(field, self.rules.tries)) and affordable(field, self.rules):
                return Redraft(slots=again)
            if best := distinct(field, of_fate(field, "surviving"), self.rules.merge):
                return Candidate(group=Group(drafts=tuple(best)))
            return Nothing(why="no draft survived screening")
        return Nothing(why="the round's candidate was judged")

    def after(self, field: Field, finding: Finding) -> Field:
        return judged(field, finding)


def distinct(field: Field, drafts: list[Draft], most: int) -> list[str]:
    """The strongest, one a cluster: two for one cluster fix the same tasks."""
    taken: list[Draft] = []
    for draft in strongest(field, drafts):
        if len(taken) < most and not any({*draft.clusters} & {*other.clusters} for other in taken):
            taken.append(draft)
    return [draft.id for draft in taken]


def _turns(field: Field, width: int) -> list[tuple[OpenCluster, int]]:
    """So many slots: the best-ranked clusters first, then the same ones with another lever.

    When nothing has come of the best-ranked ones for a while, the others are first.
    """
    clusters = list(field.clusters)
    if field.diversify and len(clusters) > width:
        clusters = [*clusters[width:], *clusters[:width]]
    return [(clusters[k % len(clusters)], k // len(clusters)) for k in range(width if clusters else 0)]
