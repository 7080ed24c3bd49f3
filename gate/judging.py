"""One attempt before the gates: what is known when it begins, and the gates in their order.

The graph, the command line, the simulator of worlds and the offline recomputation all drive an attempt with
these functions; only where rollouts come from differs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self

from pydantic import Field, model_validator

from sigmaloop.errors import BadInput
from sigmaloop.gate.bank import Bank
from sigmaloop.gate.finding import Finding, Pair, RunMore, Stage
from sigmaloop.gate.outage import CONTEST_TRIALS, ROUNDS, UNMEASURABLE, Contest, Roll, contest
from sigmaloop.gate.policy import Policy
from sigmaloop.gate.rules import CONTROL_TRIALS, GATE_TRIALS
from sigmaloop.records import GateName, Outcome, Record, Rollout, digest

STAGES: tuple[GateName, ...] = ("cluster_tasks", "regression", "validation")
"""In the order in which an attempt goes through them: the cheap ones first."""

StageName = GateName | Literal["control"]
"""Whose rollouts, and what for: `control` is the incumbent beside a finalist of the validation stage."""

RunStage = Callable[[StageName, Sequence[Pair]], Sequence[Rollout]]
"""Runs the candidate, for `control` the incumbent, on (task id, trial) pairs for a stage."""


class AttemptInputs(Record):
    """What is known when an attempt begins, and all that its verdict depends on besides its rollouts."""

    tasks: tuple[str, ...]
    """The validation split."""
    bank: Bank
    suite: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()
    """Failing traffic tasks of the cluster, oldest first; members of the suite that failed again are among them."""
    aimed: bool = Field(default=False, exclude_if=lambda aimed: not aimed)
    """Made to mend a cluster: without a task to show it on, such a change has shown nothing."""
    contests: dict[GateName, Contest] = Field(default_factory=dict, exclude_if=lambda found: not found)
    """Both agents side by side, by the stage in which the candidate met faults."""
    history: dict[str, tuple[int, int]] = Field(default_factory=dict)
    seed: str
    """What makes the attempt's order of tasks its own: derived from the run's seed and the attempt's id."""
    stages: tuple[GateName, ...] = STAGES
    """The gates that this attempt goes through; only a canary leaves any out."""
    first_trial: int = Field(default=GATE_TRIALS, ge=0)
    control_trial: int = Field(default=CONTROL_TRIALS, ge=0)
    """Trial number of the incumbent's rollouts beside a finalist: this attempt's own, so that they are fresh."""

    @model_validator(mode="after")
    def _tasks_fit(self) -> Self:
        if len(self.tasks) < 2:
            raise BadInput(
                f"the validation split has {len(self.tasks)} task{'s' * (len(self.tasks) != 1)}: "
                "a comparison needs at least two; give the benchmark a larger one"
            )
        for name, ids in (("validation split", self.tasks), ("suite", self.suite), ("cluster_tasks", self.failing)):
            if len(set(ids)) != len(ids):
                raise BadInput(f"the {name} names a task twice: {_first_repeat(ids)}")
        shared = sorted(set(self.tasks) & {*self.suite, *self.failing})
        if shared:
            raise BadInput(
                f"validation tasks may not be in the suite or among the cluster tasks: {', '.join(shared[:5])}"
            )
        return self

    def stage(self, policy: Policy, gate: GateName) -> Stage:
        """The stage of this attempt. Raises ValueError for a name that is none of `STAGES`."""
        stage = self._stage(policy, gate)
        held = self.contests.get(gate)
        return _Unmeasurable(stage, held) if held and held.unmeasurable else stage

    def _stage(self, policy: Policy, gate: GateName) -> Stage:
        if gate == "cluster_tasks":
            if self.aimed and not self.failing and policy.rules.looks:
                return _Aimless()
            return policy.cluster_tasks(self.failing, first_trial=self.first_trial)
        if gate == "regression":
            return policy.suite(self.suite, self.bank, self.history, first_trial=self.first_trial)
        if gate == "validation":
            return policy.validation(
                self.tasks,
                self.bank,
                self.history,
                seed=self.seed,
                first_trial=self.first_trial,
                control_trial=self.control_trial,
            )
        raise ValueError(f"{gate} is not a stage; there are {', '.join(STAGES)}")


@dataclass(frozen=True)
class _Unmeasurable:
    """A stage that faults of the candidate's own would leave open, or let pass."""

    stage: Stage
    held: Contest

    @property
    def gate(self) -> GateName:
        return self.stage.gate

    def step(self, rollouts: Collection[Rollout], /) -> RunMore | Finding:
        step = self.stage.step(rollouts)
        if isinstance(step, RunMore) or step.outcome == "failed":
            return step
        changed = {"outcome": "failed", "reason": UNMEASURABLE, "message": self.held.message}
        return step.model_copy(update=changed)


class _Aimless:
    """The cluster tasks of a change that has none."""

    gate: GateName = "cluster_tasks"

    def step(self, rollouts: Collection[Rollout], /) -> Finding:
        return Finding(
            gate="cluster_tasks",
            outcome="failed",
            reason="cluster_tasks_empty",
            message="no task of the cluster is left that fails: there is nothing that the change could mend",
        )


class Judged(Record):
    """An attempt after its gates: a finding for each stage that it reached, and what it was found on."""

    findings: tuple[Finding, ...]
    rollouts: dict[str, tuple[Rollout, ...]]
    """By stage, in the order in which they were asked for; the incumbent's under `control`, where there are any."""

    @property
    def last(self) -> Finding:
        return self.findings[-1]

    @property
    def outcome(self) -> Outcome:
        return self.last.outcome

    @property
    def kept(self) -> bool:
        return self.outcome == "passed" and self.last.gate == "validation"

    @property
    def z(self) -> float | None:
        return self.last.z if self.last.gate == "validation" else None


def judge(policy: Policy, inputs: AttemptInputs, run: RunStage) -> Judged:
    """All gates in their order, until one does not pass. Raises BadInput when `run` returns what was not asked."""
    findings: list[Finding] = []
    rollouts: dict[str, tuple[Rollout, ...]] = {}

    def noted(stage: StageName, pairs: Sequence[Pair]) -> Sequence[Rollout]:
        found = answered(pairs, run(stage, pairs))
        rollouts[stage] = (*rollouts.get(stage, ()), *found)
        return found

    for gate in inputs.stages:
        rollouts[gate] = ()
        finding, _ = drive(inputs.stage(policy, gate), noted)
        findings.append(finding)
        if finding.outcome != "passed":
            break
    return Judged.model_construct(findings=tuple(findings), rollouts=rollouts)


def drive(stage: Stage, run: RunStage) -> tuple[Finding, tuple[Rollout, ...]]:
    """Run what a stage asks for until it has decided. Raises BadInput when `run` returns what was not asked."""
    seen: list[Rollout] = []
    while isinstance(step := stage.step(seen), RunMore):
        name: StageName = "control" if step.agent == "incumbent" else stage.gate
        seen.extend(answered(step.pairs, run(name, step.pairs)))
    return step, tuple(seen)


def settle(
    policy: Policy, inputs: AttemptInputs, gate: GateName, run: RunStage, rival: Roll
) -> tuple[AttemptInputs, Finding, tuple[Rollout, ...]]:
    """Drive a stage, and where faults keep it from failing, learn whose they are: see `outage`.

    `rival` runs the incumbent. The standing that comes back holds the contest, so that the finding can be recomputed.
    """
    former = inputs.contests.get(gate)
    inputs = inputs.model_copy(update={"contests": {g: c for g, c in inputs.contests.items() if g != gate}})
    made: dict[str, list[Rollout]] = {}

    def noted(stage: StageName, pairs: Sequence[Pair]) -> Sequence[Rollout]:
        found = run(stage, pairs)
        made.setdefault(stage, []).extend(found)
        return found

    finding, seen = drive(inputs.stage(policy, gate), noted)
    faulted = list(dict.fromkeys(r.task_id for r in made.get(gate, ()) if not r.valid))
    if not faulted or finding.outcome == "failed":
        return inputs, finding, seen
    trial = former.trial + ROUNDS if former else CONTEST_TRIALS + int(digest(inputs.seed, gate, size=9), 16) * ROUNDS
    found = contest(faulted, lambda pairs: run(gate, pairs), rival, trial=trial)
    inputs = inputs.model_copy(update={"contests": {**inputs.contests, gate: found}})
    return inputs, *drive(inputs.stage(policy, gate), recall(made))


def answered(asked: Sequence[Pair], rollouts: Sequence[Rollout]) -> Sequence[Rollout]:
    """The rollouts, which must be those asked for, each once. Raises BadInput that names what differs."""
    got = [(r.key.task_id, r.key.trial) for r in rollouts]
    if len(got) == len(asked) and set(got) == set(asked):
        return rollouts
    extra, missing = sorted(set(got) - set(asked)), sorted(set(asked) - set(got))
    what = [f"not asked for: {extra[:3]}"] * bool(extra) + [f"missing: {missing[:3]}"] * bool(missing)
    raise BadInput(
        f"{len(asked)} rollouts were asked for and {len(got)} came back ({'; '.join(what) or 'some twice'}); "
        "the benchmark must answer every (task, trial) exactly once"
    )


def recall(rollouts: Mapping[str, Sequence[Rollout]]) -> RunStage:
    """A `run` that looks results up, by stage. Raises BadInput for a rollout that is not there."""
    known = {stage: {(r.key.task_id, r.key.trial): r for r in found} for stage, found in rollouts.items()}

    def run(stage: StageName, pairs: Sequence[Pair]) -> Sequence[Rollout]:
        table = known.get(stage, {})
        missing = [pair for pair in pairs if pair not in table]
        if missing:
            raise BadInput(f"the {stage} gate asks for rollouts that were not recorded: {missing[:3]}")
        return [table[pair] for pair in pairs]

    return run


def _first_repeat(ids: Sequence[str]) -> str:
    return next(task for i, task in enumerate(ids) if task in ids[:i])
