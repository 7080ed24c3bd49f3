"""What all specialists share: any usable answer is understood, the rest is repaired once, faults keep their cause."""

from __future__ import annotations

import json
import socket
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from sigmaloop.agents.prompt import Prompt
from sigmaloop.agents.specialist import specialist
from sigmaloop.errors import ModelUnavailable, SpecialistError, UpstreamError


class Colour(BaseModel):
    """Hand in a colour."""

    name: Literal["red", "green"]
    depth: int = Field(ge=1, le=5)


PROMPT = Prompt("You are a painter.", "Which colour?")
GOOD = {"name": "red", "depth": 3}
TEXT = json.dumps(GOOD)


def ask(endpoint: Any, **kwargs: Any) -> Colour:
    with specialist(endpoint, "gate_judge", scope="judge:A0001") as painter:
        return painter.ask(PROMPT, Colour, **kwargs)


def tool(arguments: Any, name: str = "Colour", call: str = "call_0") -> dict[str, Any]:
    raw = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return {"id": call, "type": "function", "function": {"name": name, "arguments": raw}}


READABLE = {
    "a tool call": {"tool_calls": [tool(GOOD)]},
    "no tool call but JSON in the text": {"content": TEXT},
    "JSON in a fence": {"content": f"```json\n{TEXT}\n```"},
    "prose around the JSON": {"content": f"Sure! I would say {TEXT}. Hope that helps {{smile}}."},
    "the whole call written as JSON": {"content": json.dumps({"name": "Colour", "arguments": GOOD})},
    "arguments as a string inside JSON": {"content": json.dumps({"name": "Colour", "arguments": TEXT})},
    "extra fields": {"tool_calls": [tool({**GOOD, "mood": "warm"})]},
    "a number as a string": {"tool_calls": [tool({"name": "red", "depth": "3"})]},
    "two tool calls of which one fits": {"tool_calls": [tool({"name": "blue"}), tool(GOOD, call="call_1")]},
    "arguments in a fence": {"tool_calls": [tool(f"```json\n{TEXT}\n```")]},
    "a bad call and good text": {"tool_calls": [tool("not json")], "content": TEXT},
    "line breaks inside a string": {"content": '{"name": "red", "depth": 3, "why": "a\nb"}'},
}


@pytest.mark.parametrize("said", READABLE.values(), ids=READABLE.keys())
def test_an_answer_is_understood_in_any_usable_form(endpoint: Any, said: dict[str, Any]) -> None:
    endpoint.answers = [said]
    assert ask(endpoint) == Colour(name="red", depth=3)
    assert len(endpoint.requests) == 1


UNUSABLE = {
    "truncated JSON": ({"content": TEXT[:-4]}, "no complete JSON object"),
    "a truncated outer object with a whole inner one": (
        {"content": f'{{"answer": {TEXT}, "and'},
        "no complete JSON object",
    ),
    "a wrong type": ({"tool_calls": [tool({"name": "red", "depth": "deep"})]}, "depth: Input should be"),
    "a missing field": ({"tool_calls": [tool({"name": "red"})]}, "depth: Field required"),
    "a wrong choice": ({"tool_calls": [tool({"name": "blue", "depth": 1})]}, "name: Input should be 'red'"),
    "a number out of range": (
        {"tool_calls": [tool({"name": "red", "depth": 9})]},
        "depth: Input should be less",
    ),
    "nothing": ({"content": ""}, "the answer was empty"),
    "arguments that are not JSON": ({"tool_calls": [tool("red, three")]}, "not valid JSON"),
    "a refusal": ({"content": None, "refusal": "I cannot do that."}, "refusal: I cannot do that."),
    "prose alone": ({"content": "I like red."}, "no complete JSON object"),
    "a JSON list": ({"content": "[1, 2]"}, "no complete JSON object"),
    "not a number": ({"content": '{"name": "red", "depth": NaN}'}, "depth: Input should be"),
}


@pytest.mark.parametrize(("said", "fault"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_an_unusable_answer_gets_one_repair_turn_that_quotes_the_fault(
    endpoint: Any, said: dict[str, Any], fault: str
) -> None:
    endpoint.answers = [said, {"tool_calls": [tool(GOOD)]}]
    assert ask(endpoint) == Colour(name="red", depth=3)
    repair = endpoint.requests[1]["messages"]
    assert repair[-1]["role"] == "user"
    assert fault in repair[-1]["content"]
    answered = {m["tool_call_id"] for m in repair if m["role"] == "tool"}
    assert answered == {c["id"] for m in repair for c in m.get("tool_calls") or ()}


@pytest.mark.parametrize(("said", "fault"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_an_answer_that_stays_unusable_is_a_specialist_error(endpoint: Any, said: dict[str, Any], fault: str) -> None:
    endpoint.answers = [said, said]
    with pytest.raises(SpecialistError, match="after its repair turn"):
        ask(endpoint)
    assert len(endpoint.requests) == 2


def test_an_answer_cut_off_by_the_token_limit_is_told_so(endpoint: Any) -> None:
    endpoint.answers = [{"content": "I would say that", "finish_reason": "length"}, {"content": TEXT}]
    ask(endpoint)
    assert "cut off" in endpoint.requests[1]["messages"][-1]["content"]


def test_an_answer_cut_off_by_the_token_limit_is_none_even_if_it_fits(endpoint: Any) -> None:
    endpoint.answers = [{"content": TEXT, "finish_reason": "length"}, {"content": TEXT}]
    ask(endpoint)
    assert len(endpoint.requests) == 2
    endpoint.answers = [{"content": TEXT, "finish_reason": "length"}] * 2
    with pytest.raises(SpecialistError, match="cut off"):
        ask(endpoint)


def test_a_conversation_that_no_longer_fits_is_told_as_such(endpoint: Any) -> None:
    said = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens"
    endpoint.answers = [(400, said), (400, said)]
    with pytest.raises(SpecialistError, match=r"no longer fits the model's context: .*maximum context length"):
        ask(endpoint)


def test_a_check_may_refuse_what_the_schema_allows(endpoint: Any) -> None:
    def no_red(colour: Colour) -> None:
        if colour.name == "red":
            raise ValueError("red is sold out")

    endpoint.answers = [{"content": TEXT}, {"content": '{"name": "green", "depth": 1}'}]
    assert ask(endpoint, check=no_red).name == "green"
    assert "red is sold out" in endpoint.requests[1]["messages"][-1]["content"]


@pytest.mark.parametrize("status", [400, 422])
def test_a_refused_request_is_the_specialists_failure(endpoint: Any, status: int) -> None:
    endpoint.answers = [status, status]
    with pytest.raises(SpecialistError, match=str(status)):
        ask(endpoint)


def test_an_endpoint_that_takes_no_tools_is_asked_in_plain_text(endpoint: Any) -> None:
    endpoint.answers = [400, {"content": "red, I think"}, {"content": f"Here: {TEXT}"}]
    assert ask(endpoint) == Colour(name="red", depth=3)
    assert "tools" in endpoint.requests[0]
    assert not any("tools" in request for request in endpoint.requests[1:])
    assert '"depth"' in endpoint.requests[1]["messages"][-1]["content"]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_an_endpoint_that_cannot_be_used_says_so(endpoint: Any, status: int) -> None:
    endpoint.answers = [status]
    with pytest.raises(ModelUnavailable, match=str(status)):
        ask(endpoint)


@pytest.mark.parametrize("status", [402, 429, 500, 503])
def test_a_fault_of_the_endpoint_passes_and_is_not_retried_here(endpoint: Any, status: int) -> None:
    endpoint.answers = [status]
    with pytest.raises(UpstreamError) as caught:
        ask(endpoint)
    assert caught.value.status == status
    assert not isinstance(caught.value, ModelUnavailable)
    assert len(endpoint.requests) == 1


def test_a_dead_endpoint_is_an_upstream_error(endpoint: Any) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        endpoint.base_url = f"http://127.0.0.1:{bound.getsockname()[1]}/v1"  # taken, and nobody listens
        with pytest.raises(UpstreamError):
            ask(endpoint)


def test_an_endpoint_that_hangs_is_given_up(endpoint: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint.base_url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        endpoint.timeout = 0.2
        with pytest.raises(UpstreamError) as caught:
            ask(endpoint)
    assert caught.value.status == 504


def test_the_same_question_sends_the_same_bytes(endpoint: Any) -> None:
    bad = {"tool_calls": [tool({"name": "red"})]}
    endpoint.answers = [bad, {"content": TEXT}, bad, {"content": TEXT}]
    ask(endpoint)
    ask(endpoint)
    assert endpoint.raw[:2] == endpoint.raw[2:]
    assert endpoint.keys == ["Bearer token of judge:A0001"] * 4
    assert endpoint.requests[0]["tool_choice"] == {"type": "function", "function": {"name": "Colour"}}


def test_a_proxy_of_the_environment_is_not_used(endpoint: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    endpoint.answers = [{"content": TEXT}]
    assert ask(endpoint).depth == 3
