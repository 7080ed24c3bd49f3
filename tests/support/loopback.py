"""A loopback HTTP server for tests: what a function answers, as JSON, on a free port, until the block ends."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request."""

    path: str
    headers: Any
    """Its headers, whatever their case."""
    body: bytes


@contextmanager
def serve_json(answer: Callable[[Asked], tuple[int, Any]], *, keep_alive: bool = True) -> Iterator[str]:
    """The server's address; every request is answered with the status and the value that `answer` gives; a text is
    a stream of events."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1" if keep_alive else "HTTP/1.0"
        disable_nagle_algorithm = True  # head and body are two pieces: 40 ms an answer

        def _answer(self) -> None:
            status, said = answer(Asked(self.path, self.headers, self._body()))
            text = isinstance(said, str)
            data = said.encode() if text else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/event-stream" if text else "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = _answer  # noqa: N815

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            chunks = []
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
