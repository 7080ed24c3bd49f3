"""The server itself: whom it serves, sockets that misbehave, many callers, its start and its end."""

from __future__ import annotations

import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import openai
import pytest
from gateways import open_gateway
from http_clients import official, post
from waiting import wait_for

from sigmaloop.errors import UpstreamError
from sigmaloop.tools.gateway.http_server import HttpServer
from sigmaloop.tools.upstream.scripted import ScriptedModel
from sigmaloop.tools.upstream.upstream import HttpUpstream, InProcessUpstream

pytestmark = pytest.mark.usefixtures("no_leaks")


ASK: list[Any] = [{"role": "user", "content": "Where is my order?"}]


@pytest.mark.parametrize(
    "path",
    ["/files", "/responses/r1", "/conversations", "/chat/completions/", "/chat/completions/x", "/../v1/assistants", ""],
)
def test_other_places_are_not_served(serve: Any, plain: httpx.Client, path: str) -> None:
    answer = post(plain, serve([]), {"messages": ASK}, path=path)
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "not_found_error"


def test_the_wrong_method_is_refused_in_the_same_form(serve: Any, plain: httpx.Client) -> None:
    answer = plain.get(serve([]).base_url + "/chat/completions")
    assert answer.status_code == 405
    assert "only chat/completions" in answer.json()["error"]["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"messages": NaN}', b"null"])
def test_a_body_that_is_no_request_is_refused(serve: Any, plain: httpx.Client, body: bytes) -> None:
    answer = post(plain, serve([]), body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]
    assert answer.headers["x-should-retry"] == "false"


@pytest.mark.parametrize("header", ["", "Bearer", "Basic {}", "{}", "Bearer x{}"])
def test_only_the_token_itself_opens(serve: Any, plain: httpx.Client, header: str) -> None:
    lease = serve([])
    headers = {"Authorization": header.format(lease.token)} if header else {}
    for answer in (
        plain.post(lease.base_url + "/chat/completions", json={"messages": ASK}, headers=headers),
        plain.get(lease.base_url + "/models", headers=headers),
    ):
        assert answer.status_code == 401
        assert lease.token not in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:{port}"}, 200),
        ({"Origin": "http://127.0.0.1:{port}"}, 200),
        ({"Host": "evil.test:{port}"}, 403),
        ({"Host": "127.0.0.1"}, 403),
        ({"Origin": "https://evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:1"}, 403),
    ],
)
def test_only_callers_on_this_machine_that_are_no_web_page_are_served(
    serve: Any, plain: httpx.Client, headers: dict[str, str], status: int
) -> None:
    lease = serve(["Hello."])
    port = lease.base_url.removesuffix("/v1").rpartition(":")[2]
    given = {name: value.format(port=port) for name, value in headers.items()}
    reply = plain.post(
        f"{lease.base_url}/chat/completions",
        json={"messages": ASK},
        headers={"Authorization": f"Bearer {lease.token}", **given},
    )
    assert reply.status_code == status
    if status == 403:
        assert reply.json()["error"]["type"] == "permission_error"


def test_connections_that_never_finish_the_head_of_a_request_are_closed(plain: httpx.Client) -> None:
    with open_gateway(ScriptedModel(["Hello."])) as gateway:
        face = HttpServer(gateway, header_seconds=0.05)
        try:
            host, port = face.base_url.removeprefix("http://").removesuffix("/v1").split(":")
            whole = f"GET /v1/models HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()
            for said in (b"", b"POST /v1/chat", whole + b"POST /v1/chat"):
                with socket.create_connection((host, int(port)), timeout=30) as slow:
                    slow.sendall(said)
                    while slow.recv(10_000):  # what was whole is answered
                        pass
        finally:
            face.stop()


def test_a_call_that_takes_longer_than_a_head_may_is_not_broken_off(plain: httpx.Client) -> None:
    class Slow:
        def complete(self, request: dict[str, Any]) -> dict[str, Any]:
            threading.Event().wait(0.2)
            return ScriptedModel(["At last."]).complete(request)

    with open_gateway(InProcessUpstream(Slow())) as gateway:
        face = HttpServer(gateway, header_seconds=0.05)
        try:
            token = gateway.lease("target", scope="s", seed=1).token
            reply = plain.post(
                f"{face.base_url}/chat/completions",
                json={"messages": ASK},
                headers={"Authorization": f"Bearer {token}"},
            )
            assert reply.status_code == 200
        finally:
            face.stop()


def test_a_long_path_is_not_repeated(serve: Any, plain: httpx.Client) -> None:
    reply = plain.get(f"{serve([]).base_url}/{'x' * 10_000}")
    assert reply.status_code == 404
    assert len(reply.text) < 500


def test_a_long_body_is_refused_before_it_is_whole(serve: Any, plain: httpx.Client) -> None:
    lease = serve(["fine"], request_bytes=10_000)
    whole = post(plain, lease, {"messages": [{"role": "user", "content": "x" * 20_000}]})
    assert whole.status_code == 413
    host, port = lease.base_url.removeprefix("http://").removesuffix("/v1").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as endless:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {lease.token}\r\n"
        endless.sendall(head.encode() + b"Content-Length: 1000000000\r\n\r\n" + b"x" * 12_000)
        assert endless.recv(1000).startswith(b"HTTP/1.1 413")
    assert post(plain, lease, {"messages": ASK}).status_code == 200


def test_a_dead_token_is_turned_away_before_its_body_is_read(serve: Any) -> None:
    host, port = serve([]).base_url.removeprefix("http://").removesuffix("/v1").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as caller:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer dead\r\n"
        caller.sendall(head.encode() + b"Content-Length: 1000\r\n\r\n{")
        assert caller.recv(1000).startswith(b"HTTP/1.1 401")


def test_a_caller_that_leaves_in_the_middle_hurts_nobody(serve: Any, plain: httpx.Client) -> None:
    lease = serve(["fine"])
    host, port = lease.base_url.removeprefix("http://").removesuffix("/v1").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as leaving:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {lease.token}\r\n"
        leaving.sendall(head.encode() + b"Content-Length: 100\r\n\r\n{")
    assert post(plain, lease, {"messages": ASK}).status_code == 200


def test_the_server_starts_when_first_asked_for_and_only_on_loopback(serve: Any) -> None:
    before = set(threading.enumerate())
    lease = serve(["one"])
    lease.complete({"messages": ASK})
    assert set(threading.enumerate()) == before
    assert lease.base_url == lease.base_url
    assert lease.base_url.startswith("http://127.0.0.1:")
    assert [t.name for t in threading.enumerate() if t not in before] == ["gateway-http"]


def test_a_stopped_gateway_does_not_serve_again(serve: Any) -> None:
    lease = serve(["one"])
    gateway = lease._issuer
    assert gateway.start() == lease.base_url
    gateway.stop()
    with pytest.raises(UpstreamError, match="stopped"):
        _ = lease.base_url


def test_it_stops_at_once_with_a_call_under_way_and_a_client_connected(
    stub: Any, serve: Any, http: Any, caplog: pytest.LogCaptureFixture
) -> None:
    stub.script = ["hang"]
    gateway = open_gateway(HttpUpstream(stub.url, "k", timeout=30, tries=1), max_tokens=5)
    lease = gateway.lease("gate_judge", scope="s", seed=1)
    client = official(lease, http)
    list(client.models.list())
    with ThreadPoolExecutor(1) as pool, caplog.at_level(logging.WARNING):
        call = pool.submit(client.chat.completions.create, model="x", messages=ASK)
        wait_for(lambda: stub.hanging)
        gateway.stop()
        assert stub.hanging, "it waited until the endpoint gave up"
        with pytest.raises(openai.APIError):
            call.result(timeout=5)
    assert caplog.records == []
    with pytest.raises(openai.APIConnectionError):
        client.models.list()


def test_an_answer_is_not_held_back_by_the_network(serve: Any, plain: httpx.Client) -> None:
    lease = serve(ScriptedModel(["fine"], repeat=True))
    post(plain, lease, {"messages": ASK})
    (connection,) = lease._issuer._server._server.server_state.connections
    accepted = connection.transport.get_extra_info("socket")
    assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), "delayed sending costs 40 ms an answer"


def test_many_clients_at_once_are_all_answered_and_metered(serve: Any, plain: httpx.Client) -> None:
    lease = serve(ScriptedModel(["fine"], repeat=True))
    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(lambda _: post(plain, lease, {"messages": ASK}).status_code, range(150)))
    assert answers == [200] * 150
    assert lease.usage().calls == 150


def test_forty_callers_never_spend_more_than_the_run_has(stub: Any, plain: httpx.Client, answered: Any) -> None:
    stub.script = [answered(tokens=(300, 50))]
    upstream = HttpUpstream(stub.url, "k", timeout=10, tries=1)
    with open_gateway(upstream, specialist_tokens=50, run_tokens=20_000) as gateway:
        lease = gateway.lease("gate_judge", scope="s", seed=1)
        assert lease.base_url

        def ask(_: int) -> httpx.Response:
            return post(plain, lease, {"messages": ASK})

        with ThreadPoolExecutor(40) as pool:
            answers = list(pool.map(ask, range(120)))
        paid = [answer for answer in answers if answer.status_code == 200]
        refused = [answer for answer in answers if answer.status_code == 402]
        assert len(paid) + len(refused) == 120
        assert len(paid) == len(stub.seen) == 56, "the 57th could go beyond: 56 cost 19,600, its worst case is over 400"
        assert gateway.charged.tokens == 56 * 350 <= 20_000
    for answer in refused:
        assert answer.headers["x-should-retry"] == "false"
        assert answer.json()["error"]["code"] == "run_budget_spent"
