"""Simulated worlds with request types, in which drafts are written for clusters: where a search is put to the test.

Tasks are those of `worlds`; every task is of one of 30 request types, and a cluster is what fails of one type. A
helpful draft acts on whole types, first on its cluster's; a harmful one on types of which its cluster's is one in half
of the cases. Whether a draft helps is drawn for it from the world's seed and the draft's id: the same draft is the same
in every run of a world.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations
from typing import Literal

import numpy as np
from pydantic import Field

from sigmaloop.gate.worlds.worlds import PROPOSAL_KINDS, Chances, ProposalKind, SyntheticWorld, Terrain
from sigmaloop.records import Record, digest


class TypedTerrain(Terrain):
    """What worlds with types are drawn from."""

    mix: tuple[float, float, float] = (0.63, 0.25, 0.12)
    types: int = Field(default=30, ge=1)
    acts: Literal["by type", "anywhere"] = "by type"
    helpful: tuple[float, float] = (0.01, 0.06)
    """Smallest and largest gain of a helpful draft, in shares of score."""
    harm_elsewhere: float = Field(default=0.0, ge=0, le=1)
    """Share of the helpful drafts that harm other types by half of their gain."""
    retry: tuple[float, ...] = (1.0,)
    """Factor on the chance to help, by the number of earlier tries that came back with a reason; the last goes on."""
    conflicting: float = Field(default=0.0, ge=0, le=1)
    """Share of pairs of drafts that cost `conflict` together."""
    conflict: float = 0.02
    planted: float = 0.0
    """When above 0, all drafts help but one of the first round, which costs so much."""


BY_TYPE = TypedTerrain()
RARE = TypedTerrain(mix=(0.70, 0.25, 0.05))
OFTEN = TypedTerrain(mix=(0.50, 0.25, 0.25))
ANYWHERE = TypedTerrain(mix=(0.60, 0.25, 0.15), acts="anywhere")
ELSEWHERE = TypedTerrain(harm_elsewhere=0.3)
REASONED = TypedTerrain(retry=(1.0, 1.5, 2.0, 2.5))
CONFLICTING = TypedTerrain(conflicting=0.15)
HELPDESK_LIKE = TypedTerrain(mix=(0.35, 0.15, 0.50), helpful=(0.003, 0.015))
PLANTED = TypedTerrain(helpful=(0.003, 0.015), planted=0.05)
NO_HELP = TypedTerrain(mix=(0.75, 0.25, 0.0))


class TypedDraft(Record):
    """One draft: what it is in truth."""

    id: str
    kind: ProposalKind
    size: float
    strength: float
    request_type: int
    """Of its cluster."""
    harms_too: bool
    seed: tuple[int, int]
    targets: tuple[int, ...] = ()
    """Places of the tasks that it was made for."""
    parents: tuple[TypedDraft, ...] = ()
    """Of a crossed draft: it is both of them."""


class TypedWorld(SyntheticWorld):
    """A synthetic world whose tasks have types."""

    terrain: TypedTerrain

    def __init__(self, terrain: TypedTerrain, seed: int) -> None:
        super().__init__(terrain, seed)
        dice = np.random.default_rng([seed, 2])
        weights = dice.dirichlet(np.full(terrain.types, 5.0))
        self.types = dice.choice(terrain.types, size=self.chances.size, p=weights)
        self.shares = np.bincount(self.types[-terrain.population :], minlength=terrain.types) / terrain.population

    def type_of(self, task: str) -> int:
        return int(self.types[self.places[task]])

    def draft(self, name: str, request_type: int, targets: Sequence[str], *, tries: int = 0) -> TypedDraft:
        """What is written for a type under this id; `tries`: earlier ones that came back with a reason."""
        seed = (self.seed, int(digest("draft", name, size=8), 16))
        dice = np.random.default_rng(seed)
        _, harmful, helpful = self.terrain.mix
        factor = self.terrain.retry[min(tries, len(self.terrain.retry) - 1)]
        helpful = min(1 - harmful, helpful * factor)
        kind = PROPOSAL_KINDS[int(dice.choice(3, p=(1 - harmful - helpful, harmful, helpful)))]
        least, most = (0.01, 0.08) if kind == "harmful" else self.terrain.helpful
        return TypedDraft(
            id=name,
            kind=kind,
            size=dice.uniform(least, most),
            strength=dice.uniform(0.3, 0.9),
            request_type=request_type,
            harms_too=bool(dice.random() < self.terrain.harm_elsewhere),
            seed=seed,
            targets=tuple(self.places[task] for task in targets),
        )

    def applied(self, chances: Chances, drafts: Sequence[TypedDraft]) -> Chances:
        """The chances of an agent with these drafts in it, whatever their order."""
        ordered = sorted(drafts, key=lambda draft: draft.id)
        for draft in ordered:
            chances = self._one(chances, draft)
        for one, two in combinations(ordered, 2):
            if self.terrain.conflicting and self.clash(one.id, two.id):
                dice = np.random.default_rng([self.seed, int(digest("harm", one.id, two.id, size=8), 16)])
                hit = dice.random(chances.size) < self.terrain.conflict / (0.56 * 0.5)
                chances = np.where(hit, 0.5 * chances, chances)
        return chances

    def clash(self, one: str, two: str) -> bool:
        """Whether two drafts, in order of id, get into each other's way."""
        return int(digest("clash", self.seed, one, two, size=8), 16) < self.terrain.conflicting * 16**8

    def _one(self, chances: Chances, draft: TypedDraft) -> Chances:
        if draft.parents:
            return self.applied(chances, draft.parents)
        terrain, p = self.terrain, chances.copy()
        dice = np.random.default_rng([*draft.seed, 1])
        touched, up, down = dice.random((3, p.size))
        order = dice.permutation(terrain.types)
        own = draft.kind == "helpful" or dice.random() < 0.5
        if draft.kind == "harmful":
            hit = self._hit(draft, order, own, draft.size / (0.56 * draft.strength), touched)
            p[hit] *= 1 - draft.strength
        elif draft.kind == "helpful":
            hit = self._hit(draft, order, own, draft.size / (0.44 * draft.strength), touched)
            p[hit] += draft.strength * (1 - p[hit])
            if draft.harms_too:
                others = self._hit(draft, order[::-1], False, draft.size / (1.12 * draft.strength), touched)
                p[others & ~hit] *= 1 - draft.strength
        mean = chances[-terrain.population :].mean()
        rises, falls = up < terrain.churn * mean, down < terrain.churn * (1 - mean)
        p[rises] += 0.3 * (1 - p[rises])
        p[falls] *= 0.7
        if dice.random() < (0.9 if draft.kind == "helpful" else 0.5):
            for place in draft.targets:
                if dice.random() < 0.8:
                    p[place] += dice.uniform(0.3, 0.9) * (1 - p[place])
        return p

    def _hit(self, draft: TypedDraft, order: np.ndarray, own: bool, share: float, touched: Chances) -> np.ndarray:
        """Which tasks a draft acts on: a share of all, by whole types or anywhere."""
        if self.terrain.acts == "anywhere":
            return touched < share
        kinds = [k for k in order.tolist() if k != draft.request_type]
        kinds = [draft.request_type, *kinds] if own else kinds
        hit = np.zeros(touched.size, dtype=bool)
        for kind in kinds:
            if share <= 0:
                break
            whole = max(float(self.shares[kind]), 1e-9)
            hit |= (self.types == kind) & (touched < min(1.0, share / whole))
            share -= whole
        return hit


@lru_cache(maxsize=4)
def typed_world(terrain: TypedTerrain, seed: int) -> TypedWorld:
    """The world of a seed, remembered for the strategies that meet it one after the other."""
    return TypedWorld(terrain, seed)
