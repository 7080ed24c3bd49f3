"""The embedder: the same vector in every process, and the same cause in other words is nearer than another cause."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from sigmaloop.errors import BudgetSpent, UpstreamError
from sigmaloop.memory.embedder import EmbedderId, EndpointEmbedder, HashEmbedder

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


def answer(texts: Sequence[str]) -> dict[str, Any]:
    """Every text as (3, 4, its place), in an order of the endpoint's own."""
    data = [{"object": "embedding", "index": i, "embedding": [3.0, 4.0, float(i)]} for i, _ in enumerate(texts)]
    return {"object": "list", "data": data[::-1], "model": "embed-1"}


def test_an_endpoints_answer_is_put_in_order_and_normalised() -> None:
    asked: list[Sequence[str]] = []

    def ask(texts: Sequence[str]) -> dict[str, Any]:
        asked.append(texts)
        return answer(texts)

    embedder = EndpointEmbedder("embed-1", ask)
    assert embedder.id == EmbedderId(kind="openai", model="embed-1", dimension=3)
    matrix = embedder.embed(["one", "two"])
    assert matrix.dtype == np.float32
    assert np.allclose(matrix[0], [0.6, 0.8, 0.0])
    assert matrix[1, 2] > 0
    assert np.allclose(np.linalg.norm(matrix, axis=1), 1)
    assert asked[-1] == ["one", "two"]
    assert embedder.embed([]).shape == (0, 3)
    assert len(asked) == 2, "nothing is asked for nothing"


@pytest.mark.parametrize(
    "data",
    [
        [],
        [{"embedding": [1.0, 2.0]}] * 2,
        [{"embedding": [1.0, float("nan")]}],
        [{"embedding": "AACAPw=="}],
        [{"embedding": None}],
        [{"index": 0}],
        "nothing",
        [1],
    ],
)
def test_an_answer_that_is_none_is_an_upstream_error(data: Any) -> None:
    with pytest.raises(UpstreamError, match="embed-1"):
        EndpointEmbedder("embed-1", lambda _: {"data": data}).embed(["x"])


def test_a_spent_budget_stops_the_run_and_is_no_fault_of_the_endpoint() -> None:
    def ask(_: Sequence[str]) -> dict[str, Any]:
        raise BudgetSpent("spent")

    with pytest.raises(BudgetSpent):
        EndpointEmbedder("embed-1", ask).embed(["x"])
