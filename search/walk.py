"""A strategy on its way through a simulated world: the code that decides in real runs, with drafts and rollouts drawn.

What a graph does around a strategy is done here in plain calls, so this is also the shortest description of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import ceil

from sigmaloop.gate.finding import Finding, Pair
from sigmaloop.gate.judging import AttemptInputs, RunStage, judge_attempt
from sigmaloop.gate.policy import Policy
from sigmaloop.gate.worlds.typed import TypedDraft, TypedWorld
from sigmaloop.gate.worlds.worlds import Chances, Walk
from sigmaloop.records import Record, Rollout, digest
from sigmaloop.search import part_tests, rounds
from sigmaloop.search.strategies.make import make_strategy
from sigmaloop.search.strategy import Ask, RunGroups, SearchRules, Stage
from sigmaloop.search.words import (
    Budget,
    Candidate,
    Draft,
    Field,
    KeptPart,
    Measure,
    Nothing,
    OpenCluster,
    ProbeParts,
    Redraft,
    Slot,
    TrainingTask,
)

AT_ONCE = 32
"""Rollouts, or drafts, that run side by side."""
DRAFT_TIME = 2
"""A draft takes as long as so many rollouts."""


class SearchResult(Record):
    """How a run went. Gains are shares of score."""

    rollouts: int
    drafts: int
    candidates: int
    """Sent to the gate."""
    keeps: int
    harmful_keeps: int
    """Candidates kept although the true mean fell."""
    parts: dict[str, int]
    """Parts in the final agent, by what they truly are."""
    parts_kept: int
    """Over the whole run."""
    harmful_parts: int
    """Of them, those that truly harm."""
    helpful_keeps: int
    """Parts kept, over the whole run, that truly help."""
    true_gain: float
    reported_gain: float
    wall: int
    """Rollout times, with `AT_ONCE` side by side."""
    planted_gone: bool | None
    """Whether the one harmful part of a planted world is out at the end; None where it was never in."""


class SearchWalk(Walk):
    """One run."""

    world: TypedWorld

    def __init__(self, world: TypedWorld, policy: Policy, rules: SearchRules, *, budget: int = 9_250) -> None:
        super().__init__(world, policy)
        self.strategy = make_strategy(rules)
        kinds = [TrainingTask(id=task, request_type=f"type {world.type_of(task)}") for task in world.traffic]
        self.field = Field(
            seed=world.seed,
            round=0,
            training=tuple(kinds),
            budget=Budget(total=budget, batches=world.terrain.batches),
        )
        self.written: dict[str, TypedDraft] = {}
        self.layers: list[TypedDraft] = []
        """In the agent, oldest first."""
        self.counts = Counter[str]()
        self.attempts: dict[int, int] = {}
        self.wall = 0
        self.planted = ""
        self.planted_kept = False

    def go(self) -> SearchResult:
        """Every batch, every round; then what it came to."""
        world = self.world
        self._fill_bank()
        began = self.bank.estimate(world.validation).mean
        for batch, (window, _) in enumerate(world.batches(), start=1):
            self.known += [t for t in window if not self.luck.passes(self.chances[world.places[t]])]
            if world.terrain.planted and batch == 1:
                self.known = [t for t in world.traffic if not self.luck.passes(self.chances[world.places[t]])]
            while self._round(batch):
                pass
        gain = world.truth(self.chances) - world.truth(world.chances)
        final = {kind: sum(layer.kind == kind for layer in self.layers) for kind in ("null", "harmful", "helpful")}
        return SearchResult(
            rollouts=self.rollouts,
            drafts=self.counts["drafts"],
            candidates=self.counts["candidates"],
            keeps=self.counts["keeps"],
            harmful_keeps=self.counts["harmful"],
            parts_kept=self.counts["parts"],
            harmful_parts=self.counts["harmful parts"],
            helpful_keeps=self.counts["helpful"],
            parts=final,
            true_gain=gain,
            reported_gain=self._inputs("end").bank.estimate(world.validation).mean - began,
            wall=self.wall,
            planted_gone=all(x.id != self.planted for x in self.layers) if self.planted_kept else None,
        )

    def _round(self, batch: int) -> bool:
        """One round; False when there was nothing to do."""
        self.field = rounds.open_round(self._charged(), self._clusters(batch), batch=batch, suite=self.suite)
        slots = self.strategy.slots(self.field)
        if slots:
            self._write(slots)
        busy = bool(slots)
        while not isinstance(pick := self.strategy.pick(self._charged()), Nothing):
            busy = True
            match pick:
                case Redraft():
                    self._write(pick.slots)
                case Measure():
                    self._screen(self.strategy.screen(self.field))
                case ProbeParts():
                    self._test_parts(pick)
                case Candidate():
                    self._judge(pick)
        return busy

    def _charged(self) -> Field:
        """The field with what was paid for, wherever."""
        budget = self.field.budget.model_copy(update={"spent": self.rollouts})
        self.field = self.field.model_copy(update={"budget": budget})
        return self.field

    def _clusters(self, batch: int) -> list[OpenCluster]:
        """By type, the most failures for the fewest attempts first."""
        world, shut = self.world, set(self.suite)
        tasks: dict[int, list[str]] = {}
        for task in self.known:
            tasks.setdefault(world.type_of(task), []).append(task)
        rows = []
        for kind, failed in tasks.items():
            targets = tuple(dict.fromkeys(task for task in failed if task not in shut))
            if targets:
                cluster = OpenCluster(
                    id=f"C{kind:03}",
                    targets=targets,
                    evidence=tuple(dict.fromkeys(failed)),
                    request_types=(f"type {kind}",),
                    attempts=self.attempts.get(kind, 0),
                )
                rows.append((-len(targets) / (1 + cluster.attempts), cluster.id, cluster))
        return [cluster for _, _, cluster in sorted(rows, key=lambda row: row[:2])]

    def _write(self, slots: Sequence[Slot]) -> None:
        drafts: list[Draft] = []
        for slot in slots:
            kind = int(slot.clusters[0][1:])
            cluster = self.field.cluster(slot.clusters[0])
            made = self.world.draft(
                slot.draft_id, kind, cluster.targets[-5:] if cluster else (), tries=slot.attempt - 1
            )
            parents = tuple(self.written[name] for name in slot.parents if name in self.written)
            if len(parents) == 2:
                made = made.model_copy(update={"parents": parents})
            elif parents:
                made = made.model_copy(update={"parents": (parents[0], made)})
            if self.world.terrain.planted:
                made = self._plant(made, len(drafts))
            self.written[made.id] = made
            drafts.append(Draft(slot=slot, agent=made.id, tree=made.id, added=200))
        self.counts["drafts"] += len(drafts)
        self.wall += DRAFT_TIME * ceil(len(drafts) / AT_ONCE)
        self.field = rounds.wrote(self.field, drafts)

    def _plant(self, made: TypedDraft, place: int) -> TypedDraft:
        """The eleventh draft of the first round harms, all others help."""
        if self.field.round == 1 and place == 10:
            self.planted = made.id
            return made.model_copy(update={"kind": "harmful", "size": self.world.terrain.planted, "strength": 0.6})
        least, most = self.world.terrain.helpful
        size = least + (most - least) * (made.seed[1] % 1000) / 1000
        return made.model_copy(update={"kind": "helpful", "size": size})

    def _screen(self, stage: Stage) -> None:
        chances = {
            group.id: self.world.applied(self.chances, [self.written[name] for name in group.drafts])
            for group in stage.groups
        }
        seen: list[tuple[Ask, Rollout]] = []
        while isinstance(step := stage.step(seen), RunGroups):
            seen += [(ask, self._rolled(chances.get(ask.group, self.chances), ask)) for ask in step.asks]
            self.wall += ceil(len(step.asks) / AT_ONCE)
        own = [rollout for ask, rollout in seen if not ask.group]
        self.field = rounds.screened(rounds.banked(self.field, own), step)

    def _rolled(self, chances: Chances, ask: Ask) -> Rollout:
        return self._roll(chances, [(ask.task, ask.trial)])[0]

    def _test_parts(self, pick: ProbeParts) -> None:
        fixed = [layer for layer in self.layers if layer.id not in pick.parts]
        tested = {layer.id: layer for layer in self.layers if layer.id in pick.parts}
        outcomes: list[part_tests.Outcome] = []
        seed = (self.field.seed, self.field.round, len(self.field.parts))
        for half in part_tests.design(pick.parts, self.world.traffic, pick.rollouts, seed=seed):
            chances = self.world.applied(self.world.chances, [*fixed, *(tested[name] for name in half.parts)])
            for rollout in self._roll(chances, half.pairs):
                outcomes.append(
                    part_tests.Outcome(task=rollout.task_id, parts=half.parts, reward=rollout.reward or 0.0)
                )
        self.wall += ceil(len(outcomes) / AT_ONCE)
        known: dict[str, KeptPart] = {part.draft: part for part in self.field.parts}
        fresh = part_tests.effects(pick.parts, outcomes)
        better = {name: part_tests.combined(known[name], effect) for name, effect in fresh.items()}
        self.field = rounds.tested(self.field, better, rollouts=len(outcomes))

    def _judge(self, pick: Candidate) -> None:
        self.field = rounds.chose(self.field, pick)
        label = f"{self.field.round}.{self.field.candidates}.{digest(pick.group.drafts, pick.removes)}"
        names = pick.group.drafts
        layers = [layer for layer in self.layers if layer.id not in pick.removes]
        layers += [self.written[name] for name in names]
        chances = self.world.applied(self.world.chances, layers)
        if pick.ungated:
            finding = Finding(gate="validation", outcome="passed", reason="ungated", message="no gate")
            kept, evidence = True, dict[str, Sequence[Rollout]]()
            inputs = self._inputs(label)
        else:
            self._fill_bank()
            inputs = self._inputs(label).model_copy(update={"failing": self._targets(names)})
            run = self._runner(chances)
            judged = judge_attempt(self.policy, inputs, run)
            finding, kept, evidence = judged.last, judged.kept, dict(judged.rollouts)
            self._remember(evidence)
            if not kept:
                self.bank = self.policy.after_reject(self.bank, evidence, judged.z)
        self.counts["candidates"] += 1
        if kept:
            self._keep(inputs, evidence, layers, chances, names)
        elif len(names) == 1:
            kind = self.written[names[0]].request_type
            self.attempts[kind] = self.attempts.get(kind, 0) + 1
        self.field = self.strategy.after(self.field, finding)

    def _runner(self, chances: Chances) -> RunStage:
        def run(stage: str, pairs: Sequence[Pair]) -> list[Rollout]:
            self.wall += ceil(len(pairs) / AT_ONCE)
            return self._roll(self.chances if stage == "control" else chances, pairs)

        return run

    def _keep(
        self,
        inputs: AttemptInputs,
        evidence: dict[str, Sequence[Rollout]],
        layers: list[TypedDraft],
        chances: Chances,
        names: Sequence[str],
    ) -> None:
        self.counts["keeps"] += 1
        self.counts["harmful"] += self.world.truth(chances) < self.world.truth(self.chances)
        self.counts["parts"] += len(names)
        self.counts["harmful parts"] += sum(self.written[name].kind == "harmful" for name in names)
        self.counts["helpful"] += sum(self.written[name].kind == "helpful" for name in names)
        self.layers, self.chances = layers, chances
        self.planted_kept |= self.planted in names
        for name in names:
            self.attempts.pop(self.written[name].request_type, None)
        evidence["promotion"] = self._promote(inputs, evidence)
        self.bank = self.policy.after_keep(self.bank, evidence, inputs.suite)

    def _targets(self, names: Sequence[str]) -> tuple[str, ...]:
        """Failing tasks that the drafts were made for, the latest of each last."""
        shut, places = set(self.suite), [p for name in names for p in self.written[name].targets]
        wanted = set(places)
        return tuple(t for t in dict.fromkeys(self.known) if t not in shut and self.world.places[t] in wanted)
