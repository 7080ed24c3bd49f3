"""What all calls of a gateway cost and how long they took, by role."""

from __future__ import annotations

import threading
from collections import defaultdict

from sigmaloop.records import Usage
from sigmaloop.tools.gateway.budget import Tokens
from sigmaloop.tools.gateway.gateway_settings import RolePrices
from sigmaloop.tools.gateway.meter import Latency, Meter


class Metering:
    """Counts every call for its lease and its role. Thread-safe."""

    def __init__(self, prices: RolePrices) -> None:
        self._prices = prices
        self._lock = threading.Lock()
        self._by_role: defaultdict[str, Meter] = defaultdict(Meter)
        self._upstream: defaultdict[str, Meter] = defaultdict(Meter)
        self._recalled = 0

    def paid(self, role: str, lease: Meter, tokens: Tokens, seconds: float, *, cut_off: bool = False) -> None:
        """The upstream answered."""
        with self._lock:
            for meter in (lease, self._by_role[role], self._upstream[role]):
                meter.add(tokens, seconds, cut_off=cut_off)

    def recalled(self, role: str, lease: Meter, tokens: Tokens, *, cut_off: bool = False) -> None:
        """The call journal answered."""
        with self._lock:
            for meter in (lease, self._by_role[role]):
                meter.add(tokens, 0.0, cut_off=cut_off)
            self._recalled += 1

    def cut_off(self) -> dict[str, tuple[int, int]]:
        """By role: answers that the limit of output tokens ended before their first word, and all of them."""
        with self._lock:
            return {role: (meter.cut_off, meter.calls) for role, meter in sorted(self._by_role.items())}

    def usage(self, role: str, meter: Meter) -> Usage:
        """What a meter has counted, at the role's prices."""
        with self._lock:
            return meter.usage(self._prices.of(role))

    def totals(self) -> dict[str, Usage]:
        """What all answers cost, by role, whether paid now or before."""
        return self._usages(self._by_role)

    def spent(self) -> dict[str, Usage]:
        """What went upstream, by role: `totals` without what the call journal answered."""
        return self._usages(self._upstream)

    def latency(self) -> dict[str, Latency]:
        """How long calls that went upstream took, by role."""
        with self._lock:
            return {role: meter.latency() for role, meter in sorted(self._upstream.items())}

    @property
    def paid_calls(self) -> int:
        with self._lock:
            return sum(meter.calls for meter in self._upstream.values())

    @property
    def recalled_calls(self) -> int:
        with self._lock:
            return self._recalled

    def _usages(self, meters: dict[str, Meter]) -> dict[str, Usage]:
        with self._lock:
            return {role: meter.usage(self._prices.of(role)) for role, meter in sorted(meters.items())}
