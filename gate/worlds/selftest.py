"""The gate's own A/A test, and its power: three scenes of synthetic runs for one policy and one benchmark."""

from __future__ import annotations

from sigmaloop.gate.policy import Policy
from sigmaloop.gate.worlds.figures import Figures, simulate
from sigmaloop.gate.worlds.worlds import HARD, NOTHING_HELPS, Terrain
from sigmaloop.records import PolicyName, Record


class SelfTest(Record):
    """What a policy does where the truth is known."""

    policy: PolicyName
    worlds: int
    nothing_helps: Figures
    """Every proposal leaves every task as it was, but for the failures that it was made for."""
    usual: Figures
    hard: Figures
    """Fewer proposals help, more harm."""


def selftest(terrain: Terrain, policy: Policy, *, worlds: int) -> SelfTest:
    """Walk the policy through so many worlds of each scene."""
    idle = terrain.model_copy(update={"mix": NOTHING_HELPS.mix, "churn": NOTHING_HELPS.churn})
    hard = terrain.model_copy(update={"mix": HARD.mix})
    return SelfTest(
        policy=policy.rules.policy,
        worlds=worlds,
        nothing_helps=simulate(idle, policy, worlds=worlds),
        usual=simulate(terrain, policy, worlds=worlds),
        hard=simulate(hard, policy, worlds=worlds),
    )
