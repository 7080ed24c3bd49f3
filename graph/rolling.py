"""Rollouts as the nodes ask for them: with progress, with enough valid results, and written down once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langgraph.types import interrupt

from sigmaloop.eval.tally import faults_allowed, share
from sigmaloop.graph.services import Services
from sigmaloop.records import Rollout

Emit = Callable[[dict[str, Any]], None]

GATE_TRIAL = 0
"""Trial number of the reference law's rollouts; traffic uses the batch number, so they never meet."""
CERTIFY_TRIAL = 1_000_000
"""First trial number of certification: fresh, never used by traffic or gates."""


def roll(
    services: Services,
    emit: Emit,
    commit: str,
    pairs: Sequence[tuple[str, int]],
    *,
    stage: str,
    batch: int = 0,
) -> list[Rollout]:
    """Run the agent of a commit on (task id, trial) pairs and report progress as results come in."""
    return roll_source(services, emit, services.versions.source(commit), pairs, stage=stage, batch=batch)


def roll_source(
    services: Services,
    emit: Emit,
    source: str,
    pairs: Sequence[tuple[str, int]],
    *,
    stage: str,
    batch: int = 0,
) -> list[Rollout]:
    """The same for an agent's text."""

    def done(rollout: Rollout) -> None:
        emit({"event": "rollout", "stage": stage, "passed": rollout.passed, "status": rollout.status})

    return services.engine.run(source, pairs, batch=batch, on_done=done)


def roll_covered(
    services: Services,
    emit: Emit,
    source: str,
    pairs: Sequence[tuple[str, int]],
    *,
    stage: str,
    batch: int = 0,
    floor: float | None = None,
) -> list[Rollout]:
    """`roll_source`, but pause the run while infrastructure faults leave too few valid results to mean anything.

    An outage is neither a failure of the agent nor a reason to go on: traffic, baseline and certification wait
    for the endpoint. Once resumed, only the faults are run again. `floor`: share of valid results that is needed;
    the run's coverage floor unless given.
    """
    floor = services.settings.coverage_floor if floor is None else floor
    while True:
        rollouts = roll_source(services, emit, source, pairs, stage=stage, batch=batch)
        faults = [r for r in rollouts if not r.valid]
        if len(faults) <= faults_allowed(len(rollouts), share(floor)):
            return rollouts
        message = (
            f"{len(faults)} of {len(rollouts)} {stage} rollouts ended in an infrastructure fault "
            f"(the first: {faults[0].detail}); mend that, then `sigmaloop resume`"
        )
        emit({"event": "paused", "stage": stage, "message": message})
        interrupt({"reason": "coverage_too_low", "message": message, "then": "resume runs only the faults again"})


def write_once(
    services: Services, kind: str, event_id: str, payload: dict[str, Any], *, batch: int = 0
) -> dict[str, Any]:
    """Append an event and return its payload: the one that stands there already, if a killed process wrote it.

    For facts that hang on which rollouts met a fault: a resumed run may meet others, and the first word counts.
    """
    known = services.journal.event(event_id)
    if known is not None:
        return known.payload
    services.journal.append(kind, event_id, payload, batch=batch)
    return payload


def score_tasks(services: Services, rollouts: Sequence[Rollout], batch: int) -> None:
    """Record how known tasks score on a kept agent: this alone resolves a cluster."""
    for rollout in rollouts:
        if rollout.valid:
            services.journal.append(
                "task_scored",
                f"scored:{rollout.id}",
                {"task_id": rollout.task_id, "passed": rollout.passed, "batch": batch},
                batch=batch,
            )
