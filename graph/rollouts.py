"""Rollouts as the nodes ask for them: with progress, and with enough valid results to mean anything."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from fractions import Fraction
from typing import NoReturn

from langgraph.types import interrupt
from pydantic import JsonValue

from sigmaloop.eval.refusals import suspicious
from sigmaloop.gate.tally import faults_allowed, share
from sigmaloop.graph.events import Emit, Noted, Paused, RolloutDone
from sigmaloop.graph.services import Services
from sigmaloop.graph.traced_rollouts import trace_rollouts
from sigmaloop.memory.facts import RecordKind, TaskScored, TaskUnusable
from sigmaloop.records import Record, Rollout, digest

GATE_TRIAL = 0
"""Trial number of the reference policy's rollouts; traffic uses the batch number, so they never meet."""
REPLAY_TRIAL = 950_000
"""Trial number of the rollouts on which the engineer tries a change: no gate and no bank counts them."""
CONTROL_TRIAL = 900_000
"""First trial number of rollouts that only show whether anything runs now: no gate and no bank counts them."""
CERTIFY_TRIAL = 1_000_000
"""First trial number of certification: fresh, never used by traffic or gates."""
COVERINGS = 2
"""How often training tasks with faults are run, each time with the engine's own tries, before the run pauses."""
RESUME = "resume"
"""What a pause is answered with when it asks nothing."""


class Strike(Record):
    """A fault that a training task met once; the same one again makes the task unusable."""

    task_id: str
    said: str


STRIKE = RecordKind("strike", Strike)


def run_rollouts(
    services: Services,
    emit: Emit,
    source: str,
    pairs: Sequence[tuple[str, int]],
    *,
    stage: str,
    batch: int = 0,
) -> list[Rollout]:
    """Run an agent's text on (task id, trial) pairs and report progress as results come in."""

    def done(rollout: Rollout) -> None:
        emit(RolloutDone(stage=stage, passed=rollout.passed, status=rollout.status))

    rollouts = services.engine.run(source, pairs, batch=batch, stage=stage, on_done=done)
    trace_rollouts(services, rollouts)
    return rollouts


def run_covered(
    services: Services,
    emit: Emit,
    source: str,
    pairs: Sequence[tuple[str, int]],
    *,
    stage: str,
    batch: int = 0,
    coverage: float | None = None,
    spare: bool = False,
) -> list[Rollout]:
    """`run_rollouts`, but pause the run while infrastructure faults leave too few valid results to mean anything.

    An outage is neither a failure of the agent nor a reason to go on: traffic, baseline and certification wait
    for the endpoint. Once resumed, only the faults are run again. `coverage`: share of valid results that is needed;
    the run's coverage floor unless given. `spare`: training tasks, of which one that meets the same fault twice,
    while another runs, is recorded as unusable and no longer counted; its rollouts stay in the list as faults.
    """
    needed = share(services.settings.coverage_floor if coverage is None else coverage)
    history = services.history
    for _ in range(COVERINGS):
        rollouts = run_rollouts(services, emit, source, pairs, stage=stage, batch=batch)
        faults = [r for r in rollouts if not r.valid]
        if covered(rollouts, needed, history.unusable_tasks()):
            return rollouts
        if not spare or not endpoint_answers(services, emit, source, batch=batch):
            break
        _strike(services, emit, rollouts, batch=batch)
        if covered(rollouts, needed, history.unusable_tasks()):
            return rollouts
        if 2 * len(faults) > len(rollouts):
            break  # so many are more likely the benchmark's trouble: a person is asked before they are left out
    message = (
        f"{len(faults)} of {len(rollouts)} {stage} rollouts ended in an infrastructure fault "
        f"(the first: {faults[0].detail}). Fix this, then run `sigmaloop resume`"
    )
    emit(Paused(stage=stage, message=message))
    return wait({"reason": "coverage_too_low", "message": message, "then": "resume runs only the faults again"})


def wait(why: dict[str, JsonValue]) -> NoReturn:
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


def endpoint_answers(services: Services, emit: Emit, source: str, *, batch: int) -> bool:
    """Whether a task that ran before runs now: then a fault of another one is no outage."""
    known = [r for r in services.journal.rollouts() if r.valid and r.key.trial < CONTROL_TRIAL]
    agent = services.identity(source)
    best = sorted(known, key=lambda r: (r.key.agent != agent, r.task_id))
    if not best:
        return False
    pair = (best[0].task_id, _control_trial(services, agent))
    shown = run_rollouts(services, emit, source, [pair], stage="control", batch=batch)[0]
    return shown.valid and not suspicious(shown)  # one that is refused shows nothing, valid as its reward of 0 is


def score_tasks(services: Services, rollouts: Sequence[Rollout], batch: int) -> None:
    """Record how known tasks score on a kept agent: this alone resolves a cluster."""
    for rollout in rollouts:
        if rollout.valid:
            score = TaskScored(
                batch=batch,
                task_id=rollout.task_id,
                passed=rollout.passed,
                agent=rollout.key.agent,
                rollout_id=rollout.id,
            )
            services.journal.write(score)


def same_fault(detail: str) -> str:
    """A fault's text without what differs each time: tries, addresses and other numbers."""
    return re.sub(r"0x[0-9a-f]+|\d+", "N", detail)[:300]


def _control_trial(services: Services, agent: str) -> int:
    """A trial number under which an agent was never run: its result is of now."""
    trials = [r.key.trial for r in services.journal.rollouts(agent=agent)]
    return max((trial + 1 for trial in trials if CONTROL_TRIAL <= trial < REPLAY_TRIAL), default=CONTROL_TRIAL)


def _strike(services: Services, emit: Emit, rollouts: Sequence[Rollout], *, batch: int) -> None:
    """Remember every fault; a task that met the same one before is recorded as unusable, and told."""
    known, journal = services.history.unusable_tasks(), services.journal
    for rollout in rollouts:
        strike = Strike(task_id=rollout.task_id, said=same_fault(rollout.detail))
        if rollout.valid or strike.task_id in known:
            continue
        name = digest(strike.task_id, strike.said)
        if journal.load(STRIKE, name) is None:
            journal.save(STRIKE, name, strike)
            continue
        journal.write(TaskUnusable(batch=batch, task_id=strike.task_id, detail=strike.said))
        emit(Noted(message=f"task {strike.task_id} is left out from now on: the same fault twice, {strike.said}"))
