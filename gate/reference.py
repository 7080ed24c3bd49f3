"""The `reference` policy: the published rule, with a sum of rewards as its only memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sigmaloop.gate.bank import Bank
from sigmaloop.gate.cases import pass_count_gate
from sigmaloop.gate.finding import Finding, Pair, RunMore, Stage
from sigmaloop.gate.one_trial import TRIAL, RegressionGate, ValidationGate, likely_failures_first
from sigmaloop.gate.policy import Evidence, History
from sigmaloop.gate.promotion import Promotion
from sigmaloop.gate.rules import CONTROL_TRIALS, GATE_TRIALS, Rules
from sigmaloop.records import GateName, Rollout


class ReferencePolicy:
    """The published rule, bit for bit: one trial a task, the whole suite at 80 %, never below the best recorded sum."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules

    def missing(self, bank: Bank, tasks: Sequence[str], suite: Sequence[str] = ()) -> tuple[Pair, ...]:
        """Everything once, at the beginning; later the kept candidate's own table is the bar, faults and all."""
        return () if bank.counts(tasks) else tuple((task, TRIAL) for task in tasks)

    def cluster_tasks(self, failing: Sequence[str], *, first_trial: int = GATE_TRIALS) -> Stage:
        return pass_count_gate(self.rules, "cluster_tasks", ())

    def quarantined(self, members: Sequence[str], bank: Bank) -> tuple[str, ...]:
        return ()

    def suite(self, members: Sequence[str], bank: Bank, history: History, *, first_trial: int = GATE_TRIALS) -> Stage:
        return _OneTrial(
            RegressionGate(
                likely_failures_first(members, history),
                floor=self.rules.regression_floor,
                coverage=self.rules.coverage_floor,
                wave=self.rules.wave,
            ),
            first_trial - GATE_TRIALS,
        )

    def validation(
        self,
        tasks: Sequence[str],
        bank: Bank,
        history: History,
        *,
        seed: str,
        first_trial: int = GATE_TRIALS,
        control_trial: int = CONTROL_TRIALS,
    ) -> Stage:
        best = bank.counts(tasks)
        return _OneTrial(
            ValidationGate(
                likely_failures_first(tasks, history),
                best_micros=sum(count.reward_micros for count in best.values()),
                best_tasks=sum(count.trials for count in best.values()),
                measured=best,
                coverage=self.rules.coverage_floor,
                wave=self.rules.wave,
            ),
            first_trial - GATE_TRIALS,
        )

    def promotion(
        self, known: Sequence[str], cluster_tasks: Sequence[str], *, first_trial: int = GATE_TRIALS
    ) -> Promotion:
        return Promotion(known, passes=1, first_trial=TRIAL)

    def after_keep(self, bank: Bank, evidence: Evidence, suite: Sequence[str] = ()) -> Bank:
        return Bank().joined(evidence.get("validation", ()), cap=1)

    def after_reject(self, bank: Bank, evidence: Evidence, z: float | None) -> Bank:
        return bank


class _OneTrial:
    """A gate over tasks as a stage over rollouts, all with one trial number: 0 but for canaries."""

    def __init__(self, inner: RegressionGate | ValidationGate, trial: int) -> None:
        self._inner = inner
        self._trial = trial

    @property
    def gate(self) -> GateName:
        return "regression" if isinstance(self._inner, RegressionGate) else "validation"

    def step(self, rollouts: Collection[Rollout], /) -> RunMore | Finding:
        outcomes = {r.task_id: r for r in rollouts}
        if len(outcomes) != len(rollouts) or any(r.key.trial != self._trial for r in rollouts):
            raise ValueError(f"the {self.gate} gate was given rollouts that it did not ask for, or one twice")
        step = self._inner.step(outcomes)
        return (
            RunMore(pairs=tuple((task, self._trial) for task in step.task_ids)) if isinstance(step, RunMore) else step
        )
