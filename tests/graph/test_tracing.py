"""Every decision shows up in LangSmith when tracing is on, and nothing is sent when it is off."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

SUPPORT = Path(__file__).parent.parent / "support"


class Collector:
    """A stand-in for the LangSmith API that remembers the raw parts it was sent."""

    def __init__(self) -> None:
        self.url = ""
        self.requests = 0
        self.parts: list[bytes] = []


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.requests += 1
            limits = {
                "use_multipart_endpoint": True, "size_limit": 100, "size_limit_bytes": 2_000_000,
                "scale_up_qsize_trigger": 1_000, "scale_up_nthreads_limit": 4, "scale_down_nempty_trigger": 4,
            }  # fmt: skip
            self._send(json.dumps({"version": "0.1", "batch_ingest_config": limits}).encode())

        def do_POST(self) -> None:
            found.requests += 1
            body = self._body()
            if self.headers.get("Content-Encoding") == "zstd":
                import zstandard

                body = zstandard.ZstdDecompressor().decompressobj().decompress(body)
            found.parts.append(body)
            self._send(b"{}")

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            chunks = []
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)

        do_PATCH = do_POST  # noqa: N815

        def _send(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


def run_once(folder: Path, collector: Collector, *, tracing: bool) -> None:
    env = {
        **os.environ,
        "PYTHONPATH": str(SUPPORT),
        "LANGSMITH_TRACING": str(tracing).lower(),
        "LANGSMITH_ENDPOINT": collector.url,
        "LANGSMITH_API_KEY": "ls-loopback-key",
    }
    subprocess.run(
        [
            sys.executable, "-m", "sigmaloop.cli.main", "run", "--benchmark", "small:SmallHelpdesk", "--batches", "1",
            "--batch-size", "8", "--attempts", "2", "--certify-trials", "1", "--upstream", "simulated",
        ],
        cwd=folder, env=env, check=True, capture_output=True, timeout=200,
    )  # fmt: skip


@pytest.mark.slow
def test_nodes_and_specialists_are_traced_with_their_verdicts(tmp_path: Path, collector: Collector) -> None:
    run_once(tmp_path, collector, tracing=True)
    sent = b"".join(collector.parts).decode(errors="replace")
    for name in ("simulate", "mine", "cluster", "propose", "failure_miner", "harness_engineer"):
        assert f'"name":"{name}"' in sent.replace('": "', '":"'), f"{name} was not traced"
    assert '"verdict"' in sent


@pytest.mark.slow
def test_nothing_is_sent_when_tracing_is_off(tmp_path: Path, collector: Collector) -> None:
    run_once(tmp_path, collector, tracing=False)
    assert collector.requests == 0
