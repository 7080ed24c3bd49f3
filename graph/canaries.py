"""Canaries on their way through the gate: changes of known worth, of which none is ever kept."""

from __future__ import annotations

from sigmaloop.gate.canaries import Canary, canaries, due, progress_of
from sigmaloop.gate.decision import decision_of
from sigmaloop.gate.judging import judge_attempt
from sigmaloop.graph.events import CanaryJudged, Emit
from sigmaloop.graph.judging import AttemptJudge
from sigmaloop.graph.services import Services
from sigmaloop.graph.state import LoopState
from sigmaloop.report.decisions import DecisionMade
from sigmaloop.tools.changes.file_kinds import blank_of


def run_due_canaries(services: Services, state: LoopState, emit: Emit) -> None:
    """Send the canaries whose turn it is through the real gates."""
    settings = services.settings
    most = min(settings.max_attempts, settings.batches * settings.attempts)
    planned = canaries(settings.canaries, settings.harmful_canaries, attempts=most)
    progress = progress_of(
        attempts=state["attempts_total"], most_attempts=most, batch=state["batch"], batches=settings.batches
    )
    while True:
        done = [made.decision.subject.candidate_id for made in services.history.decisions()]
        canary = due(planned, done, progress=progress)
        if canary is None:
            return
        _run_canary(services, state, emit, canary)


def _run_canary(services: Services, state: LoopState, emit: Emit, canary: Canary) -> None:
    attempt_judge, incumbent, batch = AttemptJudge(services, emit), state["incumbent"], state["batch"]
    current = services.versions.source(incumbent)
    blank = None if services.form.main else blank_of(services.form.kind)
    source = canary.source(current, blank=blank)
    bank = services.history.bank(incumbent)
    inputs = attempt_judge.new_inputs(incumbent, str(state["cluster_id"]), bank, canary.id)
    bank = attempt_judge.measure_incumbent(incumbent, inputs.bank, suite=inputs.suite, batch=batch)
    trials = {"first_trial": canary.first_trial, "control_trial": canary.control_trial, "stages": canary.stages}
    inputs = inputs.model_copy(update={"bank": bank, **trials})
    policy = attempt_judge.policy
    judged = judge_attempt(policy, inputs, attempt_judge.runner(source, current, batch=batch))
    subject = attempt_judge.subject(incumbent, canary.id, incumbent, services.identity(source), batch=batch)
    subject = subject.model_copy(update={"canary": canary.worth})
    decision = decision_of(subject, policy, inputs, judged, run_seed=services.settings.seed)
    services.journal.write(DecisionMade(batch=batch, decision=decision))
    emit(CanaryJudged(id=canary.id, worth=canary.worth, outcome=decision.outcome, stage=decision.stage))
