"""A loopback OpenAI-compatible endpoint for tests: the simulated model, or any kind of trouble, and a count."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sigmaloop.simulation.model import SimulatedModel


@dataclass
class Endpoint:
    """Its address, what it was asked, and how it behaves just now."""

    url: str = ""
    trouble: str | None = None
    """None: answer; "401", "404", "500": that status; "garbage"; "hang"."""
    answered: int = 0
    asked: int = 0
    keys: set[str] = field(default_factory=set)
    models: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    embedded: list[str] = field(default_factory=list)
    fail_after: int | None = None
    """Answer 500 from this many answers on."""


@contextmanager
def serve(endpoint: Endpoint | None = None) -> Iterator[Endpoint]:
    """Serve on a free loopback port until the block ends."""
    endpoint = endpoint or Endpoint()
    model = SimulatedModel()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are two pieces: 40 ms an answer

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = json.loads(body)
            with endpoint.lock:
                endpoint.asked += 1
                endpoint.keys.add(self.headers.get("Authorization", ""))
                endpoint.models.add(str(request.get("model")))
                trouble = endpoint.trouble
                if endpoint.fail_after is not None and endpoint.answered >= endpoint.fail_after:
                    trouble = "500"
            if trouble == "hang":
                time.sleep(30)
                return
            if trouble == "garbage":
                self._send(200, b"<html>welcome to the hotel wifi</html>")
                return
            if trouble:
                self._send(int(trouble), json.dumps({"error": {"message": f"trouble {trouble}"}}).encode())
                return
            if self.path.endswith("/embeddings"):
                given = request["input"]
                given = [given] if isinstance(given, str) else given
                with endpoint.lock:
                    endpoint.embedded += given
                rows = [_vector(text) for text in given]
                data = [{"object": "embedding", "index": i, "embedding": row} for i, row in enumerate(rows)]
                usage = {"prompt_tokens": 7 * len(rows), "total_tokens": 7 * len(rows)}
                found = {"object": "list", "data": data, "model": request["model"], "usage": usage}
            else:
                found = model.complete(request)
            answer = json.dumps(found).encode()
            with endpoint.lock:
                endpoint.answered += 1
            self._send(200, answer)

        def _send(self, status: int, body: bytes) -> None:
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:  # the caller was killed in the middle: that is what some tests do
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *_: Any) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    endpoint.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _vector(text: object) -> list[float]:
    """Eight numbers that depend on the text alone."""
    return [byte / 255 for byte in hashlib.sha256(str(text).encode()).digest()[:8]]
