"""A page on this machine alone: one address, read only, fresh at every look."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sigmaloop.errors import SigmaLoopError

LOOPBACK = "127.0.0.1"


class PageServer(ThreadingHTTPServer):
    """Serves what `make` returns at `/`, to this machine alone."""

    daemon_threads = True

    def __init__(self, make: Callable[[], str], *, port: int = 0) -> None:
        """Raises OSError for a port that is taken."""
        self.make = make
        super().__init__((LOOPBACK, port), _Handler)

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.server_port}/"

    @property
    def hosts(self) -> tuple[str, ...]:
        """Names under which it may be asked: a page elsewhere cannot reach it under a name of its own."""
        return f"{LOOPBACK}:{self.server_port}", f"localhost:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: PageServer

    def do_GET(self) -> None:
        if self.headers.get("Host") not in self.server.hosts:
            self._answer(HTTPStatus.FORBIDDEN, "this page is for this machine alone")
        elif self.path != "/":
            self._answer(HTTPStatus.NOT_FOUND, "there is one page, at /")
        else:
            try:
                self._answer(HTTPStatus.OK, self.server.make(), kind="text/html")
            except SigmaLoopError as error:
                self._answer(HTTPStatus.SERVICE_UNAVAILABLE, str(error))

    def _answer(self, status: HTTPStatus, text: str, *, kind: str = "text/plain") -> None:
        body = text.encode("utf-8", "replace")
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing: whoever serves the page looks at the page."""
