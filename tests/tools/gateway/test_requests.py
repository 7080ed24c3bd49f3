"""What a caller may ask: pinned, dropped, passed on or refused by name."""

from __future__ import annotations

from typing import Any

import pytest
from chat_requests import ASK, TOOL, calling, last_request, refused, tool, user
from gateways import scripted_gateway
from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaloop.errors import UpstreamError
from sigmaloop.records import Usage
from sigmaloop.tools.gateway.requests import _CHECKS, PINNED, STRIPPED, normalise_chat, request_hash
from sigmaloop.tools.gateway.responses_api import chat_request
from sigmaloop.tools.gateway.roles import ROLES
from sigmaloop.tools.upstream.scripted import ScriptedModel
from sigmaloop.tools.upstream.upstream import InProcessUpstream


def test_a_request_goes_up_with_what_the_harness_may_choose_and_the_gateways_pins() -> None:
    model = ScriptedModel(["Hello."])
    chosen = {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Look"},
             {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}}]},
            {"role": "assistant", "content": None, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "find", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "found"},
        ],
        "tools": [TOOL],
        "tool_choice": {"type": "function", "function": {"name": "find"}},
        "parallel_tool_calls": False,
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}},
        "stop": ["END"],
    }  # fmt: skip
    scripted_gateway(model, temperature=0.25).lease("target", scope="s", seed=42).complete(chosen)
    pins = {"model": "the-target", "temperature": 0.25, "n": 1, "max_tokens": 100, "seed": 42}
    assert last_request(model) == {**chosen, **pins}


def test_what_is_harmless_is_dropped_and_a_reply_can_be_sent_back_as_it_came() -> None:
    model = ScriptedModel(["Hello."])
    additions: dict[str, Any] = {
        "annotations": [],
        "audio": {"id": "a1"},
        "function_call": None,
        "reasoning_content": "hm",
    }
    reply = {"role": "assistant", "content": "Hi", "tool_calls": None, **additions}
    scripted_gateway(model).lease("target", scope="s", seed=1).complete(
        {
            "messages": [*ASK["messages"], reply],
            "user": "me",
            "metadata": {"a": "b"},
            "store": False,
            "stream": True,
            "stream_options": {"include_usage": True},
            "tools": [],
            "tool_choice": "auto",
            "stop": None,
        }
    )
    assert set(last_request(model)) == {"messages", "model", "temperature", "n", "max_tokens", "seed"}
    assert last_request(model)["messages"][1] == {"role": "assistant", "content": "Hi"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"store": True}, "store is not allowed"),
        ({"previous_response_id": "r1"}, "previous_response_id"),
        ({"conversation": "c1"}, "conversation"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"logit_bias": {"1": 100}}, "logit_bias"),
        ({"prediction": {}}, "prediction"),
        ({"extra_body": {"model": "x"}}, "extra_body"),
        ({"tools": [{"type": "web_search"}]}, "the provider's own tools are not"),
        ({"tools": [{"type": "code_interpreter", "container": {}}]}, "tools.0."),
        ({"tools": [TOOL, {"type": "mcp", "server_url": "https://x.test"}]}, "tools.1."),
        ({"tools": "all"}, "tools must be a list"),
        ({"tools": [{"type": "function"}]}, "with a name"),
        ({"tools": [tool(description=["x"])]}, "description must be a str"),
        ({"tools": [tool(parameters="x")]}, "parameters must be a dict"),
        ({"tools": [TOOL], "tool_choice": {"type": "web_search"}}, "tool_choice"),
        ({"response_format": {"type": "grammar"}}, "response_format"),
        ({"stop": [1]}, "stop"),
        ({"tools": [TOOL], "parallel_tool_calls": "yes"}, "parallel_tool_calls"),
        ({"messages": None}, "messages is missing"),
        ({"messages": []}, "at least one"),
        ({"messages": "Hello"}, "must be a list"),
        ({"messages": [{"role": "oracle", "content": "x"}]}, "role is one of"),
        (user("x", name={"a": 1}), "name, .* must be texts"),
        (user([]), r"messages.0..content"),
        ({"messages": [{"role": "user"}]}, r"messages.0..content"),
        (user({"type": "text"}), "content"),
        (calling([{"id": "x"}]), "tool_calls.0."),
        (calling("x"), "tool_calls must be"),
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_refused_by_name(change: dict[str, Any], words: str) -> None:
    model = ScriptedModel([])
    lease = scripted_gateway(model).lease("target", scope="s", seed=1)
    error = refused(lambda: lease.complete({**ASK, **change}))
    assert (error.status, error.retryable) == (400, False)
    with pytest.raises(UpstreamError, match=words):
        raise error
    assert model.requests == []
    assert lease.usage() == Usage()


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "https://elsewhere.test/x.png"}},
        {"type": "image_url", "image_url": {"url": "file:///etc/passwd"}},
        {"type": "image_url", "image_url": {"url": " data:image/png;base64,AAAA"}},
        {"type": "image_url", "image_url": {"url": "data:text/html,hello"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA\nhttps://elsewhere.test/x.png"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA\n"}},
        {"type": "image_url", "image_url": "https://elsewhere.test/x.png"},
        {"type": "image_url", "image_url": {}},
        {"type": "file", "file": {"file_id": "f1"}},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        {"type": "text", "text": 5},
        "text",
        None,
    ],
)
def test_only_texts_and_inline_images_may_be_sent(part: Any) -> None:
    lease = scripted_gateway(ScriptedModel([])).lease("target", scope="s", seed=1)
    error = refused(lambda: lease.complete(user([part])))
    assert error.status == 400
    assert "messages[0].content[0]" in str(error)


def test_hidden_fields_of_parts_tools_and_calls_do_not_get_through() -> None:
    model = ScriptedModel(["Hello."])
    scripted_gateway(model).lease("target", scope="s", seed=1).complete(
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "x", "file_id": "f"}], "cache": "c"},
                {"role": "assistant", "content": "", "tool_calls": [
                    {"id": "1", "function": {"name": "f", "arguments": "{}", "url": "u"}, "more": 1}]},
            ],
            "tools": [{**tool(defer=True), "server_url": "https://x.test"}],
        }
    )  # fmt: skip
    assert not any(word in str(last_request(model)) for word in ("file_id", "cache", "url", "more", "defer"))


@pytest.mark.parametrize("odd", [{"a": float("nan")}, {"a": {1, 2}}, {"a": b"x"}, ["list"], None, {"a": "\ud800"}])
def test_a_request_that_is_no_plain_json_object_is_refused(odd: Any) -> None:
    assert refused(lambda: scripted_gateway().lease("target", scope="s", seed=1).complete(odd)).status == 400


@given(name=st.text(min_size=1).filter(lambda name: name not in {*PINNED, *STRIPPED, *_CHECKS, "store"}))
@settings(max_examples=100, deadline=None)
def test_a_refusal_repeats_at_most_100_characters_of_what_was_sent(name: str) -> None:
    long = name * 5_000
    for ask in (
        lambda: normalise_chat({**ASK, long: 1}, max_bytes=2**26),
        lambda: chat_request({"input": "Hello", long: 1}),
    ):
        text = str(refused(ask))
        assert len(text) < 400
        assert text.isprintable()


def test_a_model_in_this_process_that_fails_repeats_no_more_of_the_request_either() -> None:
    class Picky:
        def complete(self, request: dict[str, Any]) -> dict[str, Any]:
            raise KeyError(request["messages"][0]["content"])

    lease = scripted_gateway(InProcessUpstream(Picky())).lease("target", scope="s", seed=1)
    error = refused(lambda: lease.complete(user("x" * 1_000_000)))
    assert error.status == 502
    assert "KeyError" in str(error)
    assert len(str(error)) < 200


@pytest.mark.parametrize("effort", [None, "low"])
def test_the_targets_effort_is_the_settings_and_not_the_harnesss(effort: str | None) -> None:
    model = ScriptedModel(["Hello."], repeat=True)
    gateway = scripted_gateway(model, reasoning_effort=effort)
    lease = gateway.lease("target", scope="s", seed=1)
    lease.complete({**ASK, "reasoning_effort": "high"})
    assert last_request(model).get("reasoning_effort", None) == effort
    lease.complete(chat_request({"input": "Hello", "reasoning": {"effort": "high"}}))
    assert last_request(model).get("reasoning_effort", None) == effort
    gateway.lease("gate_judge", scope="s", seed=1).complete({**ASK, "reasoning_effort": "high"})
    assert "reasoning_effort" not in last_request(model), "it is the target's"


def test_a_deep_or_long_request_is_refused() -> None:
    lease = scripted_gateway(request_bytes=1000).lease("target", scope="s", seed=1)
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    assert refused(lambda: lease.complete({**ASK, "tools": deep})).status == 400
    error = refused(lambda: lease.complete(user("ä" * 600)))
    assert error.status == 413
    # Unpack it step by step: freeing it at once would recurse as deep.
    while isinstance(deep, list):
        deep = deep.pop()


def test_a_specialist_may_ask_for_fewer_tokens_up_to_a_cap_and_the_target_may_not() -> None:
    model = ScriptedModel(["Hello."], repeat=True)
    gateway = scripted_gateway(model, specialist_tokens=500)
    sent = []
    for role in ("gate_judge", "target"):
        lease = gateway.lease(role, scope="s", seed=1)
        for wish in (
            {},
            {"max_tokens": 50},
            {"max_completion_tokens": 60},
            {"max_tokens": 9999},
            {"max_tokens": -1},
        ):
            lease.complete({**ASK, **wish})
            sent.append(last_request(model)["max_tokens"])
    assert sent == [500, 50, 60, 500, 500, 100, 100, 100, 100, 100]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


names = st.sampled_from(
    [*PINNED, *STRIPPED, "store", "logit_bias", "tools", "tool_choice", "stop", "response_format", "MODEL"]
)


@settings(max_examples=200, deadline=None)
@given(wishes=st.dictionaries(names | st.text(max_size=6), values, max_size=6), role=st.sampled_from(ROLES))
def test_pinned_fields_are_the_gateways_whatever_the_request_says(wishes: dict[str, Any], role: str) -> None:
    model = ScriptedModel(["Hello."], repeat=True)
    lease = scripted_gateway(model, temperature=0.5, specialist_tokens=300).lease(role, scope="s", seed=77)
    error = None
    try:
        lease.complete({**wishes, **ASK})
    except UpstreamError as refusal:
        error = refusal
    if error is not None:
        assert error.status == 400
        assert model.requests == []
        return
    sent = last_request(model)
    allowed = {"messages", "tools", "tool_choice", "parallel_tool_calls", "response_format", "stop"}
    most = sent.pop("max_tokens")
    assert most == 100 if role == "target" else 0 < most <= 300, "the target's limit is part of what is measured"
    assert sent.pop("model") == ("the-target" if role in ("target", "user", "judge") else "the-specialist")
    assert (sent.pop("temperature"), sent.pop("n"), sent.pop("seed")) == (0.5, 1, 77)
    assert set(sent) <= allowed


def test_the_request_hash_covers_every_part_and_no_order_of_keys() -> None:
    base = {
        "model": "m",
        "messages": [{"role": "user", "content": "x"}],
        "seed": 1,
        "tools": [TOOL],
        "temperature": 0,
    }
    assert request_hash(base) == request_hash(dict(reversed(base.items())))
    changes: list[dict[str, Any]] = [
        *({"model": "n"}, {"seed": 2}, {"tools": []}, {"temperature": 1}, user("y")),
    ]
    assert len({request_hash({**base, **change}) for change in [{}, *changes]}) == 6
