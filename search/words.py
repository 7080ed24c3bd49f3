"""The words of the search: frozen records, rebuilt from the journal, from which every decision follows.

A *round* is one batch's search, or a part of it. A *slot* asks the engineer for one draft. A *draft*, for `compose` a
part, is what it writes. A *group* is one or several drafts merged; screened it is an agent of its own, and sent to the
gate it is a *candidate*: one attempt.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field as Constrained

from sigmaloop.gate.bank import Bank
from sigmaloop.records import ChangeKind, Record, digest

LEVERS: tuple[ChangeKind, ...] = ("prompt", "example", "tool", "control_flow", "context")
"""Forms that a change can take, in the order in which they are tried."""
Level = Literal["prompt", "harness", "scaffold"]
"""Where a failure lies, as its miner says."""
BY_LEVEL: dict[Level, tuple[ChangeKind, ...]] = {
    "prompt": ("prompt", "example"),
    "harness": (),
    "scaffold": ("tool", "context", "control_flow"),
}
"""Levers of a level; failures of the harness ask for tests or a scorer first, never for a change of the agent."""

Fate = Literal["written", "equal", "fallen", "surviving", "left_out", "kept", "rejected"]
"""What became of a draft. `equal`: says what another says; `left_out`: of a merge, by a conflict."""


class TrainingTask(Record):
    """A task that may be used for screening."""

    id: str
    request_type: str = "task"


class OpenCluster(Record):
    """A cluster that still fails, as far as the search knows it."""

    id: str
    targets: tuple[str, ...] = ()
    """Its failing training tasks, oldest first, none of the suite."""
    evidence: tuple[str, ...] = ()
    """All tasks of its failures: never probes."""
    request_types: tuple[str, ...] = ()
    """Of its failures."""
    level: Level = "prompt"
    """What most of its miners said."""
    tried: tuple[ChangeKind, ...] = ()
    """Levers of its rejected drafts, oldest first."""
    attempts: int = Constrained(default=0, ge=0)
    """Rejected attempts since its last keep."""

    @property
    def levers(self) -> tuple[ChangeKind, ...]:
        """Those of its level first, those that were tried last."""
        own = BY_LEVEL[self.level]
        usual = (*own, *(lever for lever in LEVERS if lever not in own))
        return tuple(sorted(usual, key=self.tried.count))


class Reason(Record):
    """Why a draft goes back: what training says, nothing of validation."""

    draft: str
    """The draft that fell."""
    code: Literal["targets", "probes", "equal", "conflict", "screen"]
    before: int = 0
    """Passes of its targets before the change."""
    after: int = 0
    """With it."""
    trials: int = 0
    still_failing: str = ""
    """Rollout whose trace shows a target that fails all the same."""
    used_to_pass: tuple[str, ...] = ()
    """Up to two probes that the incumbent passes and the draft does not."""
    message: str = ""


class Slot(Record):
    """One draft that the engineer is asked for."""

    id: str
    """`R0001.03`: round and place; a draft adds its try."""
    clusters: tuple[str, ...]
    lever: ChangeKind | None = None
    """The form asked for; None leaves it to the engineer."""
    parents: tuple[str, ...] = ()
    """Drafts to start from; of two the slot asks for their merge, which needs no engineer."""
    reason: Reason | None = None
    """Why the last try fell."""
    attempt: int = Constrained(default=1, ge=1)
    """1-based try of this slot."""
    bundle: bool = False
    """Asked for together with a part for every other cluster; they are judged as one."""

    @property
    def draft_id(self) -> str:
        return f"{self.id}.{self.attempt}"


class Similar(Record):
    """How much the text that a draft adds resembles another's."""

    draft: str
    cosine: float


class Draft(Record):
    """What came back for a slot."""

    slot: Slot
    agent: str
    """`agent_hash` of its source."""
    tree: str
    """Hash of its syntax tree: equal for equal programs."""
    kind: ChangeKind = "prompt"
    added: int = 0
    """Characters that it adds to the file."""
    similar: tuple[Similar, ...] = ()
    """To drafts of this round and to what was rejected before."""
    fate: Fate = "written"
    reason: Reason | None = None

    @property
    def id(self) -> str:
        return self.slot.draft_id

    @property
    def clusters(self) -> tuple[str, ...]:
        return self.slot.clusters


class Group(Record):
    """Drafts that become one agent, the strongest first."""

    drafts: tuple[str, ...]

    @property
    def id(self) -> str:
        """Of one draft its own; of several a name that follows from them, whatever their order."""
        return self.drafts[0] if len(self.drafts) == 1 else "G" + digest("group", *sorted(self.drafts), size=11)


class Screening(Record):
    """What a group showed on training tasks."""

    group: Group
    passed: bool
    fell_at: Literal["", "targets", "probes"] = ""
    z: float | None = None
    """Of the probes against the training bank; None where nothing was measured."""
    rate: float = 0.0
    """Share of its rollouts, targets and probes, that passed."""
    results: dict[str, tuple[int, int]] = {}
    """Passes and valid trials by task."""
    reason: Reason | None = None


class KeptPart(Record):
    """A draft that is in the kept agent."""

    draft: str
    clusters: tuple[str, ...]
    added: int = 0
    batch: int = 0
    probed: bool = False
    """It passed probes of its own; a part of a bundle did not, and something that harms can hide there."""
    effect: float | None = None
    """Share of score, as the last part test estimates it."""
    error: float | None = None
    tested: int = 0
    """Part tests that it was in."""
    removals: int = 0
    """Candidates that would have removed it and were rejected."""


class Candidate(Record):
    """What goes to the gate: drafts to merge, or parts to take out again. One candidate is one attempt."""

    group: Group = Group(drafts=())
    removes: tuple[str, ...] = ()
    """Kept parts to take out: those that harm, or that cost and do nothing."""
    ungated: bool = False
    """For `paste` alone: kept without a gate, and every summary says so."""


class Budget(Record):
    """Rollouts of the whole run: after batch b of n, B b/n may be spent, and what is left rolls over."""

    total: int = Constrained(ge=0)
    batches: int = Constrained(ge=1)
    batch: int = Constrained(default=1, ge=1)
    """1-based."""
    spent: int = Constrained(default=0, ge=0)
    drafts_left: int = Constrained(default=240, ge=0)

    @property
    def left(self) -> int:
        """That may still be spent in this batch; never below 0."""
        return max(0, self.total * min(self.batch, self.batches) // self.batches - self.spent)

    def can_finish(self, rollouts: int) -> bool:
        """Whether a round that has begun may go on: it may reach into the next batches' share, never beyond all."""
        return self.total - self.spent >= rollouts

    def allows(self, rollouts: int) -> bool:
        """Whether a round that costs so much may begin: neither the batch's share nor the drafts are used up."""
        return self.left >= rollouts and self.drafts_left > 0

    def paid(self, rollouts: int = 0, drafts: int = 0) -> Budget:
        left = max(0, self.drafts_left - drafts)
        return self.model_copy(update={"spent": self.spent + rollouts, "drafts_left": left})

    def at(self, batch: int) -> Budget:
        return self.model_copy(update={"batch": batch})


class Field(Record):
    """What the search knows. Strategies read it and return another; nothing else is remembered."""

    seed: int = 0
    round: int = Constrained(default=0, ge=0)
    """Counted over the whole run; 0 before the first."""
    batch: int = Constrained(default=1, ge=1)
    clusters: tuple[OpenCluster, ...] = ()
    """In rank order."""
    training: tuple[TrainingTask, ...] = ()
    suite: tuple[str, ...] = ()
    bank: Bank = Bank()
    """The incumbent on training tasks; empty after a keep."""
    used: dict[str, int] = {}
    """How often a task has served as a probe in this run."""
    drafts: tuple[Draft, ...] = ()
    """Of this round, by id."""
    screenings: dict[str, Screening] = {}
    """By group id."""
    queue: tuple[Group, ...] = ()
    """Groups that are next: halves of what was rejected."""
    pending: Candidate | None = None
    """Before the gate now."""
    candidates: int = 0
    """Sent to the gate in this round."""
    parts: tuple[KeptPart, ...] = ()
    """In the kept agent, oldest first."""
    turned_down: bool = False
    """The last bundle of `compose` did not get through whole: the next rounds screen their drafts one by one."""
    on_parts: int = Constrained(default=0, ge=0)
    """Rollouts that went into part tests."""
    budget: Budget = Budget(total=9_250, batches=18)
    diversify: bool = False
    """The last batches brought nothing: other levers, lower-ranked clusters."""

    def draft(self, draft_id: str) -> Draft:
        """Raises KeyError for one that is not of this round."""
        found = next((draft for draft in self.drafts if draft.id == draft_id), None)
        if found is None:
            raise KeyError(f"draft {draft_id} is not of round {self.round}")
        return found

    def cluster(self, cluster_id: str) -> OpenCluster | None:
        """None when it emptied in the meantime."""
        return next((cluster for cluster in self.clusters if cluster.id == cluster_id), None)

    @property
    def typed(self) -> bool:
        """Whether the benchmark tells kinds of requests apart."""
        return len({task.request_type for task in self.training}) > 1


class Redraft(Record):
    """Ask the engineer again, with reasons."""

    slots: tuple[Slot, ...]


class Measure(Record):
    """Screen these groups before anything else: what `Strategy.screen` is about."""

    groups: tuple[Group, ...]


class Nothing(Record):
    """The round is over."""

    why: str


class ProbeParts(Record):
    """Measure what each kept part does: run these halves of the parts on training tasks."""

    parts: tuple[str, ...]
    """Under test; all other parts stay in."""
    rollouts: int


Pick = Redraft | Candidate | Measure | ProbeParts | Nothing
