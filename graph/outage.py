"""An endpoint that fails ends nothing: the node pauses the run with the cause, and `resume` runs it again.

Rollouts record their faults and pause by coverage (`rollouts`, `nodes/attempt.pause`); what arrives here are calls
of the specialists and of the embedder, and a model that is no longer the one that answered at first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NoReturn

from sigmaloop.errors import ModelChanged, UpstreamError
from sigmaloop.graph.answering import accept, write_names
from sigmaloop.graph.events import Emit, Paused
from sigmaloop.graph.rollouts import wait
from sigmaloop.graph.services import Services
from sigmaloop.graph.state import LoopUpdate

Work = Callable[[Any, Services, Emit], LoopUpdate]


def pausing(work: Work) -> Work:
    """The work of a node, but a model call that failed for good pauses the run instead of ending it."""

    def guarded(state: Any, services: Services, emit: Emit) -> LoopUpdate:
        try:
            update = work(state, services, emit)
        except (UpstreamError, ModelChanged) as error:
            _pause(services, emit, work.__name__, error)
        write_names(services.journal)
        return update

    return guarded


def cause_of(services: Services, agent: str) -> str:
    """What most infrastructure faults of an agent, by its hash, say of themselves; empty when it has none."""
    details = Counter(rollout.detail for rollout in services.journal.rollouts(agent=agent) if not rollout.valid)
    return max(details, key=lambda detail: details[detail], default="")


def with_cause(message: str, cause: str) -> str:
    """A pause's message with what to mend and how to go on."""
    return f"{message}{f' (such as: {cause})' if cause else ''}. Fix this, then run `sigmaloop resume`"


def _pause(services: Services, emit: Emit, stage: str, error: UpstreamError | ModelChanged) -> NoReturn:
    if isinstance(error, ModelChanged):
        reason, message = "model_changed", str(error)
        accept(services.journal, error)
    else:
        reason, message = "outage", with_cause(f"{stage} stopped at a model call that failed", str(error))
    write_names(services.journal)
    emit(Paused(stage=stage, message=message))
    wait({"reason": reason, "message": message, "then": f"resume runs {stage} again"})
