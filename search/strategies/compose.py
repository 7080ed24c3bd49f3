"""`compose`, the default: a part for every open cluster, all of them one candidate, judged once.

The gate protects, parts are checked afterwards: a bundle's gain is many times what a gate can see, that of a part is
not. A bundle that training turns down is halved there; one that the gate rejects is bisected. What was kept is tested
in halves, harmful parts are taken out by a candidate of their own. With few parts it does what a portfolio does.
"""

from __future__ import annotations

from sigmaloop.gate.finding import Finding
from sigmaloop.search import part_tests
from sigmaloop.search.bisect import halves, judged
from sigmaloop.search.rounds import of_fate, pending_of, redrafts, slot_id, strongest
from sigmaloop.search.screening import Looks, Screen
from sigmaloop.search.strategies.portfolio import Portfolio
from sigmaloop.search.strategy import SearchRules, Stage, affordable
from sigmaloop.search.words import Candidate, Field, Group, Measure, Nothing, OpenCluster, Pick, Redraft, Slot

BUNDLE_LOOKS: Looks = ((16, -0.3), (32, 0.0))
"""Of a bundle: the gate will see it, only what clearly harms is turned down here."""
WHOLE = 2 / 3
"""Share of the parts that must get through training for the bundle to count as whole."""


class Compose:
    """Write down everything that was understood, and prove it at once."""

    def __init__(self, rules: SearchRules) -> None:
        self.rules = rules
        self._portfolio = Portfolio(rules)

    def slots(self, field: Field) -> tuple[Slot, ...]:
        """None while a test of the parts is owed: nothing is built on what nobody has checked."""
        if part_tests.owed(field):
            return ()
        fresh = [cluster for cluster in field.clusters if _tries(field, cluster) < self.rules.tries]
        if len(fresh) <= self.rules.few or field.turned_down:
            return self._portfolio.slots(field)
        if not affordable(field, self.rules):
            return ()
        slots = [
            Slot(
                id=slot_id(field, place),
                clusters=(cluster.id,),
                lever=cluster.levers[int(field.diversify)],
                bundle=True,
            )
            for place, cluster in enumerate(fresh, start=1)
        ]
        return tuple(slots[: field.budget.drafts_left])

    def screen(self, field: Field) -> Stage:
        if not self._bundled(field):
            return self._portfolio.screen(field)
        return Screen(field, self._plan(field)[0], self.rules, BUNDLE_LOOKS)

    def pick(self, field: Field) -> Pick:
        if not field.budget.can_finish(self.rules.gate_most):
            return Nothing(why="the budget is spent")
        if field.queue:
            return Candidate(group=field.queue[0])
        if field.candidates or not self._bundled(field):
            step = self._portfolio.pick(field) if not self._bundled(field) else Nothing(why="the parts were judged")
            return (self._checked(field) or step) if isinstance(step, Nothing) else step
        if again := [s for s in redrafts(field, 2) if s.reason and s.reason.code == "equal"]:
            return Redraft(slots=tuple(again))
        unscreened, sound = self._plan(field)
        if unscreened:
            return Measure(groups=tuple(unscreened))
        if sound:
            return Candidate(group=Group(drafts=tuple(sound)))
        return self._checked(field) or Nothing(why="training turned every part down")

    def after(self, field: Field, finding: Finding) -> Field:
        """A bundle that lost a third of its parts on the way, or fell, says that parts here are not to be trusted."""
        after = judged(field, finding)
        if not self._bundled(field) or field.candidates != 1 or pending_of(field).removes:
            return after
        whole = len(pending_of(field).group.drafts) > WHOLE * len(field.drafts)
        return after.model_copy(update={"turned_down": finding.outcome != "passed" or not whole})

    def _checked(self, field: Field) -> Pick | None:
        """What is due for the parts that were kept, before the round ends."""
        return part_tests.removal(field) or part_tests.due(field)

    def _bundled(self, field: Field) -> bool:
        """Whether this round asked for one part a cluster."""
        return any(draft.slot.bundle for draft in field.drafts)

    def _plan(self, field: Field) -> tuple[list[Group], list[str]]:
        """Groups that are still to be screened, and the drafts of those that passed, strongest first."""
        live = strongest(field, of_fate(field, "written", "surviving"))
        unscreened: list[Group] = []
        sound: list[str] = []
        rest = [Group(drafts=tuple(draft.id for draft in live))] if live else []
        while rest:
            group = rest.pop(0)
            known = field.screenings.get(group.id)
            if known is None:
                unscreened.append(group)
            elif known.passed:
                sound += group.drafts
            else:
                rest += halves(field, group)
        return unscreened, sound


def _tries(field: Field, cluster: OpenCluster) -> int:
    """Parts that were written for a cluster: kept although it still fails, or rejected alone."""
    return cluster.attempts + sum(cluster.id in part.clusters for part in field.parts)
