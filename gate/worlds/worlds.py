"""Synthetic worlds in which a gate is put to the test: the truth is known, only the rollouts are luck.

A world has tasks that pass with Beta-distributed chances: a validation split, traffic, a sealed test split, and a
population that stands for the truth. Proposals come in batches: most change nothing, some harm, few help; half
of the bad ones look right on the failures that they were made for. Every policy meets the same worlds and the
same proposals, through the code that decides in real runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from sigmaloop.gate.bank import Bank
from sigmaloop.gate.finding import Pair, RunMore
from sigmaloop.gate.judging import STAGES, AttemptInputs, answered, drive, judge_attempt
from sigmaloop.gate.policy import Policy
from sigmaloop.gate.promotion import Promotion
from sigmaloop.gate.reference import ReferencePolicy
from sigmaloop.gate.rules import CONTROL_TRIALS, GATE_TRIALS
from sigmaloop.records import Record, Rollout, RolloutKey

Chances = npt.NDArray[np.float64]
ProposalKind = Literal["null", "harmful", "helpful"]
PROPOSAL_KINDS: tuple[ProposalKind, ...] = ("null", "harmful", "helpful")


class Terrain(Record):
    """What worlds are drawn from. The defaults are the worlds of the goal figures."""

    validation: int = Field(default=100, ge=2)
    traffic: int = Field(default=180, ge=1)
    test: int = Field(default=100, ge=2)
    population: int = Field(default=2000, ge=1)
    batches: int = Field(default=18, ge=1)
    proposals: int = Field(default=96, ge=1)
    suite_cap: int = Field(default=30, ge=1)
    mean: float = Field(default=0.56, gt=0, lt=1)
    """Of the tasks' pass chances."""
    correlation: float = Field(default=0.60, gt=0, lt=1)
    """Intraclass: 1 means that a task always does the same, 0 that all tasks are alike."""
    mix: tuple[float, float, float] = (0.60, 0.25, 0.15)
    """Shares of null, harmful and helpful proposals."""
    churn: float = Field(default=0.04, ge=0, le=1)
    """Share of tasks that every proposal moves a little, up as much as down."""
    shock: float = Field(default=0.0, ge=0)
    """Standard deviation, in logits, of what all rollouts of one attempt have in common: an endpoint's form."""


BASE = Terrain()
HARD = Terrain(mix=(0.60, 0.35, 0.05))
SHOCKS = Terrain(shock=0.3)
"""Every attempt meets the endpoint in a form of its own."""
NOTHING_HELPS = Terrain(mix=(1.0, 0.0, 0.0), churn=0.0)
"""A/A: every proposal is a byte-identical copy in effect; it may still fix its own cluster tasks."""


class Proposed(Record):
    """One proposal: what it is in truth, and the dice for what it touches."""

    kind: ProposalKind
    size: float
    strength: float
    seed: tuple[int, int]

    def applied(self, chances: Chances, cluster_tasks: Sequence[int], terrain: Terrain) -> Chances:
        """The chances of the changed agent. Its dice do not depend on how often it is applied."""
        dice, p = np.random.default_rng([*self.seed, 1]), chances.copy()
        touched, up, down = dice.random((3, p.size))
        if self.kind == "harmful":
            p[touched < self.size / (0.56 * self.strength)] *= 1 - self.strength
        elif self.kind == "helpful":
            hit = touched < self.size / (0.44 * self.strength)
            p[hit] += self.strength * (1 - p[hit])
        mean = chances[-terrain.population :].mean()
        rises, falls = up < terrain.churn * mean, down < terrain.churn * (1 - mean)
        p[rises] += 0.3 * (1 - p[rises])
        p[falls] *= 0.7
        if dice.random() < (0.9 if self.kind == "helpful" else 0.5):
            for i in cluster_tasks:
                if dice.random() < 0.8:
                    p[i] += dice.uniform(0.3, 0.9) * (1 - p[i])
        return p


class SyntheticWorld:
    """The chances at the beginning, and the proposals that will come."""

    def __init__(self, terrain: Terrain, seed: int) -> None:
        dice = np.random.default_rng([seed, 0])
        sizes = (terrain.validation, terrain.traffic, terrain.test, terrain.population)
        self.terrain = terrain
        self.seed = seed
        self.chances = np.concatenate([_stratified(size, terrain, dice) for size in sizes])
        n, t = terrain.validation, terrain.traffic
        self.validation = tuple(f"v{i:05}" for i in range(n))
        self.traffic = tuple(f"t{i:05}" for i in range(t))
        self.places = {name: i for i, name in enumerate((*self.validation, *self.traffic))}
        self.test = slice(n + t, n + t + terrain.test)

    @cached_property
    def proposals(self) -> tuple[Proposed, ...]:
        proposals = []
        for index in range(self.terrain.proposals):
            dice = np.random.default_rng([self.seed, 1 + index])
            kind = PROPOSAL_KINDS[int(dice.choice(3, p=self.terrain.mix))]
            most = 0.08 if kind == "harmful" else 0.06
            size, strength = dice.uniform(0.01, most), dice.uniform(0.3, 0.9)
            proposals.append(Proposed(kind=kind, size=size, strength=strength, seed=(self.seed, 1 + index)))
        return tuple(proposals)

    def batches(self) -> Iterator[tuple[tuple[str, ...], tuple[Proposed, ...]]]:
        """Traffic and proposals of each batch, both spread evenly."""
        count, tasks, proposals = self.terrain.batches, self.traffic, self.proposals
        for batch in range(count):
            yield (
                tasks[len(tasks) * batch // count : len(tasks) * (batch + 1) // count],
                proposals[len(proposals) * batch // count : len(proposals) * (batch + 1) // count],
            )

    def truth(self, chances: Chances) -> float:
        """The mean over the population."""
        return float(chances[-self.terrain.population :].mean())


class WalkResult(Record):
    """How a run through a world went. Gains are shares of score, not points."""

    rollouts: int
    """Paid for by the gate: bank, stages, promotion; not traffic, not certification."""
    kept: dict[ProposalKind, int]
    """By kind."""
    proposed: dict[ProposalKind, int]
    harmful_in_effect: int
    """Kept although the true mean fell."""
    true_gain: float
    reported_gain: float
    """By the running estimate."""
    certified_gain: float
    """Fresh trials of baseline and final agent on the sealed test split."""
    certified_on_validation: float
    no_op_trials: int
    """Byte-identical copies of the incumbent, one a batch once there is a suite."""
    no_op_rejected: int
    """Of them, by the suite."""
    no_op_kept: int
    """Of them, by all gates together."""
    no_op_rollouts: int
    """What all gates together ran for them: not in `rollouts`."""

    @property
    def ended_worse(self) -> bool:
        return self.true_gain < 0


class Luck:
    """Uniform numbers and rollouts, quickly: the same rollout is made once."""

    def __init__(self, seed: Sequence[int]) -> None:
        self._dice = np.random.default_rng(seed)
        self._numbers: list[float] = []
        self._made: dict[tuple[str, int, bool], Rollout] = {}

    def passes(self, chance: float) -> bool:
        if not self._numbers:
            self._numbers = self._dice.random(4096).tolist()
        return self._numbers.pop() < chance

    def rollout(self, pair: Pair, chance: float) -> Rollout:
        passed = self.passes(chance)
        key = (*pair, passed)
        rollout = self._made.get(key)
        if rollout is None:
            place = RolloutKey.model_construct(agent="simulated", task_id=pair[0], trial=pair[1])
            rollout = Drawn(key=place, seed=0, status="ok", reward=float(passed))
            self._made[key] = rollout
        return rollout

    def mean(self, chances: Chances, trials: int) -> float:
        """Mean of so many trials of every task."""
        return float(self._dice.binomial(trials, chances).mean() / trials)


class Drawn(Rollout):
    """A rollout of a synthetic world; the same object stands for many, so its hash is kept."""

    @cached_property
    def evidence(self) -> str:  # type: ignore[override]
        return super().evidence


CERTIFY_TRIALS = 4


class WithoutSuite(ReferencePolicy):
    """The published rule with its suite switched off: what remains is "not below the best seen"."""

    def promotion(
        self, known: Sequence[str], cluster_tasks: Sequence[str], *, first_trial: int = GATE_TRIALS
    ) -> Promotion:
        return super().promotion((), ())


class Walk:
    """A policy on its way through a world."""

    def __init__(self, world: SyntheticWorld, policy: Policy, *, plain: bool = False) -> None:
        """`plain`: pay for whole suite and split at every attempt, as a gate without economies does."""
        self.world = world
        self.policy = policy
        self.plain = plain
        self.luck = Luck([world.seed, 7])
        self.chances = world.chances
        self.bank = Bank()
        self.suite: list[str] = []
        self.known: list[str] = []
        self.history: dict[str, tuple[int, int]] = {}
        self.rollouts = 0
        self.kept: dict[ProposalKind, int] = dict.fromkeys(PROPOSAL_KINDS, 0)
        self.harmful_in_effect = 0
        self.no_ops = [0, 0, 0, 0]
        self._forms = np.random.default_rng([world.seed, 8])
        self.form = 1.0
        """Factor on the odds of every pass now."""

    def run(self) -> WalkResult:
        """Every batch, every proposal, then certification."""
        world = self.world
        self._new_form()
        self._fill_bank()
        began = self.bank.estimate(world.validation).mean
        for batch, (window, proposals) in enumerate(world.batches()):
            self.known += [t for t in window if not self.luck.passes(self.chances[world.places[t]])]
            for number, proposed in enumerate(proposals):
                self._attempt(proposed, f"{batch}.{number}")
            self._no_op()
        true = world.truth(self.chances) - world.truth(world.chances)
        return WalkResult(
            rollouts=self.rollouts,
            kept=self.kept,
            proposed={kind: sum(p.kind == kind for p in world.proposals) for kind in PROPOSAL_KINDS},
            harmful_in_effect=self.harmful_in_effect,
            true_gain=true,
            reported_gain=self._inputs("end").bank.estimate(world.validation).mean - began,
            certified_gain=self._certified(world.test),
            certified_on_validation=self._certified(slice(0, world.terrain.validation)),
            no_op_trials=self.no_ops[0],
            no_op_rejected=self.no_ops[1],
            no_op_kept=self.no_ops[2],
            no_op_rollouts=self.no_ops[3],
        )

    def _attempt(self, proposed: Proposed, label: str) -> None:
        self._new_form()
        self._fill_bank()
        inputs = self._inputs(label)
        places = self.world.places
        cluster_tasks = inputs.failing[-5:]
        chances = proposed.applied(self.chances, [places[task] for task in cluster_tasks], self.world.terrain)

        def run(stage: str, pairs: Sequence[Pair]) -> list[Rollout]:
            return self._roll(self.chances if stage == "control" else chances, pairs, free=self.plain)

        judged = judge_attempt(self.policy, inputs, run)
        if self.plain:
            self.rollouts += len(self.suite) + len(inputs.tasks)
        evidence: dict[str, Sequence[Rollout]] = dict(judged.rollouts)
        self._remember(evidence)
        if not judged.kept:
            self.bank = self.policy.after_reject(self.bank, evidence, judged.z)
            return
        self.kept[proposed.kind] += 1
        self.harmful_in_effect += self.world.truth(chances) < self.world.truth(self.chances)
        self.chances = chances
        evidence["promotion"] = self._promote(inputs, evidence)
        self.bank = self.policy.after_keep(self.bank, evidence, inputs.suite)

    def _promote(self, inputs: AttemptInputs, evidence: dict[str, Sequence[Rollout]]) -> list[Rollout]:
        """The extra rollouts. The reference's own are traffic on the kept agent: not charged to its gate."""
        promotion = self.policy.promotion(inputs.failing, inputs.failing[-5:])
        seen = [*evidence.get("cluster_tasks", ())]
        fresh: list[Rollout] = []
        while isinstance(step := promotion.step(seen), RunMore):
            more = self._roll(self.chances, step.pairs, free=isinstance(self.policy, ReferencePolicy))
            seen += more
            fresh += more
        self.suite += step[: self.world.terrain.suite_cap - len(self.suite)]
        return fresh

    def _fill_bank(self) -> None:
        missing = self.policy.missing(self.bank, self.world.validation, self.suite)
        if missing:
            results = answered(missing, self._roll(self.chances, missing))
            known = self.bank.without(task for task, _ in missing)
            self.bank = known.joined(results, cap=self.policy.rules.bank_cap)

    def _inputs(self, label: str) -> AttemptInputs:
        if label == "end":
            self._fill_bank()
        in_suite = set(self.suite)
        return AttemptInputs.model_construct(
            tasks=self.world.validation,
            bank=self.bank,
            suite=tuple(self.suite),
            failing=tuple(task for task in self.known if task not in in_suite),
            history=self.history,
            seed=f"{self.world.seed}.{label}",
            stages=STAGES,
            first_trial=GATE_TRIALS,
            control_trial=CONTROL_TRIALS,
        )

    def _new_form(self) -> None:
        if self.world.terrain.shock:
            self.form = float(np.exp(self._forms.normal(0, self.world.terrain.shock)))

    def _roll(self, chances: Chances, pairs: Sequence[Pair], *, free: bool = False) -> list[Rollout]:
        if not free:
            self.rollouts += len(pairs)
        places, luck = self.world.places, self.luck
        now = [chances[places[task]] for task, _ in pairs]
        if self.form != 1.0:
            now = [self.form * p / (1 - p + self.form * p) for p in now]
        return [luck.rollout(pair, p) for pair, p in zip(pairs, now, strict=True)]

    def _remember(self, evidence: dict[str, Sequence[Rollout]]) -> None:
        for rollouts in evidence.values():
            for rollout in rollouts:
                passes, results = self.history.get(rollout.task_id, (0, 0))
                self.history[rollout.task_id] = (passes + rollout.passed, results + 1)

    def _no_op(self) -> None:
        """A byte-identical copy meets the suite, and all gates; nothing is learned from it or charged for it."""
        if not self.suite:
            return
        inputs = self._inputs(f"no-op.{self.no_ops[0]}")

        def run(_stage: str, pairs: Sequence[Pair]) -> list[Rollout]:
            return self._roll(self.chances, pairs, free=True)

        self.no_ops[0] += 1
        self.no_ops[1] += drive(inputs.stage(self.policy, "regression"), run)[0].outcome == "failed"
        if self.policy.missing(self.bank, inputs.tasks):
            return
        judged = judge_attempt(self.policy, inputs, run)
        self.no_ops[2] += judged.kept
        self.no_ops[3] += sum(map(len, judged.rollouts.values()))

    def _certified(self, split: slice) -> float:
        before = self.luck.mean(self.world.chances[split], CERTIFY_TRIALS)
        return self.luck.mean(self.chances[split], CERTIFY_TRIALS) - before


def _stratified(size: int, terrain: Terrain, dice: np.random.Generator) -> Chances:
    """One draw from every quantile stratum of the Beta distribution with this mean and correlation, shuffled."""
    from scipy.stats import beta

    total = 1 / terrain.correlation - 1
    quantiles = (np.arange(size) + dice.random(size)) / size
    drawn: Chances = beta.ppf(quantiles, terrain.mean * total, (1 - terrain.mean) * total)
    return dice.permutation(drawn)
