"""What a run tells people, as one typed record: its state, its sentences, its rows.

The page, `status`, progress.json, a notebook and the end of a run are drawn from this record. Every sentence stands in
it once; whoever draws it adds no words of his own about the run. Shares and differences are in [-1, 1].
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from sigmaloop.records import LedgerPart, Record
from sigmaloop.report.effects import Effect
from sigmaloop.report.gates import Group
from sigmaloop.report.known_changes import KnownChange
from sigmaloop.report.summary import Summary

State = Literal[
    "better", "worse", "unproven", "unchanged", "waiting", "paused", "stopped", "running", "uncertified", "new",
]  # fmt: skip
Tone = Literal["good", "bad", "warn", "plain"]


class Measure(Record):
    """A certified difference between the final and the first agent."""

    label: str
    sealed: bool
    baseline: float
    final: float
    difference: float
    low: float | None
    """Of its 95 % interval; None for too few tasks."""
    high: float | None
    tasks: int
    trials: int


class Headline(Record):
    """Is it better, for certain?"""

    badge: str
    tone: Tone
    title: str
    """The answer in one or two sentences."""
    evidence: tuple[str, ...] = ()
    """The figures behind it, the most important first."""
    caution: str = ""
    """Why to expect less than the figures say; empty where nothing speaks against them."""
    measures: tuple[Measure, ...] = ()
    """The headline's first."""
    short: str = ""
    """The answer in half a line, for the terminal."""


class Command(Record):
    """Something to type."""

    text: str
    why: str = ""


class Step(Record):
    """One thing to do now."""

    text: str
    commands: tuple[Command, ...] = ()
    section: str = ""
    """Id of the section that it is about."""


class Figure(Record):
    """One figure of the strip."""

    label: str
    value: str
    more: str = ""


class Attempt(Record):
    """One attempt: what was changed, why, and what became of it."""

    id: str
    number: int
    """1-based within the run."""
    batch: int
    attempt: int
    group: Group
    cluster: str
    cluster_title: str
    kind: str
    summary: str
    hypothesis: str
    reviewer: str = ""
    reviewer_says: str = ""
    by: str = ""
    """By how much, as numbers."""
    detail: str = ""
    """What most of its failing trials said."""
    distance: float = 0.0
    """How far from passing, in its gate's own measure: 0 is nearest."""
    effect: Effect | None = None
    promoted: int = 0
    """Fixed tasks that joined the suite."""
    diff: str = ""
    added: int = 0
    removed: int = 0
    parts: tuple[LedgerPart, ...] = ()
    """The drafts that were merged; empty for one change that was made by itself."""
    removes: tuple[str, ...] = ()
    """Drafts kept before that it takes out again."""
    ungated: bool = False
    """Kept without anybody measuring whether it helps."""
    tokens: int = 0
    """Spent on this attempt, its specialists' included."""
    cost: float = 0.0


class Score(Record):
    """The running estimate after an attempt, of the agent that was kept then."""

    number: int
    mean: float
    low: float
    high: float


class Night(Record):
    """How the run went, along its attempts."""

    title: str
    attempts: int
    batches: tuple[tuple[int, int], ...] = ()
    """Batch and the number of its first attempt."""
    scores: tuple[Score, ...] = ()
    suite: tuple[tuple[int, int], ...] = ()
    """Attempt, and tasks in the suite after it."""
    known: tuple[tuple[float, str], ...] = ()
    """Place between the attempts, and id, of each known change."""


class GateLine(Record):
    """How many attempts got past a gate."""

    label: str
    passed: int


class RejectedGroup(Record):
    """Attempts that one gate rejected."""

    group: Group
    title: str
    why: str
    ids: tuple[str, ...]
    """The nearest to passing first."""


class ClusterCell(Record):
    """A cluster after a batch."""

    batch: int
    failing: int
    tasks: int
    new: int
    state: Literal["open", "part", "resolved"]


class ClusterRow(Record):
    """A cluster through the run."""

    id: str
    title: str
    root_cause: str
    status: str
    open: bool
    failing: int
    """Tasks that fail on the kept agent, as far as known."""
    tasks: int
    failures: int
    kept: int
    rejected: int
    """Attempts rejected, all of them."""
    stubborn: int
    """Attempts rejected since its last keep."""
    severity: float
    priority: float
    cells: tuple[ClusterCell, ...] = ()
    request_types: tuple[str, ...] = ()


class TypeRow(Record):
    """A kind of request before and after."""

    request_type: str
    tasks: int
    before: float
    after: float


class Flips(Record):
    """What became of single tasks: counts alone, no task of the sealed split is ever named."""

    title: str
    where: str
    fixed: int
    """Never solved before, always now."""
    better: int
    same: int
    worse: int
    broken: int
    """Always solved before, never now."""
    types: tuple[TypeRow, ...] = ()

    @property
    def tasks(self) -> int:
        return self.fixed + self.better + self.same + self.worse + self.broken


class Need(Record):
    """Something that only a person can decide."""

    title: str
    text: str
    ids: tuple[str, ...] = ()


class Check(Record):
    """Why to trust the result, or not."""

    mark: Literal["fine", "caution", "bad"]
    title: str
    text: str


class CostLine(Record):
    """A part of the cost."""

    label: str
    rollouts: int
    calls: int
    tokens: int
    cost: float


class Costs(Record):
    """What the run cost, and where."""

    title: str
    by_purpose: tuple[CostLine, ...] = ()
    by_role: tuple[CostLine, ...] = ()
    by_batch: tuple[CostLine, ...] = ()
    by_cluster: tuple[CostLine, ...] = ()
    priced: bool = False


class Question(Record):
    """What a waiting run asks."""

    text: str
    candidate: str = ""
    diff: str = ""
    hypothesis: str = ""
    reviewer: str = ""


class Live(Record):
    """What is going on now, or was when the run stopped."""

    text: str
    seconds: float
    """Since the newest sign of life."""


class Report(Record):
    """Everything that is told of a run."""

    run_id: str
    home: str
    path: str
    benchmark: str
    agent_path: str
    state: State
    condition: str
    process: int | None = None
    banner: str = ""
    """Said above everything, such as that a stand-in answered; empty for a real run."""
    headline: Headline
    todo: tuple[Step, ...] = ()
    strip: tuple[Figure, ...] = ()
    question: Question | None = None
    live: Live | None = None
    pauses: tuple[str, ...] = ()
    night: Night
    changes_title: str = ""
    rejected_title: str = ""
    attempts: tuple[Attempt, ...] = ()
    """Every attempt, in the order in which they ended."""
    funnel: tuple[GateLine, ...] = ()
    rejected: tuple[RejectedGroup, ...] = ()
    known: tuple[KnownChange, ...] = ()
    clusters_title: str = ""
    clusters: tuple[ClusterRow, ...] = ()
    """Open ones first, by priority."""
    tasks: Flips | None = None
    needs: tuple[Need, ...] = ()
    checks: tuple[Check, ...] = ()
    """Cautions first."""
    costs: Costs
    whole_diff: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    when: str = ""
    written: float | None = None
    summary: Summary = Field(exclude=True)
    """The bare numbers, as `run --json` prints them."""

    @property
    def kept(self) -> tuple[Attempt, ...]:
        return tuple(attempt for attempt in self.attempts if attempt.group == "kept")

    @property
    def cautions(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.mark != "fine")

    @property
    def short_id(self) -> str:
        return self.run_id[:8]

    def sentences(self) -> dict[str, Any]:
        """State and headline for machines: what progress.json and `--json` add to the numbers."""
        return {
            "state": self.state,
            "badge": self.headline.badge,
            "title": self.headline.title,
            "evidence": list(self.headline.evidence),
            "caution": self.headline.caution,
            "banner": self.banner,
            "live": self.live.model_dump(mode="json") if self.live else None,
            "question": self.question.text if self.question else "",
            "checks": [check.model_dump(mode="json") for check in self.cautions],
        }
