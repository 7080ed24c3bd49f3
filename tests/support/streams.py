"""A loopback endpoint that streams chat completions, well or badly, and notices when its caller leaves."""

from __future__ import annotations

import json
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]


def chunk(delta: Json | None = None, *, reason: str | None = None, usage: Json | None = None) -> str:
    """One event of a stream; without a delta the last one, which holds the usage."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": reason}]
    head = {"id": "chatcmpl-9", "object": "chat.completion.chunk", "created": 9, "model": "stub"}
    return f"data: {json.dumps({**head, 'choices': choices, 'usage': usage})}\n\n"


USAGE = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
HELLO = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "Hel"}),
    chunk({"content": "lo."}),
    chunk({}, reason="stop"),
    chunk(usage=USAGE),
    "data: [DONE]\n\n",
]
CALLS = [
    chunk({"role": "assistant", "content": None}),
    chunk({"tool_calls": [{"index": 0, "id": "c0", "function": {"name": "find", "arguments": ""}}]}),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"id": '}}]}),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": '"ö"}'}}]}),
    chunk({"tool_calls": [{"index": 1, "id": "c1", "function": {"name": "find", "arguments": "{}"}}]}),
    chunk({}, reason="tool_calls"),
    chunk(usage=USAGE),
    "data: [DONE]\n\n",
]


class Streams:
    """What it does, in turn, the last behaviour again and again.

    A behaviour is made of pieces of text, seconds or an event to wait for, and `hang`, `reset`, `cut`.
    One that is a tuple (status, body) is an ordinary answer.
    """

    def __init__(self, *script: Any) -> None:
        self.script = list(script)
        self.seen: list[Json] = []
        self.headers: list[dict[str, str]] = []
        self.connections: set[Any] = set()
        self.left = threading.Event()
        """Set when a caller hung up while it was being answered."""
        self.stopped = threading.Event()
        self.url = ""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two pieces: 40 ms an answer
    streams: Streams

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        streams = self.streams
        streams.seen.append(body)
        streams.headers.append(dict(self.headers))
        streams.connections.add(self.client_address)
        pieces = streams.script.pop(0) if len(streams.script) > 1 else streams.script[0]
        if isinstance(pieces, tuple):
            self.send_response(pieces[0])
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(pieces[1])))
            self.end_headers()
            self.wfile.write(pieces[1].encode())
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            if not self.play(piece):
                self.close_connection = True
                return
        self.wfile.write(b"0\r\n\r\n")

    def play(self, piece: Any) -> bool:
        """False: the connection ends here."""
        if piece == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if piece == "cut":
            return False
        if piece == "hang":
            return self.wait(60.0) and False
        if isinstance(piece, float):
            return self.wait(piece)
        if isinstance(piece, threading.Event):
            return piece.wait(20.0)
        data = piece.encode()
        with suppress(OSError):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()
        return True

    def wait(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.streams.stopped.is_set():
            if select.select([self.connection], [], [], 0.01)[0]:
                self.streams.left.set()
                return False
        return True

    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, *_: Any) -> None:
        """A caller that went away is what some tests are about."""


@contextmanager
def serve_streams(*script: Any) -> Iterator[Streams]:
    """Serve until the block ends."""
    streams = Streams(*script)
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"streams": streams}))
    streams.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield streams
    finally:
        streams.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
