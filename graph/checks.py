"""A state is checked at the door of every node: it may have been edited, or be older or newer than its journal.

Types and bounds are a pydantic model; that what is named exists is looked up. A state that does not fit is refused
before anything is written, with the field's name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sigmaloop.errors import BadInput, StoreError
from sigmaloop.memory.journal import Journal
from sigmaloop.records import REWARD_MICROS, RolloutKey
from sigmaloop.tools.versions import Versions

if TYPE_CHECKING:
    from sigmaloop.graph.services import Services

Model = TypeVar("Model", bound=BaseModel)
ADVICE = "mend that field in Studio, or go on from an earlier checkpoint with `sigmaloop resume`"


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class _Limits(_Strict):
    batches: int = Field(ge=1)
    attempts: int = Field(ge=1)
    max_attempts: int = Field(ge=1)


class _State(_Strict):
    """What `LoopState` says, for a run whose baseline is measured."""

    run_id: str = Field(min_length=1)
    limits: _Limits
    baseline: str
    incumbent: str
    best_micros: int = Field(ge=0)
    best_tasks: int = Field(ge=0)
    batch: int = Field(ge=0)
    attempt: int = Field(ge=0)
    attempts_total: int = Field(ge=0)
    window: list[str] = []
    failed: list[str] = []
    mined: list[str] = []
    cluster_id: str | None = None
    candidate_id: str | None = None
    paused_gate: Literal["regression_gate", "validation_gate"] | None = None
    verdicts: list[str] = []
    kept: bool = False
    search: str = ""
    slots: list[str] = []
    outcome: str = ""
    reason: str = ""
    journal: int = Field(default=0, ge=0)


class _DraftTask(_Strict):
    run_id: str
    batch: int = Field(ge=1)
    agent: str
    search: str = Field(min_length=1)
    draft_id: str = Field(min_length=1)


class _MineTask(_Strict):
    run_id: str
    batch: int = Field(ge=1)
    agent: str
    task_id: str


def check_state(node: str, state: Mapping[str, Any], services: Services) -> None:
    """Raises BadInput that names the field of a state with which this node cannot work."""
    if node == "mine":
        _check_mine_task(state, services)
    elif "draft_id" in state:
        _check_draft_task(state, services)
    elif node != "baseline":
        check_facts(state, services.journal, services.versions, tasks=services.tasks)
        _needs(node, state)


def check_facts(
    state: Mapping[str, Any], journal: Journal, versions: Versions, *, tasks: Collection[str] | None = None
) -> None:
    """Raises BadInput unless the types fit and everything named exists. `tasks`: known task ids, if known.

    A state that knows of more events than the journal holds is refused, too.
    """
    found = _parsed(_State, state)
    if found.journal > journal.length():
        raise _unfit("journal", found.journal, f"the journal holds {journal.length()} events: its end was lost")
    for field, commit in (("baseline", found.baseline), ("incumbent", found.incumbent)):
        _known_agent(field, commit, versions)
    if found.baseline != versions.baseline():
        raise _unfit("baseline", found.baseline, f"the run began with {versions.baseline()}")
    if found.best_micros > found.best_tasks * REWARD_MICROS:
        raise _unfit("best_micros", found.best_micros, f"{found.best_tasks} results cannot reach that")
    if found.attempt > found.attempts_total:
        raise _unfit("attempt", found.attempt, f"the run has made {found.attempts_total} attempts")
    if found.cluster_id is not None and journal.event(f"cluster:{found.cluster_id}") is None:
        raise _unfit("cluster_id", found.cluster_id, "there is no such cluster")
    if found.search and journal.event(found.search) is None:
        raise _unfit("search", found.search, "there is no such step of the search")
    if found.candidate_id is not None and journal.event(f"attempt:{found.candidate_id}") is None:
        raise _unfit("candidate_id", found.candidate_id, "there is no such attempt")
    for kind, field, names in (("failure", "mined", found.mined), ("verdict", "verdicts", found.verdicts)):
        for name in names:
            if journal.get(kind, name) is None:
                raise _unfit(field, name, f"there is no such {kind}")
    for field, named, known in (("window", found.window, tasks), ("failed", found.failed, found.window)):
        unknown = [task for task in named if known is not None and task not in known]
        if unknown:
            where = "in the benchmark" if field == "window" else "in the window"
            raise _unfit(field, unknown[0], f"there is no such task {where}")


def _needs(node: str, state: Mapping[str, Any]) -> None:
    """What a node cannot begin without."""
    if node == "propose" and state.get("cluster_id") is None:
        raise _unfit("cluster_id", None, "an attempt needs a cluster")
    of_attempt = {"regression_gate", "validation_gate", "pause", "review", "keep", "promote", "revert", "learn"}
    if state.get("search"):
        of_attempt -= {"revert", "learn"}  # a round may end without a candidate
    if node in of_attempt and state.get("candidate_id") is None:
        raise _unfit("candidate_id", None, f"{node} needs an attempt")


def _check_draft_task(state: Mapping[str, Any], services: Services) -> None:
    found = _parsed(_DraftTask, state)
    _known_agent("incumbent", found.agent, services.versions)
    if services.journal.event(found.search) is None:
        raise _unfit("search", found.search, "there is no such step of the search")


def _check_mine_task(state: Mapping[str, Any], services: Services) -> None:
    found = _parsed(_MineTask, state)
    if found.task_id not in services.tasks:
        raise _unfit("failed", found.task_id, "there is no such task in the benchmark")
    _known_agent("incumbent", found.agent, services.versions)
    agent = services.identity(services.versions.source(found.agent))
    if services.journal.rollout(RolloutKey(agent=agent, task_id=found.task_id, trial=found.batch)) is None:
        raise _unfit("failed", found.task_id, f"the kept agent has no result on it in batch {found.batch}")


def _known_agent(field: str, commit: str, versions: Versions) -> None:
    try:
        versions.source(commit)
    except StoreError:
        raise _unfit(field, commit, "there is no such agent in the run's repository") from None


def _parsed(model: type[Model], state: Mapping[str, Any]) -> Model:
    try:
        return model.model_validate(dict(state))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise _unfit(field, first["input"], first["msg"].lower()) from None


def _unfit(field: str, value: object, why: str) -> BadInput:
    shown = repr(value)
    shown = shown if len(shown) <= 100 else shown[:100] + "..."
    return BadInput(f"the run's state has {field} = {shown}: {why}; {ADVICE}")
