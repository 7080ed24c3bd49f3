"""Gates that count cases: the targets of a change, and the regression suite with its second try.

A case is a few rollouts, tried in order until one passes; it has failed when every try failed. A try that
ended in an infrastructure fault says nothing: the case is open while it has tries left, then unknown.

1. `passed` if enough cases passed even if all others fail, `failed` if too many failed even if all others pass.
2. otherwise, when every case has had its tries: `indecisive` below the coverage floor.
3. otherwise the share of passed among the known cases decides.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import ceil
from typing import Literal, NamedTuple

from sigmaloop.gate.finding import Finding, Pair, RunMore, evidence_of, uncovered
from sigmaloop.gate.rules import Rules
from sigmaloop.gate.tally import faults_allowed, share
from sigmaloop.records import REWARD_MICROS, GateName, Outcome, Rollout


class _State(NamedTuple):
    """How the cases stand."""

    passed: int
    failed: int
    unknown: int
    open: tuple[Pair, ...]
    """Next try of every case that is not decided, those that failed once first."""


CountingGate = Literal["cluster_tasks", "regression"]
"""The gates that count cases."""


def pass_count_gate(
    rules: Rules, gate: CountingGate, cases: Sequence[Sequence[Pair]], quarantined: Sequence[str] = ()
) -> PassCountGate:
    """The gate over these cases that the rules describe."""
    return PassCountGate(
        gate,
        cases,
        floor=rules.cluster_floor if gate == "cluster_tasks" else rules.regression_floor,
        coverage=rules.coverage_floor,
        wave=rules.wave,
        quarantined=quarantined,
    )


class PassCountGate:
    """A stage that passes when a share of its cases passes; it stops as soon as that is settled."""

    def __init__(
        self,
        gate: CountingGate,
        cases: Sequence[Sequence[Pair]],
        *,
        floor: float,
        coverage: float,
        wave: int = 1,
        quarantined: Sequence[str] = (),
    ) -> None:
        """`cases` in the order to run them; each lists its tries. Raises ValueError for a try that is named twice."""
        self._cases = [tuple(case) for case in cases]
        self._known = {pair for case in self._cases for pair in case}
        if len(self._known) != sum(map(len, self._cases)) or not all(self._cases):
            raise ValueError("every case needs tries of its own")
        if wave < 1:
            raise ValueError(f"a wave of {wave} rollouts would never end")
        self._gate: CountingGate = gate
        self._floor = share(floor)
        self._need = ceil(self._floor * len(cases))
        self._faults_allowed = faults_allowed(len(cases), share(coverage))
        self._wave = wave
        self._quarantined = tuple(quarantined)

    @property
    def gate(self) -> GateName:
        return self._gate

    def step(self, rollouts: Collection[Rollout], /) -> RunMore | Finding:
        """What to run next, or the decision. Raises ValueError for rollouts that were not asked for."""
        seen = {(r.key.task_id, r.key.trial): r for r in rollouts}
        if len(seen) != len(rollouts) or not seen.keys() <= self._known:
            raise ValueError(f"the {self._gate} gate was given rollouts that it did not ask for, or one twice")
        state = self._state(seen)
        outcome = self._outcome(state)
        if outcome is None:
            soonest = min(self._need - state.passed, len(self._cases) - self._need + 1 - state.failed)
            return RunMore(pairs=state.open[: max(self._wave, soonest)])
        return self._finding(outcome, state, list(seen.values()))

    def _state(self, seen: dict[Pair, Rollout]) -> _State:
        passed = failed = unknown = 0
        again: list[Pair] = []
        fresh: list[Pair] = []
        for case in self._cases:
            tried = [seen[pair] for pair in case if pair in seen]
            if any(r.passed for r in tried):
                passed += 1
            elif len(tried) < len(case):
                (again if tried else fresh).append(next(pair for pair in case if pair not in seen))
            elif all(r.valid for r in tried):
                failed += 1
            else:
                unknown += 1
        return _State(passed, failed, unknown, (*again, *fresh))

    def _outcome(self, state: _State) -> Outcome | None:
        total = len(self._cases)
        if state.passed >= self._need:
            return "passed"
        if state.failed > total - self._need:
            return "failed"
        if state.open:
            return None
        if state.unknown > self._faults_allowed:
            return "indecisive"
        return "passed" if state.passed >= self._floor * (total - state.unknown) else "failed"

    def _finding(self, outcome: Outcome, state: _State, seen: Sequence[Rollout]) -> Finding:
        total = len(self._cases)
        name = "suite" if self._gate == "regression" else "cluster_tasks"
        what = "suite cases" if self._gate == "regression" else "trials of the targets"
        reason, message = {
            "passed": (f"{name}_passed", f"{state.passed} of {total} {what} passed; {self._need} were needed"),
            "failed": (
                f"{name}_below_floor",
                f"{state.failed} of {total} {what} failed; at most {total - self._need} may",
            ),
            "indecisive": ("coverage_too_low", uncovered(state.unknown, total, self._faults_allowed)),
        }[outcome]
        if not total:
            reason, message = f"{name}_empty", f"there are no {what} to count"
        if self._quarantined:
            message += f"; {len(self._quarantined)} in quarantine are not counted"
        return Finding(
            gate=self._gate,
            outcome=outcome,
            reason=reason,
            message=message,
            passes=state.passed,
            evaluated=state.passed + state.failed,
            total=total,
            reward_micros=state.passed * REWARD_MICROS,
            required_micros=self._need * REWARD_MICROS,
            infra=sum(not r.valid for r in seen),
            evidence=evidence_of(seen),
            quarantined=self._quarantined,
        )
