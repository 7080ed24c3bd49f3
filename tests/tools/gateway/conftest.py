"""A misbehaving endpoint, a call journal that is a dict, and a gateway behind its server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import openai
import pytest
from gateways import open_gateway
from stub_endpoint import Stub, chat_answer, no_thread_left, serve_stub

from sigmaloop.tools.gateway.gateway import Gateway
from sigmaloop.tools.gateway.lease import Lease
from sigmaloop.tools.upstream.scripted import ScriptedModel


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serve_stub() as stub:
        yield stub


@pytest.fixture
def answered() -> Callable[..., dict[str, Any]]:
    """Makes whole chat completions."""
    return chat_answer


@pytest.fixture
def no_leaks() -> Iterator[None]:
    with no_thread_left():
        yield


class DictJournal:
    """A call journal in memory."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int, str], dict[str, Any]] = {}

    def recall(self, scope: str, index: int, request_hash: str) -> dict[str, Any] | None:
        return self.rows.get((scope, index, request_hash))

    def remember(self, scope: str, index: int, request_hash: str, response: dict[str, Any]) -> None:
        self.rows[scope, index, request_hash] = response


@pytest.fixture
def call_journal() -> DictJournal:
    return DictJournal()


@pytest.fixture
def serve(no_leaks: None) -> Iterator[Callable[..., Lease]]:
    """Makes leases of fresh gateways; a list is the script of a scripted model."""
    made: list[Gateway] = []

    def make(upstream: Any, role: str = "failure_miner", max_calls: int | None = None, **options: Any) -> Lease:
        upstream = ScriptedModel(upstream) if isinstance(upstream, list) else upstream
        gateway = open_gateway(upstream, target="the-target", specialist="the-specialist", **options)
        made.append(gateway)
        return gateway.lease(role, scope="s", seed=7, max_calls=max_calls)

    yield make
    for gateway in made:
        gateway.stop()


@pytest.fixture
def http() -> Iterator[Any]:
    with openai.DefaultHttpxClient(trust_env=False, verify=False, timeout=30) as client:
        yield client


@pytest.fixture
def plain() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, verify=False, timeout=30) as client:
        yield client
