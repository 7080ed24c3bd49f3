"""What the graph carries from node to node: ids and counters; everything else lies in the journal."""

from __future__ import annotations

from copy import copy
from typing import Annotated, Any, Literal, NotRequired

from pydantic import BaseModel, ConfigDict, Field, create_model
from typing_extensions import TypedDict

from sigmaloop.settings import Settings

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
Form = Annotated[
    dict[str, Any],
    Field(description="The form that the run was begun with: settings by name, over the usual sources."),
]
Title = Annotated[str, Field(description="Title of the cluster; empty when none is chosen.")]
Score = Annotated[float, Field(description="Mean reward of the kept agent on validation, from 0 to 1.")]
Sentence = Annotated[str, Field(description="The newest verdict on this attempt, in words.")]
Diff = Annotated[str, Field(description="What the newest attempt changes; a long one is cut.")]


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
    form: Form
    cluster: Title
    score: Score
    verdict: Sentence
    diff: Diff


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
    form: Form
    cluster: Title
    score: Score
    verdict: Sentence
    diff: Diff


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


class RunInput(TypedDict, total=False):
    """What a run is begun with: nothing at all, or its settings."""

    run_id: Annotated[str, Field(description="The thread's own id, which is also taken when this is left out.")]
    form: Form


class RunOutput(TypedDict, total=False):
    """What a run or a step of it answers: where it stands, in words and figures."""

    run_id: RunId
    batch: Batch
    attempts_total: Total
    incumbent: Incumbent
    cluster: Title
    score: Score
    verdict: Sentence
    diff: Diff
    kept: Kept
    reason: Reason


class RunContext(BaseModel):
    """Settings that were filled in; `RunForm` has every field."""

    model_config = ConfigDict(extra="forbid")

    def given(self) -> dict[str, Any]:
        """The fields that were filled in, as JSON."""
        return self.model_dump(mode="json", exclude_none=True)


def _optional(name: str) -> tuple[Any, Any]:
    """A setting as a field of the form: with its bounds, and empty at first."""
    setting = Settings.model_fields[name]
    field = copy(setting)
    usual = "" if setting.default is None else f" Left empty: {setting.default}."
    field.default, field.description = None, f"{setting.description}{usual}"
    return (setting.annotation | None, field)  # type: ignore[operator]


RunForm: type[RunContext] = create_model(
    "RunForm",
    __base__=RunContext,
    __doc__="The form that starts a run in Studio: every setting but the home; each is optional and means what "
    "the flag means.",
    **{name: _optional(name) for name in Settings.model_fields if name != "home"},  # type: ignore[call-overload]
)
"""The home is the server's: its checkpoints lie there."""
