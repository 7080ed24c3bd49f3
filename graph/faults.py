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
from sigmaloop.graph.nodes import attempt, conclude
from sigmaloop.graph.services import Services
from sigmaloop.memory.journal import Journal
from sigmaloop.records import digest

Emit = Callable[[dict[str, Any]], None]
Work = Callable[[Any, Services, Emit], dict[str, Any]]
PASSING = (
    GraphBubbleUp, BudgetSpent, ModelChanged, UpstreamError, StoreError, SandboxError, Busy, Drained, OSError,
    MemoryError,
)  # fmt: skip
_PLACE = ("batch", "attempts_total", "candidate_id", "cluster_id", "incumbent", "task_id", "agent")


def endured(work: Work, state: Any, services: Services, emit: Emit) -> dict[str, Any]:
    """A node's work, or how the attempt ends that died of one exception here before."""
    try:
        return work(state, services, emit)
    except PASSING:
        raise
    except Exception as problem:  # programming errors, too: nothing else would ever end a run that meets one
        give_up = _ENDINGS.get(work.__name__)
        if give_up is None or not died_before(services.journal, place_of(work.__name__, state), problem):
            raise
        said = described(problem)
        emit({"event": "note", "message": f"{work.__name__} ended twice with {said}: given up, the run goes on"})
        return give_up(state, services, emit, said)


def died_before(journal: Journal, place: str, problem: BaseException) -> bool:
    """Whether this exception ended the same piece of work before; remembers that it did now."""
    name = digest(place, described(problem))
    if journal.get("death", name) is not None:
        return True
    journal.put("death", name, {"place": place, "said": described(problem)})
    return False


def place_of(node: str, state: Mapping[str, Any]) -> str:
    """What is being worked on: the same in every process that comes to it."""
    return digest(node, [state.get(name) for name in _PLACE])


def described(problem: BaseException) -> str:
    """Type and first line of an exception, without addresses in memory."""
    line = next(iter(str(problem).strip().splitlines()), "")
    text = f"{type(problem).__name__}: {line}" if line else type(problem).__name__
    return re.sub(r"0x[0-9a-f]{6,}", "0x...", text)[:300]


def _unmined(state: Any, services: Services, emit: Emit, said: str) -> dict[str, Any]:
    return {"mined": []}


_ENDINGS: Mapping[str, Callable[[Any, Services, Emit, str], dict[str, Any]]] = {
    "mine": _unmined,
    "propose": attempt.propose_nothing,
    "regression_gate": attempt.stop_at_regression,
    "validation_gate": attempt.stop_at_validation,
    "review": attempt.stop_at_review,
    "learn": conclude.learn_unread,
}
