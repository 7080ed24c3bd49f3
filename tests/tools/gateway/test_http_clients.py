"""The server, met by the clients that really use it: openai and ChatOpenAI."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from http_clients import chat, official
from langchain_core.messages import AIMessageChunk, HumanMessage
from langchain_openai import OpenAIEmbeddings
from pydantic import BaseModel, SecretStr

from sigmaloop.errors import ModelUnavailable, UpstreamError
from sigmaloop.tools.upstream.scripted import ScriptedModel, tool_call, tool_calls
from sigmaloop.tools.upstream.upstream import HttpUpstream

pytestmark = pytest.mark.usefixtures("no_leaks")


ASK: list[Any] = [{"role": "user", "content": "Where is my order?"}]


TOOL: Any = {
    "type": "function",
    "function": {"name": "find", "parameters": {"type": "object", "properties": {}}},
}


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
