"""Answers in pieces, from an endpoint that streams to a client that listens, and everything that breaks on the way."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from gateways import open_gateway
from hypothesis import given
from hypothesis import strategies as st
from langchain_openai import ChatOpenAI
from pydantic import SecretStr
from streams import CALLS, HELLO, USAGE, Streams, chunk, serve_streams
from waiting import wait_for

from sigmaloop.errors import UpstreamError
from sigmaloop.tools.gateway.budget import NOTHING
from sigmaloop.tools.gateway.call import Call
from sigmaloop.tools.gateway.lease import Lease
from sigmaloop.tools.gateway.streaming import Sum, chunks
from sigmaloop.tools.upstream.upstream import HttpUpstream

ASK: list[Any] = [{"role": "user", "content": "Hello"}]


@pytest.fixture
def http() -> Iterator[Any]:
    with openai.DefaultHttpxClient(trust_env=False, verify=False, timeout=30) as client:
        yield client


@pytest.fixture
def serve(no_leaks: None) -> Iterator[Callable[..., tuple[Streams, Lease]]]:
    """`(*behaviours of the endpoint, **gateway options)`: the endpoint, and a specialist's lease."""
    opened: list[Any] = []

    def make(*script: Any, journal: Any = None, timeout: float = 5.0, **options: Any) -> tuple[Streams, Lease]:
        serving = serve_streams(*script)
        streams = serving.__enter__()
        upstream = HttpUpstream(streams.url, "sk-12345678", timeout=timeout, tries=3, backoff=0.01)
        gateway = open_gateway(upstream, call_journal=journal, **options)
        opened.extend([gateway.stop, lambda: serving.__exit__(None, None, None)])
        return streams, gateway.lease("failure_miner", scope="s", seed=7)

    yield make
    for close in opened:
        close()


def official(lease: Lease, http: Any) -> openai.OpenAI:
    return openai.OpenAI(base_url=lease.base_url, api_key=lease.token, http_client=http, max_retries=0)


def stream(lease: Lease, http: Any, **options: Any) -> Any:
    return official(lease, http).chat.completions.create(model="x", messages=ASK, stream=True, **options)


def test_pieces_reach_the_caller_while_the_endpoint_is_still_speaking(serve: Any, http: Any) -> None:
    first = threading.Event()
    streams, lease = serve([*HELLO[:2], first, *HELLO[2:]], timeout=30)
    heard, texts = [], []
    with stream(lease, http, stream_options={"include_usage": True}) as events:
        for event in events:
            heard.append(event)
            if event.choices and event.choices[0].delta.content:
                texts.append(event.choices[0].delta.content)
                first.set()  # the endpoint says the rest only now
    assert texts == ["Hel", "lo."]
    assert heard[-1].usage is not None
    assert heard[-1].usage.total_tokens == USAGE["total_tokens"] == lease.usage().tokens
    (sent,) = streams.seen
    assert sent["stream"] is True
    assert sent["stream_options"] == {"include_usage": True}
    assert (sent["model"], sent["seed"], sent["n"]) == ("s", 7, 1)


def test_a_caller_that_did_not_ask_for_usage_gets_none_and_it_is_metered_all_the_same(serve: Any, http: Any) -> None:
    _, lease = serve(HELLO)
    with stream(lease, http) as events:
        heard = list(events)
    assert all(event.choices and event.usage is None for event in heard)
    assert (lease.usage().input_tokens, lease.usage().output_tokens) == (11, 5)


def test_chat_openai_streams_text_calls_and_usage(serve: Any, http: Any) -> None:
    _, lease = serve(HELLO, CALLS)
    model = ChatOpenAI(
        model="x", base_url=lease.base_url, api_key=SecretStr(lease.token), http_client=http,
        use_responses_api=False, stream_usage=True, max_retries=0, streaming=True,
    )  # fmt: skip
    said = model.invoke("Hello")
    assert said.content == "Hello."
    assert said.usage_metadata is not None
    assert said.usage_metadata["total_tokens"] == 16
    assert [(c["name"], c["args"]) for c in model.invoke("Look").tool_calls] == [("find", {"id": "ö"}), ("find", {})]


def test_the_connection_to_the_endpoint_is_used_again_after_a_stream(serve: Any, http: Any) -> None:
    streams, lease = serve([*HELLO, 0.02])  # the end of the answer comes a moment after the end of its text
    for _ in range(5):
        with stream(lease, http) as events:
            list(events)
    assert len(streams.connections) == 1


def test_a_streamed_answer_is_journalled_and_replayed_in_the_same_words(
    serve: Any, http: Any, call_journal: Any
) -> None:
    streams, lease = serve(CALLS, journal=call_journal)
    plain = {"messages": ASK}
    with stream(lease, http) as events:
        list(events)
    again = lease._issuer.lease("failure_miner", scope="s", seed=7)
    whole = again.complete(plain)
    calls = whole["choices"][0]["message"]["tool_calls"]
    assert [(c["id"], c["function"]["arguments"]) for c in calls] == [("c0", '{"id": "ö"}'), ("c1", "{}")]
    assert whole["choices"][0]["finish_reason"] == "tool_calls"
    third = lease._issuer.lease("failure_miner", scope="s", seed=7)
    with official(third, http).chat.completions.stream(model="x", messages=ASK) as replayed:
        final = replayed.get_final_completion()
    assert [c.function.arguments for c in final.choices[0].message.tool_calls or []] == ['{"id": "ö"}', "{}"]
    assert len(streams.seen) == 1


def test_an_endpoint_that_does_not_stream_is_understood(serve: Any, http: Any, answered: Any) -> None:
    _, lease = serve((200, json.dumps(answered("Whole."))))
    with stream(lease, http) as events:
        assert "".join(event.choices[0].delta.content or "" for event in events) == "Whole."


# What breaks


@pytest.mark.parametrize(
    "fault",
    [
        [HELLO[0], HELLO[1], "cut"],
        [HELLO[0], HELLO[1], "reset"],
        HELLO[:3],
        [*HELLO[:2], "data: {broken\n\n"],
        [*HELLO[:2], 'data: {"error": {"message": "worker sk-12345678 died"}}\n\n'],
    ],
    ids=["cut", "reset", "no-end", "garbage", "error-event"],
)
def test_a_stream_that_breaks_off_is_an_error_for_the_caller_and_never_an_answer(
    serve: Any, http: Any, call_journal: Any, fault: Any
) -> None:
    streams, lease = serve(fault, journal=call_journal)
    heard: list[Any] = []
    with stream(lease, http) as events, pytest.raises(openai.APIError, match="broke off the answer") as caught:
        heard.extend(event.choices[0].delta.content for event in events)
    assert "Hel" in heard
    assert "sk-12345678" not in str(caught.value)
    assert len(streams.seen) == 1, "what was told cannot be taken back: no second try"
    assert call_journal.rows == {}
    assert lease.usage().calls == 0
    charged = lease._issuer.charged
    assert charged.tokens > 1000, "at its worst"
    assert lease.budget.charged == NOTHING


def test_a_half_stream_is_infra_in_the_core(serve: Any) -> None:
    _, lease = serve(HELLO[:3])
    heard: list[Any] = []
    with pytest.raises(UpstreamError, match="ended before the model had") as caught:
        lease.complete({"messages": ASK}, call=Call(on_chunk=heard.append))
    assert caught.value.status >= 500
    assert len(heard) == 3


def test_a_fault_before_the_first_piece_is_tried_again_or_keeps_its_status(serve: Any, http: Any) -> None:
    streams, lease = serve((500, "{}"), ["reset"], HELLO)
    with stream(lease, http) as events:
        assert "".join(event.choices[0].delta.content or "" for event in events) == "Hello."
    assert len(streams.seen) == 3
    streams, lease = serve((400, '{"error": {"message": "context too long"}}'))
    with pytest.raises(openai.BadRequestError, match="context too long"):
        stream(lease, http)
    _, lease = serve((503, "{}"))
    with pytest.raises(openai.InternalServerError):
        stream(lease, http)


def test_a_stream_that_stalls_ends_with_its_clock(serve: Any, http: Any) -> None:
    _, lease = serve([*HELLO[:2], "hang"], timeout=0.3)
    with pytest.raises(openai.APIError, match=r"did not answer within 0\.3 s"), stream(lease, http) as events:
        list(events)


@pytest.mark.parametrize("told", [HELLO[:2], []], ids=["in the stream", "before it"])
def test_a_caller_that_leaves_cancels_the_call_upstream_and_it_is_charged(
    serve: Any, http: Any, told: list[str]
) -> None:
    streams, lease = serve([*told, "hang"], timeout=30)
    if told:
        events = stream(lease, http)
        next(iter(events))
        events.close()
    else:
        leave(lease, streams, {"messages": ASK, "stream": True})
    wait_for(streams.left.is_set)
    wait_for(lambda: lease._issuer.charged.tokens > 1000)
    assert lease.budget.charged == NOTHING
    assert lease.usage().calls == 0


def leave(lease: Lease, streams: Streams, body: Any) -> None:
    """Ask, wait until the endpoint is at it, and hang up."""
    host, port = lease.base_url.removeprefix("http://").removesuffix("/v1").split(":")
    data = json.dumps(body).encode()
    with socket.create_connection((host, int(port)), timeout=5) as caller:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {lease.token}\r\n"
        caller.sendall(head.encode() + f"Content-Length: {len(data)}\r\n\r\n".encode() + data)
        wait_for(lambda: streams.seen)


def test_a_caller_that_leaves_without_streaming_cancels_its_call_too(serve: Any) -> None:
    streams, lease = serve(["hang"], timeout=30)
    leave(lease, streams, {"messages": ASK})
    wait_for(streams.left.is_set)
    wait_for(lambda: not lease.calls_under_way)
    assert lease._issuer.charged.tokens > 1000


def test_closing_the_lease_ends_a_stream_under_way(serve: Any, http: Any) -> None:
    streams, lease = serve([*HELLO[:2], "hang"], timeout=30)
    with stream(lease, http) as events:
        next(iter(events))
        lease.close()
        with pytest.raises(openai.APIError, match="the lease was closed"):
            list(events)
    assert streams.left.wait(2)


def test_the_endpoint_sees_nothing_of_the_callers_headers(serve: Any, http: Any) -> None:
    streams, lease = serve(HELLO)
    with stream(lease, http, extra_headers={"X-Note": "remember me", "OpenAI-Organization": "org-1"}) as events:
        list(events)
    (headers,) = streams.headers
    assert headers["Authorization"] == "Bearer sk-12345678"
    assert {name.lower() for name in headers} <= {
        *("host", "authorization", "content-type", "accept", "accept-encoding", "user-agent", "content-length"),
    }
    assert not any("remember me" in value or "openai" in value.lower() for value in headers.values())


# Adding up


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(
    content=st.none() | texts,
    calls=st.lists(st.tuples(texts, texts), max_size=3),
    reason=st.sampled_from(["stop", "length", "tool_calls"]),
)
def test_what_is_split_adds_up_again(content: str | None, calls: list[tuple[str, str]], reason: str) -> None:
    message: dict[str, Any] = {"role": "assistant", "content": content}
    if calls:
        message["tool_calls"] = [
            {"id": f"c{n}", "type": "function", "function": {"name": name, "arguments": given}}
            for n, (name, given) in enumerate(calls)
        ]
    answer = {
        "id": "a", "object": "chat.completion", "created": 3, "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": reason}], "usage": USAGE,
    }  # fmt: skip
    total = Sum()
    for piece in chunks(answer):
        total.add(piece)
    assert total.answer() == answer


@pytest.mark.parametrize("odd", [None, [], {}, {"choices": [5]}, {"choices": [{"delta": 5}]}])
def test_what_is_no_chunk_is_said_so(odd: Any) -> None:
    with pytest.raises(ValueError, match=r"chunk|choice"):
        Sum().add(odd)
    with pytest.raises(ValueError, match="function"):
        Sum().add({"choices": [{"delta": {"tool_calls": [{"index": 0}]}}]})


def test_events_in_any_packets_are_put_together(serve: Any, http: Any) -> None:
    text = ": a comment\n\nevent: x\nid: 1\n" + "".join(HELLO).replace("\n", "\r\n")
    _, lease = serve([text[i : i + 7] for i in range(0, len(text), 7)])
    with stream(lease, http) as events:
        assert "".join(event.choices[0].delta.content or "" for event in events) == "Hello."
    assert chunk(usage=USAGE) in HELLO
