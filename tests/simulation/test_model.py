"""The shape of an answer, and that any request gets one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaloop.simulation import specialists
from sigmaloop.simulation.model import SimulatedModel

TOOLS = [
    {"type": "function", "function": {"name": name, "description": "", "parameters": {}}}
    for name in ("find_customer", "verify_customer", "get_customer", "get_order", "cancel_order")
]
OPENING = {"role": "user", "content": "Please cancel order 12345. My email is a@b.com."}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "tool", "developer", "x"]), "content": JSON},
    optional={"tool_calls": JSON, "tool_call_id": JSON, "name": JSON},
)


def test_an_answer_has_the_shape_of_the_api():
    answer = SimulatedModel().complete({"model": "m", "messages": [OPENING], "tools": TOOLS, "seed": 7})
    assert answer["object"] == "chat.completion"
    assert answer["model"] == "m"
    choice = answer["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    call = choice["message"]["tool_calls"][0]
    assert call["function"]["name"] == "find_customer"
    assert json.loads(call["function"]["arguments"]) == {"email": "a@b.com"}
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0


def test_equal_requests_get_equal_answers_and_nothing_is_remembered():
    request = {"messages": [{"role": "system", "content": "Help."}, OPENING], "tools": TOOLS, "seed": 3}
    model = SimulatedModel()
    first = model.complete(request)
    model.complete({"messages": [{"role": "user", "content": "Something else"}], "seed": 4})
    assert first == model.complete(request) == SimulatedModel().complete(request)


@settings(max_examples=200, deadline=None)
@given(st.lists(MESSAGES | JSON, max_size=6), st.sampled_from([TOOLS, None, [], [1, {"function": 3}], "x"]), JSON)
def test_any_request_gets_an_answer(messages, tools, seed):
    answer = SimulatedModel().complete({"messages": messages, "tools": tools, "seed": seed})
    message = answer["choices"][0]["message"]
    assert message["role"] == "assistant"
    assert message["content"] or message["tool_calls"]


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200), st.text(max_size=80), st.lists(st.text(max_size=40), max_size=4))
def test_any_tool_result_and_any_answer_is_survived(opening, answer, results):
    messages = [{"role": "user", "content": opening}]
    model = SimulatedModel()
    for result in results:
        reply = model.complete({"messages": messages, "tools": TOOLS, "seed": 1})["choices"][0]["message"]
        messages.append(reply)
        for call in reply.get("tool_calls") or []:
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
        if not reply.get("tool_calls"):
            messages.append({"role": "user", "content": answer})
    assert model.complete({"messages": messages, "tools": TOOLS})["choices"][0]["message"]


@pytest.mark.parametrize("request_", [{}, {"messages": None}, {"messages": "hello"}, {"messages": []}])
def test_an_empty_request_gets_a_polite_question(request_):
    assert "?" in SimulatedModel().complete(request_)["choices"][0]["message"]["content"]


def test_without_tools_it_still_talks():
    message = SimulatedModel().complete({"messages": [OPENING]})["choices"][0]["message"]
    assert message["content"]
    assert "tool_calls" not in message


def test_a_specialists_request_goes_to_the_specialists():
    prompt = "You are the failure miner of SigmaLoop.\nRead the trace."
    asked = {"messages": [{"role": "system", "content": prompt}, {"role": "user", "content": "{}"}]}
    assert SimulatedModel().complete(asked)["choices"][0]["message"] == dict(specialists.answer(asked))
    target = {"messages": [{"role": "system", "content": "You are an agent."}, OPENING], "tools": TOOLS}
    assert SimulatedModel().complete(target)["choices"][0]["message"]["tool_calls"]
