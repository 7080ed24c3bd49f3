"""A benchmark's own models in one rollout: leases of the gateway for its user and its judge, in the rollout's scope.

What they cost is counted apart from the agent, under their own roles. A fault of theirs is never the agent's: it is
kept here with its type, however the benchmark's code or a library of its took it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal, get_args

from sigmaloop.errors import BudgetSpent, ModelChanged, SigmaLoopError
from sigmaloop.records import JsonObject, Usage
from sigmaloop.tools.gateway.gateway import Gateway
from sigmaloop.tools.gateway.lease import Lease

ModelRole = Literal["user", "judge"]
ROLES: tuple[ModelRole, ...] = get_args(ModelRole)


class RolloutModels:
    """The `BenchmarkModels` of one try of a rollout; dead when the rollout is over. Thread-safe."""

    def __init__(self, leases: Mapping[ModelRole, Lease]) -> None:
        self._leases = leases

    def user(self, request: JsonObject) -> JsonObject:
        return self._leases["user"].complete(request)

    def judge(self, request: JsonObject) -> JsonObject:
        return self._leases["judge"].complete(request)

    def base_url(self, role: ModelRole) -> str:
        return self._leases[role].base_url

    def key(self, role: ModelRole) -> str:
        return self._leases[role].token

    # The engine's side

    @property
    def fault(self) -> SigmaLoopError | None:
        """Why the last call of a role had no answer; what has to stop the run comes first."""
        faults = [fault for lease in self._leases.values() for fault in (lease.run_spent, lease.fault) if fault]
        return min(faults, key=lambda fault: not isinstance(fault, BudgetSpent | ModelChanged), default=None)

    def usage(self) -> dict[str, Usage]:
        """What each role's answers cost; roles that were not asked are left out."""
        return {role: used for role, lease in self._leases.items() if (used := lease.usage()).calls}


@contextmanager
def rollout_models(gateway: Gateway, scope: str, *, seed: int, batch: int) -> Iterator[RolloutModels]:
    """Leases of both roles, whose answers a resumed rollout finds again under its own scope."""
    leases: dict[ModelRole, Lease] = {
        role: gateway.lease(role, scope=scope_of_role(scope, role), seed=seed, batch=batch) for role in ROLES
    }
    try:
        yield RolloutModels(leases)
    finally:
        for lease in leases.values():
            lease.close()


def scope_of_role(scope: str, role: str) -> str:
    """What the role's calls in a rollout are stored and counted under."""
    return f"{scope}:{role}"
