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
from sigmaloop.graph.events import Emit, Noted, Paused
from sigmaloop.graph.rollouts import wait
from sigmaloop.graph.services import Services
from sigmaloop.graph.state import LoopUpdate
from sigmaloop.memory.facts import RecordKind
from sigmaloop.records import Record

Work = Callable[[Any, Services, Emit], LoopUpdate]


def pausing(work: Work) -> Work:
    """The work of a node, but a model call that failed for good pauses the run instead of ending it."""

    def guarded(state: Any, services: Services, emit: Emit) -> LoopUpdate:
        try:
            update = work(state, services, emit)
        except (UpstreamError, ModelChanged) as error:
            _pause(services, emit, work.__name__, error)
        write_names(services.journal)
        warn_of_cut_answers(services, emit)
        return update

    return guarded


class CutAnswers(Record):
    """Answers of a role that the limit of output tokens ended before their first word, when they became too many."""

    role: str
    cut: int
    calls: int

    def sentence(self) -> str:
        """What happened and what to change."""
        return (
            f"{self.cut} of {self.calls} answers of the {self.role} were cut off before their first word: its model "
            f"thinks longer than max_tokens allows. They count as its answers; start a run with a larger max_tokens "
            f"for it (--{self.role.replace('_', '-')}-max-tokens)"
        )


CUT_ANSWERS = RecordKind("cut_answers", CutAnswers)
CUT_SHARE = 0.02
"""Of a role's answers; more are told."""
FEWEST_CUT = 3


def warn_of_cut_answers(services: Services, emit: Emit) -> None:
    """Tell once in a run when a role's answers are cut off too often."""
    for role, (cut, calls) in services.gateway.cut_off().items():
        if cut >= FEWEST_CUT and cut > CUT_SHARE * calls and services.journal.load(CUT_ANSWERS, role) is None:
            found = CutAnswers(role=role, cut=cut, calls=calls)
            services.journal.save(CUT_ANSWERS, role, found)
            emit(Noted(message=found.sentence()))


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
