"""Every decision shows up in LangSmith when tracing is on, and nothing is sent when it is off."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard
from loopback import Asked, serve_json
from processes import environment, sigmaloop


class Collector:
    """A stand-in for the LangSmith API that remembers the raw parts it was sent."""

    def __init__(self) -> None:
        self.url = ""
        self.requests = 0
        self.parts: list[bytes] = []

    def take(self, asked: Asked) -> tuple[int, dict[str, Any]]:
        self.requests += 1
        if asked.body:
            packed = asked.headers.get("Content-Encoding") == "zstd"
            self.parts.append(
                zstandard.ZstdDecompressor().decompressobj().decompress(asked.body) if packed else asked.body
            )
        limits = {
            "use_multipart_endpoint": True, "size_limit": 100, "size_limit_bytes": 2_000_000,
            "scale_up_qsize_trigger": 1_000, "scale_up_nthreads_limit": 4, "scale_down_nempty_trigger": 4,
        }  # fmt: skip
        return 200, {"version": "0.1", "batch_ingest_config": limits}


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()
    with serve_json(found.take, keep_alive=False) as url:
        found.url = url
        yield found


def run_once(folder: Path, collector: Collector, *, tracing: bool) -> None:
    env = environment(
        LANGSMITH_TRACING=str(tracing).lower(),
        LANGSMITH_ENDPOINT=collector.url,
        LANGSMITH_API_KEY="ls-loopback-key",
    )
    subprocess.run(
        sigmaloop(
            "run", "--benchmark", "small:TinyHelpdesk", "--batches", "1",
            "--batch-size", "8", "--attempts", "2", "--certify-trials", "1", "--upstream", "simulated",
        ),
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
