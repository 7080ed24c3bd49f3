"""The log of one decision: enough to recompute the verdict offline, from the log alone.

`decision_of` writes it, `recompute` sends its rollouts through the gates once more, `discrepancies` says where
the two differ: an altered rollout, bank or number shows, and so does a gate that has changed since.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from importlib import resources
from typing import Literal, Self, get_args

from pydantic import Field

from sigmaloop.errors import BadInput
from sigmaloop.gate.bank import Bank
from sigmaloop.gate.evalue import betting_evalue, fresh_pairs
from sigmaloop.gate.finding import Finding
from sigmaloop.gate.judging import AttemptInputs, Judged, judge, recall
from sigmaloop.gate.outage import UNMEASURABLE
from sigmaloop.gate.policies import make_policy
from sigmaloop.gate.policy import Policy
from sigmaloop.gate.rules import Rules
from sigmaloop.gate.sequential import SequentialGate
from sigmaloop.gate.statistics import Estimate
from sigmaloop.records import Outcome, Record, Rollout, RolloutKey, RolloutStatus, digest

GATE_CODE = (
    "judging", "bank", "cases", "comparison", "evalue", "finding", "measured", "one_trial", "outage", "policies",
    "policy", "promotion", "reference", "rules", "sequential", "tally",
)  # fmt: skip
"""The modules that a verdict depends on."""


class Subject(Record):
    """What was judged."""

    run_id: str
    batch: int = Field(ge=0)
    attempt: int = Field(ge=0)
    candidate_id: str
    parent: str
    """Commit, or hash of the source, of the incumbent."""
    commit: str
    """The same of the candidate."""
    agent: str
    """`agent_hash` of the candidate: with task and trial it names a rollout and its trace."""
    diff_hash: str
    cluster_id: str = ""
    hypothesis: str = ""
    incumbent: str = ""
    """`agent_hash` of the incumbent, whose rollouts the control is made of."""
    canary: str = ""
    """Empty for an attempt; otherwise what is known of the change, such as `identical`."""


RowStage = Literal["cluster_tasks", "regression", "validation", "control", "promotion"]


class Row(Record):
    """One rollout of the candidate; in the control, of the incumbent."""

    stage: RowStage
    look: int = Field(ge=0)
    """1-based look of the validation stage at which it was first counted; 0 in other stages."""
    task_id: str
    trial: int
    seed: int
    status: RolloutStatus
    reward: float | None
    cached: bool = False
    """Not paid for again: its result was known."""
    tokens: int = 0
    cost: float = 0.0
    pass_at: float = Field(default=1.0, exclude_if=lambda mark: mark == 1)
    """Reward from which the task counted as passed."""

    def rollout(self, agent: str) -> Rollout:
        key = RolloutKey(agent=agent, task_id=self.task_id, trial=self.trial)
        return Rollout(key=key, seed=self.seed, status=self.status, reward=self.reward, pass_at=self.pass_at)


class Bet(Record):
    """The e-value of a decision: fresh pairs against "no better"."""

    pairs: int
    final: float
    largest: float

    @property
    def anytime_p(self) -> float:
        return 1 / self.largest


class Decision(Record):
    """Everything that one decision was made from."""

    subject: Subject
    rules: Rules
    gate_code: str
    split_hash: str
    run_seed: int
    inputs: AttemptInputs
    """Split, bank with the origin of every result, suite, targets and the seed of the order."""
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    outcome: Outcome
    reason: str
    kept: bool
    """Passed all gates, and nobody vetoed it."""
    veto: str = ""
    """Who stopped a change that had passed: judge or person."""
    suite_rate: float | None
    """Mean pass rate of the suite's counted members under the incumbent, as far as it was measured."""
    bet: Bet | None
    before: Estimate | None
    """The incumbent's pooled mean."""
    after: Estimate | None
    """The pooled mean of whichever agent is the incumbent after the decision."""
    seal: str = ""
    """Digest over everything above."""

    @property
    def stage(self) -> str:
        """Where it ended."""
        return self.findings[-1].gate

    @property
    def upper_bound_micros(self) -> int | None:
        """The most that a curtailed validation could have reached; never a score."""
        return self.findings[-1].upper_bound_micros

    def rollouts(self) -> dict[str, tuple[Rollout, ...]]:
        """Rollouts by stage: the candidate's, and the incumbent's of the control."""
        found: dict[str, list[Rollout]] = {}
        for row in self.rows:
            agent = self.subject.incumbent if row.stage == "control" else self.subject.agent
            found.setdefault(row.stage, []).append(row.rollout(agent))
        return {stage: tuple(rollouts) for stage, rollouts in found.items()}

    def sealed(self) -> Self:
        return self.model_copy(update={"seal": _seal(self)})


def decision_of(
    subject: Subject,
    policy: Policy,
    inputs: AttemptInputs,
    judged: Judged,
    *,
    run_seed: int,
    veto: str = "",
    cached: Collection[str] = (),
    promotion: Sequence[Rollout] = (),
) -> Decision:
    """The log of an attempt that has been through its gates.

    `veto`: who stopped it after the gates, if anybody. `cached`: ids of rollouts that were not paid for now.
    `promotion`: rollouts that decided who joined the suite after a keep.
    """
    found = {**judged.rollouts, "promotion": tuple(promotion)} if promotion else judged.rollouts
    log = Decision(
        subject=subject,
        rules=policy.rules,
        gate_code=gate_code_hash(),
        split_hash=digest(sorted(inputs.tasks)),
        run_seed=run_seed,
        inputs=inputs,
        rows=tuple(_rows(policy, inputs, found, cached)),
        findings=judged.findings,
        outcome=judged.outcome,
        reason=judged.last.reason,
        kept=judged.kept and not veto and not subject.canary,
        veto=veto,
        suite_rate=_suite_rate(policy, inputs),
        bet=_bet(policy, inputs, judged),
        before=_estimate(inputs.bank, inputs.tasks),
        after=None,
    )
    return log.model_copy(update={"after": _estimate(bank_after(log), inputs.tasks)}).sealed()


def bank_after(log: Decision) -> Bank:
    """The bank of whichever agent is the incumbent after a decision.

    A canary leaves it as it was; so does a change that passed and was vetoed, for it was no copy of the incumbent, and
    one that chose by its faults which of its results are valid.
    """
    policy, bank = make_policy(log.rules), log.inputs.bank
    if log.subject.canary or log.veto or log.reason == UNMEASURABLE:
        return bank
    if log.kept:
        return policy.after_keep(bank, log.rollouts(), log.inputs.suite)
    z = log.findings[-1].z if log.stage == "validation" else None
    return policy.after_reject(bank, log.rollouts(), z)


def recompute(log: Decision) -> Judged:
    """The gates' judgement once more, from the log's rollouts.

    Raises BadInput when the gates ask for a rollout that the log does not hold.
    """
    return judge(make_policy(log.rules), log.inputs, recall(log.rollouts()))


def discrepancies(log: Decision) -> tuple[str, ...]:
    """Where the log contradicts itself or today's gates; empty when it recomputes to the same verdict."""
    wrong: list[str] = []
    if log.seal != _seal(log):
        wrong.append("the log was altered after it was written: its seal does not fit")
    if log.split_hash != digest(sorted(log.inputs.tasks)):
        wrong.append("the validation tasks are not those of the split's hash")
    try:
        again = recompute(log)
    except (BadInput, ValueError) as error:
        return (*wrong, f"the gates cannot be replayed: {error}")
    if (again.outcome, again.last.reason) != (log.outcome, log.reason):
        wrong.append(f"the gates now say {again.outcome} ({again.last.reason}), the log {log.outcome} ({log.reason})")
    for logged, found in zip(log.findings, again.findings, strict=False):
        changed = [name for name in Finding.model_fields if getattr(logged, name) != getattr(found, name)]
        if changed:
            wrong.append(f"{logged.gate}: {', '.join(changed)} differ from what the rollouts say")
    asked = sum(len(found) for stage, found in again.rollouts.items())
    if asked != sum(row.stage != "promotion" for row in log.rows):
        wrong.append("the log holds rollouts that the gates did not ask for")
    if log.kept != (again.kept and not log.veto and not log.subject.canary):
        wrong.append("kept or not contradicts the verdict")
    if log.after != _estimate(bank_after(log), log.inputs.tasks):
        wrong.append("the estimate after the decision is not that of the bank after it")
    if wrong and log.gate_code != gate_code_hash():
        wrong.append(f"the gate's code has changed since: {log.gate_code} then, {gate_code_hash()} now")
    return tuple(wrong)


@lru_cache(maxsize=1)
def gate_code_hash() -> str:
    """16 hex digits over the text of every module that a verdict depends on."""
    folder = resources.files("sigmaloop.gate")
    return digest([folder.joinpath(f"{name}.py").read_text(encoding="utf-8") for name in GATE_CODE])


def _seal(log: Decision) -> str:
    return digest(log.model_dump(mode="json", exclude={"seal"}), size=64)


def _rows(
    policy: Policy, inputs: AttemptInputs, found: dict[str, tuple[Rollout, ...]], cached: Collection[str]
) -> list[Row]:
    looks = policy.rules.looks_for(len(inputs.tasks)) if policy.rules.looks else ()
    rows: list[Row] = []
    for stage in get_args(RowStage):
        for place, rollout in enumerate(found.get(stage, ())):
            look = 1 + sum(place >= bound.rollouts for bound in looks) if looks and stage == "validation" else 0
            rows.append(
                Row(
                    stage=stage,
                    look=look,
                    task_id=rollout.task_id,
                    trial=rollout.key.trial,
                    seed=rollout.seed,
                    status=rollout.status,
                    reward=rollout.reward,
                    cached=rollout.id in cached,
                    tokens=rollout.usage.tokens,
                    cost=rollout.usage.cost,
                    pass_at=rollout.pass_at,
                )
            )
    return rows


def _bet(policy: Policy, inputs: AttemptInputs, judged: Judged) -> Bet | None:
    """Where candidate and bank are paired trial by trial: in policies that measure, with a bank of their own."""
    rollouts = judged.rollouts.get("validation", ())
    stage = inputs.stage(policy, "validation")
    if policy.rules.pooling or not rollouts or not isinstance(stage, SequentialGate):
        return None
    found = betting_evalue(fresh_pairs(stage.order, rollouts, inputs.bank))
    return Bet(pairs=found.pairs, final=found.final, largest=found.largest)


def _suite_rate(policy: Policy, inputs: AttemptInputs) -> float | None:
    quarantined = policy.quarantined(inputs.suite, inputs.bank)
    rates = [inputs.bank.pass_rate(task) for task in inputs.suite if task not in quarantined]
    known = [float(rate) for rate in rates if rate is not None]
    return sum(known) / len(known) if known else None


def _estimate(bank: Bank, tasks: Sequence[str]) -> Estimate | None:
    return bank.estimate(tasks) if bank.counts(tasks) else None
