"""The rules of a policy: every number that a decision depends on, logged with each decision."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from sigmaloop.errors import BadInput
from sigmaloop.records import PolicyName, Record
from sigmaloop.settings import Settings

GATE_TRIALS = 100_000
"""First trial number of a candidate's rollouts: above every batch of traffic, below certification."""

BANK_TRIALS = 500_000
"""First trial number of the rollouts that measure the incumbent: never those that it was kept for."""

CONTROL_TRIALS = 2_000_000
"""First trial number of the incumbent's rollouts beside a finalist, one number an attempt: above certification."""

CANARY_STEP = 1_000
"""Distance of the trial numbers of byte-identical candidates: their rollouts must be fresh."""

PRIOR_PASSES, PRIOR_TRIALS = 0.373, 0.667
"""Pseudo-counts of a task's pass rate: the Beta distribution of public leaderboards, mean .56, correlation .60."""


class Bound(Record):
    """One look at the validation split."""

    rollouts: int = Field(ge=1)
    """Cumulative rollouts of the candidate."""
    z: float
    """Rejected below."""


class Rules(Record):
    """What a gate decides by."""

    policy: PolicyName
    regression_floor: float = Field(default=0.80, ge=0, le=1)
    coverage_floor: float = Field(default=0.95, ge=0, le=1)
    wave: int = Field(default=4, ge=1)
    cluster_tasks: int = Field(default=5, ge=1)
    cluster_trials: int = Field(default=2, ge=1)
    cluster_floor: float = Field(default=0.40, ge=0, le=1)
    suite_tries: int = Field(default=2, ge=1)
    promotion_passes: int = Field(default=3, ge=1)
    promotion_tasks: int = Field(default=12, ge=1)
    quarantine_floor: float = Field(default=0.70, ge=0, le=1)
    recheck_trials: int = Field(default=3, ge=1)
    bank_trials: int = Field(default=2, ge=1)
    bank_cap: int = Field(default=12, ge=1)
    pool_below_z: float = Field(default=3.0, ge=0)
    looks: tuple[Bound, ...] = ()
    """Planned for up to `reach` tasks; see `looks_for`."""
    control: Bound | None = None
    """At most so many rollouts of the incumbent, one a task, are made beside a candidate past its last look; below z
    against them it is rejected. None: it is kept at once."""
    pooling: bool = False
    """Whether rejected near-copies of the incumbent join its bank, and a kept candidate brings its own."""

    @model_validator(mode="after")
    def _looks_rise(self) -> Self:
        planned = [look.rollouts for look in self.looks]
        if planned != sorted(set(planned)):
            raise ValueError(f"looks must rise: {planned}")
        return self

    def looks_for(self, tasks: int) -> tuple[Bound, ...]:
        """The looks for a split of so many tasks.

        As planned for up to as many tasks as the last look has rollouts; beyond, all looks grow alike, so that
        the last one sees every task once. A small split is never run more than `bank_cap` times over: looks
        beyond that fall into one, with the bar of the last of them.
        """
        last = self.looks[-1].rollouts
        bounds: dict[int, Bound] = {}
        for look in self.looks:
            grown = -(-look.rollouts * max(tasks, last) // last)
            rollouts = min(grown, self.bank_cap * tasks)
            bounds[rollouts] = Bound(rollouts=rollouts, z=look.z)
        return tuple(bounds.values())

    def bank_trials_for(self, tasks: int) -> int:
        """Trials a task that measure a fresh incumbent: as many as a candidate is measured with, if not pooled."""
        if self.pooling or not self.looks:
            return self.bank_trials
        return min(self.bank_cap, max(2, round(self.looks[-1].rollouts / tasks)))


def _bounds(*looks: tuple[int, float]) -> tuple[Bound, ...]:
    return tuple(Bound(rollouts=rollouts, z=z) for rollouts, z in looks)


LOOKS: dict[PolicyName, tuple[Bound, ...]] = {
    "reference": (),
    "paired": _bounds((25, -0.5), (50, -0.25), (100, 0.0), (200, 0.25)),
    "rigorous": _bounds((50, -0.4), (100, -0.1), (200, 0.2), (400, 0.6), (600, 1.28)),
    "strict": _bounds((50, -0.4), (100, -0.1), (200, 0.2), (400, 0.6), (600, 1.645)),
}
"""The bars of each policy: part of its name, not settings, so that one name always means one policy."""

CONTROL: dict[PolicyName, Bound | None] = {
    "reference": None,
    "paired": Bound(rollouts=100, z=0.0),
    "rigorous": None,
    "strict": None,
}
"""The concurrent control: part of the name as well. `rigorous` with its fresh bank loses more than it gains."""


def rules_of(settings: Settings, *, policy: PolicyName | None = None) -> Rules:
    """The rules that these settings name; `policy` names another one, with the same numbers beside it."""
    named = policy or settings.policy
    numbers = {name: getattr(settings, name) for name in Rules.model_fields if name in type(settings).model_fields}
    bars = {"looks": LOOKS[named], "control": CONTROL[named], "pooling": named == "paired"}
    return Rules(**{**numbers, "policy": named, **bars})


def default_rules(policy: PolicyName, **changes: object) -> Rules:
    """A policy with every other number at its default. Raises BadInput for an unknown name."""
    if policy not in LOOKS:
        raise BadInput(f"unknown policy {policy!r}; there are {', '.join(LOOKS)}")
    bars = {"looks": LOOKS[policy], "control": CONTROL[policy], "pooling": policy == "paired"}
    return Rules(policy=policy, **{**bars, **changes})  # type: ignore[arg-type]
