"""Embeddings of an endpoint: metered like every call, found again after a kill, and kept in one place only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gateways import open_gateway
from loopback import Asked, serve_json

from sigmaloop.errors import BudgetSpent, UpstreamError
from sigmaloop.graph.embedding import EmbeddingCalls
from sigmaloop.memory.embedder import PROBE, EndpointEmbedder
from sigmaloop.memory.index import FailureIndex
from sigmaloop.memory.journal import Journal
from sigmaloop.tools.gateway.gateway import Gateway
from sigmaloop.tools.upstream.upstream import HttpUpstream


class Endpoint:
    """Counts the texts that it is asked for; ten tokens each."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.url = ""
        self.status = 200

    def answer(self, asked: Asked) -> tuple[int, dict[str, Any]]:
        if self.status != 200:
            return self.status, {"error": {"message": "no"}}
        texts = json.loads(asked.body)["input"]
        self.texts += texts
        data = [{"index": i, "embedding": [1.0, float(len(t)), float(ord(t[0]))]} for i, t in enumerate(texts)]
        usage = {"prompt_tokens": 10 * len(texts), "total_tokens": 10 * len(texts)}
        return 200, {"object": "list", "data": data, "model": "embed-1", "usage": usage}


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    with serve_json(made.answer, keep_alive=False) as url:
        made.url = f"{url}/v1"
        yield made


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.sqlite") as opened:
        yield opened


def gateway_to(endpoint: Endpoint, journal: Journal, **limits: Any) -> Gateway:
    return open_gateway(
        HttpUpstream(endpoint.url, "sk-loopback-0000", timeout=10.0, tries=1),
        target="m",
        specialist="m",
        embedding="embed-1",
        call_journal=journal,
        **limits,
    )


def index_of(gateway: Gateway, journal: Journal) -> FailureIndex:
    calls = EmbeddingCalls(gateway, journal)
    embedder = EndpointEmbedder("embed-1", calls.ask)
    return FailureIndex(journal.path.with_name("chroma"), embedder, journal=journal)


def kept(journal: Journal) -> int:
    return int(journal._db.execute("SELECT count(*) FROM calls")[0][0])


def test_a_text_is_paid_once_counted_once_and_its_answer_not_kept(endpoint: Endpoint, journal: Journal) -> None:
    with gateway_to(endpoint, journal, price_input=1.0) as gateway, index_of(gateway, journal) as index:
        for number in range(5):
            index.add("failure", f"F{number}", f"text {number}")
            index.embed([f"text {n}" for n in range(number + 1)])
            assert kept(journal) == 0
        index.search("failure", "text 3", 2)
        assert gateway.charged.tokens == 60
    assert endpoint.texts == [PROBE, *(f"text {n}" for n in range(5))]
    (used,) = journal.usage().values()
    assert (used.calls, used.input_tokens, used.output_tokens) == (6, 60, 0)
    assert used.cost == pytest.approx(60e-6)
    assert list(journal.usage()) == ["embedding"]


def test_a_run_that_is_resumed_asks_again_only_for_what_was_not_stored(endpoint: Endpoint, journal: Journal) -> None:
    with gateway_to(endpoint, journal) as gateway, index_of(gateway, journal) as index:
        index.add("failure", "F1", "stored")
        index.embed(["killed before it was stored"])
    endpoint.texts.clear()
    with gateway_to(endpoint, journal) as gateway, index_of(gateway, journal) as index:
        index.embed(["stored", "killed before it was stored"])
        assert gateway.paid == 2
    assert endpoint.texts == [PROBE, "killed before it was stored"]
    assert kept(journal) == 0


def test_a_spent_budget_is_no_fault_of_the_endpoint(endpoint: Endpoint, journal: Journal) -> None:
    with gateway_to(endpoint, journal, run_tokens=1) as gateway, pytest.raises(BudgetSpent):
        EmbeddingCalls(gateway, journal).ask(["a text that costs more than is left"])
    assert endpoint.texts == []


def test_an_endpoint_that_fails_is_an_outage(endpoint: Endpoint, journal: Journal) -> None:
    endpoint.status = 503
    with gateway_to(endpoint, journal) as gateway, pytest.raises(UpstreamError):
        index_of(gateway, journal)
    assert journal.usage() == {}
