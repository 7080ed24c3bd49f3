"""A gate whose rollouts end in faults: an outage, for which the run waits, or the candidate's own doing.

A candidate that turns its rollouts into faults would pause the run at every resume. So the kept agent is measured
at the same time on the same tasks: where it is well, the fault is no outage.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sigmaloop.eval.attempt import Standing
from sigmaloop.eval.finding import Finding
from sigmaloop.graph.law import measure
from sigmaloop.graph.rolling import control_trial, roll
from sigmaloop.graph.services import Services
from sigmaloop.records import Candidate, GateName

Emit = Callable[[dict[str, Any]], None]
OUTAGES = 2
"""So often a candidate may meet faults that the kept agent does not, before it is rejected for them."""
UNMEASURABLE = "unmeasurable"
"""Reason of the verdict then."""


def weigh(services: Services, emit: Emit, candidate: Candidate, standing: Standing, gate: GateName) -> Finding:
    """The finding of one stage: indecisive in an outage only, failed for a candidate that cannot be measured."""
    for _ in range(OUTAGES):
        finding, seen = measure(services, emit, candidate, standing, gate)
        faults = [r for r in seen if not r.valid]
        if finding.outcome != "indecisive" or not faults:
            return finding
        if not incumbent_is_well(services, emit, candidate, list(dict.fromkeys(r.task_id for r in faults))):
            return finding
    message = (
        f"{len(faults)} of {len(seen)} rollouts ended in a fault (the first: {faults[0].detail}), and again when they "
        "were repeated; the kept agent had none on the same tasks at the same time"
    )
    return finding.model_copy(update={"outcome": "failed", "reason": UNMEASURABLE, "message": message[:500]})


def incumbent_is_well(services: Services, emit: Emit, candidate: Candidate, tasks: Sequence[str]) -> bool:
    """Whether the kept agent has no fault on these tasks now; one is tried before all others."""
    trial = control_trial(services, candidate.parent)
    for some in (tasks[:1], tasks[1:]):
        pairs = [(task, trial) for task in some]
        told = roll(services, emit, candidate.parent, pairs, stage="control", batch=candidate.batch)
        if not all(rollout.valid for rollout in told):
            return False
    return True
