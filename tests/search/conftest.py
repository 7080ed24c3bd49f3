"""A scripted field: clusters, training tasks, drafts and a world of a few rules, without a graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pytest

from sigmaloop.gate.finding import Finding
from sigmaloop.records import Rollout, RolloutKey
from sigmaloop.search import part_tests, rounds
from sigmaloop.search.strategies.make import make_strategy
from sigmaloop.search.strategy import Ask, RunGroups, SearchRules, Stage, StrategyName
from sigmaloop.search.words import (
    Budget,
    Candidate,
    Draft,
    Field,
    Measure,
    Nothing,
    OpenCluster,
    Pick,
    ProbeParts,
    Redraft,
    Slot,
    TrainingTask,
)


def cluster(number: int, *, types: Sequence[str] = (), targets: int = 2, **more: object) -> OpenCluster:
    failed = tuple(f"c{number}-{k}" for k in range(targets))
    kinds = tuple(types) or (f"type {number}",)
    return OpenCluster(id=f"C{number:03}", targets=failed, evidence=failed, request_types=kinds, **more)  # type: ignore[arg-type]


def scene(clusters: int, *, tasks: int = 6, total: int = 5_000, typed: bool = True) -> Field:
    """Clusters in rank order, and so many training tasks for each of their types."""
    kinds = [(f"t{c}-{k}", f"type {c}" if typed else "task") for c in range(clusters) for k in range(tasks)]
    training = tuple(TrainingTask(id=name, request_type=kind) for name, kind in kinds)
    blank = Field(training=training, budget=Budget(total=total, batches=1))
    return rounds.open_round(blank, [cluster(c) for c in range(clusters)], batch=1)


@dataclass
class Script:
    """A world in which a draft does what is written here for it, and a player who plays a strategy through it."""

    rules: SearchRules
    good: Callable[[str], bool] = lambda draft: True
    """Whether a draft makes its targets and probes pass."""
    gate: Callable[[Candidate], bool] = lambda candidate: True
    tree: Callable[[Slot], str] = lambda slot: slot.draft_id
    conflicts: Callable[[Candidate], dict[str, str]] = lambda candidate: {}
    after_screening: Callable[[Field], Field] = lambda field: field
    backwards: bool = False
    """Everything that may arrive in any order arrives in the other one."""
    log: list[Pick] = field(default_factory=list)
    rollouts: int = 0

    def play(self, field: Field, *, most: int = 200) -> Field:
        """One round to its end. Raises AssertionError when it does not end."""
        strategy = make_strategy(self.rules)
        field = rounds.wrote(field, self.drafts(strategy.slots(field)))
        for _ in range(most):
            pick = strategy.pick(field)
            self.log.append(pick)
            match pick:
                case Nothing():
                    return field
                case Redraft():
                    field = rounds.wrote(field, self.drafts(pick.slots))
                case Measure():
                    field = self.after_screening(self.screen(field, strategy.screen(field)))
                case ProbeParts():
                    field = self.test(field, pick)
                case Candidate():
                    field = rounds.left_out(rounds.chose(field, pick), self.conflicts(pick))
                    assert field.pending is not None
                    field = strategy.after(
                        field, finding("passed" if pick.ungated or self.gate(field.pending) else "failed")
                    )
        raise AssertionError("the round does not end")

    def drafts(self, slots: Sequence[Slot]) -> list[Draft]:
        made = [Draft(slot=slot, agent=slot.draft_id, tree=self.tree(slot), added=100) for slot in slots]
        return made[::-1] if self.backwards else made

    def screen(self, field: Field, stage: Stage) -> Field:
        seen: list[tuple[Ask, Rollout]] = []
        groups = {group.id: group for group in stage.groups}
        while isinstance(step := stage.step(seen), RunGroups):
            fresh = []
            for ask in step.asks:
                good = bool(ask.group) and all(self.good(name) for name in groups[ask.group].drafts)
                fresh.append((ask, rollout(ask.group or "incumbent", ask.task, ask.trial, good)))
            self.rollouts += len(fresh)
            seen = [*fresh, *seen] if self.backwards else [*seen, *fresh]
        field = rounds.banked(field, [r for ask, r in seen if not ask.group])
        return rounds.screened(field, step[::-1] if self.backwards else step)

    def test(self, field: Field, pick: ProbeParts) -> Field:
        tasks = [task.id for task in field.training]
        outcomes = [
            part_tests.Outcome(task=task, parts=half.parts, reward=float(all(map(self.good, half.parts))))
            for half in part_tests.design(pick.parts, tasks, pick.rollouts, seed=1)
            for task, _ in half.pairs
        ]
        return rounds.tested(field, part_tests.effects(pick.parts, outcomes), rollouts=len(outcomes))

    @property
    def candidates(self) -> list[tuple[str, ...]]:
        return [pick.group.drafts for pick in self.log if isinstance(pick, Candidate)]


def finding(outcome: Literal["passed", "failed"]) -> Finding:
    return Finding(gate="validation", outcome=outcome, reason="scripted", message="as the script says")


def rollout(agent: str, task: str, trial: int, passed: bool) -> Rollout:
    return Rollout(key=RolloutKey(agent=agent, task_id=task, trial=trial), seed=0, status="ok", reward=float(passed))


@pytest.fixture
def script() -> Callable[..., Script]:
    def made(strategy: StrategyName, **more: object) -> Script:
        own = {name: more.pop(name) for name in [*more] if name in SearchRules.model_fields}
        return Script(SearchRules(strategy=strategy, **own), **more)  # type: ignore[arg-type]

    return made


@pytest.fixture
def make_scene() -> Callable[..., Field]:
    return scene


@pytest.fixture
def make_cluster() -> Callable[..., OpenCluster]:
    return cluster


@pytest.fixture
def make_rollout() -> Callable[..., Rollout]:
    return rollout


@pytest.fixture
def make_finding() -> Callable[..., Finding]:
    return finding
