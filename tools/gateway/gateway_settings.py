"""What a gateway is told once and keeps: which models, how they sample, what they cost, and where it stops."""

from __future__ import annotations

from sigmaloop.endpoints import PARENT, SPECIALIST_TOKENS, RoleModel, RoleName
from sigmaloop.records import Record
from sigmaloop.tools.gateway.budget import Budget, Prices

REQUEST_BYTES = 4 * 2**20
UNDER_WAY = 256


class Models(Record):
    """Which model answers whom and how its requests are worded, whatever a request says."""

    target: RoleModel
    """It cannot ask for more or fewer output tokens; every other role may ask for fewer."""
    specialist: RoleModel
    own: dict[RoleName, RoleModel] = {}
    """Of roles that are asked otherwise than the target (`user`, `judge`) or the specialists."""
    embedding: str | None = None
    """None: embeddings are refused."""

    @classmethod
    def named(cls, target: str, specialist: str, *, embedding: str | None = None) -> Models:
        """Two models, asked as OpenAI's are."""
        theirs = RoleModel(role="specialist", model=specialist, max_tokens=SPECIALIST_TOKENS)
        return cls(target=RoleModel(model=target), specialist=theirs, embedding=embedding)

    def of(self, role: RoleName) -> RoleModel:
        if role in self.own:
            return self.own[role]
        return self.target if "target" in (role, PARENT.get(role)) else self.specialist


class RolePrices(Record):
    """Money for a million tokens, by who calls."""

    target: Prices = Prices()
    specialist: Prices | None = None
    """None: the target's."""
    own: dict[str, Prices] = {}
    """Of roles that do not cost what the target or the specialists cost."""

    def of(self, role: str) -> Prices:
        if role in self.own:
            return self.own[role]
        of_target = role in ("target", "user", "judge")
        return self.target if of_target or self.specialist is None else self.specialist


class SpendingLimit(Record):
    """The most that calls together may cost; None: no limit."""

    tokens: int | None = None
    money: float | None = None
    calls: int | None = None
    hours: float | None = None
    """Of work, pauses between two processes not counted."""

    def budget(self) -> Budget:
        """A fresh budget of that size."""
        return Budget(max_tokens=self.tokens, max_money=self.money, max_calls=self.calls)


class GatewayLimits(Record):
    """Where the gateway refuses a call, lets it wait or gives it up."""

    run: SpendingLimit = SpendingLimit()
    """All calls together."""
    rollout: SpendingLimit = SpendingLimit()
    """The calls of one lease of the target."""
    request_bytes: int = REQUEST_BYTES
    """Longest request."""
    under_way: int = UNDER_WAY
    """Calls that are upstream at the same time; more wait."""
    tries: int = 1
    """For upstream errors that say they are retryable; HttpUpstream has made its own tries and says they are not."""


class GatewaySettings(Record):
    """Everything about a gateway that does not change while it runs."""

    models: Models
    prices: RolePrices = RolePrices()
    limits: GatewayLimits = GatewayLimits()
