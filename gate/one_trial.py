"""The gate's `reference` policy: may a candidate replace the incumbent? In whole numbers, without I/O.

A gate is driven in steps: hand it the rollouts that are there, it answers with the tasks to run next (`Ask`)
or with its decision (`Finding`). It stops as soon as no missing rollout could change that decision.

**What is decided** (over the full table of outcomes; `plain` in the tests is this text as code).
An infrastructure fault is a missing result. With I faults among n tasks, coverage is (n - I) / n; a table without
any valid result is never covered.

1. `failed` if even perfect results in place of every fault would not reach the bar.
2. otherwise `indecisive` if coverage is below its floor: nothing is kept and nothing counts as an attempt.
3. otherwise the few faults that are tolerated earn nothing, so that no agent gains by causing them: the suite's
   share of passes among all its cases >= its floor (an empty suite passes); the validation mean >= the best
   recorded mean, a fault counting 0 where the incumbent has a valid result, and left out where it has none.

Rule 1 agrees with rule 3 (perfect results never lower a mean) and is what makes early stopping lossless: once
enough has failed, no later fault, pass or failure changes the decision.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from math import ceil

from sigmaloop.gate.finding import Finding, RunMore, evidence_of, points, uncovered
from sigmaloop.gate.tally import Tally, faults_allowed, next_size, share, tally_of
from sigmaloop.records import REWARD_MICROS, Outcome, Rollout

__all__ = ["Finding", "RegressionGate", "RunMore", "ValidationGate", "likely_failures_first"]

PASSING_SHARE = Fraction("0.80")
"""Share of the suite's valid results that must pass."""

FEWEST_VALID = Fraction("0.95")
"""Share of valid results below which a table decides nothing."""


TRIAL = 0
"""The reference runs every task once, always under this number."""


class RegressionGate:
    """The suite of things that were fixed once: at least `floor` of its cases must pass."""

    def __init__(
        self,
        members: Sequence[str],
        *,
        floor: float | Fraction = PASSING_SHARE,
        coverage: float | Fraction = FEWEST_VALID,
        wave: int = 1,
    ) -> None:
        """`members`: distinct task ids in the order to run them (see `likely_failures_first`)."""
        self._members = _checked(members, wave)
        self._floor = share(floor)
        self._faults_allowed = faults_allowed(len(members), share(coverage))
        self._wave = wave

    def step(self, outcomes: Mapping[str, Rollout]) -> RunMore | Finding:
        """What to run next, or the decision; `outcomes` holds the members' rollouts so far, by task id."""
        seen = [outcomes[task] for task in self._members if task in outcomes]
        tally = tally_of(seen, self._members)
        reachable = self._reachable(tally)
        if len(reachable) > 1:
            return _ask(self._members, outcomes, next_size(tally, self._wave, self._reachable))
        return self._finding(reachable.pop(), tally, seen)

    def _reachable(self, tally: Tally) -> set[Outcome]:
        """Every decision that some completion of the table leads to."""
        if not self._members:
            return {"passed"}
        outcomes: set[Outcome] = set()
        total, failures, left = len(self._members), tally.valid - tally.passes, tally.left
        covered = tally.infra <= self._faults_allowed
        may_fail = total - ceil(self._floor * total)
        if failures + left > may_fail or (covered and failures + tally.infra + left > may_fail):
            outcomes.add("failed")
        if failures <= may_fail and tally.infra + left > self._faults_allowed:
            outcomes.add("indecisive")
        if covered and failures + tally.infra <= may_fail:
            outcomes.add("passed")
        return outcomes

    def _finding(self, outcome: Outcome, tally: Tally, seen: Sequence[Rollout]) -> Finding:
        total = len(self._members)
        need = ceil(self._floor * total)
        unpassed = f"{tally.valid - tally.passes} of {total} suite cases failed" + (
            f" and {tally.infra} ended in a fault" if tally.infra else ""
        )
        reason, message = {
            "passed": (
                "suite_passed",
                f"{tally.passes} of {tally.valid} suite cases passed; {need} were needed",
            ),
            "failed": (
                "suite_below_floor",
                f"{unpassed}; at most {total - need} may",
            ),
            "indecisive": ("coverage_too_low", uncovered(tally.infra, total, self._faults_allowed)),
        }[outcome]
        if total == 0:
            reason, message = "suite_empty", "the regression suite is still empty"
        return Finding(
            gate="regression", outcome=outcome, reason=reason, message=message, total=total,
            passes=tally.passes, evaluated=tally.valid, reward_micros=tally.reward_micros, infra=tally.infra,
            required_micros=need * REWARD_MICROS, evidence=evidence_of(seen),
        )  # fmt: skip


class ValidationGate:
    """The validation split: its mean reward must not be below the best recorded mean."""

    def __init__(
        self,
        tasks: Sequence[str],
        *,
        best_micros: int,
        best_tasks: int | None = None,
        measured: Collection[str] | None = None,
        coverage: float | Fraction = FEWEST_VALID,
        wave: int = 1,
    ) -> None:
        """`best_units`: reward sum to reach, over `best_tasks` valid results (default: all tasks).

        `measured`: tasks on which the incumbent has a valid result, so that a fault counts 0 there (default: all).
        """
        self._tasks = _checked(tasks, wave)
        self._measured = frozenset(tasks if measured is None else measured)
        if not tasks:
            raise ValueError("a validation gate needs at least one task")
        self._best = best_micros
        self._best_tasks = len(tasks) if best_tasks is None else best_tasks
        if self._best_tasks < 1 or not 0 <= best_micros <= self._best_tasks * REWARD_MICROS:
            raise ValueError(f"a best of {best_micros} units over {self._best_tasks} tasks is impossible")
        self._faults_allowed = faults_allowed(len(tasks), share(coverage))
        self._wave = wave

    def step(self, outcomes: Mapping[str, Rollout]) -> RunMore | Finding:
        """What to run next, or the decision; a table that will pass is always completed."""
        seen = [outcomes[task] for task in self._tasks if task in outcomes]
        tally = tally_of(seen, self._tasks, measured=self._measured)
        reachable = self._reachable(tally)
        if len(reachable) > 1:
            return _ask(self._tasks, outcomes, next_size(tally, self._wave, self._reachable))
        if "passed" in reachable and tally.left:
            return _ask(self._tasks, outcomes, tally.left)
        return self._finding(reachable.pop(), tally, seen)

    def _reachable(self, tally: Tally) -> set[Outcome]:
        """Every decision that some completion of the table leads to."""
        outcomes: set[Outcome] = set()
        total, left, covered = len(self._tasks), tally.left, tally.infra <= self._faults_allowed
        expected = total - tally.lost
        certain = self._below(tally.reward_micros + (tally.infra + left) * REWARD_MICROS, total)
        if self._below(tally.reward_micros + tally.infra * REWARD_MICROS, total) or (
            covered and self._below(tally.reward_micros, expected)
        ):
            outcomes.add("failed")
        if not certain and tally.infra + left > self._faults_allowed:
            outcomes.add("indecisive")
        if covered and not self._below(tally.reward_micros + left * REWARD_MICROS, expected):
            outcomes.add("passed")
        return outcomes

    def _below(self, reward_micros: int, tasks: int) -> bool:
        """Whether units / tasks < best / best_tasks, without dividing."""
        return reward_micros * self._best_tasks < self._best * tasks

    def _finding(self, outcome: Outcome, tally: Tally, seen: Sequence[Rollout]) -> Finding:
        total = len(self._tasks)
        counted = total - tally.lost
        zeros = tally.infra - tally.lost
        need = -(-self._best * counted // self._best_tasks)
        bound = tally.reward_micros + tally.left * REWARD_MICROS
        reached = f"can reach {points(bound, counted)} at most" if tally.left else f"is {points(bound, counted)}"
        best = points(self._best, self._best_tasks)
        fallen = f" ({zeros} ended in a fault and count 0)" if zeros else ""
        reason, message = {
            "passed": (
                "validation_passed",
                f"the mean {reached} over {counted} tasks{fallen}, not below the best, {best}",
            ),
            "failed": ("validation_below_best", f"the mean {reached}{fallen}, below the best, {best}"),
            "indecisive": ("coverage_too_low", uncovered(tally.infra, total, self._faults_allowed)),
        }[outcome]
        return Finding(
            gate="validation", outcome=outcome, reason=reason, message=message, total=total,
            passes=tally.passes, evaluated=tally.valid, reward_micros=tally.reward_micros, infra=tally.infra,
            required_micros=need, upper_bound_micros=bound if tally.left else None, evidence=evidence_of(seen),
        )  # fmt: skip


def likely_failures_first(tasks: Sequence[str], history: Mapping[str, tuple[int, int]]) -> tuple[str, ...]:
    """The tasks by rising pass rate of earlier agents, so that a gate that will fail fails soon.

    `history`: passes and valid results by task id. Rates are shrunk by half a pass in one result, so that a
    task never seen stands in the middle; ties keep the given order. The order never changes a decision.
    """

    def rate(task: str) -> Fraction:
        passes, results = history.get(task, (0, 0))
        return Fraction(2 * passes + 1, 2 * results + 2)

    return tuple(sorted(tasks, key=rate))


def _ask(tasks: Sequence[str], outcomes: Mapping[str, Rollout], size: int) -> RunMore:
    return RunMore(pairs=tuple([(task, TRIAL) for task in tasks if task not in outcomes][:size]))


def _checked(tasks: Sequence[str], wave: int) -> tuple[str, ...]:
    if len(set(tasks)) != len(tasks):
        raise ValueError("a gate's tasks must be distinct")
    if wave < 1:
        raise ValueError(f"a wave of {wave} rollouts would never end")
    return tuple(tasks)
