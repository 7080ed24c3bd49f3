"""`evolve`: a population for one cluster, bred on its targets and probes for a few generations; the fittest goes on."""

from __future__ import annotations

import random

from sigmaloop.gate.finding import Finding
from sigmaloop.records import digest
from sigmaloop.search.bisect import judged
from sigmaloop.search.rounds import of_fate, slot_id, unscreened
from sigmaloop.search.screening import Screen
from sigmaloop.search.strategy import SearchRules, Stage, affordable
from sigmaloop.search.words import Candidate, Draft, Field, Group, Measure, Nothing, Pick, Redraft, Slot

CROSSOVER = 0.5
"""Share of children that are the merge of two parents; the others are one parent, changed by the engineer."""


class Evolve:
    """Tournament of two, half of the population survives, stops at the target score."""

    def __init__(self, rules: SearchRules) -> None:
        self.rules = rules

    def slots(self, field: Field) -> tuple[Slot, ...]:
        if not field.clusters or not affordable(field, self.rules):
            return ()
        cluster = field.clusters[0]
        number = min(self.rules.population, field.budget.drafts_left)
        levers = cluster.levers
        return tuple(
            Slot(id=slot_id(field, k + 1), clusters=(cluster.id,), lever=levers[k % len(levers)]) for k in range(number)
        )

    def screen(self, field: Field) -> Stage:
        """Nobody falls: how fit a draft is decides who breeds."""
        rules = self.rules.model_copy(update={"target_floor": 0.0})
        looks = ((self.rules.looks[0][0], float("-inf")),)
        return Screen(field, unscreened(field), rules, looks)

    def pick(self, field: Field) -> Pick:
        if waiting := unscreened(field):
            return Measure(groups=waiting)
        if not field.budget.can_finish(self.rules.gate_most):
            return Nothing(why="the budget is spent")
        alive = of_fate(field, "surviving")
        if field.candidates or not alive:
            return Nothing(why="the fittest was judged" if alive else "nobody is alive")
        ranked = sorted(alive, key=lambda draft: (-_fitness(field, draft), draft.id))
        children = max(1, self.rules.population // 2)
        bred = max(0, len({draft.slot.id for draft in field.drafts}) - self.rules.population) // children
        done = _fitness(field, ranked[0]) >= self.rules.target_score
        if done or bred + 1 >= self.rules.generations or field.budget.drafts_left < children:
            return Candidate(group=Group(drafts=(ranked[0].id,)))
        return Redraft(slots=self._children(field, ranked[: self.rules.population - children], children))

    def after(self, field: Field, finding: Finding) -> Field:
        return judged(field, finding)

    def _children(self, field: Field, elite: list[Draft], number: int) -> tuple[Slot, ...]:
        first = 1 + len({draft.slot.id for draft in field.drafts})
        found = []
        for place in range(first, first + number):
            name = slot_id(field, place)
            dice = random.Random(digest("breed", field.seed, name, size=32))
            one = _tournament(field, elite, dice)
            others = [draft for draft in elite if draft.id != one.id]
            crossed = bool(others) and dice.random() < CROSSOVER
            parents = (one.id, _tournament(field, others, dice).id) if crossed else (one.id,)
            found.append(Slot(id=name, clusters=one.clusters, parents=parents, reason=one.reason))
        return tuple(found)


def _tournament(field: Field, drafts: list[Draft], dice: random.Random) -> Draft:
    """The fitter of two; drawn in order of id, so that who was written first makes no difference."""
    by_id = sorted(drafts, key=lambda draft: draft.id)
    return max((dice.choice(by_id), dice.choice(by_id)), key=lambda draft: (_fitness(field, draft), draft.id))


def _fitness(field: Field, draft: Draft) -> float:
    screening = field.screenings.get(draft.id)
    return screening.rate if screening else 0.0
