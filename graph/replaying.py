"""The engineer tries its change: a training task of a known failure, played with the target's model and charged."""

from __future__ import annotations

from collections.abc import Callable

from sigmaloop.agents.trace_text import trace_text
from sigmaloop.errors import BadInput
from sigmaloop.graph.events import Emit
from sigmaloop.graph.rollouts import REPLAY_TRIAL, run_rollouts
from sigmaloop.graph.services import Services
from sigmaloop.graph.shown import ending_of


def replayer(services: Services, emit: Emit, *, batch: int) -> Callable[[str, str], str]:
    """Takes the text of an agent file and a failure id; gives the recording. The same text again costs nothing."""

    def replay(source: str, failure_id: str) -> str:
        failure = services.history.failure(failure_id.strip())
        task = services.tasks.get(failure.task_id)
        if task is None or task.split != "train":
            raise BadInput(f"{failure_id} is of no training task")
        (rollout,) = run_rollouts(
            services, emit, source, [(failure.task_id, REPLAY_TRIAL)], stage="replay", batch=batch
        )
        trace = trace_text(services.journal.trace(rollout.id), limit=14_000)
        if not rollout.valid:
            return f"It could not be run, through no fault of the change: {rollout.detail}"
        if rollout.passed:
            return f"It passed.\n{trace}"
        return f"It failed: {ending_of(rollout)}\n{trace}"

    return replay
