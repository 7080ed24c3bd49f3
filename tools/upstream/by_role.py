"""Which upstream answers which role: each holds its own address and key, so no key can reach another role's host."""

from __future__ import annotations

from collections.abc import Mapping

from sigmaloop.tools.upstream.upstream import Upstream


class Upstreams:
    """One upstream for all roles, but for those that have their own."""

    def __init__(self, general: Upstream, own: Mapping[str, Upstream] | None = None) -> None:
        self._general = general
        self._own = dict(own or {})

    def of(self, role: str) -> Upstream:
        return self._own.get(role, self._general)

    def close(self) -> None:
        """Close each of them once. May be called twice."""
        for upstream in {id(one): one for one in (self._general, *self._own.values())}.values():
            upstream.close()
