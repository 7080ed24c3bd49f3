"""`pareto`: a pool of drafts on training tasks; a parent is drawn by how many tasks it is best on, its child must win a
minibatch. The pool's best meets the gates."""

from __future__ import annotations

import random
from collections import Counter

from sigmaloop.gate.finding import Finding
from sigmaloop.records import digest
from sigmaloop.search.bisect import judged
from sigmaloop.search.rounds import of_fate, slot_id, unscreened
from sigmaloop.search.screening import Screen, looks_of
from sigmaloop.search.strategy import SearchRules, Stage, affordable
from sigmaloop.search.words import Candidate, Draft, Field, Group, Measure, Nothing, Pick, Redraft, Slot

MERGED = 0.25
"""Share of children that are the merge of two of the pool."""


class Pareto:
    """Nothing of validation chooses: the best of many on validation is the luckiest."""

    def __init__(self, rules: SearchRules) -> None:
        self.rules = rules

    def slots(self, field: Field) -> tuple[Slot, ...]:
        if not field.clusters or not affordable(field, self.rules):
            return ()
        number = min(self.rules.population, field.budget.drafts_left, len(field.clusters))
        return tuple(
            Slot(id=slot_id(field, k + 1), clusters=(cluster.id,), lever=cluster.levers[0])
            for k, cluster in enumerate(field.clusters[:number])
        )

    def screen(self, field: Field) -> Stage:
        """A minibatch that must be won, then as many training tasks as any screening has."""
        last = looks_of(field, self.rules)[-1][0]
        looks = ((self.rules.minibatch, 1e-9), (last, float("-inf")))
        rules = self.rules.model_copy(update={"target_floor": 0.0})
        return Screen(field, unscreened(field), rules, looks)

    def pick(self, field: Field) -> Pick:
        if waiting := unscreened(field):
            return Measure(groups=waiting)
        if not field.budget.can_finish(self.rules.gate_most):
            return Nothing(why="the budget is spent")
        pool = of_fate(field, "surviving")
        if field.candidates:
            return Nothing(why="the pool's best was judged")
        drawn = len({draft.slot.id for draft in field.drafts})
        if pool and drawn < self.rules.pool and field.budget.drafts_left:
            return Redraft(slots=(self._child(field, pool, drawn + 1),))
        if not pool:
            return Nothing(why="no draft won its minibatch")
        best = max(pool, key=lambda draft: (field.screenings[draft.id].rate, draft.id))
        return Candidate(group=Group(drafts=(best.id,)))

    def after(self, field: Field, finding: Finding) -> Field:
        return judged(field, finding)

    def _child(self, field: Field, pool: list[Draft], place: int) -> Slot:
        name = slot_id(field, place)
        dice = random.Random(digest("pareto", field.seed, name, size=32))
        one = drawn_by_wins(field, pool, dice)
        others = [draft for draft in pool if not {*draft.clusters} & {*one.clusters}]
        if others and dice.random() < MERGED:
            two = drawn_by_wins(field, others, dice)
            return Slot(id=name, clusters=(*one.clusters, *two.clusters), parents=(one.id, two.id))
        return Slot(id=name, clusters=one.clusters, parents=(one.id,))


def drawn_by_wins(field: Field, pool: list[Draft], dice: random.Random) -> Draft:
    """One of the pool, as often as there are tasks on which it is (one of) the best."""
    best: dict[str, float] = {}
    rates = {
        draft.id: {task: passes / n for task, (passes, n) in field.screenings[draft.id].results.items()}
        for draft in pool
    }
    for table in rates.values():
        for task, rate in table.items():
            best[task] = max(best.get(task, 0.0), rate)
    wins = Counter({name: sum(rate >= best[task] for task, rate in table.items()) for name, table in rates.items()})
    by_id = sorted(pool, key=lambda draft: draft.id)
    return dice.choices(by_id, weights=[1 + wins[draft.id] for draft in by_id])[0]
