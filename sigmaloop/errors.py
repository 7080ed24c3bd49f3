"""Every error that SigmaLoop raises on purpose, and what each means to the person who reads it.

    SigmaLoopError                 exit code
    ├── BadInput                   2  the user's input: settings, flags, files, benchmark, agent
    │   └── InadmissibleChange     -  a candidate that may not be tried; recorded, costs no rollout
    ├── Busy                       2  another process works on the same home
    ├── UpstreamError              -  a model call failed; `status` says how (see ModelUnavailable)
    │   └── ModelUnavailable       2  the endpoint cannot be used at all: key, name, host
    ├── BudgetSpent                3  the run's tokens or money are spent; it can be resumed with more
    ├── ModelChanged               3  another model answers a role than at first; the run pauses and says so
    ├── SpecialistError            -  a specialist's answer stayed unusable after its repair turn
    ├── SandboxError               3  the sandbox itself could not start (never the candidate's fault)
    └── StoreError                 3  journal, versions or index damaged or contradictory

A failed rollout and a rejected candidate are records, not errors: only a broken machine raises.
The status of an UpstreamError says whose doing it is: 4xx the caller's (a refused field, a dead token, 402 for
the lease's own budget; for an agent: its error), 5xx nobody's who is measured (an infra result, no evidence).
Messages say what happened, to which file or run, and what to do next.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class SigmaLoopError(RuntimeError):
    """Base of the tree; `exit_code` is what the command line returns.

    A RuntimeError, because LangGraph's server (Studio) shows the message of these and hides that of others.
    """

    exit_code = 3


class BadInput(SigmaLoopError):
    """The user can fix this; the message says how. Nothing was written."""

    exit_code = 2


class InadmissibleChange(BadInput):
    """A proposed agent may not be tried: wrong file, does not compile, no `run`, names a task."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Busy(BadInput):
    """Another process holds the lock of this home."""


class UpstreamError(SigmaLoopError):
    """A model call failed for a reason outside the agent.

    `status` is the HTTP status to give the caller; `retryable` tells clients whether to try again; `code` is the
    endpoint's own short word for it, such as `context_length_exceeded`, where it gave one; `parameter` is the field
    of the request that it does not take, where that is what it said.
    """

    def __init__(
        self, message: str, *, status: int = 502, retryable: bool = False, code: str = "", parameter: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retryable = retryable
        self.code = code
        self.parameter = parameter


class ModelUnavailable(UpstreamError):
    """The endpoint can not be used: bad key, unknown model, unreachable host, not an API."""

    exit_code = 2


class BudgetSpent(SigmaLoopError):
    """The next model call could cost more than is left of the run's budget.

    Nobody's result: it stops the run where it stands, and passes through everything that records failures.
    """


class ModelChanged(SigmaLoopError):
    """An endpoint answers as another model than the one that a role of this run was answered by first.

    Nobody's result either: results from before and after are not of one model, and a person has to see that.
    """

    def __init__(self, role: str, *, first: str, now: str) -> None:
        super().__init__(
            f"the endpoint now answers as the model {now!r}, but this run's {role} was answered by {first!r} at first: "
            "results of the two cannot be compared. Set the endpoint back to the first, or start a new run; "
            "`sigmaloop resume` goes on with whatever answers"
        )
        self.role, self.first, self.now = role, first, now


class SpecialistError(SigmaLoopError):
    """A specialist gave no usable answer, even after its repair turn."""


class SandboxError(SigmaLoopError):
    """The sandbox could not run anything; no verdict about the candidate."""


class StoreError(SigmaLoopError):
    """Stored data is damaged or contradicts what is being written."""


@contextmanager
def boundary(error: type[SigmaLoopError], doing: str, *, catch: type[BaseException] = Exception) -> Iterator[None]:
    """Attribute anything that escapes the block to `error`, with what was being done in the message."""
    try:
        yield
    except SigmaLoopError:
        raise
    except catch as cause:
        raise error(f"{doing}: {type(cause).__name__}: {cause}") from cause
