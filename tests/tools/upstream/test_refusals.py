"""What providers say when they refuse: read for what it means, in the words that they really use."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sigmaloop.errors import ModelUnavailable, UpstreamError
from sigmaloop.tools.upstream.refusals import read_refusal

SENT = {
    "model": "m", "messages": [], "tools": [], "tool_choice": "required", "max_tokens": 9, "temperature": 0.0,
    "seed": 1, "n": 1, "response_format": {}, "stop": ["x"], "top_k": 3,
}  # fmt: skip


def openai(message: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        (openai("Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.",
                "max_tokens", "unsupported_parameter"), "max_tokens"),
        (openai("Unsupported value: 'temperature' does not support 0 with this model.", "temperature",
                "unsupported_value"), "temperature"),
        (openai("max_tokens is too large: 50000. This model supports at most 16384.", "max_tokens", "invalid_value"),
         "max_tokens"),
        (openai("Unrecognized request argument supplied: seed"), "seed"),
        (openai("Unrecognized request argument supplied: n"), "n"),
        (openai("invalid temperature: only 1 is allowed for this model"), "temperature"),
        (openai("litellm.UnsupportedParamsError: x does not support parameters: ['seed'], for model=y"), "seed"),
        ([{"error": {"code": 400, "message": 'Unknown name "seed": Cannot find field.', "status": "INVALID"}}], "seed"),
        ({"detail": [{"type": "extra_forbidden", "loc": ["body", "n"], "msg": "Extra inputs are not permitted"}]}, "n"),
        ({"object": "error", "message": {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"]}]}}, "seed"),
        ({"object": "error", "message": "top_k is not supported by this backend", "code": 400}, "top_k"),
        (openai("Thinking mode does not support this tool_choice"), "tool_choice"),
        (openai("This model only support stream mode, please enable the stream parameter."), "stream"),
        ({"message": "property 'seed' is unsupported"}, "seed"),
    ],
)  # fmt: skip
def test_a_field_that_is_not_taken_is_named(body: Any, parameter: str) -> None:
    refusal = read_refusal(json.dumps(body).encode(), SENT)
    assert (refusal.parameter, refusal.code) == (parameter, "unsupported_parameter")


@pytest.mark.parametrize(
    "body",
    [
        openai("Invalid schema for function 'f': not supported", "tools[0].function.parameters"),
        openai("Unsupported parameter: 'stop' is not supported with this model", "stop", "unsupported_parameter"),
        openai("response_format of type json_schema is not supported", "response_format"),
        openai("Tool choice 'g' not found in 'tools' parameter", "tool_choice"),
        openai("messages[3].content must not be empty", "messages"),
        openai("The seed of all evil is in your question"),
        {"error": "bad request"},
        "not even an object",
    ],
)
def test_what_the_caller_wrote_is_the_callers_fault(body: Any) -> None:
    assert read_refusal(json.dumps(body).encode(), SENT).parameter == ""


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (openai("too long", None, "context_length_exceeded"), "context_length_exceeded"),
        (openai("'max_tokens' is too large: 2048. This model's maximum context length is 4096 tokens", "max_tokens"),
         "context_length_exceeded"),
        (openai("The response was filtered due to Azure's content management policy", "prompt", "content_filter"),
         "content_filter"),
        ({"error": {"message": "no", "code": "400", "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
         "content_filter"),
        (openai("Input data may contain inappropriate content.", None, "data_inspection_failed"), "content_filter"),
    ],
)  # fmt: skip
def test_too_long_and_filtered_are_told_apart(body: Any, code: str) -> None:
    assert read_refusal(json.dumps(body).encode(), SENT)[1:] == (code, "")


def test_each_has_the_status_of_whoever_has_to_act(stub: Any, reach: Any) -> None:
    """The run pauses for a field, a filter is nobody's evidence, a context that is full is the agent's doing."""
    ask = {"model": "m", "messages": [{"role": "user", "content": "Hello"}], "seed": 1}
    stub.script = [(400, json.dumps(openai("Unrecognized request argument supplied: seed")), {})]
    with pytest.raises(ModelUnavailable, match=r"does not take seed for 'm' \(400\)") as unavailable:
        reach().complete(ask)
    assert unavailable.value.parameter == "seed"
    for error, status, code in [
        (openai("no", None, "content_filter"), 502, "content_filter"),
        (openai("no", None, "context_length_exceeded"), 400, "context_length_exceeded"),
    ]:
        stub.script = [(400, json.dumps(error), {})]
        with pytest.raises(UpstreamError) as caught:
            reach().complete(ask)
        assert (caught.value.status, caught.value.code) == (status, code)
        assert not isinstance(caught.value, ModelUnavailable)
    assert len(stub.seen) == 3, "none of them is tried again"


def test_an_answer_that_a_filter_took_away_is_not_tried_again(stub: Any, reach: Any, answered: Any) -> None:
    taken = answered("")
    taken["choices"][0]["finish_reason"] = "content_filter"
    stub.script = [taken]
    with pytest.raises(UpstreamError, match="content filter of the endpoint") as caught:
        reach().complete({"model": "m", "messages": []})
    assert (caught.value.status, caught.value.code, len(stub.seen)) == (502, "content_filter", 1)
