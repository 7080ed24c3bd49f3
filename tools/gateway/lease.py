"""The right to call a model in one role and scope, with what it may cost and what it has under way."""

from __future__ import annotations

import heapq
import secrets
from typing import TYPE_CHECKING, Any

from sigmaloop.errors import SigmaLoopError
from sigmaloop.records import Usage
from sigmaloop.tools.gateway.budget import Budget
from sigmaloop.tools.gateway.call import Call
from sigmaloop.tools.gateway.meter import Meter
from sigmaloop.tools.gateway.requests import refuse

if TYPE_CHECKING:
    from sigmaloop.tools.gateway.gateway import Gateway

Json = dict[str, Any]


class Lease:
    """The right to call a model in one role and scope; a context manager, dead once closed."""

    def __init__(
        self,
        gateway: Gateway,
        role: str,
        *,
        scope: str,
        seed: int,
        max_calls: int | None = None,
        batch: int = 0,
        max_tokens: int | None = None,
        max_money: float | None = None,
    ) -> None:
        self.budget = Budget(max_tokens=max_tokens, max_money=max_money)
        self.run_spent: SigmaLoopError | None = None
        """Set when a call showed that the run has to stop (BudgetSpent, ModelChanged); over HTTP its caller sees a
        status only."""
        self.refusal = ""
        """How the endpoint refused the last call, such as `400 context_length_exceeded`; empty when it did not."""
        self.meter = Meter()
        """What its answers cost; the gateway holds its lock."""
        self.open_calls: set[Call] = set()
        self.token = f"lease-{secrets.token_urlsafe(24)}"
        self.role = role
        self.scope = scope
        self.seed = seed
        self.max_calls = max_calls
        self.batch = batch
        self._gateway = gateway
        self._next = 0
        self._returned: list[int] = []

    @property
    def base_url(self) -> str:
        """Base URL for OpenAI clients, with the token as API key; the first reading starts the server."""
        return self._gateway.start()

    def complete(self, request: Json, *, call: Call | None = None) -> Json:
        return self._gateway.complete(self.token, request, call=call)

    def usage(self) -> Usage:
        return self._gateway.usage_of(self)

    def close(self) -> None:
        self._gateway.close(self.token)

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def take_index(self) -> int:
        """The next call's index, counted from 0; the gateway holds its lock."""
        if self._returned:
            return heapq.heappop(self._returned)
        if self.max_calls is not None and self._next >= self.max_calls:
            raise refuse(f"all {self.max_calls} model calls of this lease are used up", status=402)
        self._next += 1
        return self._next - 1

    def return_index(self, index: int) -> None:
        """A call that failed leaves its index to the next one, so that a resumed scope counts alike."""
        heapq.heappush(self._returned, index)
