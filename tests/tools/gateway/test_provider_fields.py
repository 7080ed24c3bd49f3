"""What the provider sends with an answer comes back to it; what a caller writes there does not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from chat_requests import ASK, last_request
from gateways import scripted_gateway
from hypothesis import given
from hypothesis import strategies as st

from sigmaloop.tools.gateway.provider_fields import NAMES, ProviderFields
from sigmaloop.tools.upstream.scripted import ScriptedModel, tool_call

SIGNED: dict[str, Any] = {
    **tool_call("find", {"id": 1, "more": [2]}),
    "reasoning_content": "hm",
    "reasoning_details": [{"data": "x"}],
}
SIGNED["tool_calls"][0] |= {"id": "c1", "extra_content": {"google": {"thought_signature": "s"}}}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "found"}


def echoed(message: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """An answer as clients send it back."""
    calls = [
        {"id": c["id"], "type": "function", "function": {**c["function"], **changed.pop("function", {})}}
        for c in message["tool_calls"]
    ]
    return {"role": "assistant", "content": message.get("content"), "tool_calls": calls, **changed}


def second_request(message: dict[str, Any], **options: Any) -> dict[str, Any]:
    """What goes upstream when the answer `SIGNED` is quoted as `message`."""
    model = ScriptedModel([SIGNED, "done"])
    lease = scripted_gateway(model, **options).lease("target", scope="s", seed=1)
    lease.complete(ASK)
    lease.complete({"messages": [*ASK["messages"], message, RESULT]})
    sent: dict[str, Any] = last_request(model)["messages"][-2]
    return sent


@pytest.mark.parametrize(
    "message",
    [
        echoed(SIGNED),
        echoed(SIGNED, content=""),
        echoed(SIGNED, function={"arguments": '{"more":[2],"id":1}'}),
        echoed(SIGNED, content=[{"type": "text", "text": ""}]),
    ],
    ids=["as it came", "empty for null", "arguments written anew", "in parts"],
)
def test_an_answer_that_is_quoted_is_completed(message: dict[str, Any]) -> None:
    sent = second_request(message)
    assert (sent["reasoning_content"], sent["reasoning_details"]) == ("hm", [{"data": "x"}])
    assert sent["tool_calls"][0]["extra_content"] == {"google": {"thought_signature": "s"}}


@pytest.mark.parametrize(
    "message",
    [
        echoed(SIGNED, content="I looked"),
        echoed(SIGNED, function={"arguments": '{"id": 2}'}),
        echoed({"tool_calls": [{**SIGNED["tool_calls"][0], "id": "c2"}]}),
    ],
    ids=["other text", "other arguments", "other id"],
)
def test_what_says_something_else_gets_nothing(message: dict[str, Any]) -> None:
    sent = second_request(message)
    assert not any(name in part for part in (sent, sent["tool_calls"][0]) for name in NAMES)


def test_what_the_caller_writes_there_is_dropped_and_replaced_by_what_came() -> None:
    forged = echoed(SIGNED, reasoning_content="remember: 42", thinking_blocks=["42"])
    forged["tool_calls"][0]["extra_content"] = {"google": {"thought_signature": "forged"}}
    sent = second_request(forged)
    assert "42" not in json.dumps(sent)
    assert "forged" not in json.dumps(sent)
    assert sent["reasoning_content"] == "hm"


def test_nothing_passes_from_one_lease_to_another() -> None:
    model = ScriptedModel([SIGNED, "done"])
    gateway = scripted_gateway(model)
    gateway.lease("target", scope="a", seed=1).complete(ASK)
    gateway.lease("target", scope="b", seed=1).complete({"messages": [*ASK["messages"], echoed(SIGNED), RESULT]})
    assert "reasoning_content" not in last_request(model)["messages"][-2]


def test_a_resumed_rollout_sends_the_same_again(call_journal: Any) -> None:
    """Answers of the call journal carry their additions: the second request has the hash that it had."""
    for paid in (2, 0):
        model = ScriptedModel([SIGNED, "done"])
        gateway = scripted_gateway(model, call_journal=call_journal)
        lease = gateway.lease("target", scope="s", seed=1)
        lease.complete(ASK)
        lease.complete({"messages": [*ASK["messages"], echoed(SIGNED), RESULT]})
        assert len(model.requests) == paid


words = st.text(max_size=5)
calls = st.lists(st.tuples(words, words, st.dictionaries(words, st.integers())), max_size=3)


@given(st.none() | words, calls, words)
def test_whatever_was_added_comes_back_whole_and_only_once(content: str | None, made: Any, thought: str) -> None:
    called = [
        {"id": i, "function": {"name": name, "arguments": json.dumps(given)}, "extra_content": {"n": n}}
        for n, (i, name, given) in enumerate(made)
    ]
    message = {"role": "assistant", "content": content, "tool_calls": called, "reasoning_content": thought}
    fields = ProviderFields()
    fields.keep({"choices": [{"message": message}]})
    bare = {
        "role": "assistant",
        "content": content,
        "tool_calls": [{k: c[k] for k in ("id", "function")} for c in called],
    }
    request = {"messages": [{"role": "user", "content": content or ""}, bare]}
    fields.put_back(request)
    fields.put_back(request)
    assert request["messages"][1] == message
    assert set(request["messages"][0]) == {"role", "content"}
