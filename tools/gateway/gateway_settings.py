"""What a gateway is told once and keeps: which models, how they sample, what they cost, and where it stops."""

from __future__ import annotations

from sigmaloop.records import Record
from sigmaloop.tools.gateway.budget import Budget, Prices

REQUEST_BYTES = 4 * 2**20
SPECIALIST_TOKENS = 8192
UNDER_WAY = 256


class Models(Record):
    """Which model answers whom, whatever a request names."""

    target: str
    specialist: str
    embedding: str | None = None
    """None: embeddings are refused."""


class Sampling(Record):
    """How the models sample, whatever a request asks for. The seed is the lease's."""

    temperature: float = 0.0
    max_tokens: int = 2048
    """Output tokens of each of the target's calls; it cannot ask for more or fewer."""
    specialist_tokens: int = SPECIALIST_TOKENS
    """Most output tokens of a specialist's call; it may ask for fewer."""
    reasoning_effort: str | None = None
    """The target's; None: not sent."""


class RolePrices(Record):
    """Money for a million tokens, by who calls."""

    target: Prices = Prices()
    specialist: Prices | None = None
    """None: the target's."""

    def of(self, role: str) -> Prices:
        return self.target if role == "target" or self.specialist is None else self.specialist


class SpendingLimit(Record):
    """The most that calls together may cost; None: no limit."""

    tokens: int | None = None
    money: float | None = None

    def budget(self) -> Budget:
        """A fresh budget of that size."""
        return Budget(max_tokens=self.tokens, max_money=self.money)


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
    sampling: Sampling = Sampling()
    prices: RolePrices = RolePrices()
    limits: GatewayLimits = GatewayLimits()
