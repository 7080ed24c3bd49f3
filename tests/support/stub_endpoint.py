"""A model endpoint on loopback that can misbehave in every way, and a check that no thread is left."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]


def chat_answer(content: str | None = "Hello.", *, tokens: tuple[int, int] = (7, 3), **message: Any) -> Json:
    """A whole chat completion."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "stub",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": content, **message},
            }
        ],
        "usage": {
            "prompt_tokens": tokens[0],
            "completion_tokens": tokens[1],
            "total_tokens": sum(tokens),
        },
    }


class Stub:
    """What the endpoint does, in turn; the last behaviour stays.

    A behaviour is a dict (sent with 200), (status, body, headers), or one of the words
    half, reset, hang, redirect.
    """

    def __init__(self) -> None:
        self.script: list[Any] = [chat_answer()]
        self.seen: list[Json] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.released = threading.Event()
        """Ends every `hang`."""
        self.hanging = 0
        """Requests that it is leaving without an answer just now."""
        self.lock = threading.Lock()
        self.url = ""

    def turn(self, path: str, headers: dict[str, str], body: Json) -> Any:
        with self.lock:
            self.paths.append(path)
            self.headers.append(headers)
            self.seen.append(body)
            return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    def hang(self) -> None:
        with self.lock:
            self.hanging += 1
        self.released.wait(60)
        with self.lock:
            self.hanging -= 1


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two pieces: 40 ms an answer
    stub: Stub

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        act = self.stub.turn(self.path, dict(self.headers), body)
        if act == "hang":
            self.stub.hang()
            self.close_connection = True
        elif act == "reset":
            # Linger 0: closing sends RST instead of FIN.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.shutdown(socket.SHUT_RD)
            self.close_connection = True
        elif act == "half":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"choices": [{"mess')
            self.close_connection = True
        elif isinstance(act, tuple):
            self.send(*act)
        else:
            self.send(200, json.dumps(act), {"Content-Type": "application/json"})

    def send(self, status: int, body: str, headers: dict[str, str]) -> None:
        data = body.encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = False

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.connections: list[socket.socket] = []

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.append(request)
        super().process_request(request, client_address)

    def hang_up(self) -> None:
        """End kept-alive connections, or closing would wait for their clients."""
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what some tests are about."""


@contextmanager
def serve_stub() -> Iterator[Stub]:
    """Serve on a free loopback port until the block ends."""
    stub = Stub()
    handler = type("Handler", (_Handler,), {"stub": stub})
    server = _Server(("127.0.0.1", 0), handler)
    stub.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield stub
    finally:
        stub.released.set()
        server.shutdown()
        thread.join()
        server.hang_up()
        server.server_close()


@contextmanager
def no_thread_left() -> Iterator[None]:
    """Every thread that was started in the block has ended when it is over."""
    before = set(threading.enumerate())
    yield
    left = [thread.name for thread in threading.enumerate() if thread not in before]
    assert not left, f"threads left running: {left}"
