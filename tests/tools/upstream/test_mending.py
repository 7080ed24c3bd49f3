"""Answers whose meaning is plain are brought into form; what means nothing is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from chat_requests import ASK

from sigmaloop.errors import UpstreamError
from sigmaloop.tools.gateway.budget import Prices, Tokens
from sigmaloop.tools.gateway.meter import Meter, count_tokens
from sigmaloop.tools.gateway.streaming import Sum


def calling(arguments: Any, **more: Any) -> dict[str, Any]:
    call = {"function": {"name": "find", "arguments": arguments}, **more}
    return {"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": [call, dict(call)]}}]}


def message_of(stub: Any, reach: Any, answer: dict[str, Any]) -> Any:
    stub.script = [answer]
    return reach(tries=1).complete(ASK)["choices"][0]["message"]


@pytest.mark.parametrize(
    ("given", "text"), [({"a": 1}, '{"a": 1}'), (None, "{}"), ('{"a":', '{"a":'), ("", "")],
    ids=["object", "null", "broken text", "empty text"],
)  # fmt: skip
def test_arguments_become_text(stub: Any, reach: Any, given: Any, text: str) -> None:
    found = message_of(stub, reach, calling(given, id="c"))["tool_calls"][0]
    assert (found["function"]["arguments"], found["id"]) == (text, "c")


def test_calls_without_ids_get_some_that_follow_from_the_request(stub: Any, reach: Any) -> None:
    first, again = ([c["id"] for c in message_of(stub, reach, calling({}))["tool_calls"]] for _ in range(2))
    assert first == again
    assert len(set(first)) == 2
    stub.script = [calling({})]
    other = reach().complete({**ASK, "seed": 2})["choices"][0]["message"]["tool_calls"]
    assert other[0]["id"] not in first


def test_parts_of_text_are_joined_and_other_parts_are_no_answer(stub: Any, reach: Any) -> None:
    parts = {"choices": [{"message": {"content": [{"type": "text", "text": "on its "}, {"text": "way"}]}}]}
    assert message_of(stub, reach, parts)["content"] == "on its way"
    with pytest.raises(UpstreamError, match="content that is no text"):
        message_of(stub, reach, {"choices": [{"message": {"content": [{"type": "image"}]}}]})


def test_a_stream_is_mended_in_its_chunks_and_its_sum() -> None:
    whole = Sum()
    pieces: list[Any] = [
        {"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": {"a": 1}}, "extra_content": {"s": 1}}]},
        {"tool_calls": [{"index": 1, "function": {"name": "g", "arguments": None}}]},
        {"reasoning_details": [{"data": "x"}]},
        {"reasoning_details": [{"data": "y"}], "content": [{"type": "text", "text": "hi"}]},
    ]
    for delta in pieces:
        whole.add({"choices": [{"delta": delta}]}, name=lambda: "n")
    message = whole.answer()["choices"][0]["message"]
    first, second = message["tool_calls"]
    assert (first["id"], first["function"]["arguments"], first["extra_content"]) == ("call_n_0", '{"a": 1}', {"s": 1})
    assert second["function"]["arguments"] == "{}"
    assert (message["content"], message["reasoning_details"]) == ("hi", [{"data": "x"}, {"data": "y"}])
    assert pieces[0]["tool_calls"][0]["id"] == "call_n_0", "who streams it sees the same id"


@pytest.mark.parametrize("usage", [None, {"prompt_tokens": 0, "completion_tokens": 0}, {"prompt_tokens": None}])
def test_usage_that_is_missing_or_zero_is_estimated(usage: Any) -> None:
    answer = {"choices": [{"message": {"content": "x" * 400}}], **({"usage": usage} if usage else {})}
    found = count_tokens(ASK, answer, at_most=Tokens(10**6, 50))
    assert found.input == -(-len(json.dumps(ASK)) // 4)
    assert found.output == 50, "never more than was set aside"


@pytest.mark.parametrize(
    "more",
    [{"prompt_tokens_details": {"cached_tokens": 600}}, {"prompt_cache_hit_tokens": 600}],
    ids=["openai", "deepseek"],
)
def test_cached_tokens_have_their_own_price(more: dict[str, Any]) -> None:
    tokens = count_tokens(ASK, {"usage": {"prompt_tokens": 1000, "completion_tokens": 10, **more}})
    assert tokens == Tokens(1000, 10, 600)
    prices = Prices(input=2.0, output=8.0, cached=0.5)
    meter = Meter()
    meter.add(tokens, 0.0)
    assert prices.amount(tokens).money == pytest.approx((400 * 2 + 600 * 0.5 + 10 * 8) / 1e6)
    assert meter.usage(prices).cost == pytest.approx(prices.amount(tokens).money)
    assert Prices(input=2.0).amount(tokens) == Prices(input=2.0).amount(Tokens(1000, 10)), "no price of its own"
