"""What a gate says: `RunMore`, run these rollouts and step again; or `Finding`, its decision with its numbers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal, Protocol

from sigmaloop.records import REWARD_MICROS, GateName, Outcome, Record, Rollout, Verdict, digest

Pair = tuple[str, int]
"""A task id and a trial number: with an agent, the key of a rollout."""


class RunMore(Record):
    """The gate can not decide yet: run an agent on these tasks and step again."""

    pairs: tuple[Pair, ...]
    agent: Literal["candidate", "incumbent"] = "candidate"
    """Who is to run; the trial numbers of the two never meet."""

    @property
    def task_ids(self) -> tuple[str, ...]:
        return tuple(task for task, _ in self.pairs)


class Look(Record):
    """One planned look at a comparison: what was known then, and the bar that it had to clear."""

    planned: int
    """Cumulative rollouts of the candidate."""
    valid: int
    """Of them, those that ended in a result for a task that the incumbent is measured on."""
    tasks: int
    difference: float
    """Candidate minus incumbent, mean over tasks."""
    standard_error: float
    z: float
    bound: float
    """Rejected below."""


class Finding(Record):
    """A gate's decision; `verdict` files it under a candidate."""

    gate: GateName
    outcome: Outcome
    reason: str
    message: str
    passes: int = 0
    evaluated: int = 0
    """Valid results; of a suite with several tries, cases that are decided."""
    total: int = 0
    """Tasks, cases or trials that the gate is about."""
    reward_micros: int = 0
    required_micros: int = 0
    upper_bound_micros: int | None = None
    infra: int = 0
    z: float | None = None
    difference: float | None = None
    standard_error: float | None = None
    evidence: str = ""
    looks: tuple[Look, ...] = ()
    control: Look | None = None
    """A finalist against rollouts of the incumbent made at the same time; `planned` counts the incumbent's."""
    quarantined: tuple[str, ...] = ()
    """Suite cases that were not counted, because the incumbent itself passes them too rarely."""

    def verdict(self, candidate_id: str) -> Verdict:
        return Verdict(candidate_id=candidate_id, **self.model_dump(exclude={"looks", "control", "quarantined"}))


class Stage(Protocol):
    """One gate of an attempt. Pure: the same rollouts give the same answer, in whatever order they come."""

    @property
    def gate(self) -> GateName: ...

    def step(self, rollouts: Collection[Rollout], /) -> RunMore | Finding:
        """What to run next, or the decision, given every rollout that the stage has asked for so far.

        Raises ValueError for rollouts that it did not ask for.
        """


def evidence_of(rollouts: Sequence[Rollout]) -> str:
    """Digest over the evidence of every rollout, by task and trial."""
    return digest([r.evidence for r in sorted(rollouts, key=lambda r: (r.task_id, r.key.trial))])


def uncovered(faults: int, total: int, allowed: int) -> str:
    """The sentence of an indecisive verdict."""
    return f"{faults} of {total} rollouts ended in an infrastructure fault; at most {allowed} may"


def points(reward_micros: int, tasks: int) -> str:
    """A mean reward, for people."""
    return f"{reward_micros / (REWARD_MICROS * tasks):.4f}" if tasks else "none"
