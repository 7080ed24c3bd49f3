"""The right to call a model in one role and scope, with what it may cost and what it has under way."""

from __future__ import annotations

import heapq
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sigmaloop.errors import SigmaLoopError
from sigmaloop.records import ModelCall, Usage
from sigmaloop.tools.gateway.budget import Budget
from sigmaloop.tools.gateway.call import Call
from sigmaloop.tools.gateway.contracts import Issuer
from sigmaloop.tools.gateway.meter import Meter
from sigmaloop.tools.gateway.provider_fields import ProviderFields
from sigmaloop.tools.gateway.requests import refuse
from sigmaloop.tools.gateway.roles import Role
from sigmaloop.tools.json_types import Json


class Lease:
    """The right to call a model in one role and scope; a context manager, dead once closed. Thread-safe."""

    def __init__(
        self,
        issuer: Issuer,
        role: Role,
        *,
        scope: str,
        seed: int,
        max_calls: int | None = None,
        batch: int = 0,
        budget: Budget | None = None,
    ) -> None:
        """`budget`: what its calls may cost; None: no limit."""
        self.budget = budget or Budget()
        self.run_spent: SigmaLoopError | None = None
        """Set when a call showed that the run has to stop (BudgetSpent, ModelChanged); over HTTP its caller sees a
        status only."""
        self.fault: SigmaLoopError | None = None
        """Why the last call had no answer, if that is nobody's doing who is measured; a later answer clears it."""
        self.added = ProviderFields()
        """What the provider wants to see again of its answers."""
        self.refusal = ""
        """How the endpoint refused the last call, such as `400 context_length_exceeded`; empty when it did not."""
        self.meter = Meter()
        """What its answers cost; whoever counts holds the lock of `Metering`."""
        self.token = f"lease-{secrets.token_urlsafe(24)}"
        self.role = role
        self.scope = scope
        self.seed = seed
        self.max_calls = max_calls
        self.batch = batch
        self.closed = False
        self.calls: list[ModelCall] = []
        """Every call that was answered, in the order of the answers."""
        self._issuer = issuer
        self._lock = threading.Lock()
        self._open_calls: set[Call] = set()
        self._next = 0
        self._returned: list[int] = []

    @property
    def calls_under_way(self) -> int:
        with self._lock:
            return len(self._open_calls)

    @property
    def base_url(self) -> str:
        """Base URL for OpenAI clients, with the token as API key; the first reading starts the server."""
        return self._issuer.start()

    def complete(self, request: Json, *, call: Call | None = None) -> Json:
        return self._issuer.complete(self.token, request, call=call)

    def usage(self) -> Usage:
        return self._issuer.usage_of(self.role, self.meter)

    def close(self) -> None:
        self._issuer.close(self.token)

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # The issuer's side

    @contextmanager
    def index(self) -> Iterator[int]:
        """The next call's index, counted from 0. Raises UpstreamError 402 when all are used up.

        A call that fails leaves its index to the next one, so that a resumed scope counts alike.
        """
        with self._lock:
            index = self._take_index()
        try:
            yield index
        except BaseException:
            with self._lock:
                heapq.heappush(self._returned, index)
            raise

    @contextmanager
    def open(self, call: Call) -> Iterator[None]:
        """In the block, the end of the lease cancels the call."""
        with self._lock:
            self._open_calls.add(call)
        try:
            yield
        finally:
            with self._lock:
                self._open_calls.discard(call)

    def end(self) -> None:
        """Cancel its calls under way; it stays closed."""
        with self._lock:
            self.closed = True
            calls = list(self._open_calls)
        for call in calls:
            call.cancel()

    def _take_index(self) -> int:
        if self._returned:
            return heapq.heappop(self._returned)
        if self.max_calls is not None and self._next >= self.max_calls:
            raise refuse(f"all {self.max_calls} model calls of this lease are used up", status=402)
        self._next += 1
        return self._next - 1
