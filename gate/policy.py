"""The policies behind one interface: which gates an attempt goes through, and what its rollouts teach.

A policy is made from `Rules` and knows nothing else. It hands out stages (`finding.Stage`) for an attempt, says
which rollouts of the incumbent are still missing, and how the bank looks after the attempt was kept or rejected.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from sigmaloop.gate.bank import Bank, by_task
from sigmaloop.gate.cases import PassCountGate
from sigmaloop.gate.finding import Finding, Pair, RunMore, Stage
from sigmaloop.gate.one_trial import TRIAL, RegressionGate, ValidationGate, likely_failures_first
from sigmaloop.gate.rules import BANK_TRIALS, CONTROL_TRIALS, GATE_TRIALS, Rules
from sigmaloop.gate.sequential import SequentialGate
from sigmaloop.gate.tally import share
from sigmaloop.records import GateName, Rollout

Evidence = Mapping[str, Sequence[Rollout]]
"""An attempt's rollouts by stage: the candidate's of targets, regression, validation, promotion; the incumbent's of
`control`."""

History = Mapping[str, tuple[int, int]]
"""Passes and valid results by task of earlier agents: it orders rollouts and decides nothing."""


class Policy(Protocol):
    """What may be kept. All of it is pure."""

    rules: Rules

    def missing(self, bank: Bank, tasks: Sequence[str], suite: Sequence[str] = ()) -> tuple[Pair, ...]:
        """Rollouts of the incumbent that the bank needs before a candidate is compared with it."""

    def cluster_tasks(self, failing: Sequence[str], *, first_trial: int = GATE_TRIALS) -> Stage:
        """The failing traffic tasks that the change was made for, oldest first; the latest are tried."""

    def quarantined(self, members: Sequence[str], bank: Bank) -> tuple[str, ...]:
        """Suite members that the incumbent itself passes too rarely to count."""

    def suite(self, members: Sequence[str], bank: Bank, history: History, *, first_trial: int = GATE_TRIALS) -> Stage:
        """The regression suite."""

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
        """The validation split, against the bank."""

    def promotion(
        self, known: Sequence[str], cluster_tasks: Sequence[str], *, first_trial: int = GATE_TRIALS
    ) -> Promotion:
        """Who of the known failures, oldest first, and of this attempt's targets joins the suite after a keep."""

    def after_keep(self, bank: Bank, evidence: Evidence, suite: Sequence[str] = ()) -> Bank:
        """The bank of the new incumbent; `suite`: its members before the keep."""

    def after_reject(self, bank: Bank, evidence: Evidence, z: float | None) -> Bank:
        """The incumbent's bank after an attempt that failed; `z` of its last look."""


class Promotion:
    """Tasks that pass so many times in a row; a first failure, or a fault, ends a task's row."""

    def __init__(self, tasks: Sequence[str], *, passes: int, first_trial: int) -> None:
        self._tasks = tuple(dict.fromkeys(tasks))
        self._rows = {task: [(task, first_trial + k) for k in range(passes)] for task in self._tasks}

    def step(self, rollouts: Collection[Rollout], /) -> RunMore | tuple[str, ...]:
        """What to run next, or the tasks that are promoted, in the order given."""
        seen = {(r.key.task_id, r.key.trial): r for r in rollouts}
        promoted: list[str] = []
        ask: list[Pair] = []
        for task in self._tasks:
            missing = next((pair for pair in self._rows[task] if pair not in seen or not seen[pair].passed), None)
            if missing is None:
                promoted.append(task)
            elif missing not in seen:
                ask.append(missing)
        return RunMore(pairs=tuple(ask)) if ask else tuple(promoted)


class ReferencePolicy:
    """The published rule, bit for bit: one trial a task, the whole suite at 80 %, never below the best recorded sum."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules

    def missing(self, bank: Bank, tasks: Sequence[str], suite: Sequence[str] = ()) -> tuple[Pair, ...]:
        """Everything once, at the beginning; later the kept candidate's own table is the bar, faults and all."""
        return () if bank.counts(tasks) else tuple((task, TRIAL) for task in tasks)

    def cluster_tasks(self, failing: Sequence[str], *, first_trial: int = GATE_TRIALS) -> Stage:
        return _cases(self.rules, "cluster_tasks", ())

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


class MeasuredPolicy:
    """`paired`, `rigorous` and `strict`: the same two conditions, measured against the bank; their rules differ."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules

    def missing(self, bank: Bank, tasks: Sequence[str], suite: Sequence[str] = ()) -> tuple[Pair, ...]:
        """All trials of tasks that have fewer than a fresh bank; with pooling, of tasks without any result.

        And a few trials of suite members of which nothing is known, or nothing any more: `after_reject`. Who adds them
        to a bank drops what it held of these tasks: the same trial may be among them.
        """
        wanted = self.rules.bank_trials_for(len(tasks))
        short = [task for task in tasks if bank.count(task).trials < (1 if self.rules.pooling else wanted)]
        unknown = [task for task in suite if not bank.count(task).trials]
        first = {task: BANK_TRIALS + bank.used.get(task, 0) for task in unknown}
        return (
            *((task, BANK_TRIALS + k) for k in range(wanted) for task in short),
            *((task, first[task] + k) for task in unknown for k in range(self.rules.recheck_trials)),
        )

    def cluster_tasks(self, failing: Sequence[str], *, first_trial: int = GATE_TRIALS) -> Stage:
        chosen = list(dict.fromkeys(failing))[-self.rules.cluster_tasks :]
        trials = range(first_trial, first_trial + self.rules.cluster_trials)
        return _cases(self.rules, "cluster_tasks", [[(task, trial)] for trial in trials for task in chosen])

    def quarantined(self, members: Sequence[str], bank: Bank) -> tuple[str, ...]:
        floor = share(self.rules.quarantine_floor)
        rates = ((task, bank.pass_rate(task)) for task in members)
        return tuple(task for task, rate in rates if rate is not None and rate < floor)

    def suite(self, members: Sequence[str], bank: Bank, history: History, *, first_trial: int = GATE_TRIALS) -> Stage:
        quarantined = self.quarantined(members, bank)
        counted = [task for task in likely_failures_first(members, history) if task not in quarantined]
        tries = range(first_trial, first_trial + self.rules.suite_tries)
        return _cases(self.rules, "regression", [[(task, trial) for trial in tries] for task in counted], quarantined)

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
        return SequentialGate(tasks, bank, self.rules, seed=seed, first_trial=first_trial, control_trial=control_trial)

    def promotion(
        self, known: Sequence[str], cluster_tasks: Sequence[str], *, first_trial: int = GATE_TRIALS
    ) -> Promotion:
        """The latest known failures, the attempt's own targets before all: a change may mend more than it aimed at.

        How often a task must pass in a row keeps the lucky ones out; how many are tried bounds the cost.
        """
        own = list(dict.fromkeys(cluster_tasks))[-self.rules.cluster_tasks :]
        chosen = list(dict.fromkeys([*reversed(own), *reversed(known)]))[: self.rules.promotion_tasks]
        return Promotion(chosen, passes=self.rules.promotion_passes, first_trial=first_trial)

    def after_keep(self, bank: Bank, evidence: Evidence, suite: Sequence[str] = ()) -> Bank:
        """The candidate's own results; without pooling, validation is measured afresh, for those were lucky.

        Members that the suite did without, since it had passed, stay as they were known. Those in quarantine are
        forgotten, so that they are measured again and may come back; and so are those that would go there for a slip
        or two on the way.
        """
        others = {"control"} if self.rules.pooling else {"control", "validation"}
        stages = [stage for stage in evidence if stage not in others]
        own = Bank().joined(_all(evidence, stages), cap=self.rules.bank_cap)
        spared = {*suite} - own.held.keys() - {*self.quarantined(suite, bank)}
        slipped = [t for t in self.quarantined(suite, own) if own.count(t).trials < self.rules.recheck_trials]
        return own.without(slipped).carrying(bank, spared)

    def after_reject(self, bank: Bank, evidence: Evidence, z: float | None) -> Bank:
        """Validation of a near-copy is more evidence on the incumbent, and the control is the incumbent itself.

        Its suite is not, for only copies that passed it come so far. When the suite rejected it, the members that it
        failed are in doubt, and the incumbent itself is measured on them again: a flaky one may not block the way.
        """
        if not evidence.get("validation"):
            bank = bank.forgetting(_failed(evidence.get("regression", ())), trials=self.rules.recheck_trials)
        if not self.rules.pooling:
            return bank
        bank = bank.joined(evidence.get("control", ()), cap=self.rules.bank_cap)
        if z is None or abs(z) >= self.rules.pool_below_z:
            return bank
        return bank.joined(evidence.get("validation", ()), cap=self.rules.bank_cap)


def make_policy(rules: Rules) -> Policy:
    """The policy that the rules name."""
    return ReferencePolicy(rules) if rules.policy == "reference" else MeasuredPolicy(rules)


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


def _cases(
    rules: Rules, gate: GateName, cases: Sequence[Sequence[Pair]], quarantined: Sequence[str] = ()
) -> PassCountGate:
    return PassCountGate(
        "cluster_tasks" if gate == "cluster_tasks" else "regression",
        cases,
        floor=rules.cluster_floor if gate == "cluster_tasks" else rules.regression_floor,
        coverage=rules.coverage_floor,
        wave=rules.wave,
        quarantined=quarantined,
    )


def _failed(rollouts: Sequence[Rollout]) -> list[str]:
    """Tasks with a valid result and no pass."""
    return [task for task, found in by_task(rollouts).items() if not any(r.passed for r in found)]


def _all(evidence: Evidence, stages: Iterable[str]) -> list[Rollout]:
    """Each rollout once: a suite member that is a target, too, is asked for by both stages."""
    return list({rollout.key: rollout for stage in sorted(stages) for rollout in evidence[stage]}.values())
