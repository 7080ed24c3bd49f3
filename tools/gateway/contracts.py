"""What a gateway asks of a run's memory, and what its server and its leases ask of a gateway.

The server and the leases know this file instead of the gateway that makes them.
"""

from __future__ import annotations

from typing import Protocol

from sigmaloop.records import Usage
from sigmaloop.tools.gateway.call import Call
from sigmaloop.tools.gateway.meter import Meter
from sigmaloop.tools.json_types import Json


class CallJournal(Protocol):
    """Remembers answers that were paid for, so that a resumed run does not pay again.

    Keyed by scope (one rollout or one specialist's task), index of the call within it, and request hash.
    An answer is never handed to another scope: a sample shared between trials would fake the gate.
    """

    def recall(self, scope: str, index: int, request_hash: str) -> Json | None: ...
    def remember(self, scope: str, index: int, request_hash: str, response: Json) -> None: ...


class ModelNames(Protocol):
    """Remembers by which name a role's model answers: the first one that a run meets is the one that it keeps.

    What was asked for may be an alias, and the answer name a dated snapshot. Raises ModelChanged for another name.
    """

    def meet(self, role: str, name: str) -> None: ...


class ModelCalls(Protocol):
    """What the HTTP server serves. Everything is asked with a lease's token; a dead one raises UpstreamError 401."""

    @property
    def max_bytes(self) -> int:
        """Longest request body that is read."""
        ...

    @property
    def under_way(self) -> int:
        """Calls that may be upstream at the same time."""
        ...

    def model(self, token: str) -> str: ...
    def complete(self, token: str, request: Json, *, call: Call | None = None) -> Json: ...
    def embed(self, token: str, request: Json, *, call: Call | None = None) -> Json: ...


class Issuer(Protocol):
    """What a lease needs of whoever gave it out."""

    def start(self) -> str:
        """Serve over HTTP unless it already does; the base URL."""
        ...

    def complete(self, token: str, request: Json, *, call: Call | None = None) -> Json: ...
    def close(self, token: str) -> None: ...
    def usage_of(self, role: str, meter: Meter) -> Usage:
        """What a meter has counted, at the role's prices."""
        ...
