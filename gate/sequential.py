"""Validation as a group-sequential comparison: a candidate that is no better stops at its first failing look.

Rollouts come in passes over the split, each in an order of its own. At every planned look the candidate is
compared with the incumbent's bank (`comparison`); below the look's bar it is rejected. Only the last look keeps:
an early keep would be one that luck has chosen.

A candidate past the last look is a finalist: by luck, perhaps, or because the endpoint was in better form than when
the bank was filled. So the incumbent is run beside it, one trial each of up to as many tasks as the rules say,
under a number of its own, and the finalist may not be below that control (z >= 0).

An infrastructure fault is a missing result. A look rejects if its bar is missed even with perfect results in
place of every fault; otherwise it is indecisive below the coverage floor; otherwise valid results decide. The same
holds for the control, whose faults are the incumbent's: at best for the candidate each of them is a failure.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence
from itertools import count, islice

from sigmaloop.gate.bank import Bank, Count, added, counted
from sigmaloop.gate.comparison import Comparison, compare
from sigmaloop.gate.finding import Finding, Look, Pair, RunMore, evidence_of, uncovered
from sigmaloop.gate.rules import CONTROL_TRIALS, GATE_TRIALS, Bound, Rules
from sigmaloop.gate.tally import faults_allowed, share
from sigmaloop.records import REWARD_MICROS, GateName, Outcome, Rollout, digest


def order_of(tasks: Sequence[str], rollouts: int, *, seed: str, first_trial: int = GATE_TRIALS) -> tuple[Pair, ...]:
    """The first so many rollouts: pass after pass over the tasks, each pass a new permutation drawn from `seed`."""

    def passes() -> Iterator[Pair]:
        for number in count():
            tasks_now = sorted(tasks)
            random.Random(digest("pass", seed, number, size=32)).shuffle(tasks_now)
            yield from ((task, first_trial + number) for task in tasks_now)

    return tuple(islice(passes(), rollouts))


class SequentialGate:
    """The validation stage of `paired` and `rigorous`."""

    gate: GateName = "validation"

    def __init__(
        self,
        tasks: Sequence[str],
        bank: Bank,
        rules: Rules,
        *,
        seed: str,
        first_trial: int = GATE_TRIALS,
        control_trial: int = CONTROL_TRIALS,
    ) -> None:
        """`seed`: whatever makes this attempt's order its own. Raises ValueError for fewer than two distinct tasks."""
        if len(set(tasks)) != len(tasks):
            raise ValueError("a gate's tasks must be distinct")
        if len(tasks) < 2:
            raise ValueError(f"a comparison needs at least two validation tasks, not {len(tasks)}")
        self._looks = rules.looks_for(len(tasks))
        self._order = order_of(tasks, self._looks[-1].rollouts, seed=seed, first_trial=first_trial)
        self._beside_z = rules.control.z if rules.control else 0.0
        beside = min(rules.control.rollouts, len(tasks)) if rules.control else 0
        self._control = order_of(tasks, beside, seed=digest("control", seed), first_trial=control_trial)
        self._known = {*self._order, *self._control}
        if len(self._known) < len(self._order) + len(self._control):
            raise ValueError(f"the control's trial number {control_trial} is one of the candidate's")
        self._incumbent = bank.counts(tasks)
        self._coverage = share(rules.coverage_floor)

    @property
    def order(self) -> tuple[Pair, ...]:
        """Every rollout up to the last look."""
        return self._order

    def step(self, rollouts: Collection[Rollout], /) -> RunMore | Finding:
        """What to run next, or the decision. Raises ValueError for rollouts that were not asked for."""
        seen = {(r.key.task_id, r.key.trial): r for r in rollouts}
        if len(seen) != len(rollouts) or not seen.keys() <= self._known:
            raise ValueError("the validation gate was given rollouts that it did not ask for, or one twice")
        looks: list[Look] = []
        counts: dict[str, Count] = {}
        faults: list[Rollout] = []
        done = 0
        for bound in self._looks:
            missing = [pair for pair in self._order[done : bound.rollouts] if pair not in seen]
            if missing:
                return RunMore(pairs=tuple(missing))
            fresh = [seen[pair] for pair in self._order[done : bound.rollouts]]
            faults += [r for r in fresh if not r.valid]
            counts, done = added(counts, counted(fresh)), bound.rollouts
            outcome, look = self._look(bound, counts, faults)
            looks += [look] if look else []
            if outcome != "passed" or bound is self._looks[-1]:
                break
        finding = self._finding(outcome, bound, looks, [seen[pair] for pair in self._order[:done]])
        return self._beside(finding, counts, seen) if outcome == "passed" and self._control else finding

    def _beside(self, finalist: Finding, counts: dict[str, Count], seen: dict[Pair, Rollout]) -> RunMore | Finding:
        """A finalist against the incumbent of today."""
        missing = [pair for pair in self._control if pair not in seen]
        if missing:
            return RunMore(pairs=tuple(missing), agent="incumbent")
        control = [seen[pair] for pair in self._control]
        valid = [r for r in control if r.valid]
        bound, beside = Bound(rollouts=len(control), z=self._beside_z), counted(control)
        comparison = compare(counts, beside) if counts.keys() & beside.keys() else None
        look = comparison and _look(bound, comparison, len(valid))
        worst = {r.task_id: Count(0, 1) for r in control if not r.valid}
        if worst and counts.keys() & (beside | worst).keys() and compare(counts, beside | worst).z < bound.z:
            outcome: Outcome = "failed"
        elif comparison is None or len(worst) > faults_allowed(len(control), self._coverage):
            outcome = "indecisive"
        else:
            outcome = "failed" if comparison.z < bound.z else "passed"
        points = f"{100 * look.difference:+.1f} +- {100 * look.standard_error:.1f} points" if look else "no measurement"
        measurement = f"{points} beside {len(valid)} rollouts of the incumbent made now"
        reason, message = {
            "passed": (finalist.reason, f"{finalist.message}; {measurement}"),
            "failed": ("validation_below_control", f"past the last look, but {measurement}; it may not be below them"),
            "indecisive": (
                "coverage_too_low",
                "the control: " + uncovered(len(worst), len(control), faults_allowed(len(control), self._coverage)),
            ),
        }[outcome]
        every = [r for pair, r in seen.items() if pair in self._known]
        more = {"outcome": outcome, "reason": reason, "message": message, "control": look}
        return finalist.model_copy(
            update={**more, "infra": finalist.infra + len(worst), "evidence": evidence_of(every)}
        )

    def _look(self, bound: Bound, counts: dict[str, Count], faults: Sequence[Rollout]) -> tuple[Outcome, Look | None]:
        """The decision of one look; no numbers where no task was measured for both."""
        unmeasured = sum(trials for task, (_, trials) in counts.items() if task not in self._incumbent)
        missing = len(faults) + unmeasured
        common = len(counts.keys() & self._incumbent.keys())
        comparison = compare(counts, self._incumbent) if common else None
        look = comparison and _look(bound, comparison, bound.rollouts - missing)
        if missing and self._at_best(counts, faults).z < bound.z:
            return "failed", look
        if comparison is None or missing > faults_allowed(bound.rollouts, self._coverage):
            return "indecisive", look
        return ("failed" if comparison.z < bound.z else "passed"), look

    def _at_best(self, counts: dict[str, Count], faults: Sequence[Rollout]) -> Comparison:
        """As if every fault had been a full reward, and the incumbent always failed what it was not measured on."""
        perfect: dict[str, Count] = {}
        for rollout in faults:
            perfect = added(perfect, {rollout.task_id: Count(REWARD_MICROS, 1)})
        candidate = added(counts, perfect)
        return compare(candidate, {task: Count(0, 1) for task in candidate} | self._incumbent)

    def _finding(self, outcome: Outcome, bound: Bound, looks: Sequence[Look], seen: Sequence[Rollout]) -> Finding:
        last = looks[-1] if looks else None
        valid = [r for r in seen if r.valid]
        reward_micros, planned = sum(r.reward_micros for r in valid), self._looks[-1].rollouts
        allowed = faults_allowed(bound.rollouts, self._coverage)
        missing = bound.rollouts - (last.valid if last else 0)
        compared = f"z = {last.z:+.2f}" if last else "nothing to compare"
        points = f"{100 * last.difference:+.1f} +- {100 * last.standard_error:.1f} points" if last else "no measurement"
        reason, message = {
            "passed": ("validation_passed", f"{points}, {compared}; at least {bound.z:+.2f} was needed"),
            "failed": (
                "validation_below_bound",
                f"{points} after {bound.rollouts} rollouts, {compared}; at least {bound.z:+.2f} was needed",
            ),
            "indecisive": ("coverage_too_low", uncovered(missing, bound.rollouts, allowed)),
        }[outcome]
        stopped = bound.rollouts < planned
        return Finding(
            gate="validation",
            outcome=outcome,
            reason=reason,
            message=message,
            passes=sum(r.passed for r in valid),
            evaluated=len(valid),
            total=planned,
            reward_micros=reward_micros,
            upper_bound_micros=reward_micros + (planned - bound.rollouts) * REWARD_MICROS if stopped else None,
            infra=len(seen) - len(valid),
            z=last.z if last else None,
            difference=last.difference if last else None,
            standard_error=last.standard_error if last else None,
            evidence=evidence_of(seen),
            looks=tuple(looks),
        )


def _look(bound: Bound, comparison: Comparison, valid: int) -> Look:
    return Look(
        planned=bound.rollouts,
        valid=valid,
        tasks=comparison.tasks,
        difference=float(comparison.difference),
        standard_error=comparison.standard_error,
        z=comparison.z,
        bound=bound.z,
    )
