"""An attempt that dies twice of the same exception is recorded as rejected, and the run goes on.

The first death is raised, so that a person sees it; a resumed run tries once more. The count lies in the journal,
for it must survive the process. What a person has to mend first (a limit, an endpoint, a disk, a sandbox, a busy
home) is nobody's attempt: it is raised as often as it happens.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from langgraph.errors import GraphBubbleUp

from sigmaloop.errors import BudgetSpent, Busy, ModelChanged, SandboxError, StoreError, UpstreamError
from sigmaloop.eval.rollouts import Drained
from sigmaloop.graph.events import Emit, Noted
from sigmaloop.graph.services import Services
from sigmaloop.graph.state import LoopUpdate
from sigmaloop.memory.facts import RecordKind
from sigmaloop.memory.journal import Journal
from sigmaloop.records import Record, digest

Work = Callable[[Any, Services, Emit], LoopUpdate]
"""A node: `LoopState`, or `MineTask` for one of the parallel miners."""
Ending = Callable[[Any, Services, Emit, str], LoopUpdate]
"""How a piece of work ends that died twice; it is given the exception's description."""
RAISED = (
    GraphBubbleUp, BudgetSpent, ModelChanged, UpstreamError, StoreError, SandboxError, Busy, Drained, OSError,
    MemoryError,
)  # fmt: skip
_PLACE = ("batch", "attempts_total", "candidate_id", "cluster_id", "incumbent", "task_id", "agent", "draft_id")


class Death(Record):
    """An exception that ended a piece of work once."""

    place: str
    said: str


DEATH = RecordKind("death", Death)


def outlive(work: Work, ending: Ending | None, state: Any, services: Services, emit: Emit) -> LoopUpdate:
    """A node's work, or its ending when it died here of one exception before."""
    try:
        return work(state, services, emit)
    except RAISED:
        raise
    except Exception as problem:  # programming errors, too: nothing else would ever end a run that meets one
        if ending is None or not died_before(services.journal, place_of(work.__name__, state), problem):
            raise
        fault = described(problem)
        emit(Noted(message=f"{work.__name__} ended twice with {fault}: given up, the run goes on"))
        return ending(state, services, emit, fault)


def died_before(journal: Journal, place: str, problem: BaseException) -> bool:
    """Whether this exception ended the same piece of work before; remembers that it did now."""
    death = Death(place=place, said=described(problem))
    name = digest(death.place, death.said)
    if journal.load(DEATH, name) is not None:
        return True
    journal.save(DEATH, name, death)
    return False


def place_of(node: str, state: Mapping[str, object]) -> str:
    """What is being worked on: the same in every process that comes to it."""
    return digest(node, [state.get(name) for name in _PLACE])


def described(problem: BaseException) -> str:
    """Type and first line of an exception, without addresses in memory."""
    line = next(iter(str(problem).strip().splitlines()), "")
    text = f"{type(problem).__name__}: {line}" if line else type(problem).__name__
    return re.sub(r"0x[0-9a-f]{6,}", "0x...", text)[:300]
