"""The Responses API over the gateway: the official client, ChatOpenAI, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from gateways import open_gateway
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, SecretStr
from streams import CALLS, HELLO, serve_streams

from sigmaloop.errors import UpstreamError
from sigmaloop.tools.gateway.gateway import Gateway
from sigmaloop.tools.gateway.lease import Lease
from sigmaloop.tools.gateway.responses_api import chat_request
from sigmaloop.tools.upstream.scripted import ScriptedModel, tool_call, tool_calls
from sigmaloop.tools.upstream.upstream import HttpUpstream

TOOL: Any = {"type": "function", "name": "find", "parameters": {"type": "object", "properties": {}}, "strict": False}


@pytest.fixture
def http() -> Iterator[Any]:
    with openai.DefaultHttpxClient(trust_env=False, verify=False, timeout=5) as client:
        yield client


@pytest.fixture
def serve(no_leaks: None) -> Iterator[Callable[..., Lease]]:
    """A lease over an upstream; a list is the script of a scripted model."""
    made: list[Gateway] = []

    def make(upstream: Any, role: str = "failure_miner", **options: Any) -> Lease:
        upstream = ScriptedModel(upstream) if isinstance(upstream, list) else upstream
        made.append(open_gateway(upstream, max_tokens=100, **options))
        return made[-1].lease(role, scope="s", seed=7)

    yield make
    for gateway in made:
        gateway.stop()


def official(lease: Lease, http: Any) -> openai.OpenAI:
    return openai.OpenAI(base_url=lease.base_url, api_key=lease.token, http_client=http, max_retries=0)


def chat(lease: Lease, http: Any, **options: Any) -> ChatOpenAI:
    return ChatOpenAI(
        model="x", base_url=lease.base_url, api_key=SecretStr(lease.token), http_client=http,
        use_responses_api=True, max_retries=0, **options,
    )  # fmt: skip


@pytest.mark.parametrize("role", ["target", "gate_judge"])
def test_a_response_is_a_completion_with_the_same_pins(serve: Any, http: Any, role: str) -> None:
    model = ScriptedModel(["On its way."])
    lease = serve(model, role)
    answer = official(lease, http).responses.create(
        model="better", input="Where is it?", instructions="Be brief.", temperature=1.5, top_p=0.1,
        reasoning={"effort": "high"}, max_output_tokens=50, user="me", metadata={"a": "b"}, store=False,
        truncation="auto", text={"format": {"type": "text"}},
    )  # fmt: skip
    assert answer.output_text == "On its way."
    assert answer.status == "completed"
    assert answer.store is False
    assert answer.usage is not None
    assert answer.usage.total_tokens == lease.usage().tokens > 0
    assert model.requests == [
        {
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Where is it?"},
            ],
            "response_format": {"type": "text"},
            "model": "t" if role == "target" else "s",
            "temperature": 0.0,
            "n": 1,
            "max_tokens": 100 if role == "target" else 50,
            "seed": 7,
        }
    ]


def test_a_whole_conversation_is_sent_as_items(serve: Any, http: Any) -> None:
    model = ScriptedModel([tool_calls(("find", {"id": 1}), ("find", {"id": 2}), content="Let me look."), "Found."])
    client = official(serve(model), http)
    first = client.responses.create(model="x", input="Where?", tools=[TOOL], tool_choice="auto")
    calls = [item for item in first.output if item.type == "function_call"]
    assert [(c.name, json.loads(c.arguments)) for c in calls] == [("find", {"id": 1}), ("find", {"id": 2})]
    items: list[Any] = [
        {"role": "user", "content": [{"type": "input_text", "text": "Where?"}]},
        *[item.model_dump() for item in first.output],
        *[{"type": "function_call_output", "call_id": c.call_id, "output": "here"} for c in calls],
    ]
    assert client.responses.create(model="x", input=items, tools=[TOOL]).output_text == "Found."
    said, called, *results = model.requests[1]["messages"]
    assert said == {"role": "user", "content": [{"type": "text", "text": "Where?"}]}
    assert called["content"] == [{"type": "text", "text": "Let me look."}]
    assert [c["id"] for c in called["tool_calls"]] == [c.call_id for c in calls]
    assert [(r["role"], r["tool_call_id"]) for r in results] == [("tool", c.call_id) for c in calls]
    assert model.requests[1]["tools"][0]["function"]["name"] == "find"


class Verdict(BaseModel):
    """What the judge says."""

    sound: bool


def test_chat_openai_talks_calls_parses_and_streams(serve: Any, http: Any) -> None:
    call = tool_call("Verdict", {"sound": True})
    lease = serve(["Hello.", call, '{"sound": false}', "Streamed.", call])
    model = chat(lease, http)
    said = model.invoke("Hello?")
    assert said.text == "Hello."
    assert said.usage_metadata is not None
    judge = model.with_structured_output(Verdict, method="function_calling")
    assert judge.invoke("Judge.") == Verdict(sound=True)
    assert model.with_structured_output(Verdict, method="json_schema").invoke("Judge.") == Verdict(sound=False)
    pieces = list(model.stream([HumanMessage("Tell me.")]))
    assert "".join(piece.text for piece in pieces) == "Streamed."
    assert sum(piece.usage_metadata["total_tokens"] for piece in pieces if piece.usage_metadata) > 0
    streamed = chat(lease, http, streaming=True).bind_tools([Verdict]).invoke("Judge.")
    assert [c["args"] for c in streamed.tool_calls] == [{"sound": True}]
    assert lease.usage().calls == 5


def test_a_stream_is_passed_on_event_by_event(serve: Any, http: Any) -> None:
    with serve_streams(HELLO, CALLS) as streams:
        lease = serve(HttpUpstream(streams.url, "k", timeout=5, tries=1))
        client = official(lease, http)
        with client.responses.stream(model="x", input="Hello") as events:
            kinds = [event.type for event in events]
            final = events.get_final_response()
        assert final.output_text == "Hello."
        assert kinds.count("response.output_text.delta") == 2
        assert [kinds[0], kinds[-1]] == ["response.created", "response.completed"]
        assert final.usage is not None
        assert final.usage.total_tokens == 16
        events = client.responses.create(model="x", input="Look", tools=[TOOL], stream=True)
        heard = list(events)
        assert [event.sequence_number for event in heard] == list(range(len(heard)))
        done = heard[-1].response  # type: ignore[union-attr]
        assert [(item.name, item.arguments) for item in done.output] == [("find", '{"id": "ö"}'), ("find", "{}")]  # type: ignore[union-attr]
        announced = [event.item.id for event in heard if event.type == "response.output_item.added"]
        assert announced == [item.id for item in done.output]


def test_a_response_that_breaks_off_is_an_error(serve: Any, http: Any) -> None:
    with serve_streams([*HELLO[:2], "cut"]) as streams:
        lease = serve(HttpUpstream(streams.url, "k", timeout=5, tries=1))
        events = official(lease, http).responses.create(model="x", input="Hello", stream=True)
        with pytest.raises(openai.APIError, match="broke off"):
            list(events)


def test_a_cut_answer_is_incomplete_and_an_empty_one_is_a_message(serve: Any, http: Any, answered: Any) -> None:
    cut = answered("Half an ans")
    cut["choices"][0]["finish_reason"] = "length"
    client = official(serve([cut, answered(None), answered("", refusal="No.")]), http)
    answer = client.responses.create(model="x", input="Hello")
    assert answer.status == "incomplete"
    assert answer.incomplete_details is not None
    assert answer.incomplete_details.reason == "max_output_tokens"
    assert client.responses.create(model="x", input="Hello").output_text == ""
    refused = client.responses.create(model="x", input="Hello").output[0]
    assert refused.content[-1].refusal == "No."  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"store": True}, "store is not allowed"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "c1"}, "conversation"),
        ({"background": True}, "background"),
        ({"prompt": {"id": "p1"}}, "prompt"),
        ({"include": ["web_search_call.results"]}, "include"),
        ({"context_management": []}, "context_management"),
        ({"tools": [{"type": "web_search"}]}, "the provider's own tools are not"),
        ({"tools": [{"type": "file_search", "vector_store_ids": ["v"]}]}, "tools.0."),
        ({"tools": [{"type": "mcp", "server_url": "https://x.test"}]}, "tools.0."),
        ({"tools": [TOOL], "tool_choice": {"type": "web_search"}}, "tool_choice"),
        ({"input": [{"type": "item_reference", "id": "i1"}]}, r"input.0. must be"),
        ({"input": [{"type": "reasoning", "encrypted_content": "x"}]}, r"input.0. must be"),
        ({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]}, "only text and images"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]}, "only text and images"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "https://x.test/a.png"}]}]},
            "data: URL",
        ),
        ({"input": [{"role": "user", "content": 5}]}, "must be a text"),
        ({"input": [{"type": "function_call", "name": 5}]}, "arguments"),
        ({"input": []}, "input must be"),
        ({"input": None}, "input must be"),
        ({"input": ["x"]}, r"input.0."),
        ({"input": [{"role": "oracle", "content": "x"}]}, "role"),
        ({"text": {"format": {"type": "grammar"}}}, "response_format"),
        ({"text": {"verbosity": "high"}}, "text may hold"),
        ({"logit_bias": {}}, "logit_bias"),
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_refused_by_name(serve: Any, change: dict[str, Any], words: str) -> None:
    model = ScriptedModel([])
    lease = serve(model)
    with pytest.raises(UpstreamError, match=words) as caught:
        lease.complete(chat_request({"model": "x", "input": "Hello", **change}))
    assert caught.value.status == 400
    assert model.requests == []


def test_a_refusal_has_its_status_over_http_too(serve: Any, http: Any) -> None:
    with pytest.raises(openai.BadRequestError, match="previous_response_id is not allowed"):
        official(serve([]), http).responses.create(model="x", input="Hello", previous_response_id="resp_1")


def test_an_inline_image_is_sent_on() -> None:
    part = {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"}
    (message,) = chat_request({"input": [{"role": "user", "content": [part]}]})["messages"]
    image = {"url": "data:image/png;base64,AAAA", "detail": "low"}
    assert message["content"] == [{"type": "image_url", "image_url": image}]
