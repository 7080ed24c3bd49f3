"""The policies `paired`, `rigorous` and `strict`: several trials of a task, compared with a bank of the incumbent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sigmaloop.gate.bank import Bank, by_task
from sigmaloop.gate.cases import pass_count_gate
from sigmaloop.gate.finding import Pair, Stage
from sigmaloop.gate.one_trial import likely_failures_first
from sigmaloop.gate.policy import Evidence, History
from sigmaloop.gate.promotion import Promotion
from sigmaloop.gate.rules import BANK_TRIALS, CONTROL_TRIALS, GATE_TRIALS, Rules
from sigmaloop.gate.sequential import SequentialGate
from sigmaloop.gate.tally import share
from sigmaloop.records import Rollout


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
        return pass_count_gate(self.rules, "cluster_tasks", [[(task, trial)] for trial in trials for task in chosen])

    def quarantined(self, members: Sequence[str], bank: Bank) -> tuple[str, ...]:
        floor = share(self.rules.quarantine_floor)
        rates = ((task, bank.pass_rate(task)) for task in members)
        return tuple(task for task, rate in rates if rate is not None and rate < floor)

    def suite(self, members: Sequence[str], bank: Bank, history: History, *, first_trial: int = GATE_TRIALS) -> Stage:
        quarantined = self.quarantined(members, bank)
        counted = [task for task in likely_failures_first(members, history) if task not in quarantined]
        tries = range(first_trial, first_trial + self.rules.suite_tries)
        return pass_count_gate(
            self.rules, "regression", [[(task, trial) for trial in tries] for task in counted], quarantined
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


def _failed(rollouts: Sequence[Rollout]) -> list[str]:
    """Tasks with a valid result and no pass."""
    return [task for task, found in by_task(rollouts).items() if not any(r.passed for r in found)]


def _all(evidence: Evidence, stages: Iterable[str]) -> list[Rollout]:
    """Each rollout once: a suite member that is a target, too, is asked for by both stages."""
    return list({rollout.key: rollout for stage in sorted(stages) for rollout in evidence[stage]}.values())
