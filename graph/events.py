"""What happens in a run, as it happens: one record a kind of event, each with the line that a person reads.

Nodes emit these records; the command line prints their lines, a notebook shows them, `run --json` and Studio get
them as JSON. They are news, not facts: whatever must survive is in the journal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, TypeAdapter

from sigmaloop.clean_text import clean_line
from sigmaloop.records import (
    REWARD_MICROS,
    Certificate,
    ChangeKind,
    GateName,
    Outcome,
    Record,
    RolloutStatus,
    Split,
    Verdict,
)

Words = Annotated[str, AfterValidator(clean_line)]
"""Words of a model, an agent or an endpoint: one line, with nothing in it that operates a terminal."""

Tone = Literal["plain", "quiet", "good", "bad", "warning", "heading"]
"""How a line is set off where there is colour."""


class _Event(Record):
    """Base of all events; `event` names the kind."""

    tone: ClassVar[Tone] = "plain"

    def line(self) -> str:
        """One line for a person, plain text; empty for an event that deserves none."""
        return ""

    def __str__(self) -> str:
        return self.line() or repr(self)


class BaselineStarted(_Event):
    event: Literal["baseline_started"] = "baseline_started"
    tasks: int

    def line(self) -> str:
        return f"baseline: scoring the agent on {self.tasks} validation tasks"


class BaselineScored(_Event):
    event: Literal["baseline"] = "baseline"
    reward_micros: int
    """Reward summed over valid rollouts, in millionths."""
    tasks: int
    """Valid rollouts."""

    def line(self) -> str:
        return f"baseline: {score(self.reward_micros / REWARD_MICROS / max(1, self.tasks))} on validation"


class Estimated(_Event):
    """What the run will cost, by its first few rollouts."""

    event: Literal["estimate"] = "estimate"
    text: Words

    def line(self) -> str:
        return f"plan: {self.text}"


class Planned(_Event):
    """What the run can see and will cost."""

    event: Literal["plan"] = "plan"
    lines: tuple[Words, ...]

    def line(self) -> str:
        return "\n".join(f"plan: {line}" for line in self.lines)


class WindowDrawn(_Event):
    event: Literal["batch_started"] = "batch_started"
    batch: int
    tasks: int


class RolloutDone(_Event):
    """One rollout ended; the command line counts these in its bar."""

    event: Literal["rollout"] = "rollout"
    stage: Words
    passed: bool
    status: RolloutStatus


class TrafficDone(_Event):
    event: Literal["traffic"] = "traffic"
    tone: ClassVar[Tone] = "heading"
    batch: int
    passed: int
    tasks: int
    infra: int

    def line(self) -> str:
        faults = f", {self.infra} met an infrastructure fault" if self.infra else ""
        return f"batch {self.batch}: {self.passed} of {self.tasks} tasks passed{faults}"


class FailureMined(_Event):
    event: Literal["failure"] = "failure"
    id: Words
    mechanism: Words
    request_type: Words

    def line(self) -> str:
        return f"  failure {self.id}: {self.mechanism} ({self.request_type})"


class ClusterFounded(_Event):
    event: Literal["cluster_created"] = "cluster_created"
    cluster_id: Words
    title: Words

    def line(self) -> str:
        return f"  cluster {self.cluster_id} is new: {self.title}"


class ClusterChosen(_Event):
    event: Literal["target"] = "target"
    cluster_id: Words
    title: Words
    failures: int

    def line(self) -> str:
        return f"  worst cluster: {self.cluster_id} {self.title} ({self.failures} failures)"


class AttemptStarted(_Event):
    event: Literal["attempt"] = "attempt"
    tone: ClassVar[Tone] = "heading"
    id: Words
    attempt: int
    cluster_id: Words
    title: Words

    def line(self) -> str:
        return f"  {self.id} attempt {self.attempt} on {self.cluster_id} {self.title}"


class Proposed(_Event):
    event: Literal["proposal"] = "proposal"
    id: Words
    kind: ChangeKind
    summary: Words

    def line(self) -> str:
        return f"    {self.kind:<13}{self.summary}"


class RoundBegan(_Event):
    """The search asks for drafts."""

    event: Literal["round"] = "round"
    round: int
    slots: int
    again: bool
    """Drafts that fell are asked for once more."""

    def line(self) -> str:
        said = "asked for again" if self.again else "asked for"
        return f"  round {self.round}: {self.slots} {'drafts' if self.slots > 1 else 'draft'} {said}"


class DraftDone(_Event):
    """What came back for one slot."""

    event: Literal["draft"] = "draft"
    id: Words
    cluster_id: Words
    kind: ChangeKind
    summary: Words
    refused: Words
    """Why it cannot be used; empty: it can."""

    def line(self) -> str:
        said = f"cannot be used: {self.refused}" if self.refused else self.summary
        return f"    {self.id} {self.cluster_id} {self.kind:<13}{said}"


class GroupScreened(_Event):
    """A draft, or several merged, was compared with the kept agent on training tasks."""

    event: Literal["screened"] = "screened"
    id: Words
    drafts: int
    passed: bool
    fell_at: Words
    z: float | None

    def line(self) -> str:
        told = "survives" if self.passed else f"falls at its {self.fell_at}"
        z = "" if self.z is None else f", z = {self.z:.2f}"
        merged = f" ({self.drafts} drafts)" if self.drafts > 1 else ""
        return f"    {self.id}{merged} {told} on training tasks{z}"


class PartsMeasured(_Event):
    """What each kept part does was measured in halves."""

    event: Literal["parts"] = "parts"
    parts: int
    rollouts: int
    harmful: int

    def line(self) -> str:
        return f"  {self.parts} kept parts measured with {self.rollouts} rollouts: {self.harmful} seem to harm"


class CanaryJudged(_Event):
    event: Literal["canary"] = "canary"
    id: Words
    worth: Words
    outcome: Outcome
    stage: Words

    def line(self) -> str:
        would = "would have kept" if self.outcome == "passed" else "stopped"
        return f"  {self.id} canary: the gate {would} a known {self.worth} change at {self.stage}"


class VerdictGiven(_Event):
    event: Literal["verdict"] = "verdict"
    verdict: Verdict

    def line(self) -> str:
        word = "undecided" if self.verdict.outcome == "indecisive" else self.verdict.outcome
        return f"    {self.verdict.gate:<13}{word}  {clean_line(self.verdict.message)}"


class ChangeJudged(_Event):
    event: Literal["judged"] = "judged"
    classification: Words
    veto: bool

    def line(self) -> str:
        return f"    judge        {self.classification}{', vetoed' if self.veto else ''}"


class Kept(_Event):
    event: Literal["kept"] = "kept"
    tone: ClassVar[Tone] = "good"
    id: Words
    summary: Words
    reward_micros: int
    """On validation, summed over rollouts."""

    def line(self) -> str:
        return f"    kept         {self.summary}"


class Reverted(_Event):
    event: Literal["reverted"] = "reverted"
    id: Words
    reason: Words

    def line(self) -> str:
        return f"    reverted     {self.reason}"


class SuiteGrown(_Event):
    event: Literal["promoted"] = "promoted"
    tasks: int
    suite: int
    refused: int = 0
    """Tasks that passed as often as they must and found the suite full."""

    def line(self) -> str:
        full = f"; it is full, {self.refused} more did not fit" if self.refused else ""
        return f"    promoted     {self.tasks} fixed tasks; the suite holds {self.suite}{full}"


class OnPlateau(_Event):
    """Nothing was kept for long: a step of the ladder is taken."""

    event: Literal["plateau"] = "plateau"
    tone: ClassVar[Tone] = "warning"
    step: Literal["warn", "diversify", "stop"]
    attempts: int
    """Without a kept change."""

    def line(self) -> str:
        does = {
            "warn": "look at learnings.md; if nothing is kept, the run will try other clusters and kinds of change",
            "diversify": "now clusters that were tried least go first, with other kinds of change",
            "stop": "the run stops here; raise --plateau, or write into program.md what you know, and start another",
        }
        return f"plateau: {self.attempts} attempts without a kept change; {does[self.step]}"


class Learned(_Event):
    """An attempt has ended and is written down."""

    event: Literal["learned"] = "learned"
    id: Words
    outcome: Literal["kept", "rejected"]
    gate: GateName | None
    reason: Words


class Paused(_Event):
    event: Literal["paused"] = "paused"
    tone: ClassVar[Tone] = "warning"
    stage: Words
    message: Words

    def line(self) -> str:
        return f"paused: {self.message}"


class CertificationStarted(_Event):
    event: Literal["certify_started"] = "certify_started"
    split: Split
    rollouts: int
    tasks: int
    trials: int

    def line(self) -> str:
        return (
            f"certify: {self.rollouts} fresh rollouts on {self.tasks} {_SPLITS.get(self.split, self.split)} tasks, "
            f"{self.trials} {'trials' if self.trials > 1 else 'trial'} of each for each agent"
        )


class CertificateMade(_Event):
    event: Literal["certificate"] = "certificate"
    changed: bool
    """False: nothing was kept, so there is one agent and no difference."""
    certificate: Certificate

    def line(self) -> str:
        found = self.certificate
        gained = f" -> {score(found.final)}" if self.changed else ", no change was kept"
        simulated = " (simulated model)" if found.simulated else ""
        return f"certified on {found.split}: {score(found.baseline)}{gained}{simulated}"


class NotCertified(_Event):
    event: Literal["uncertified"] = "uncertified"
    tone: ClassVar[Tone] = "warning"
    split: Split
    message: Words

    def line(self) -> str:
        return f"not certified on {self.split}: {self.message}"


class Noted(_Event):
    """Something that a person should know and need not act on."""

    event: Literal["note"] = "note"
    tone: ClassVar[Tone] = "warning"
    message: Words

    def line(self) -> str:
        return f"note: {self.message}"


class Warned(_Event):
    """Something that makes the run's result worth less unless a person acts."""

    event: Literal["warning"] = "warning"
    tone: ClassVar[Tone] = "warning"
    message: Words

    def line(self) -> str:
        return f"warning: {self.message}"


class Drained(_Event):
    event: Literal["drained"] = "drained"

    def line(self) -> str:
        return "stopped at a checkpoint; nothing is lost"


class Stopped(_Event):
    """Always the last: where the run stands now."""

    event: Literal["stopped"] = "stopped"
    condition: str


Event = Annotated[
    BaselineStarted | BaselineScored | Estimated | Planned | WindowDrawn | RolloutDone | TrafficDone | FailureMined
    | ClusterFounded | ClusterChosen | RoundBegan | DraftDone | GroupScreened | PartsMeasured
    | AttemptStarted | Proposed | CanaryJudged | VerdictGiven | ChangeJudged
    | Kept | Reverted | SuiteGrown | OnPlateau | Learned | Paused | CertificationStarted | CertificateMade
    | NotCertified | Noted | Warned | Drained | Stopped,
    Field(discriminator="event"),
]  # fmt: skip
Emit = Callable[["Event"], None]
"""How a node tells its news."""
_PARSER: TypeAdapter[Event] = TypeAdapter(Event)
_SPLITS = {"test": "sealed test"}


def read_event(data: Any) -> Event:
    """An event from its JSON object, as the graph's stream carries it. Raises ValueError for anything else."""
    return _PARSER.validate_python(data)


def score(value: float) -> str:
    """A mean reward as people read it: .565."""
    return f"{value:.3f}".lstrip("0") if value < 1 else f"{value:.2f}"
