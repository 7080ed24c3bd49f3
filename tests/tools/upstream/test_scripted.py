"""The scripted model says what it was told to, in order, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from sigmaloop.errors import UpstreamError
from sigmaloop.tools.upstream.scripted import ScriptedModel, tool_call, tool_calls
from sigmaloop.tools.upstream.upstream import InProcessUpstream, Upstream, answer_fault

ASK = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}


def message(response: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = response["choices"][0]["message"]
    return found


def test_outputs_come_in_turn_and_requests_are_kept() -> None:
    model = ScriptedModel(["one", "two"])
    first, second = model.complete(ASK), model.complete({**ASK, "model": "n"})
    assert [message(r)["content"] for r in (first, second)] == ["one", "two"]
    assert [r["model"] for r in model.requests] == ["m", "n"]
    assert first["choices"][0]["finish_reason"] == "stop"


def test_a_kept_request_does_not_change_with_the_callers_list() -> None:
    model = ScriptedModel(["one"])
    messages = [{"role": "user", "content": "Hello"}]
    model.complete({"messages": messages})
    messages.append({"role": "user", "content": "more"})
    assert len(model.requests[0]["messages"]) == 1


def test_a_tool_call_gets_an_id_of_its_own_in_every_turn() -> None:
    model = ScriptedModel([tool_call("find", {"id": "A1"})] * 2 + [tool_calls(("a", {}), ("b", "{broken"))])
    responses = [model.complete(ASK) for _ in range(3)]
    calls = [call for response in responses for call in message(response)["tool_calls"]]
    assert len({call["id"] for call in calls}) == 4
    assert json.loads(calls[0]["function"]["arguments"]) == {"id": "A1"}
    assert calls[3]["function"]["arguments"] == "{broken"
    assert responses[0]["choices"][0]["finish_reason"] == "tool_calls"


def test_the_same_script_and_requests_give_the_same_responses() -> None:
    outputs: list[Any] = ["one", tool_call("find", {"x": 1})]
    runs = []
    for _ in range(2):
        model = ScriptedModel(outputs)
        runs.append([model.complete(ASK) for _ in outputs])
    assert runs[0] == runs[1]
    assert all(answer_fault(response, "choices") is None for response in runs[0])
    usage = runs[0][0]["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0


def test_a_whole_response_goes_out_as_it_is_and_an_error_is_raised() -> None:
    whole = {"id": "x", "choices": [{"message": {"role": "assistant", "content": "hi"}}]}
    model = ScriptedModel([whole, UpstreamError("down", status=503), KeyError("odd")])
    assert model.complete(ASK) == whole
    with pytest.raises(UpstreamError, match="down"):
        model.complete(ASK)
    with pytest.raises(KeyError):
        model.complete(ASK)


def test_an_exhausted_script_says_so() -> None:
    model = ScriptedModel(["one"])
    model.complete(ASK)
    with pytest.raises(UpstreamError, match="has 1 outputs and was asked 2 times"):
        model.complete(ASK)


def test_repeat_gives_the_last_output_again() -> None:
    model = ScriptedModel(["one", "two"], repeat=True)
    assert [message(model.complete(ASK))["content"] for _ in range(4)] == ["one", "two", "two", "two"]
    with pytest.raises(ValueError, match="at least one"):
        ScriptedModel([], repeat=True)


def test_threads_share_a_script_without_getting_an_output_twice() -> None:
    model = ScriptedModel([str(n) for n in range(200)])
    said: list[str] = []

    def ask() -> None:
        for _ in range(10):
            said.append(message(model.complete(ASK))["content"])

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said, key=int) == [str(n) for n in range(200)]


def test_it_is_an_upstream_and_a_model() -> None:
    upstream: Upstream = ScriptedModel(["one"])
    wrapped: Upstream = InProcessUpstream(ScriptedModel(["two"]))
    assert message(wrapped.complete(ASK))["content"] == "two"
    for each in (upstream, wrapped):
        with pytest.raises(UpstreamError, match="no embeddings"):
            each.embeddings({"input": "x"})
        each.close()
