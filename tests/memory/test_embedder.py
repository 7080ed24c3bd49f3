"""The embedder: the same vector in every process, and the same cause in other words is nearer than another cause."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from sigmaloop.errors import BadInput, UpstreamError
from sigmaloop.memory.embedder import EmbedderId, HashEmbedder, OpenAIEmbedder, make_embedder
from sigmaloop.settings import Settings

TEXT = "acts on first order. It took the first order in the list. Compare every order with the description."


def test_vectors_are_of_length_one_whatever_the_text() -> None:
    texts = [TEXT, "", "the a of", "🙂", "词语 不同", "lone \ud800 surrogate", "x" * 10_000]
    matrix = HashEmbedder().embed(texts)
    assert matrix.shape == (7, 1024)
    assert matrix.dtype == np.float32
    assert np.allclose(np.linalg.norm(matrix, axis=1), 1, atol=1e-5)
    assert HashEmbedder().embed([]).shape == (0, 1024)


def test_another_process_computes_the_same_vector() -> None:
    code = (
        "import sys; from sigmaloop.memory.embedder import HashEmbedder;"
        "sys.stdout.buffer.write(HashEmbedder().embed([sys.argv[1]]).tobytes())"
    )
    found = subprocess.run([sys.executable, "-c", code, TEXT], capture_output=True, check=True)
    assert found.stdout == HashEmbedder().embed([TEXT]).tobytes()


def test_the_same_cause_in_other_words_is_nearer_than_another_cause() -> None:
    said, again, other = HashEmbedder().embed(
        [
            "omits refund amount. The agent never said how much is refunded. State the amount.",
            "refund amount unsaid. It did not tell the customer the amount of the refund. Say what is refunded.",
            "reboot before line check. It made the customer restart the phone. Look at the line status first.",
        ]
    )
    assert said @ again > 0.25 > said @ other


def test_a_text_takes_well_under_a_millisecond_or_so() -> None:
    embedder = HashEmbedder()
    seconds = []
    for number in range(60):
        begin = time.perf_counter()
        embedder.embed([f"{TEXT} {number}"])
        seconds.append(time.perf_counter() - begin)
    assert median(seconds) < 0.005


def test_the_id_tells_embedders_apart_and_can_name_a_collection() -> None:
    ids = [
        HashEmbedder().id,
        EmbedderId(kind="openai", model="text/embedding 3:small", dimension=1024),
        EmbedderId(kind="openai", model="text/embedding 3:small", dimension=256),
        EmbedderId(kind="openai", model="text-embedding-3-small", dimension=1024),
    ]
    assert ids[0].name.startswith("hash-v1-1024-")
    assert len({known.name for known in ids}) == 4
    assert all(set(known.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for known in ids)


class _Endpoint(BaseHTTPRequestHandler):
    seen: list[dict[str, Any]] = []
    fail = False

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append({"path": self.path, "key": self.headers["Authorization"], **body})
        data = [
            {"object": "embedding", "index": i, "embedding": [3.0, 4.0, float(i)]} for i, _ in enumerate(body["input"])
        ]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        answer = json.dumps({"object": "list", "data": data, "model": body["model"], "usage": usage}).encode()
        self.send_response(401 if self.fail else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Endpoint)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    _Endpoint.seen, _Endpoint.fail = [], False
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_endpoint_is_asked_in_plain_text_and_its_answer_is_normalised(endpoint: str) -> None:
    embedder = OpenAIEmbedder("embed-1", api_key=SecretStr("sk-secret"), base_url=endpoint)
    assert embedder.id == EmbedderId(kind="openai", model="embed-1", dimension=3)
    matrix = embedder.embed(["one", "two"])
    assert np.allclose(matrix[0], [0.6, 0.8, 0.0])
    assert np.allclose(np.linalg.norm(matrix, axis=1), 1)
    asked = _Endpoint.seen[-1]
    assert (asked["path"], asked["input"], asked["key"]) == ("/v1/embeddings", ["one", "two"], "Bearer sk-secret")


def test_an_endpoint_that_refuses_is_an_upstream_error(endpoint: str) -> None:
    _Endpoint.fail = True
    with pytest.raises(UpstreamError, match="embedding 1 texts with embed-1"):
        OpenAIEmbedder("embed-1", api_key=SecretStr("sk-secret"), base_url=endpoint).embed(["x"])


def test_the_settings_name_the_embedder() -> None:
    assert isinstance(make_embedder(Settings.model_construct(embedder="hash-v1"), None), HashEmbedder)
    chosen = Settings.model_construct(embedder="openai", base_url="http://127.0.0.1:9/v1")
    assert isinstance(make_embedder(chosen, SecretStr("k")), OpenAIEmbedder)
    with pytest.raises(BadInput, match="OPENAI_API_KEY"):
        make_embedder(chosen, None)
