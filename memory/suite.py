"""The regression suite: tasks that were fixed once and must stay fixed, folded from the promotions."""

from __future__ import annotations

from collections.abc import Iterable

from sigmaloop.memory.events import Event
from sigmaloop.records import SuiteCase

PROMOTED = "promoted"
"""Kind of the event; payload: task_id, candidate_id, cluster_id, batch, passes."""

SUITE_FULL = "suite_full"
"""Kind of the event when a full suite refused cases; payload: candidate_id, tasks, cap."""


def fold_suite(events: Iterable[Event], cap: int) -> tuple[SuiteCase, ...]:
    """The suite after these events, oldest case first: a task once, at most `cap` cases, the oldest stay."""
    cases: dict[str, SuiteCase] = {}
    for event in events:
        if event.kind != PROMOTED or len(cases) >= cap:
            continue
        payload = event.payload
        cases.setdefault(
            payload["task_id"],
            SuiteCase(
                task_id=payload["task_id"],
                promoted_batch=payload.get("batch", event.batch),
                promoted_by=payload["candidate_id"],
                cluster_id=payload["cluster_id"],
                passes=payload["passes"],
            ),
        )
    return tuple(cases.values())
