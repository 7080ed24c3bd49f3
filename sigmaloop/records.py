"""The words of the loop: frozen records that travel between the folders and into the journal.

Every record checks its own invariants when it is made; whatever can be derived is a property.
The class path `sigmaloop.records` is part of the stored format: never move a record out of here.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Split = Literal["train", "validation", "test"]
RolloutStatus = Literal["ok", "agent_error", "infra"]
RolloutOutcome = Literal["passed", "failed", "agent_error", "infra"]
StepKind = Literal["user", "say", "act", "submit", "error", "refused", "model"]
ChangeKind = Literal["prompt", "example", "tool", "context", "control_flow"]
GateName = Literal["admission", "cluster_tasks", "regression", "validation", "judge", "review"]
PolicyName = Literal["reference", "paired", "rigorous", "strict"]
Outcome = Literal["passed", "failed", "indecisive"]
InstructionGap = Literal["missing", "vague", "overlooked", "code"]
"""What the agent's instructions had to do with a failure: they say nothing of it, say it too vaguely, say it and were
overlooked, or its own code is the cause."""

REWARD_MICROS = 1_000_000
"""Rewards are compared as whole units (1.0 = 1,000,000): no decision hangs on a rounding."""

JsonObject = dict[str, Any]
"""An object of JSON whose shape somebody else decides: a chat request, a tool's arguments, a row of a benchmark."""


def digest(*parts: object, size: int = 16) -> str:
    """First `size` hex digits of the SHA-256 of the parts, as canonical JSON."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:size]


def agent_hash(source: str, package: str = "") -> str:
    """The identity of an agent: 16 hex digits of the SHA-256 of its one file's text, and of its package's digest."""
    return hashlib.sha256(f"{source}\0{package}".encode() if package else source.encode()).hexdigest()[:16]


class Record(BaseModel):
    """A frozen fact; unknown fields are an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _unset(value: object) -> bool:
    """Left out of what is hashed: a mark that nobody set makes no other task, rollout or decision."""
    return value in (None, 1.0)


def _false(value: object) -> bool:
    """Left out of what is stored: it says nothing."""
    return not value


def _empty(value: object) -> bool:
    """Left out of what is stored: older results have no such field."""
    return not value


class Task(Record):
    """One task of a benchmark; what it contains stays inside the benchmark."""

    id: str = Field(min_length=1)
    split: Split
    request_type: str = "task"
    """What kind of request it is, for weights and reports; the loop never reads meaning into it."""
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    """Relative frequency of this task in sampled production traffic."""
    fingerprint: str = ""
    """Hash of the task's content: a changed benchmark is noticed in the middle of a run."""
    pass_at: float | None = Field(default=None, gt=0, le=1, exclude_if=_unset)
    """Reward from which this task counts as passed; None: the benchmark's own mark."""


class Usage(Record):
    """What model calls cost."""

    calls: int = Field(default=0, ge=0)
    input_tokens: int = Field(default=0, ge=0)
    output_tokens: int = Field(default=0, ge=0)
    cost: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """Money, in the currency of the settings' prices."""

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            calls=self.calls + other.calls,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cost=self.cost + other.cost,
        )


class RolloutKey(Record):
    """What a rollout is a rollout of; the same key is never paid for twice."""

    agent: str
    """`agent_hash` of the source."""
    task_id: str
    trial: int = Field(ge=0)

    @property
    def id(self) -> str:
        return digest(self.agent, self.task_id, self.trial)

    def seed(self, run_seed: int) -> int:
        """31-bit seed of this rollout: differs by run seed, agent, task and trial."""
        return int(digest("rollout", run_seed, self.agent, self.task_id, self.trial, size=8), 16) & 0x7FFFFFFF


class Step(Record):
    """One event of a rollout, as the parent saw it.

    `refused`: a call that the model asked for and the agent's own code did not make; `text` is what the model was told.
    `model`: a reply of the model that was neither said nor acted on, such as a plan or a self-check.
    """

    index: int = Field(ge=0)
    kind: StepKind
    text: str = ""
    """What was said, or the tool's result for an `act`, or the error's text."""
    tool: str = ""
    arguments: dict[str, Any] = Field(default_factory=dict)
    by_code: bool = Field(default=False, exclude_if=_false)
    """An `act` that the agent's code made without the model's having asked for it, such as a retry."""


class ModelCall(Record):
    """One model call of a rollout: what it cost and where it stands. Its text is kept by `--record-calls` alone."""

    step: int = Field(ge=0)
    """How many steps had been seen when it was answered."""
    model: str = ""
    """The name by which the endpoint answered."""
    prompt: str = ""
    """Hash of the request: equal for equal prompts."""
    input_tokens: int = Field(default=0, ge=0)
    output_tokens: int = Field(default=0, ge=0)
    seconds: float | None = Field(default=None, ge=0)
    """How long the endpoint took; None when the call journal answered."""


class Course(Record):
    """How a rollout went beside its steps. Nothing of it is evidence: two equal rollouts differ in their times."""

    calls: tuple[ModelCall, ...] = ()
    seen: tuple[float, ...] = ()
    """Seconds from the rollout's beginning to each step."""


NO_COURSE = Course()


class Rollout(Record):
    """The result of one agent on one task, once."""

    key: RolloutKey
    seed: int
    status: RolloutStatus
    reward: float | None = Field(allow_inf_nan=False)
    """In [0, 1]; 0 for an agent_error; None exactly when status is infra."""
    detail: str = ""
    """Why it was an agent_error or infra, in one line; for ok, what the scorer found missing."""
    explanation: str = Field(default="", exclude_if=_false)
    """Of a training task: what the benchmark tells of how it ended, expected facts included. Empty for every other."""
    refusal: str = ""
    """How the endpoint refused its last model call, such as `400 context_length_exceeded`; empty when it did not."""
    components: dict[str, float] = Field(default_factory=dict)
    usage: Usage = Usage()
    steps: int = 0
    wall_seconds: float = 0.0
    tier: str = "none"
    """Which sandbox tier ran it."""
    pass_at: float = Field(default=1.0, gt=0, le=1, exclude_if=_unset)
    """Reward from which its task counted as passed when it was run."""
    stage: str = Field(default="", exclude_if=_empty)
    """What it was made for, such as `traffic`, `validation` or `certify on test`: whoever asked first."""
    split: Split | None = Field(default=None, exclude_if=_unset)
    """Of its task; None where nobody said: then its trace is kept apart, as one of validation is."""
    request_type: str = Field(default="", exclude_if=lambda name: not name)
    """Of its task."""

    @model_validator(mode="after")
    def _reward_fits_status(self) -> Self:
        if (self.status == "infra") != (self.reward is None):
            raise ValueError("reward is None exactly for infra rollouts")
        if self.reward is not None and not (0.0 <= self.reward <= 1.0 and math.isfinite(self.reward)):
            raise ValueError(f"reward {self.reward} is outside [0, 1]")
        if self.status == "agent_error" and self.reward != 0.0:
            raise ValueError("an agent_error scores 0")
        return self

    @property
    def id(self) -> str:
        return self.key.id

    @property
    def task_id(self) -> str:
        return self.key.task_id

    @property
    def valid(self) -> bool:
        """Counts as evidence; infrastructure faults do not."""
        return self.status != "infra"

    @property
    def passed(self) -> bool:
        """A valid result whose reward reaches the task's mark."""
        return self.reward is not None and self.reward_micros >= self.pass_units

    @property
    def outcome(self) -> RolloutOutcome:
        """How it ended, in one word; `failed` is a valid result of an agent that broke no rule and missed the mark."""
        if self.status != "ok":
            return self.status
        return "passed" if self.passed else "failed"

    @property
    def pass_units(self) -> int:
        """The mark in whole units."""
        return max(1, round(self.pass_at * REWARD_MICROS))

    @property
    def reward_micros(self) -> int:
        """Reward in whole units; 0 for infra (check `valid` first)."""
        return round((self.reward or 0.0) * REWARD_MICROS)

    @property
    def evidence(self) -> str:
        """Hash of what a verdict depends on: who, what, which trial, how it ended."""
        mark = () if self.pass_at == 1 else (self.pass_at,)
        return digest(self.id, self.seed, self.status, self.reward, *mark)


class Trace(Record):
    """A rollout with everything that was seen of it, as people read it."""

    rollout: Rollout
    steps: tuple[Step, ...] = ()
    course: Course = Course()
    written: float = 0.0
    """Seconds since 1970 when it was stored; 0: not stored, or by an older version."""


class TraceFilter(Record):
    """Which traces; what is None or empty does not matter."""

    split: Split | None = None
    request_type: str | None = None
    outcome: RolloutOutcome | None = None
    """`failed` finds agent_error too."""
    agents: tuple[str, ...] | None = None
    """`agent_hash` of each; an empty tuple finds nothing."""
    task_id: str | None = None
    limit: int | None = Field(default=None, ge=1)
    """The newest so many."""


class Evidence(Record):
    """A quote from a trace, with the step where it stands."""

    step: int = Field(ge=0)
    quote: str = Field(max_length=400)


MINOR = 0.5
"""What a cause counts that did not decide the failure."""


class FailureRecord(Record):
    """One cause of a failed rollout: what failed, why, and what should have been done."""

    rollout_id: str
    task_id: str
    request_type: str
    batch: int = Field(ge=0)
    mechanism: str = Field(min_length=1, max_length=80)
    """Two to six words that name how it went wrong, without names of things in the task."""
    what_failed: str
    root_cause: str
    should_have: str
    """What the agent should have done instead."""
    severity: int = Field(ge=1, le=5)
    evidence: tuple[Evidence, ...] = ()
    cause: int = Field(default=0, ge=0, exclude_if=_false)
    """Of the causes of one rollout, counted from 0; the decisive one comes first."""
    decisive: bool = True
    """Without this cause the task would have been done."""
    instruction: InstructionGap = "missing"

    @property
    def id(self) -> str:
        return f"F{self.rollout_id[:11]}" + (f"-{self.cause + 1}" if self.cause else "")

    @property
    def weight(self) -> float:
        """What it counts in its cluster."""
        return 1.0 if self.decisive else MINOR

    @property
    def embedding_text(self) -> str:
        """What is embedded: mechanism, root cause, remedy; never the trace or the entities."""
        return f"{self.mechanism}. {self.root_cause} {self.should_have}"


class ClusterChoice(Record):
    """The clusterer's decision for one failure: an existing cluster's id, or a new cluster."""

    cluster_id: str | None
    """None: none of the shown clusters has this root cause."""
    title: str = Field(default="", max_length=80)
    reason: str = ""


class Diagnosis(Record):
    """What the failures of a cluster have in common, as it is understood now."""

    common_cause: str
    where: str = ""
    """In which moment of the work it happens."""
    missing_instruction: str = ""
    """What the agent would have to be told, or its code to do."""
    counter_examples: str = ""
    """What tasks of the same kind that went well did otherwise."""


class Cluster(Record):
    """Failures with one root cause; ids are never reused."""

    id: str = Field(pattern=r"^C\d{3,}$")
    title: str
    root_cause: str
    created_batch: int = Field(ge=0)
    failures: tuple[FailureRecord, ...] = ()
    attempts: int = Field(default=0, ge=0)
    """Rejected attempts since this cluster's last kept change."""
    setbacks: float = Field(default=0.0, ge=0)
    """The same for ranking: a rejection at validation, which mended its targets, counts half."""
    diagnosis: Diagnosis | None = None
    kept: int = Field(default=0, ge=0)
    resolved_tasks: frozenset[str] = frozenset()
    """Tasks of this cluster whose newest score on a kept agent passes."""
    last_batch: int = Field(default=0, ge=0)

    @property
    def tasks(self) -> frozenset[str]:
        return frozenset(f.task_id for f in self.failures)

    @property
    def size(self) -> int:
        return len(self.failures)

    @property
    def resolution_rate(self) -> float:
        """Share of the cluster's distinct tasks that pass on the newest kept agent, in [0, 1]."""
        return len(self.resolved_tasks & self.tasks) / len(self.tasks) if self.failures else 0.0

    @property
    def weight(self) -> float:
        """Its failures, each by whether this cause decided it."""
        return sum(f.weight for f in self.failures)

    @property
    def severity(self) -> float:
        """Mean severity of its failures, 1 to 5."""
        return sum(f.severity for f in self.failures) / len(self.failures) if self.failures else 0.0

    def priority(self, batch: int, *, decay: float = 0.1) -> float:
        """Weight x (2 + severity) / 5 x (1 - resolution rate) x exp(-decay x batches since the last new failure).

        Causes count, severity only colours them, from .6 to 1.4: one failure of severity 5 never goes before three
        others, and a cluster of six before no single one.
        """
        age = max(0, batch - self.last_batch)
        return self.weight * (2 + self.severity) / 5 * (1 - self.resolution_rate) * math.exp(-decay * age)

    def selection(self, batch: int, *, decay: float = 0.1) -> float:
        """Priority divided by 1 + setbacks since progress: one stubborn cluster cannot eat the budget."""
        return self.priority(batch, decay=decay) / (1 + self.setbacks)


class Proposal(Record):
    """The harness engineer's one focused change: the whole new text of the agent file, and why."""

    hypothesis: str = Field(min_length=1)
    kind: ChangeKind
    summary: str = Field(min_length=1, max_length=200)
    source: str
    """The whole text of the changed agent file."""


class Candidate(Record):
    """An attempt as an object of the run's repository."""

    id: str = Field(pattern=r"^A\d{4,}$")
    batch: int
    attempt: int
    """1-based within the batch."""
    cluster_id: str
    parent: str
    """Commit of the incumbent that it changes."""
    commit: str
    agent: str
    """`agent_hash` of its source."""
    hypothesis: str
    kind: ChangeKind
    summary: str
    diff: str
    """Unified diff against the parent."""
    usage: Usage = Usage()

    @property
    def diff_hash(self) -> str:
        return digest(self.diff)


class Verdict(Record):
    """What one gate decided, and the whole numbers that it decided on."""

    candidate_id: str
    gate: GateName
    outcome: Outcome
    reason: str
    """Stable code, such as `suite_below_floor` or `validation_below_best`."""
    message: str
    """The same for a person, in one sentence."""
    passes: int = Field(default=0, ge=0)
    evaluated: int = Field(default=0, ge=0)
    total: int = Field(default=0, ge=0)
    reward_micros: int = Field(default=0, ge=0)
    """Reward summed over evaluated tasks, in whole units."""
    required_micros: int = 0
    """What had to be reached, in whole units."""
    upper_bound_micros: int | None = None
    """Set when validation was stopped early: the most that it could still have reached; never a score."""
    infra: int = Field(default=0, ge=0)
    z: float | None = None
    """Of a measured comparison: the difference to the incumbent in standard errors, at the last look."""
    difference: float | None = None
    """Candidate minus incumbent, mean over tasks of per-task mean rewards."""
    standard_error: float | None = None
    evidence: str = ""
    """Digest over the evidence of every rollout that it used, in order of task id."""

    @property
    def accepted(self) -> bool:
        return self.outcome == "passed"


class Judgement(Record):
    """The gate judge's reading of a change: an explanation, a class, and perhaps a veto."""

    classification: Literal["sound", "overfit", "risky", "unclear"]
    veto: bool = False
    """True rejects a change that passed the mechanical gates; it can never save one that failed."""
    explanation: str
    """Why it helped, or did not."""
    next_idea: str = Field(default="", max_length=200)
    """What to try instead, or next: given to the next engineer at this cause."""


class SuiteCase(Record):
    """A task that was fixed once and must stay fixed."""

    task_id: str
    promoted_batch: int
    promoted_by: str
    """Candidate id whose keep promoted it."""
    cluster_id: str
    passes: int = Field(ge=1)
    """Passes in a row on the kept agent when it was promoted."""


class Learning(Record):
    """What an attempt taught; survives the batch, the run's end and the engineer's context."""

    candidate_id: str
    batch: int
    attempt: int
    cluster_id: str
    cluster_title: str
    kind: ChangeKind | None = None
    situation: str
    """What goes wrong, and where."""
    tried: str
    outcome: Literal["kept", "rejected"]
    gate: GateName | None
    """Which gate rejected it; None for a kept change."""
    observed: str
    """What was seen on training tasks: figures, and why it helped or did not."""
    follows: str
    """What to do next time."""
    same: int = Field(default=1, ge=1)
    """Attempts that taught the same; this is the newest of them."""
    used: int = Field(default=0, ge=0)
    """Attempts that were shown it."""
    helped: int = Field(default=0, ge=0)
    """Those of them that were kept."""

    @property
    def id(self) -> str:
        return "L" + self.candidate_id[1:]

    @property
    def embedding_text(self) -> str:
        return f"{self.cluster_title}. {self.tried} {self.follows}"


class LedgerPart(Record):
    """One of the drafts that an attempt was merged from."""

    draft: str
    cluster_id: str
    cluster_title: str
    kind: ChangeKind
    summary: str


class LedgerEntry(Record):
    """One attempt from intent to outcome; the ledger is the list of all of them, kept or not."""

    candidate_id: str
    batch: int
    attempt: int
    cluster_id: str
    cluster_title: str
    parent: str
    commit: str
    agent: str
    kind: ChangeKind | None
    summary: str
    hypothesis: str
    outcome: Literal["kept", "rejected"]
    gate: GateName | None
    reason: str
    verdicts: tuple[Verdict, ...] = ()
    judgement: Judgement | None = None
    best_micros: int = 0
    """The bar that validation had to reach before this attempt, in whole units."""
    score_micros: int | None = None
    """Validation reward sum of a kept attempt."""
    rollouts: int = Field(default=0, ge=0)
    """Rollouts that the gates asked for."""
    diff_hash: str = ""
    tier: str = ""
    """Sandbox tier of the run."""
    prompts: dict[str, str] = Field(default_factory=dict)
    """Prompt name to hash of its text, for every specialist."""
    program: str = Field(default="", exclude_if=_false)
    """Hash of the owner's program.md as the engineer read it; empty when there was none."""
    parts: tuple[LedgerPart, ...] = Field(default=(), exclude_if=_false)
    """The drafts that were merged, the strongest first; empty for one change that was made by itself."""
    removes: tuple[str, ...] = Field(default=(), exclude_if=_false)
    """Drafts kept before that it takes out again."""


class TypeResult(Record):
    """The difference that a run made on one request type."""

    request_type: str
    tasks: int
    baseline: float
    final: float
    difference: float
    standard_error: float

    @property
    def lost(self) -> bool:
        """It lost more than two standard errors."""
        return self.difference < -2 * self.standard_error


class TaskScores(Record):
    """What two agents scored on one task of a certificate: means over their valid trials."""

    task_id: str
    request_type: str = Field(default="", exclude_if=_empty)
    baseline: float = Field(ge=0, le=1)
    final: float = Field(ge=0, le=1)


class Certificate(Record):
    """Fresh trials of baseline and final agent: the headline of a run."""

    split: Split
    agent: str = ""
    """The final agent: `agent_hash` of its text."""
    tasks: int
    trials: int
    """Per task and agent."""
    baseline: float
    final: float
    difference: float
    """final - baseline, mean over tasks of per-task mean rewards."""
    standard_error: float
    """Of the difference, over tasks (paired); of few tasks never below the luck of their trials."""
    infra: int = 0
    simulated: bool
    by_type: tuple[TypeResult, ...] = Field(default=(), exclude_if=_false)
    """The same for each request type with enough tasks."""
    baseline_agent: str = Field(default="", exclude_if=_empty)
    """The first agent: `agent_hash` of its text."""
    by_task: tuple[TaskScores, ...] = Field(default=(), exclude_if=_empty)
    """Every task that is valid for both, by id."""

    @property
    def headline(self) -> Certificate:
        """The same without what each task scored: what is shown, printed and sent."""
        return self.model_copy(update={"by_task": ()})

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of the difference, by Student's t; None for fewer than `FEWEST_TASKS`."""
        if self.tasks < FEWEST_TASKS:
            return None
        half = student_t(self.tasks - 1) * self.standard_error
        return self.difference - half, self.difference + half

    @property
    def certified(self) -> bool:
        """Shown to be no worse than the baseline: there is an interval, and its lower end is not below 0."""
        return self.interval is not None and self.interval[0] >= 0


FEWEST_TASKS = 5
"""Of fewer tasks no interval is given: what they have in common by luck cannot be seen."""


def student_t(degrees: int) -> float:
    """The .975 quantile of Student's t for at least 4 degrees of freedom, to a part in a thousand.

    Cornish and Fisher's expansion around the normal quantile.
    Source: Abramowitz & Stegun 1964, Handbook of Mathematical Functions, 26.7.5.
    """
    if degrees < FEWEST_TASKS - 1:
        raise ValueError(f"{degrees} degrees of freedom are too few for this expansion")
    z, n = 1.959963984540054, float(degrees)
    return z + (
        (z**3 + z) / 4 / n
        + (5 * z**5 + 16 * z**3 + 3 * z) / 96 / n**2
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384 / n**3
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160 / n**4
    )
