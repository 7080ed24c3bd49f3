"""Connections of the gateway's server that dawdle: one that has not sent the head of a request in time is closed.

uvicorn watches idle connections between two requests alone; one that never asks anything would live for ever.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.auto import AutoHTTPProtocol


def hasty_protocol(seconds: float) -> type[asyncio.Protocol]:
    """uvicorn's HTTP protocol, whose connections have `seconds` for each head of a request."""

    class Hasty(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
        _due: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            self._watch()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch()

        def connection_lost(self, exc: Exception | None) -> None:
            self._rest()
            super().connection_lost(exc)

        def _watch(self) -> None:
            if not self._asking():
                self._rest()
            elif self._due is None:
                self._due = asyncio.get_running_loop().call_later(seconds, self._too_slow)

        def _asking(self) -> bool:
            """Whether no request is under way: its head is not whole yet."""
            return self.cycle is None or bool(self.cycle.response_complete)

        def _rest(self) -> None:
            if self._due is not None:
                self._due.cancel()
                self._due = None

        def _too_slow(self) -> None:
            self._due = None
            if self._asking():
                self.transport.close()

    return Hasty
