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
StepKind = Literal["user", "say", "act", "submit", "error"]
ChangeKind = Literal["prompt", "example", "tool", "context", "control_flow"]
GateName = Literal["admission", "cluster_tasks", "regression", "validation", "judge", "review"]
PolicyName = Literal["reference", "paired", "rigorous", "strict"]
Outcome = Literal["passed", "failed", "indecisive"]

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


class Task(Record):
    """One task of a benchmark; what it contains stays inside the benchmark."""

    id: str = Field(min_length=1)
    split: Split
    request_type: str = "task"
    """What kind of request it is, for weights and reports; the loop never reads meaning into it."""
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    """Relative frequency of this task in simulated production traffic."""
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
    """One visible event of a rollout, as the parent saw it."""

    index: int = Field(ge=0)
    kind: StepKind
    text: str = ""
    """What was said, or the tool's result for an `act`, or the error's text."""
    tool: str = ""
    arguments: dict[str, Any] = Field(default_factory=dict)


class Rollout(Record):
    """The result of one agent on one task, once."""

    key: RolloutKey
    seed: int
    status: RolloutStatus
    reward: float | None = Field(allow_inf_nan=False)
    """In [0, 1]; 0 for an agent_error; None exactly when status is infra."""
    detail: str = ""
    """Why it was an agent_error or infra, in one line; for ok, what the scorer found missing."""
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


class Evidence(Record):
    """A quote from a trace, with the step where it stands."""

    step: int = Field(ge=0)
    quote: str = Field(max_length=400)


class FailureRecord(Record):
    """What a failed rollout teaches: what failed, why, and what should have been done."""

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

    @property
    def id(self) -> str:
        return "F" + self.rollout_id[:11]

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


class Cluster(Record):
    """Failures with one root cause; ids are never reused."""

    id: str = Field(pattern=r"^C\d{3,}$")
    title: str
    root_cause: str
    created_batch: int = Field(ge=0)
    failures: tuple[FailureRecord, ...] = ()
    attempts: int = Field(default=0, ge=0)
    """Rejected attempts since this cluster's last kept change."""
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
    def severity(self) -> float:
        """Mean severity of its failures, 1 to 5."""
        return sum(f.severity for f in self.failures) / len(self.failures) if self.failures else 0.0

    def priority(self, batch: int, *, decay: float = 0.1) -> float:
        """Failures x severity/3 x (1 - resolution rate) x exp(-decay x batches since the last new failure)."""
        age = max(0, batch - self.last_batch)
        return self.size * self.severity / 3 * (1 - self.resolution_rate) * math.exp(-decay * age)

    def selection(self, batch: int, *, decay: float = 0.1) -> float:
        """Priority divided by 1 + rejected attempts since progress: one stubborn cluster cannot eat the budget."""
        return self.priority(batch, decay=decay) / (1 + self.attempts)


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
    tried: str
    outcome: Literal["kept", "rejected"]
    gate: GateName | None
    """Which gate rejected it; None for a kept change."""
    pattern: str
    """What kind of change does or does not work on this cause."""
    advice: str
    """What to do next time."""
    for_people: str
    """What a person responsible for the agent should know."""

    @property
    def id(self) -> str:
        return "L" + self.candidate_id[1:]

    @property
    def embedding_text(self) -> str:
        return f"{self.cluster_title}. {self.tried} {self.pattern}"


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
