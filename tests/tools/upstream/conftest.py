"""A misbehaving endpoint, and upstreams to it that give up fast."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import SecretStr
from stub_endpoint import Stub, chat_answer, no_thread_left, serve_stub

from sigmaloop.tools.upstream.upstream import HttpUpstream

KEY = "sk-secret-0123456789"


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


@pytest.fixture
def reach(stub: Any) -> Iterator[Callable[..., HttpUpstream]]:
    """Makes upstreams to the stub that give up fast."""
    made: list[HttpUpstream] = []

    def make(url: str = "", key: SecretStr | str | None = KEY, **options: Any) -> HttpUpstream:
        options = {"timeout": 0.3, "tries": 3, "total": 5.0, "backoff": 0.01, **options}
        made.append(HttpUpstream(url or stub.url, key, **options))
        return made[-1]

    yield make
    stub.released.set()
    for upstream in made:
        upstream.close()


@pytest.fixture
def silent() -> Iterator[str]:
    """An address that nobody listens at, and nobody else can take meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/v1"
