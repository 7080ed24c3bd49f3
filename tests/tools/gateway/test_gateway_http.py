"""The HTTP server, met by the clients that really use it: openai, ChatOpenAI, and sockets that misbehave."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import openai
import pytest
from gateways import open_gateway
from langchain_core.messages import AIMessageChunk, HumanMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel, SecretStr
from waiting import wait_for

from sigmaloop.errors import ModelUnavailable, UpstreamError
from sigmaloop.tools.gateway.gateway import Gateway
from sigmaloop.tools.gateway.http_server import HttpServer
from sigmaloop.tools.gateway.lease import Lease
from sigmaloop.tools.upstream.scripted import ScriptedModel, tool_call, tool_calls
from sigmaloop.tools.upstream.upstream import HttpUpstream, InProcessUpstream

pytestmark = pytest.mark.usefixtures("no_leaks")

ASK: list[Any] = [{"role": "user", "content": "Where is my order?"}]
TOOL: Any = {
    "type": "function",
    "function": {"name": "find", "parameters": {"type": "object", "properties": {}}},
}


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


def official(lease: Lease, http: Any, *, retries: int = 0) -> openai.OpenAI:
    return openai.OpenAI(base_url=lease.base_url, api_key=lease.token, http_client=http, max_retries=retries)


def chat(lease: Lease, http: Any, **options: Any) -> ChatOpenAI:
    return ChatOpenAI(
        model="anything",
        base_url=lease.base_url,
        api_key=SecretStr(lease.token),
        http_client=http,
        use_responses_api=False,
        stream_usage=True,
        max_retries=0,
        **options,
    )


def post(
    plain: httpx.Client, lease: Lease, body: Any, *, path: str = "/chat/completions", token: str = ""
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token or lease.token}"}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return plain.post(lease.base_url + path, content=content, headers=headers)


# The official client


def test_the_official_client_gets_a_completion(serve: Any, http: Any) -> None:
    model = ScriptedModel(["On its way."])
    lease = serve(model)
    answer = official(lease, http).chat.completions.create(
        model="gpt-x", messages=ASK, temperature=1.5, user="me", seed=1
    )
    assert answer.choices[0].message.content == "On its way."
    assert answer.usage is not None
    assert answer.usage.total_tokens == lease.usage().tokens > 0
    sent = model.requests[0]
    assert (sent["model"], sent["temperature"], sent["seed"]) == ("the-specialist", 0.0, 7)
    assert "user" not in sent


def test_the_official_client_streams_text_tool_calls_and_usage(serve: Any, http: Any) -> None:
    calls = tool_calls(("find", {"id": "A1"}), ("find", {"id": "ö"}), content="Let me look.")
    client = official(serve([calls, "Done."]), http)
    text, names, arguments, reasons, usages = "", {}, {0: "", 1: ""}, [], []
    with client.chat.completions.create(
        model="x", messages=ASK, tools=[TOOL], stream=True, stream_options={"include_usage": True}
    ) as stream:
        for chunk in stream:
            usages.append(chunk.usage)
            for choice in chunk.choices:
                text += choice.delta.content or ""
                reasons.append(choice.finish_reason)
                for call in choice.delta.tool_calls or []:
                    assert call.function is not None
                    names[call.index] = call.function.name
                    arguments[call.index] += call.function.arguments or ""
    assert text == "Let me look."
    assert names == {0: "find", 1: "find"}
    assert [json.loads(part) for part in arguments.values()] == [{"id": "A1"}, {"id": "ö"}]
    assert [reason for reason in reasons if reason] == ["tool_calls"]
    assert [usage is not None for usage in usages] == [False] * (len(usages) - 1) + [True]
    with client.chat.completions.create(model="x", messages=ASK, stream=True) as stream:
        chunks = list(stream)
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == "Done."
    assert all(chunk.usage is None for chunk in chunks)


def test_the_official_clients_own_stream_helper_adds_the_answer_up(serve: Any, http: Any) -> None:
    client = official(serve([tool_call("find", {"id": "A1"})]), http)
    with client.chat.completions.stream(model="x", messages=ASK, tools=[TOOL]) as stream:
        final = stream.get_final_completion()
    (call,) = final.choices[0].message.tool_calls or []
    assert json.loads(call.function.arguments) == {"id": "A1"}


def test_models_lists_the_one_that_answers(serve: Any, http: Any) -> None:
    assert [model.id for model in official(serve([]), http).models.list()] == ["the-specialist"]
    assert [model.id for model in official(serve([], "target"), http).models.list()] == ["the-target"]


def test_embeddings_pass_through(stub: Any, serve: Any, http: Any) -> None:
    # 0.5 and 0.25 as little-endian 32-bit floats: what clients ask for when nobody tells them otherwise.
    vector = {"object": "embedding", "index": 0, "embedding": "AAAAPwAAgD4="}
    usage = {"prompt_tokens": 2, "total_tokens": 2}
    stub.script = [{"object": "list", "model": "e", "data": [vector], "usage": usage}]
    upstream = HttpUpstream(stub.url, "sk-12345678", timeout=2, tries=1)
    lease = serve(upstream, "clusterer", embedding="the-embedder")
    embedder = OpenAIEmbeddings(
        model="other",
        base_url=lease.base_url,
        api_key=SecretStr(lease.token),
        check_embedding_ctx_length=False,
        http_client=http,
        max_retries=0,
    )
    assert embedder.embed_query("a text") == [0.5, 0.25]
    assert stub.seen == [{"input": ["a text"], "model": "the-embedder", "encoding_format": "base64"}]
    assert lease.usage().input_tokens == 2


# ChatOpenAI


class Verdict(BaseModel):
    """What the judge says."""

    sound: bool
    why: str


def upstreams(kind: str, stub: Any, answers: list[Any]) -> Any:
    """The same answers from a scripted model, or from an endpoint over HTTP."""
    if kind == "scripted":
        return ScriptedModel(answers)
    recorder = ScriptedModel(answers)
    stub.script = [recorder.complete({"messages": []}) for _ in answers]
    return HttpUpstream(stub.url, "sk-12345678", timeout=3, tries=2)


@pytest.mark.parametrize("kind", ["scripted", "http"])
def test_chat_openai_talks_calls_functions_and_streams(serve: Any, http: Any, stub: Any, kind: str) -> None:
    call = tool_call("Verdict", {"sound": True, "why": "it holds"})
    lease = serve(upstreams(kind, stub, ["Hello.", call, "A streamed answer.", call]), "gate_judge")
    model = chat(lease, http)
    said = model.invoke("Hello?")
    assert said.content == "Hello."
    assert said.usage_metadata is not None
    assert model.with_structured_output(Verdict, method="function_calling").invoke("Judge.") == Verdict(
        sound=True, why="it holds"
    )
    chunks = list(model.stream([HumanMessage("Tell me.")]))
    total = chunks[0]
    for chunk in chunks[1:]:
        total = total + chunk
    assert isinstance(total, AIMessageChunk)
    assert total.content == "A streamed answer."
    assert total.usage_metadata is not None
    assert total.usage_metadata["total_tokens"] > 0
    streamed = chat(lease, http, streaming=True).bind_tools([Verdict]).invoke("Judge again.")
    assert [c["args"] for c in streamed.tool_calls] == [{"sound": True, "why": "it holds"}]
    assert lease.usage().calls == 4


def test_chat_openai_parses_a_schema_answer(serve: Any, http: Any) -> None:
    model = ScriptedModel(['{"sound": false, "why": "names a customer"}'])
    judge = chat(serve(model), http).with_structured_output(Verdict, method="json_schema")
    assert judge.invoke("Judge.") == Verdict(sound=False, why="names a customer")
    assert model.requests[0]["response_format"]["type"] == "json_schema"


# Refusals and faults


def test_a_closed_lease_is_dead_at_once(serve: Any, http: Any) -> None:
    lease = serve(["never"])
    client = official(lease, http, retries=2)
    lease.close()
    with pytest.raises(openai.AuthenticationError, match="no longer, valid"):
        client.chat.completions.create(model="x", messages=ASK)


def test_used_up_calls_are_refused_once_and_told_apart_from_a_fault(serve: Any, http: Any) -> None:
    model = ScriptedModel(["one", UpstreamError("the endpoint fell over", status=503)])
    lease = serve(model, max_calls=1)
    client = official(lease, http, retries=3)
    client.chat.completions.create(model="x", messages=ASK)
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model="x", messages=ASK)
    assert (caught.value.status_code, caught.value.type) == (402, "budget_spent")
    assert caught.value.response.headers["x-should-retry"] == "false"
    with pytest.raises(openai.APIStatusError) as fault:
        official(serve(ScriptedModel([UpstreamError("down", status=503)])), http, retries=3).chat.completions.create(
            model="x", messages=ASK
        )
    assert (fault.value.status_code, fault.value.type) == (503, "upstream_error")


def test_a_lasting_fault_is_not_tried_again_by_the_client_and_a_passing_one_is(serve: Any, http: Any) -> None:
    lasting = ScriptedModel([UpstreamError("down", status=503), "never"])
    with pytest.raises(openai.InternalServerError, match="down"):
        official(serve(lasting), http, retries=3).chat.completions.create(model="x", messages=ASK)
    assert len(lasting.requests) == 1
    passing = ScriptedModel([UpstreamError("busy", status=503, retryable=True), "fine"])
    answer = official(serve(passing), http, retries=1).chat.completions.create(model="x", messages=ASK)
    assert answer.choices[0].message.content == "fine"


def test_an_unusable_endpoint_is_marked_as_such_and_the_key_stays_inside(stub: Any, serve: Any, http: Any) -> None:
    stub.script = [(401, '{"error": {"message": "bad key sk-12345678"}}', {})]
    lease = serve(HttpUpstream(stub.url, "sk-12345678", timeout=2, tries=2))
    with pytest.raises(openai.APIStatusError) as caught:
        official(lease, http, retries=2).chat.completions.create(model="x", messages=ASK, stream=True)
    assert (caught.value.status_code, caught.value.code) == (503, "model_unavailable")
    assert "set OPENAI_API_KEY" in str(caught.value)
    assert "sk-12345678" not in caught.value.response.text
    assert len(stub.seen) == 1
    with pytest.raises(ModelUnavailable):
        lease.complete({"messages": ASK})


def test_a_hosted_tool_is_refused_over_http_too(serve: Any, http: Any) -> None:
    client = official(serve([]), http)
    with pytest.raises(openai.BadRequestError, match="the provider's own tools are not"):
        client.chat.completions.create(model="x", messages=ASK, tools=[{"type": "web_search"}])  # type: ignore[list-item]
    with pytest.raises(openai.BadRequestError, match="store is not allowed"):
        client.chat.completions.create(model="x", messages=ASK, store=True)


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


# Life


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
