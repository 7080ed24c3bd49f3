"""How specialists reach the gateway: a lease per decision, seeded by the run and the decision's scope."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sigmaloop.agents.model_access import ModelEndpoint, Role
from sigmaloop.errors import SigmaLoopError, SpecialistError
from sigmaloop.records import Usage, digest
from sigmaloop.tools.gateway.gateway import Gateway

Charge = Callable[[str, str, Usage], None]


class GatewayAccess:
    """Hands each decision of a specialist a token of its own; its calls are replayed, not repeated, after a crash.

    `charge(scope, role, usage)` is told what a finished decision cost. An interrupted one is not charged: its
    calls are in the call journal, and the decision that replays them is charged for all of them.
    """

    def __init__(self, gateway: Gateway, *, model: str, seed: int, timeout: float, charge: Charge) -> None:
        self._model = model
        self._timeout = timeout
        self._gateway = gateway
        self._seed = seed
        self._charge = charge

    @contextmanager
    def lease(self, role: Role, scope: str) -> Iterator[ModelEndpoint]:
        seed = int(digest("specialist", self._seed, role, scope, size=8), 16) & 0x7FFFFFFF
        with self._gateway.lease(role, scope=scope, seed=seed) as lease:
            try:
                yield ModelEndpoint(lease.base_url, lease.token, self._model, self._timeout)
            except SigmaLoopError as error:
                if lease.run_spent is not None:  # over HTTP the specialist saw a status only
                    raise lease.run_spent from error
                if isinstance(error, SpecialistError):
                    self._charge(scope, role, lease.usage())
                raise
            self._charge(scope, role, lease.usage())
