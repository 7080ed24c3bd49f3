"""The gateway's core: dead tokens, pinned fields, refused requests, journal, metering."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from gateways import open_gateway
from hypothesis import given, settings
from hypothesis import strategies as st
from waiting import wait_for

from sigmaloop.errors import ModelChanged, ModelUnavailable, UpstreamError
from sigmaloop.records import Usage
from sigmaloop.tools.gateway.gateway import Gateway
from sigmaloop.tools.gateway.requests import _CHECKS, PINNED, STRIPPED, normalise_chat, request_hash
from sigmaloop.tools.gateway.responses_api import chat_request
from sigmaloop.tools.gateway.roles import ROLES
from sigmaloop.tools.upstream.scripted import ScriptedModel, tool_call
from sigmaloop.tools.upstream.upstream import HttpUpstream, InProcessUpstream


def tool(**function: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "f", **function}}


def user(content: Any, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": content, **more}]}


def calling(calls: Any) -> dict[str, Any]:
    return {"messages": [{"role": "assistant", "content": None, "tool_calls": calls}]}


ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello"}]}
TOOL = {"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}


def door(upstream: Any = None, **options: Any) -> Gateway:
    options = {
        "target": "the-target",
        "specialist": "the-specialist",
        "max_tokens": 100,
        **options,
    }
    return open_gateway(upstream or ScriptedModel(["Hello."], repeat=True), **options)


def asked(model: ScriptedModel) -> dict[str, Any]:
    return model.requests[-1]


def refused(call: Callable[[], object]) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        call()
    return caught.value


# Leases


def test_an_unknown_or_closed_token_is_refused() -> None:
    gateway = door()
    assert refused(lambda: gateway.complete("made-up", ASK)).status == 401
    with gateway.lease("target", scope="s", seed=1) as lease:
        gateway.complete(lease.token, ASK)
    assert refused(lambda: lease.complete(ASK)).status == 401
    assert lease.usage().calls == 1, "what it cost can still be read"


def test_stop_kills_every_lease() -> None:
    gateway = door()
    leases = [gateway.lease(role, scope=role, seed=1) for role in ROLES]
    assert len({lease.token for lease in leases}) == len(ROLES)
    gateway.stop()
    assert {refused(lambda lease=lease: lease.complete(ASK)).status for lease in leases} == {401}  # type: ignore[misc]
    gateway.stop()


def test_a_role_that_does_not_exist_is_an_error_of_the_programmer() -> None:
    with pytest.raises(ValueError, match="unknown role 'oracle'"):
        door().lease("oracle", scope="s", seed=1)


def test_calls_of_a_lease_are_limited_and_the_refusal_is_no_infrastructure_fault() -> None:
    model = ScriptedModel(["Hello."], repeat=True)
    gateway = door(model)
    lease, other = (gateway.lease("target", scope=scope, seed=1, max_calls=2) for scope in "ab")
    lease.complete(ASK)
    assert refused(lambda: lease.complete({"messages": []})).status == 400, "a refused request uses no call up"
    lease.complete(ASK)
    error = refused(lambda: lease.complete(ASK))
    assert (error.status, error.retryable) == (402, False)
    assert "all 2 model calls" in str(error)
    other.complete(ASK)
    assert len(model.requests) == 3


# What goes upstream


@pytest.mark.parametrize("role", ROLES)
def test_the_role_decides_the_model(role: str) -> None:
    model = ScriptedModel(["Hello."])
    gateway = door(model)
    lease = gateway.lease(role, scope="s", seed=1)
    lease.complete({**ASK, "model": "a-better-one"})
    assert (
        asked(model)["model"] == gateway.model(lease.token) == ("the-target" if role == "target" else "the-specialist")
    )


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
    door(model, temperature=0.25).lease("target", scope="s", seed=42).complete(chosen)
    pins = {"model": "the-target", "temperature": 0.25, "n": 1, "max_tokens": 100, "seed": 42}
    assert asked(model) == {**chosen, **pins}


def test_what_is_harmless_is_dropped_and_a_reply_can_be_sent_back_as_it_came() -> None:
    model = ScriptedModel(["Hello."])
    additions: dict[str, Any] = {
        "annotations": [],
        "audio": {"id": "a1"},
        "function_call": None,
        "reasoning_content": "hm",
    }
    reply = {"role": "assistant", "content": "Hi", "tool_calls": None, **additions}
    door(model).lease("target", scope="s", seed=1).complete(
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
    assert set(asked(model)) == {"messages", "model", "temperature", "n", "max_tokens", "seed"}
    assert asked(model)["messages"][1] == {"role": "assistant", "content": "Hi"}


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
    lease = door(model).lease("target", scope="s", seed=1)
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
    lease = door(ScriptedModel([])).lease("target", scope="s", seed=1)
    error = refused(lambda: lease.complete(user([part])))
    assert error.status == 400
    assert "messages[0].content[0]" in str(error)


def test_hidden_fields_of_parts_tools_and_calls_do_not_get_through() -> None:
    model = ScriptedModel(["Hello."])
    door(model).lease("target", scope="s", seed=1).complete(
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "x", "file_id": "f"}], "cache": "c"},
                {"role": "assistant", "content": "", "tool_calls": [
                    {"id": "1", "function": {"name": "f", "arguments": "{}", "url": "u"}, "more": 1}]},
            ],
            "tools": [{**tool(defer=True), "server_url": "https://x.test"}],
        }
    )  # fmt: skip
    assert not any(word in str(asked(model)) for word in ("file_id", "cache", "url", "more", "defer"))


@pytest.mark.parametrize("odd", [{"a": float("nan")}, {"a": {1, 2}}, {"a": b"x"}, ["list"], None, {"a": "\ud800"}])
def test_a_request_that_is_no_plain_json_object_is_refused(odd: Any) -> None:
    assert refused(lambda: door().lease("target", scope="s", seed=1).complete(odd)).status == 400


@given(name=st.text(min_size=1).filter(lambda name: name not in {*PINNED, *STRIPPED, *_CHECKS, "store"}))
@settings(max_examples=100, deadline=None)
def test_a_refusal_repeats_at_most_100_characters_of_what_was_sent(name: str) -> None:
    long = name * 5_000
    for ask in (
        lambda: normalise_chat({**ASK, long: 1}, pins={}, max_bytes=2**26),
        lambda: chat_request({"input": "Hello", long: 1}),
    ):
        text = str(refused(ask))
        assert len(text) < 400
        assert text.isprintable()


def test_a_model_in_this_process_that_fails_repeats_no_more_of_the_request_either() -> None:
    class Picky:
        def complete(self, request: dict[str, Any]) -> dict[str, Any]:
            raise KeyError(request["messages"][0]["content"])

    lease = door(InProcessUpstream(Picky())).lease("target", scope="s", seed=1)
    error = refused(lambda: lease.complete(user("x" * 1_000_000)))
    assert error.status == 502
    assert "KeyError" in str(error)
    assert len(str(error)) < 200


@pytest.mark.parametrize("effort", [None, "low"])
def test_the_targets_effort_is_the_settings_and_not_the_harnesss(effort: str | None) -> None:
    model = ScriptedModel(["Hello."], repeat=True)
    gateway = door(model, reasoning_effort=effort)
    lease = gateway.lease("target", scope="s", seed=1)
    lease.complete({**ASK, "reasoning_effort": "high"})
    assert asked(model).get("reasoning_effort", None) == effort
    lease.complete(chat_request({"input": "Hello", "reasoning": {"effort": "high"}}))
    assert asked(model).get("reasoning_effort", None) == effort
    gateway.lease("gate_judge", scope="s", seed=1).complete({**ASK, "reasoning_effort": "high"})
    assert "reasoning_effort" not in asked(model), "it is the target's"


def test_leases_that_were_closed_leave_nothing_behind_in_the_gateway() -> None:
    gateway = door()
    sizes = set()
    for number in range(20):
        with gateway.lease("target", scope=str(number), seed=1) as lease:
            lease.complete(ASK)
        kept = [value for value in vars(gateway).values() if isinstance(value, dict)]
        sizes.add(sum(map(len, kept)))
        assert lease.usage().calls == 1
    assert len(sizes) == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [({"finish_reason": "error"}, "ended in an error"), ({"finish_reason": "length"}, "larger max_tokens")],
)
def test_what_is_no_answer_of_the_model_is_an_infrastructure_fault(
    answered: Any, answer: dict[str, Any], words: str
) -> None:
    whole = answered(None)
    whole["choices"][0].update(answer)
    lease = door(InProcessUpstream(ScriptedModel([whole]))).lease("target", scope="s", seed=1)
    error = refused(lambda: lease.complete(ASK))
    assert error.status >= 500
    assert words in str(error)


def test_an_answer_that_was_cut_off_in_the_middle_is_the_models_own(answered: Any) -> None:
    whole = answered("It is on its")
    whole["choices"][0]["finish_reason"] = "length"
    lease = door(InProcessUpstream(ScriptedModel([whole]))).lease("target", scope="s", seed=1)
    assert lease.complete(ASK) == whole


class FirstName:
    """Knows the first name of each role, in memory."""

    def __init__(self) -> None:
        self.first: dict[str, str] = {}

    def meet(self, role: str, name: str) -> None:
        if self.first.setdefault(role, name) != name:
            raise ModelChanged(role, first=self.first[role], now=name)


def test_another_model_than_the_first_stops_the_run_and_its_answer_is_not_kept(
    answered: Any, call_journal: Any
) -> None:
    names = FirstName()
    dated, other = ({**answered("x"), "model": name} for name in ("the-target-2026-01-01", "another"))
    nameless = {key: value for key, value in dated.items() if key != "model"}
    model = ScriptedModel([dated, nameless, {**dated, "model": None}, dated, other])
    gateway = door(model, names=names, call_journal=call_journal)
    lease = gateway.lease("target", scope="s", seed=1)
    for _ in range(4):
        lease.complete(ASK)
    with pytest.raises(ModelChanged, match=r"'another'.*'the-target-2026-01-01'.*sigmaloop resume"):
        lease.complete(ASK)
    assert isinstance(lease.run_spent, ModelChanged)
    assert lease.usage().calls == 5, "it was paid"
    assert len(call_journal.rows) == 4


def test_a_lease_knows_how_the_endpoint_refused_its_last_call(answered: Any) -> None:
    refusal = UpstreamError("too long", status=400, code="context_length_exceeded")
    script = [refusal, answered("x"), UpstreamError("?", status=422), UpstreamError("down", status=503)]
    lease = door(ScriptedModel(script)).lease("target", scope="s", seed=1)
    seen = []
    for _ in range(4):
        with suppress(UpstreamError):
            lease.complete(ASK)
        seen.append(lease.refusal)
    refused(lambda: lease.complete({**ASK, "odd": 1}))
    assert seen == ["400 context_length_exceeded", "", "422", ""]
    assert lease.refusal == "", "what the gateway refuses is the caller's own doing"


def test_a_deep_or_long_request_is_refused() -> None:
    lease = door(request_bytes=1000).lease("target", scope="s", seed=1)
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
    gateway = door(model, specialist_tokens=500)
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
            sent.append(asked(model)["max_tokens"])
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
    lease = door(model, temperature=0.5, specialist_tokens=300).lease(role, scope="s", seed=77)
    error = None
    try:
        lease.complete({**wishes, **ASK})
    except UpstreamError as refusal:
        error = refusal
    if error is not None:
        assert error.status == 400
        assert model.requests == []
        return
    sent = asked(model)
    allowed = {"messages", "tools", "tool_choice", "parallel_tool_calls", "response_format", "stop"}
    most = sent.pop("max_tokens")
    assert most == 100 if role == "target" else 0 < most <= 300
    assert sent.pop("model") == ("the-target" if role == "target" else "the-specialist")
    assert (sent.pop("temperature"), sent.pop("n"), sent.pop("seed")) == (0.5, 1, 77)
    assert set(sent) <= allowed


# The call journal


def test_a_resumed_scope_is_answered_from_the_journal_and_pays_nothing(call_journal: Any) -> None:
    first = door(ScriptedModel(["one", "two", "three"]), call_journal=call_journal, price_input=1e6)
    lease = first.lease("target", scope="rollout", seed=1)
    paid = [lease.complete(ASK) for _ in range(2)]
    later = ScriptedModel(["new"])
    second = door(later, call_journal=call_journal, price_input=1e6)
    resumed = second.lease("target", scope="rollout", seed=1)
    assert [resumed.complete(ASK) for _ in range(2)] == paid
    assert (second.paid, second.recalled, later.requests) == (0, 2, [])
    assert resumed.complete(ASK)["choices"][0]["message"]["content"] == "new"
    assert (second.paid, second.recalled, first.paid) == (1, 2, 2)
    assert resumed.usage().calls == 3
    assert resumed.usage().cost > lease.usage().cost > 0, "the rollout cost what both processes paid for it"
    assert second.spent()["target"].calls == 1
    assert second.latency()["target"].calls == 1


def test_an_answer_is_never_shared_between_scopes_indices_seeds_or_requests(call_journal: Any) -> None:
    model = ScriptedModel([str(n) for n in range(9)])
    gateway = door(model, call_journal=call_journal)
    lease = gateway.lease("target", scope="a", seed=1)
    lease.complete(ASK)
    lease.complete(ASK)
    gateway.lease("target", scope="b", seed=1).complete(ASK)
    gateway.lease("target", scope="a", seed=2).complete(ASK)
    gateway.lease("gate_judge", scope="a", seed=1).complete(ASK)
    gateway.lease("target", scope="a", seed=1).complete({**ASK, "stop": "END"})
    assert (gateway.paid, gateway.recalled, len(model.requests)) == (6, 0, 6)
    gateway.lease("target", scope="a", seed=1).complete({**ASK, "user": "me", "stream": True})
    assert gateway.recalled == 1, "what is dropped does not count"


@settings(max_examples=60, deadline=None)
@given(
    order=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y"])), min_size=1, max_size=12),
    kept=st.integers(0, 12),
)
def test_trials_never_share_an_answer_and_a_resumed_one_gets_its_own_back(
    order: list[tuple[str, str]], kept: int
) -> None:
    """Three trials ask the same two questions in any order; after `kept` calls the process is killed."""
    rows: dict[tuple[str, int, str], Any] = {}

    class Rows:
        def recall(self, scope: str, index: int, request_hash: str) -> Any:
            return rows.get((scope, index, request_hash))

        def remember(self, scope: str, index: int, request_hash: str, response: Any) -> None:
            rows[scope, index, request_hash] = response

    asked = iter(range(1000))

    class Counting:
        """No two answers are the same."""

        def complete(self, request: dict[str, Any]) -> dict[str, Any]:
            return {"choices": [{"message": {"role": "assistant", "content": str(next(asked))}}]}

    def play(calls: list[tuple[str, str]]) -> list[tuple[str, str]]:
        gateway = door(InProcessUpstream(Counting()), call_journal=Rows())
        # The same seed, as a careless caller would have it: the scope alone keeps them apart.
        leases = {scope: gateway.lease("target", scope=scope, seed=1) for scope in "abc"}
        return [(s, leases[s].complete(user(text))["choices"][0]["message"]["content"]) for s, text in calls]

    before = play(order[:kept])
    after = play(order)
    assert after[: len(before)] == before, "nothing is paid twice"
    assert len({said for _, said in after}) == len(after), "no answer twice, not even to the same question"


def test_an_answer_is_remembered_before_it_is_returned_and_a_failure_is_not(call_journal: Any) -> None:
    gateway = door(ScriptedModel([UpstreamError("down", status=503), "one"]), call_journal=call_journal)
    lease = gateway.lease("target", scope="s", seed=1)
    assert refused(lambda: lease.complete(ASK)).status == 503
    assert call_journal.rows == {}
    answer = lease.complete(ASK)
    ((scope, index, key),) = call_journal.rows
    assert (scope, index) == ("s", 0), "the failed call left its index to the next one"
    assert call_journal.rows[scope, index, key] == answer
    assert (gateway.paid, lease.usage().calls) == (1, 1)


def test_failed_calls_under_way_together_leave_their_indices_in_order(call_journal: Any) -> None:
    model = ScriptedModel([*[UpstreamError("down", status=503)] * 5, *["fine"] * 5])
    lease = door(model, call_journal=call_journal).lease("target", scope="s", seed=1, max_calls=5)
    for _ in range(5):
        refused(lambda: lease.complete(ASK))
    for _ in range(5):
        lease.complete(ASK)
    assert sorted(index for _, index, _ in call_journal.rows) == [0, 1, 2, 3, 4]
    assert refused(lambda: lease.complete(ASK)).status == 402


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


# Metering


def test_usage_is_counted_by_token_and_role_with_its_price(answered: Any) -> None:
    model = ScriptedModel([answered("x", tokens=(1000, 100))], repeat=True)
    gateway = door(model, price_input=2.0, price_output=8.0)
    target, judge = gateway.lease("target", scope="a", seed=1), gateway.lease("gate_judge", scope="b", seed=1)
    for lease in (target, target, judge):
        lease.complete(ASK)
    expected = Usage(calls=2, input_tokens=2000, output_tokens=200, cost=(2000 * 2 + 200 * 8) / 1e6)
    assert gateway.usage(target.token) == target.usage() == expected
    assert set(gateway.totals()) == {"target", "gate_judge"}
    assert gateway.totals()["target"] == gateway.spent()["target"] == expected
    assert gateway.paid == 3
    latency = gateway.latency()["target"]
    assert latency.calls == 2
    assert latency.seconds >= latency.slowest >= latency.mean > 0
    assert gateway.usage("made-up") == Usage()


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": -4, "completion_tokens": "many"}, "none"])
def test_missing_usage_is_estimated_not_taken_as_free(answered: Any, usage: Any) -> None:
    gateway = door(ScriptedModel([{**answered("x" * 400), "usage": usage}]))
    lease = gateway.lease("target", scope="s", seed=1)
    lease.complete(user("y" * 4000))
    assert 1000 < lease.usage().input_tokens < 1200
    assert lease.usage().output_tokens == 100, "estimated at more, but no more than that was allowed"


def test_forty_threads_are_metered_to_the_last_token(call_journal: Any) -> None:
    class Sized:
        """Costs as many tokens as the request says; slow enough that calls overlap."""

        def complete(self, request: dict[str, Any]) -> dict[str, Any]:
            size = int(request["messages"][0]["content"])
            time.sleep(0.0005)
            message = {"role": "assistant", "content": "x"}
            return {
                "choices": [{"message": message}],
                "usage": {"prompt_tokens": size, "completion_tokens": 1},
            }

    gateway = door(InProcessUpstream(Sized()), call_journal=call_journal, price_input=0.1, price_output=0.3)
    ready = threading.Barrier(40)

    def rollout(number: int) -> Usage:
        role = ROLES[number % len(ROLES)]
        ready.wait()
        with gateway.lease(role, scope=f"r{number}", seed=number, max_calls=10) as lease:
            for call in range(10):
                lease.complete(user(str(number * 10 + call)))
            assert refused(lambda: lease.complete(ASK)).status == 402
            return lease.usage()

    with ThreadPoolExecutor(40) as pool:
        usages = list(pool.map(rollout, range(40)))
    for number, usage in enumerate(usages):
        assert (usage.calls, usage.input_tokens, usage.output_tokens) == (10, number * 100 + 45, 10)
    totals = gateway.totals()
    for place, role in enumerate(ROLES):
        mine = usages[place :: len(ROLES)]
        assert totals[role].calls == 80
        assert totals[role].input_tokens == sum(u.input_tokens for u in mine)
        assert totals[role].cost == (totals[role].input_tokens * 0.1 + 80 * 0.3) / 1e6
    assert gateway.paid == 400
    assert len(call_journal.rows) == 400


def test_threads_of_one_lease_never_exceed_its_calls() -> None:
    model = ScriptedModel(["x"], repeat=True)
    lease = door(model).lease("target", scope="s", seed=1, max_calls=25)

    def ask(_: int) -> int:
        try:
            lease.complete(ASK)
        except UpstreamError as error:
            return error.status
        return 200

    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(ask, range(100)))
    assert (statuses.count(200), statuses.count(402)) == (25, 75)
    assert len(model.requests) == lease.usage().calls == 25


# Failures


def test_secrets_are_struck_from_errors_and_the_kind_stays() -> None:
    model = ScriptedModel(
        [
            ModelUnavailable("key sk-12345678 and sk-12345678-more refused", status=503),
            UpstreamError("at sk-12345678"),
        ]
    )
    lease = door(model, redact=["sk-12345678", "sk-12345678-more", ""]).lease("target", scope="s", seed=1)
    error = refused(lambda: lease.complete(ASK))
    assert isinstance(error, ModelUnavailable)
    assert str(error) == "key [secret] and [secret] refused"
    assert error.__cause__ is None
    assert str(refused(lambda: lease.complete(ASK))) == "at [secret]"


def test_secrets_are_struck_from_answers_before_anybody_keeps_them(call_journal: Any, answered: Any) -> None:
    told = answered('the key is sk-12345678, "quo\\ted"', note={"sk-12345678": ["sk-12345678-more"]})
    secrets = ["sk-12345678", "quo\\ted", "sk-12345678-more"]
    gateway = door(ScriptedModel([told]), redact=secrets, call_journal=call_journal)
    message = gateway.lease("target", scope="s", seed=1).complete(ASK)["choices"][0]["message"]
    assert message["content"] == 'the key is [secret], "[secret]"'
    assert message["note"] == {"[secret]": ["[secret]"]}
    assert "sk-" not in str(call_journal.rows)


def test_only_an_error_that_says_so_is_tried_again() -> None:
    passing = UpstreamError("busy", status=503, retryable=True)
    model = ScriptedModel([passing, passing, "fine"])
    gateway = door(model, tries=3)
    gateway.lease("target", scope="s", seed=1).complete(ASK)
    assert len(model.requests) == 3
    assert gateway.paid == 1
    lasting = ScriptedModel([UpstreamError("no", status=500), "never"])
    refused(lambda: door(lasting, tries=3).lease("target", scope="s", seed=1).complete(ASK))
    assert len(lasting.requests) == 1


def test_check_asks_the_upstream_for_both_models(stub: Any) -> None:
    with door(HttpUpstream(stub.url, "sk-12345678", timeout=2, tries=1)) as gateway:
        gateway.check()
        assert [request["model"] for request in stub.seen] == ["the-target", "the-specialist"]
        stub.script = [(401, '{"error": {"message": "no"}}', {})]
        with pytest.raises(ModelUnavailable, match="OPENAI_API_KEY"):
            gateway.check()


@pytest.mark.usefixtures("no_leaks")
def test_stop_ends_a_call_that_hangs(stub: Any) -> None:
    stub.script = ["hang"]
    gateway = door(HttpUpstream(stub.url, "sk-12345678", timeout=30, tries=1))
    lease = gateway.lease("target", scope="s", seed=1)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(lease.complete, ASK)
        wait_for(lambda: stub.hanging)
        gateway.stop()
        error = refused(lambda: call.result(timeout=30))
        assert stub.hanging, "it waited until the endpoint gave up"
    assert error.status >= 500


def test_a_tool_call_comes_back_as_the_model_made_it() -> None:
    lease = door(ScriptedModel([tool_call("find", "{broken")])).lease("target", scope="s", seed=1)
    call = lease.complete({**ASK, "tools": [TOOL]})["choices"][0]["message"]["tool_calls"][0]
    assert call["function"] == {"name": "find", "arguments": "{broken"}


# Embeddings

VECTOR = {"object": "list", "data": [{"index": 0, "embedding": [0.25, 0.5]}], "usage": {"prompt_tokens": 3}}


def test_embeddings_are_for_specialists_with_the_fixed_model(stub: Any, call_journal: Any) -> None:
    stub.script = [VECTOR]
    upstream = HttpUpstream(stub.url, "sk-12345678", timeout=2, tries=1)
    with door(upstream, embedding="the-embedder", call_journal=call_journal) as gateway:
        lease = gateway.lease("clusterer", scope="s", seed=1)
        wish = {
            "input": ["a text"],
            "model": "another",
            "user": "me",
            "encoding_format": "float",
            "dimensions": 2,
        }
        assert gateway.embed(lease.token, wish) == VECTOR
        assert stub.seen == [
            {"input": ["a text"], "model": "the-embedder", "encoding_format": "float", "dimensions": 2}
        ]
        assert lease.usage() == Usage(calls=1, input_tokens=3)
        again = gateway.lease("clusterer", scope="s", seed=1)
        assert gateway.embed(again.token, wish) == VECTOR
        assert (gateway.paid, gateway.recalled) == (2, 0), "kept as a vector, not as a call"
        for odd in ([1, 2], [[1, 2]], [], None, {"a": 1}):
            assert refused(lambda odd=odd: gateway.embed(lease.token, {"input": odd})).status == 400  # type: ignore[misc]
        target = gateway.lease("target", scope="t", seed=1)
        assert refused(lambda: gateway.embed(target.token, wish)).status == 403


def test_embeddings_are_refused_without_a_model_for_them() -> None:
    gateway = door()
    lease = gateway.lease("clusterer", scope="s", seed=1)
    assert refused(lambda: gateway.embed(lease.token, {"input": "x"})).status == 404
    assert refused(lambda: gateway.embed("made-up", {"input": "x"})).status == 401
