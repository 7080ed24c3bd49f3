"""The end of a run: fresh trials of the first and the final agent, on validation and once on the sealed test split.

That pair is the headline, for everything else that a run reports was measured on the way to choosing the agent.
"""

from __future__ import annotations

from collections.abc import Sequence

from sigmaloop.gate.by_type import results_by_type
from sigmaloop.gate.certificate import certificate, trials_for
from sigmaloop.graph.events import CertificateMade, CertificationStarted, Emit, NotCertified, Warned
from sigmaloop.graph.rollouts import CERTIFY_TRIAL, run_covered
from sigmaloop.graph.services import Services
from sigmaloop.graph.state import LoopState, LoopUpdate
from sigmaloop.memory.facts import Certified, TestOpened
from sigmaloop.records import Split
from sigmaloop.report.files import write_views


def certify(state: LoopState, services: Services, emit: Emit) -> LoopUpdate:
    """Both certificates, or validation's alone when there is no test split, or one that was opened before."""
    agents = list(dict.fromkeys([state["baseline"], state["incumbent"]]))
    _certify_on("validation", agents, state, services, emit)
    tasks = len(services.benchmark.tasks("test"))
    refusal = _break_seal(services, agents, batch=state["batch"]) if tasks else "the benchmark has no test split"
    if refusal:
        emit(NotCertified(split="test", message=refusal))
    else:
        _certify_on("test", agents, state, services, emit)
    incumbent = state["incumbent"]
    learnings = services.history.lessons(incumbent)
    write_views(services.paths, services.journal, incumbent=incumbent, learnings=learnings)
    return {"reason": "validation_certified" if refusal else "certified"}


def _certify_on(split: Split, agents: Sequence[str], state: LoopState, services: Services, emit: Emit) -> None:
    """Measure the agents on a split; when nothing was kept there is one agent, and no difference."""
    batch = state["batch"]
    tasks = [task.id for task in services.benchmark.tasks(split)]
    trials = trials_for(len(tasks), services.settings.certify_trials)
    pairs = [(task, CERTIFY_TRIAL + k) for task in tasks for k in range(trials)]
    emit(CertificationStarted(split=split, rollouts=len(agents) * len(pairs), tasks=len(tasks), trials=trials))
    stage = f"certify on {split}"
    sources = [services.versions.source(agent) for agent in agents]
    scored = [run_covered(services, emit, source, pairs, stage=stage, batch=batch) for source in sources]
    measured = certificate(
        scored[0],
        scored[-1],
        split=split,
        trials=trials,
        simulated=services.history.started().simulated,
        agent=services.identity(sources[-1]),
    )
    types = {task.id: task.request_type for task in services.benchmark.tasks(split)}
    measured = measured.model_copy(update={"by_type": results_by_type(scored[0], scored[-1], types, split=split)})
    fact = services.journal.write_once(Certified(batch=batch, commit=agents[-1], certificate=measured))
    emit(CertificateMade(changed=len(agents) > 1, certificate=fact.certificate))
    for one in fact.certificate.by_type:
        if one.lost:
            lost, error = -100 * one.difference, 100 * one.standard_error
            message = (
                f"on {split}, {one.request_type} lost {lost:.1f} +- {error:.1f} points on {one.tasks} tasks, more "
                "than two standard errors: look at the kept changes before you apply them"
            )
            emit(Warned(message=message))


def _break_seal(services: Services, agents: Sequence[str], *, batch: int) -> str:
    """Open the test split for these agents; empty, or why not: for others it was opened before.

    A second look would let somebody choose between two results, and then neither is held out any more.
    """
    opened = services.journal.write_once(TestOpened(batch=batch, agents=tuple(agents)))
    if opened.agents == tuple(agents):
        return ""
    return (
        f"the test split was opened before in this run, for agent {opened.agents[-1][:12]}; opening it again for "
        f"{agents[-1][:12]} would be choosing by it: only validation is certified. A new run has a fresh seal"
    )
