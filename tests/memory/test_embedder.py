"""The embedder: the same vector in every process, and the same cause in other words is nearer than another cause."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from loopback import Asked, serve_json
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


class Embeddings:
    """Embeds every text as (3, 4, its place)."""

    def __init__(self) -> None:
        self.url = ""
        self.seen: list[dict[str, Any]] = []
        self.status = 200

    def answer(self, asked: Asked) -> tuple[int, dict[str, Any]]:
        body = json.loads(asked.body)
        self.seen.append({"path": asked.path, "key": asked.headers["Authorization"], **body})
        data = [
            {"object": "embedding", "index": i, "embedding": [3.0, 4.0, float(i)]} for i, _ in enumerate(body["input"])
        ]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return self.status, {"object": "list", "data": data, "model": body["model"], "usage": usage}


@pytest.fixture
def endpoint() -> Iterator[Embeddings]:
    made = Embeddings()
    with serve_json(made.answer, keep_alive=False) as url:  # the client of embeddings is never closed
        made.url = f"{url}/v1"
        yield made


def test_an_endpoint_is_asked_in_plain_text_and_its_answer_is_normalised(endpoint: Embeddings) -> None:
    embedder = OpenAIEmbedder("embed-1", api_key=SecretStr("sk-secret"), base_url=endpoint.url)
    assert embedder.id == EmbedderId(kind="openai", model="embed-1", dimension=3)
    matrix = embedder.embed(["one", "two"])
    assert np.allclose(matrix[0], [0.6, 0.8, 0.0])
    assert np.allclose(np.linalg.norm(matrix, axis=1), 1)
    asked = endpoint.seen[-1]
    assert (asked["path"], asked["input"], asked["key"]) == ("/v1/embeddings", ["one", "two"], "Bearer sk-secret")


def test_an_endpoint_that_refuses_is_an_upstream_error(endpoint: Embeddings) -> None:
    endpoint.status = 401
    with pytest.raises(UpstreamError, match="embedding 1 texts with embed-1"):
        OpenAIEmbedder("embed-1", api_key=SecretStr("sk-secret"), base_url=endpoint.url).embed(["x"])


def test_the_settings_name_the_embedder() -> None:
    assert isinstance(make_embedder(Settings.model_construct(embedder="hash-v1"), None), HashEmbedder)
    chosen = Settings.model_construct(embedder="openai", base_url="http://127.0.0.1:9/v1")
    assert isinstance(make_embedder(chosen, SecretStr("k")), OpenAIEmbedder)
    with pytest.raises(BadInput, match="OPENAI_API_KEY"):
        make_embedder(chosen, None)
