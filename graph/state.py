"""What the graph carries from node to node: ids and counters; everything else lies in the journal."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from pydantic import BaseModel, ConfigDict, Field

Next = Literal[
    "fix", "next_batch", "finished", "ready", "unusable", "passed", "failed", "indecisive",
    "approved", "declined", "try_again",
]  # fmt: skip


def gather(known: list[str], found: list[str] | None) -> list[str]:
    """Reducer of parallel results: the sorted union; None starts afresh."""
    return [] if found is None else sorted({*known, *found})


class Limits(TypedDict):
    """The budget that routing reads; copied from the settings when the run begins."""

    batches: int
    attempts: int
    max_attempts: int


class LoopState(TypedDict, total=False):
    """The whole state of a run: small, JSON, and enough to go on from any checkpoint."""

    run_id: str
    """The run whose journal and repository these ids point into."""
    limits: Limits
    baseline: str
    """Commit of the agent that the run began with."""
    incumbent: str
    """Commit of the kept agent."""
    best_micros: int
    """Validation reward sum of the kept agent, in whole units: the bar of `reference`; others compare with the bank."""
    best_tasks: int
    """Valid results behind it."""
    batch: int
    """1-based; 0 before the first."""
    attempt: int
    """Attempts made in this batch."""
    attempts_total: int
    window: list[str]
    """Task ids of this batch's traffic."""
    failed: list[str]
    """Those of them that are to be mined."""
    mined: Annotated[list[str], gather]
    """Failure ids that came out of mining."""
    cluster_id: str | None
    """The cluster that the next attempt is for; None: nothing left to fix."""
    candidate_id: str | None
    paused_gate: Literal["regression_gate", "validation_gate"] | None
    """The gate that could not decide and is tried again on resume."""
    verdicts: list[str]
    """Names of this attempt's verdicts in the journal, in the order of the gates: those of this way through the
    graph, whatever another one came to."""
    kept: bool
    """Whether the last attempt was kept."""
    next: Next
    """What the last node found: the label of the edge to follow."""
    reason: str
    """Why, as a stable code."""
    journal: int
    """Events in the journal when the last node ended: a state that knows of more has lost its journal's end."""


class MineTask(TypedDict):
    """What one parallel miner is sent."""

    run_id: str
    batch: int
    agent: str
    """Commit of the agent whose rollout failed."""
    task_id: str


class RunContext(BaseModel):
    """The form that starts a run in Studio: every field is optional and means what the flag means."""

    model_config = ConfigDict(extra="forbid")

    benchmark: str | None = Field(default=None, description="shipped benchmark, or module:Class")
    agent: str | None = Field(default=None, description="path of the one agent file")
    seed: int | None = Field(default=None, ge=0, description="everything random follows from it")
    batches: int | None = Field(default=None, ge=1, description="batches of simulated traffic")
    batch_size: int | None = Field(default=None, ge=1, description="tasks in a batch")
    attempts: int | None = Field(default=None, ge=1, description="attempts in a batch")
    max_attempts: int | None = Field(default=None, ge=1, description="attempts in the whole run")
    review: Literal["auto", "person"] | None = Field(default=None, description="who approves a passing change")
    certify_trials: int | None = Field(default=None, ge=1, description="fresh trials a task at the end")
    upstream: Literal["auto", "simulated", "openai"] | None = Field(default=None, description="which model answers")

    def given(self) -> dict[str, Any]:
        """The fields that were filled in."""
        return self.model_dump(exclude_none=True)
