"""Which upstream answers which role: each holds its own address and key, so no key can reach another role's host."""

from __future__ import annotations

from collections.abc import Mapping

from sigmaloop.tools.upstream.upstream import Endpoint, Upstream


class Upstreams:
    """One upstream for all roles, but for those that have their own."""

    def __init__(self, general: Upstream, own: Mapping[str, Upstream] | None = None) -> None:
        self._general = general
        self._own = dict(own or {})
        # Once: to ask each time whether it is one costs as much as the rest of a call.
        self._endpoints = {id(one): one for one in (general, *self._own.values()) if isinstance(one, Endpoint)}

    def of(self, role: str) -> Upstream:
        return self._own.get(role, self._general)

    def endpoint(self, role: str) -> Endpoint | None:
        """The same, if its calls can be followed."""
        return self._endpoints.get(id(self.of(role)))

    def close(self) -> None:
        """Close each of them once. May be called twice."""
        for upstream in {id(one): one for one in (self._general, *self._own.values())}.values():
            upstream.close()
