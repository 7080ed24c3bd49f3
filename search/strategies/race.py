"""`race`: siblings for one cluster, each with another lever; successive halving on training tasks, the best goes on."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

from sigmaloop.gate.finding import Finding
from sigmaloop.search.bisect import judged
from sigmaloop.search.rounds import of_fate, slot_id, strongest, unscreened
from sigmaloop.search.screening import Screen, looks_of
from sigmaloop.search.strategy import Results, RunGroups, SearchRules, Stage, affordable
from sigmaloop.search.words import Candidate, Field, Group, Measure, Nothing, Pick, Screening, Slot


class Race:
    """The best of several ideas for one cause."""

    def __init__(self, rules: SearchRules) -> None:
        self.rules = rules

    def slots(self, field: Field) -> tuple[Slot, ...]:
        if not field.clusters or not affordable(field, self.rules):
            return ()
        cluster = field.clusters[0]
        levers = cluster.levers
        number = min(self.rules.siblings, field.budget.drafts_left)
        return tuple(
            Slot(id=slot_id(field, k + 1), clusters=(cluster.id,), lever=levers[k % len(levers)]) for k in range(number)
        )

    def screen(self, field: Field) -> Stage:
        return Halving(field, unscreened(field), self.rules)

    def pick(self, field: Field) -> Pick:
        if waiting := unscreened(field):
            return Measure(groups=waiting)
        ready = strongest(field, of_fate(field, "surviving"))
        if ready and not field.candidates and field.budget.can_finish(self.rules.gate_most):
            return Candidate(group=Group(drafts=(ready[0].id,)))
        return Nothing(why="no sibling is left")

    def after(self, field: Field, finding: Finding) -> Field:
        return judged(field, finding)


class Halving:
    """Screening in which only the better half sees the next look; of equal ones the lower id."""

    def __init__(self, field: Field, groups: Iterable[Group], rules: SearchRules) -> None:
        self.groups = tuple(sorted(groups, key=lambda g: g.id))
        self._looks = len(looks_of(field, rules))
        self._screen = Screen(field, self.groups, rules)

    def step(self, results: Results, /) -> RunGroups | tuple[Screening, ...]:
        running, out = list(self.groups), list[Screening]()
        for look in range(1, self._looks + 1):
            step = self._screen.step_for(running, results, looks=look)
            if isinstance(step, RunGroups):
                return step
            alive = sorted((s for s in step if s.passed), key=lambda s: (-(s.z or 0.0), s.group.id))
            stay = len(alive) if look == self._looks else ceil(len(alive) / 2)
            slower = [s.model_copy(update={"passed": False, "fell_at": "probes"}) for s in alive[stay:]]
            out += [*(s for s in step if not s.passed), *slower]
            running = [s.group for s in alive[:stay]]
        return tuple(sorted([*out, *alive], key=lambda s: s.group.id))
