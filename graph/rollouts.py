"""Rollouts as the nodes ask for them: with progress, with enough valid results, and written down once."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from fractions import Fraction
from typing import Any, NoReturn

from langgraph.types import interrupt

from sigmaloop.eval.refusals import suspicious
from sigmaloop.gate.tally import faults_allowed, share
from sigmaloop.graph.services import Services
from sigmaloop.records import Rollout, agent_hash, digest

Emit = Callable[[dict[str, Any]], None]

GATE_TRIAL = 0
"""Trial number of the reference law's rollouts; traffic uses the batch number, so they never meet."""
CONTROL_TRIAL = 900_000
"""First trial number of rollouts that only show whether anything runs now: no gate and no bank counts them."""
CERTIFY_TRIAL = 1_000_000
"""First trial number of certification: fresh, never used by traffic or gates."""
COVERINGS = 2
"""How often training tasks with faults are run, each time with the engine's own tries, before the run pauses."""
RESUME = "resume"
"""What a pause is answered with when it asks nothing."""
UNUSABLE = "task_unusable"
"""Kind of the event; payload: task_id, batch, detail."""


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
    spare: bool = False,
) -> list[Rollout]:
    """`roll_source`, but pause the run while infrastructure faults leave too few valid results to mean anything.

    An outage is neither a failure of the agent nor a reason to go on: traffic, baseline and certification wait
    for the endpoint. Once resumed, only the faults are run again. `floor`: share of valid results that is needed;
    the run's coverage floor unless given. `spare`: training tasks, of which one that meets the same fault twice,
    while another runs, is recorded as unusable and no longer counted; its rollouts stay in the list as faults.
    """
    needed = share(services.settings.coverage_floor if floor is None else floor)
    for _ in range(COVERINGS):
        rollouts = roll_source(services, emit, source, pairs, stage=stage, batch=batch)
        faults = [r for r in rollouts if not r.valid]
        if covered(rollouts, needed, unusable_tasks(services)):
            return rollouts
        if not spare or not endpoint_is_well(services, emit, source, batch=batch):
            break
        _strike(services, emit, rollouts, batch=batch)
        if covered(rollouts, needed, unusable_tasks(services)):
            return rollouts
        if 2 * len(faults) > len(rollouts):
            break  # so many are more likely the benchmark's trouble: a person is asked before they are left out
    message = (
        f"{len(faults)} of {len(rollouts)} {stage} rollouts ended in an infrastructure fault "
        f"(the first: {faults[0].detail}); mend that, then `sigmaloop resume`"
    )
    emit({"event": "paused", "stage": stage, "message": message})
    return wait({"reason": "coverage_too_low", "message": message, "then": "resume runs only the faults again"})


def wait(why: dict[str, Any]) -> NoReturn:
    """Pause the run here until a person resumes it.

    A resumed node begins anew, so whoever comes here has tried again already: the answers to its earlier pauses,
    which are handed out first, are passed over.
    """
    while True:
        interrupt(why)


def covered(rollouts: Sequence[Rollout], floor: Fraction, unusable: Collection[str] = ()) -> bool:
    """Whether enough of the rollouts have a result; those of unusable tasks are not counted."""
    counted = [r for r in rollouts if r.task_id not in unusable]
    return sum(not r.valid for r in counted) <= faults_allowed(len(counted), floor)


def unusable_tasks(services: Services, *, before: int | None = None) -> frozenset[str]:
    """Training tasks that were found unusable; `before`: in batches before that one."""
    found = services.journal.events(UNUSABLE)
    return frozenset(e.payload["task_id"] for e in found if before is None or e.batch < before)


def endpoint_is_well(services: Services, emit: Emit, source: str, *, batch: int) -> bool:
    """Whether a task that ran before runs now: then a fault of another one is no outage."""
    known = [r for r in services.journal.rollouts() if r.valid and r.key.trial < CONTROL_TRIAL]
    agent = agent_hash(source)
    best = sorted(known, key=lambda r: (r.key.agent != agent, r.task_id))
    if not best:
        return False
    pair = (best[0].task_id, control_trial(services, agent=agent))
    shown = roll_source(services, emit, source, [pair], stage="control", batch=batch)[0]
    return shown.valid and not suspicious(shown)  # one that is refused shows nothing, valid as its reward of 0 is


def control_trial(services: Services, commit: str = "", *, agent: str = "") -> int:
    """A trial number under which an agent was never run: its result is of now."""
    agent = agent or agent_hash(services.versions.source(commit))
    trials = [r.key.trial for r in services.journal.rollouts(agent=agent)]
    return max((trial + 1 for trial in trials if CONTROL_TRIAL <= trial < CERTIFY_TRIAL), default=CONTROL_TRIAL)


def _strike(services: Services, emit: Emit, rollouts: Sequence[Rollout], *, batch: int) -> None:
    """Remember every fault; a task that met the same one before is recorded as unusable, and told."""
    known = unusable_tasks(services)
    for rollout in rollouts:
        task, said = rollout.task_id, same_fault(rollout.detail)
        if rollout.valid or task in known:
            continue
        if services.journal.get("strike", digest(task, said)) is None:
            services.journal.put("strike", digest(task, said), {"task_id": task, "said": said})
            continue
        payload = {"task_id": task, "batch": batch, "detail": said}
        services.journal.append(UNUSABLE, f"unusable:{task}", payload, batch=batch)
        emit({"event": "note", "message": f"task {task} is left out from now on: it met the same fault twice, {said}"})


def same_fault(detail: str) -> str:
    """A fault's text without what differs each time: tries, addresses and other numbers."""
    return re.sub(r"0x[0-9a-f]+|\d+", "N", detail)[:300]


def append_once(
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
                {
                    "task_id": rollout.task_id,
                    "passed": rollout.passed,
                    "batch": batch,
                    "agent": rollout.key.agent,
                },
                batch=batch,
            )
