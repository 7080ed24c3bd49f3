"""What the graph carries from node to node: ids and counters; everything else lies in the journal."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

Gate = Literal["regression_gate", "validation_gate"]
Outcome = Literal[
    "ready", "unusable", "passed", "failed", "indecisive", "approved", "declined",
    "redraft", "nothing", "ungated", "try_again", "regroup", "onward",
]  # fmt: skip
"""What a node found, where more than one edge leads on."""


def gather(known: list[str], found: list[str] | None) -> list[str]:
    """Reducer of parallel results: the sorted union; None starts afresh."""
    return [] if found is None else sorted({*known, *found})


class Limits(TypedDict):
    """The budget that routing reads; copied from the settings when the run begins."""

    batches: int
    attempts: int
    max_attempts: int
    stop_after_keep: NotRequired[bool]


RunId = Annotated[str, Field(description="The run whose journal and repository these ids point into.")]
Commit = Annotated[str, Field(description="Commit of an agent in the run's own repository.")]
Incumbent = Annotated[str, Field(description="Commit of the kept agent.")]
Micros = Annotated[
    int, Field(description="Validation reward sum of the kept agent, in millionths: the bar of `reference`.")
]
Tasks = Annotated[int, Field(description="Valid results behind best_micros.")]
Batch = Annotated[int, Field(description="1-based; 0 before the first.")]
Attempt = Annotated[int, Field(description="Attempts made in this batch.")]
Total = Annotated[int, Field(description="Attempts made in the whole run.")]
Window = Annotated[list[str], Field(description="Task ids of this batch's traffic.")]
Failed = Annotated[list[str], Field(description="Those of them that are to be mined.")]
ClusterId = Annotated[
    str | None, Field(description="The cluster that the next attempt is for; null: nothing is left to fix.")
]
CandidateId = Annotated[str | None, Field(description="The newest attempt.")]
PausedGate = Annotated[Gate | None, Field(description="The gate that could not decide and is tried again on resume.")]
Verdicts = Annotated[
    list[str], Field(description="Names of this attempt's verdicts in the journal, in the order of the gates.")
]
Kept = Annotated[bool, Field(description="Whether the newest attempt was kept.")]
Plateau = Annotated[
    Literal["", "warn", "diversify", "stop"], Field(description="How long nothing was kept, as a step of the ladder.")
]
SearchHead = Annotated[
    str, Field(description="Id of the newest step of the search; empty before the first, and for `single` always.")
]
Slots = Annotated[list[str], Field(description="Ids of the drafts that the engineer is asked for next.")]
Found = Annotated[Outcome, Field(description="What the last node found: the label of the edge to follow.")]
Reason = Annotated[str, Field(description="Why, as a stable code.")]
Length = Annotated[
    int,
    Field(description="Events in the journal when the last node ended: a state that knows of more has lost its end."),
]


class LoopState(TypedDict):
    """The whole state of a run: small, JSON, and enough to go on from any checkpoint."""

    run_id: RunId
    limits: Annotated[Limits, Field(description="The budget.")]
    baseline: Commit
    incumbent: Incumbent
    best_micros: Micros
    best_tasks: Tasks
    batch: Batch
    attempt: Attempt
    attempts_total: Total
    window: Window
    failed: Failed
    mined: Annotated[list[str], Field(description="Failure ids that came out of mining."), gather]
    cluster_id: ClusterId
    candidate_id: CandidateId
    paused_gate: PausedGate
    verdicts: Verdicts
    kept: Kept
    plateau: Plateau
    search: SearchHead
    slots: Slots
    outcome: Found
    reason: Reason
    journal: Length


class LoopUpdate(TypedDict, total=False):
    """What a node changes: any of the state's fields, and no other."""

    run_id: RunId
    limits: Limits
    baseline: Commit
    incumbent: Incumbent
    best_micros: Micros
    best_tasks: Tasks
    batch: Batch
    attempt: Attempt
    attempts_total: Total
    window: Window
    failed: Failed
    mined: list[str] | None
    cluster_id: ClusterId
    candidate_id: CandidateId
    paused_gate: PausedGate
    verdicts: Verdicts
    kept: Kept
    plateau: Plateau
    search: SearchHead
    slots: Slots
    outcome: Found
    reason: Reason
    journal: Length


class MineTask(TypedDict):
    """What one parallel miner is sent."""

    run_id: RunId
    batch: Batch
    agent: Annotated[str, Field(description="Commit of the agent whose rollout failed.")]
    task_id: str


class DraftTask(TypedDict):
    """What one of the engineers that draft side by side is sent."""

    run_id: RunId
    batch: Batch
    agent: Annotated[str, Field(description="Commit that the draft is written on.")]
    search: SearchHead
    draft_id: str


class RunContext(BaseModel):
    """The form that starts a run in Studio: every field is optional and means what the flag means."""

    model_config = ConfigDict(extra="forbid")

    benchmark: str | None = Field(default=None, description="Name of a shipped benchmark, or module:Class.")
    agent: str | None = Field(default=None, description="Path of the one agent file.")
    seed: int | None = Field(default=None, ge=0, description="Seed for all randomness.")
    batches: int | None = Field(default=None, ge=1, description="Batches of sampled traffic.")
    batch_size: int | None = Field(default=None, ge=1, description="Tasks in a batch.")
    attempts: int | None = Field(default=None, ge=1, description="Attempts in a batch.")
    max_attempts: int | None = Field(default=None, ge=1, description="Attempts in the whole run.")
    strategy: Literal["single", "compose", "portfolio", "race", "evolve", "pareto", "paste"] | None = Field(
        default=None, description="How drafts become what the gate judges."
    )
    review: Literal["auto", "person"] | None = Field(default=None, description="Who approves a change that passed.")
    certify_trials: int | None = Field(default=None, ge=1, description="Fresh trials of each task at the end.")
    upstream: Literal["auto", "simulated", "openai"] | None = Field(default=None, description="Which model answers.")

    def given(self) -> dict[str, Any]:
        """The fields that were filled in."""
        return self.model_dump(exclude_none=True)
