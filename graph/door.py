"""How specialists reach the gateway: a lease per decision, seeded by the run and the decision's scope."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sigmaloop.records import digest
from sigmaloop.tools.gateway import Gateway


@dataclass(frozen=True)
class Access:
    """What ChatOpenAI needs: where, with which key, which model."""

    base_url: str
    token: str
    model: str
    timeout: float


class GatewayDoor:
    """Hands each specialist decision a token of its own; its calls are replayed, not repeated, after a crash."""

    def __init__(self, gateway: Gateway, *, seed: int, timeout: float) -> None:
        self._gateway = gateway
        self._seed = seed
        self._timeout = timeout

    @contextmanager
    def lease(self, role: str, scope: str) -> Iterator[Access]:
        seed = int(digest("specialist", self._seed, role, scope, size=8), 16) & 0x7FFFFFFF
        with self._gateway.lease(role, scope=scope, seed=seed) as lease:
            yield Access(lease.base_url, lease.token, self._gateway.specialist_model, self._timeout)
