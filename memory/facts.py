"""The facts of a run: one frozen record a kind of event, each with an id that follows from what it is about.

    journal.write(BatchStarted(...))     appended to the chain; writing the same fact again changes nothing
    journal.read(BatchStarted)           every fact of that kind, in the order in which they were written

Facts about a gate's decision are declared where the gate's words may be imported (`graph/history.py`). Beside the
facts there are stored records, which may be written again: `journal.save(VERDICT, id, verdict)`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import Field, JsonValue

from sigmaloop.memory.events import Event
from sigmaloop.records import (
    Candidate,
    Certificate,
    Diagnosis,
    FailureRecord,
    Judgement,
    LedgerEntry,
    Record,
    Verdict,
    digest,
)

FORM = 3
"""How this version writes its facts and records; a run of another form is refused, not misread."""


class Fact(Record):
    """Base of all facts."""

    kind: ClassVar[str]
    """The event's kind in the journal."""
    batch: int = Field(default=0, ge=0)
    """0 before the first batch."""

    @property
    def id(self) -> str:
        """The event's id: the same for the same fact, whoever writes it and however often."""
        raise NotImplementedError

    def payload(self) -> dict[str, Any]:
        """What is stored, as JSON."""
        return self.model_dump(mode="json")

    @classmethod
    def of(cls, event: Event) -> Self:
        """The fact that an event of this kind states. Raises ValueError when it states none."""
        return cls.model_validate({"batch": event.batch, **event.payload})


class RunStarted(Fact):
    """What the run is made of; its first event."""

    kind = "run_started"
    settings: dict[str, JsonValue]
    """As they were pinned: model, prices and sandbox of this machine."""
    benchmark: str
    """Fingerprint."""
    models: tuple[str, ...]
    """Of the target and of the specialists."""
    prompts: dict[str, str]
    """Hash by name."""
    simulated: bool
    tier: str
    """Sandbox tier of the candidates."""
    package: str = Field(default="", exclude_if=lambda digest: not digest)
    """Digest of the agent's package; empty for an agent that is one file."""
    form: int = 1
    """Of the facts and records that follow; see `FORM`."""

    @property
    def id(self) -> str:
        return self.kind


class EndpointProbed(Fact):
    """How the endpoint of a role has to be asked, as a probe found before the run."""

    kind = "endpoint_probed"
    role: str
    """The first one that is asked so; others may share its endpoint and words."""
    base_url: str
    model: str
    changes: tuple[str, ...]
    """What it did not take, and what is done about it."""
    left_out: tuple[str, ...]
    """Of what makes results repeatable: `temperature`, `seed`."""

    @property
    def id(self) -> str:
        return f"endpoint_probed:{self.role}"

    def payload(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"batch"})


def more_noise(probed: Iterable[EndpointProbed]) -> str:
    """One sentence on what was left to the endpoints and makes results noisier; empty when nothing was."""
    parts = [f"{fact.role} ({fact.model}): {' and '.join(fact.left_out)} left out" for fact in probed if fact.left_out]
    return f"{'; '.join(parts)}: its results vary more from call to call" if parts else ""


class BaselineMeasured(Fact):
    """The first agent on validation."""

    kind = "baseline"
    commit: str
    reward_micros: int = Field(ge=0)
    tasks: int = Field(ge=0)
    """Valid rollouts behind it."""

    @property
    def id(self) -> str:
        return f"baseline:{self.commit[:12]}"

    def payload(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"batch"})


class BatchStarted(Fact):
    """A window of traffic was played on the kept agent."""

    kind = "batch_started"
    agent: str
    """Commit of the kept agent."""
    tasks: tuple[str, ...]
    passed: int = Field(ge=0)
    infra: int = Field(ge=0)

    @property
    def id(self) -> str:
        return f"batch:{self.batch}:{self.agent[:12]}"


class ClusterCreated(Fact):
    kind = "cluster_created"
    cluster_id: str
    title: str
    root_cause: str

    @property
    def id(self) -> str:
        return f"cluster:{self.cluster_id}"


class FailureAssigned(Fact):
    """A failure joined a cluster."""

    kind = "failure_assigned"
    cluster_id: str
    failure: FailureRecord

    @property
    def id(self) -> str:
        return f"assigned:{self.failure.id}"


class ClusterDiagnosed(Fact):
    """What a cluster's failures have in common, as it is understood from now on."""

    kind = "cluster_diagnosed"
    cluster_id: str
    diagnosis: Diagnosis

    @property
    def id(self) -> str:
        return f"diagnosis:{self.cluster_id}:{self.batch}:{digest(self.diagnosis.model_dump(), size=8)}"


class TaskScored(Fact):
    """How a known task scored on a kept agent: this alone resolves a cluster."""

    kind = "task_scored"
    task_id: str
    passed: bool
    agent: str = ""
    """`agent_hash` of the kept agent."""
    rollout_id: str = ""

    @property
    def id(self) -> str:
        return f"scored:{self.rollout_id}"

    def payload(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"rollout_id"})

    @classmethod
    def of(cls, event: Event) -> Self:
        return cls.model_validate({**event.payload, "rollout_id": event.id.removeprefix("scored:")})


class TaskUnusable(Fact):
    """A training task that met the same fault twice, while others ran, and is left out."""

    kind = "task_unusable"
    task_id: str
    detail: str

    @property
    def id(self) -> str:
        return f"unusable:{self.task_id}"


class AttemptIntended(Fact):
    """What is about to be tried; written before anything is paid for it."""

    kind = "attempt"
    candidate_id: str
    attempt: int = Field(ge=1)
    """1-based within the batch."""
    number: int = Field(ge=1)
    """1-based within the run."""
    cluster_id: str
    parent: str
    """Commit of the incumbent."""
    best_micros: int = Field(ge=0)

    @property
    def id(self) -> str:
        return f"attempt:{self.candidate_id}"

    def payload(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"candidate_id"})

    @classmethod
    def of(cls, event: Event) -> Self:
        return cls.model_validate({**event.payload, "candidate_id": event.id.removeprefix("attempt:")})


class Briefed(Fact):
    """What the engineer was shown for an attempt; its text is the stored record of the same name."""

    kind = "briefed"
    candidate_id: str
    text: str
    """Hash of the first message."""
    failures: tuple[str, ...] = ()
    attempts: tuple[str, ...] = ()
    learnings: tuple[str, ...] = ()
    program: str = ""
    """Hash of the owner's program.md; empty when there was none."""

    @property
    def id(self) -> str:
        return f"briefed:{self.candidate_id}"


class PlateauReached(Fact):
    """So many attempts without a kept change: a step of the ladder."""

    kind = "plateau"
    step: str
    """`warn`, `diversify` or `stop`."""
    candidate_id: str
    """The attempt after which it was taken."""
    attempts: int = Field(ge=0)
    """Without a kept change."""

    @property
    def id(self) -> str:
        return f"plateau:{self.candidate_id}:{self.step}"


class AttemptEnded(Fact):
    """One line of the ledger: an attempt from intent to outcome."""

    kind = "ledger"
    entry: LedgerEntry
    turn: str = ""
    """Tells the endings of one attempt apart: empty for the first, `:1` for the next, after a fork."""

    @property
    def id(self) -> str:
        return f"ledger:{self.entry.candidate_id}{self.turn}"

    def payload(self) -> dict[str, Any]:
        return self.entry.model_dump(mode="json")

    @classmethod
    def of(cls, event: Event) -> Self:
        entry = LedgerEntry.model_validate(event.payload)
        turn = event.id.removeprefix(f"ledger:{entry.candidate_id}")
        return cls(batch=event.batch, entry=entry, turn=turn)


class Promoted(Fact):
    """A task joined the regression suite."""

    kind = "promoted"
    task_id: str
    candidate_id: str
    cluster_id: str
    passes: int = Field(ge=1)
    """In a row, on the kept agent."""

    @property
    def id(self) -> str:
        return f"promoted:{self.candidate_id}:{self.task_id}"


class SuiteFull(Fact):
    """Tasks that would have joined the suite, and did not."""

    kind = "suite_full"
    candidate_id: str
    tasks: tuple[str, ...]
    cap: int

    @property
    def id(self) -> str:
        return f"suite_full:{self.candidate_id}"

    def payload(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"batch"})


class TestOpened(Fact):
    """The seal of the test split is broken, for these agents; once in a run."""

    __test__: ClassVar[bool] = False  # the name is no test's
    kind = "test_opened"
    agents: tuple[str, ...]
    """Commits."""

    @property
    def id(self) -> str:
        return self.kind

    def payload(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"batch"})


class Certified(Fact):
    """Fresh trials of the first and the final agent on a split."""

    kind = "certificate"
    commit: str
    """Of the final agent."""
    certificate: Certificate

    @property
    def id(self) -> str:
        return f"certificate:{self.certificate.split}:{self.commit[:12]}"

    def payload(self) -> dict[str, Any]:
        return self.certificate.model_dump(mode="json")

    @classmethod
    def of(cls, event: Event) -> Self:
        commit = event.id.rpartition(":")[2]
        return cls(batch=event.batch, commit=commit, certificate=Certificate.model_validate(event.payload))


class ModelAnswered(Fact):
    """A model's name in its answers; a role's first one is the run's."""

    kind = "model_answered"
    role: str
    name: str
    first: bool

    @property
    def id(self) -> str:
        return f"model_answered:{self.role}:{self.name}"

    def payload(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"batch"})


F = TypeVar("F", bound=Fact)
R = TypeVar("R", bound=Record)


def facts_in(events: Iterable[Event], kind: type[F]) -> list[F]:
    """The facts of one kind among events, in their order."""
    return [kind.of(event) for event in events if event.kind == kind.kind]


@dataclass(frozen=True)
class RecordKind(Generic[R]):
    """A kind of stored record: its name in the journal and its type."""

    name: str
    model: type[R]


FAILURE = RecordKind("failure", FailureRecord)
CANDIDATE = RecordKind("candidate", Candidate)
VERDICT = RecordKind("verdict", Verdict)


class MadeBy(Record):
    """Which program worked on a run, as it was called; no event, for two runs with one seed have the same events."""

    version: str
    command: str
    """The command line, with user names and passwords of addresses left out."""
    at: float = 0.0
    """Seconds since 1970, for people only; see `Journal.stamp`."""


class RunPaused(Record):
    """Why a run stopped and waits."""

    reason: str
    message: str
    """For a person: what happened and what to do; for a review, what is asked."""
    batch: int = 0
    asked: bool = False
    """Whether a person is asked something."""
    at: float = 0.0


class Heartbeat(Record):
    """The newest sign of life of whoever works on a run."""

    batch: int = 0
    attempt: int = 0
    """Attempts begun in the whole run."""
    candidate: str = ""
    cluster: str = ""
    """Id and title of the cluster that is being worked on."""
    stage: str = ""
    """What is being run, such as `validation`."""
    done: int = 0
    """Rollouts of that stage so far."""
    of: int | None = None
    """How many there will be at most, where that is known."""
    kept: int = 0
    tokens: int = 0
    """Spent so far."""
    at: float = 0.0


MADE_BY = RecordKind("made_by", MadeBy)
"""One for every start and every resume, in order."""
PAUSED = RecordKind("paused", RunPaused)
"""One for every pause, by the length of the journal then."""
HEARTBEAT = RecordKind("heartbeat", Heartbeat)
"""One, under `run`."""
ONE = "run"
"""Name of a record that a run has one of."""
JUDGEMENT = RecordKind("judgement", Judgement)
