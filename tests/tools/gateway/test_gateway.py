"""The gateway as a whole: leases, faults of the endpoint, secrets, embeddings, its end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from chat_requests import ASK, TOOL, last_request, refused
from gateways import scripted_gateway
from waiting import wait_for

from sigmaloop.errors import ModelUnavailable, UpstreamError
from sigmaloop.records import Usage
from sigmaloop.tools.gateway.roles import ROLES
from sigmaloop.tools.upstream.scripted import ScriptedModel, tool_call
from sigmaloop.tools.upstream.upstream import HttpUpstream, InProcessUpstream


def test_an_unknown_or_closed_token_is_refused() -> None:
    gateway = scripted_gateway()
    assert refused(lambda: gateway.complete("made-up", ASK)).status == 401
    with gateway.lease("target", scope="s", seed=1) as lease:
        gateway.complete(lease.token, ASK)
    assert refused(lambda: lease.complete(ASK)).status == 401
    assert lease.usage().calls == 1, "what it cost can still be read"


def test_stop_kills_every_lease() -> None:
    gateway = scripted_gateway()
    leases = [gateway.lease(role, scope=role, seed=1) for role in ROLES]
    assert len({lease.token for lease in leases}) == len(ROLES)
    gateway.stop()
    assert {refused(lambda lease=lease: lease.complete(ASK)).status for lease in leases} == {401}  # type: ignore[misc]
    gateway.stop()


def test_a_role_that_does_not_exist_is_an_error_of_the_programmer() -> None:
    with pytest.raises(ValueError, match="unknown role 'oracle'"):
        scripted_gateway().lease("oracle", scope="s", seed=1)


def test_calls_of_a_lease_are_limited_and_the_refusal_is_no_infrastructure_fault() -> None:
    model = ScriptedModel(["Hello."], repeat=True)
    gateway = scripted_gateway(model)
    lease, other = (gateway.lease("target", scope=scope, seed=1, max_calls=2) for scope in "ab")
    lease.complete(ASK)
    assert refused(lambda: lease.complete({"messages": []})).status == 400, "a refused request uses no call up"
    lease.complete(ASK)
    error = refused(lambda: lease.complete(ASK))
    assert (error.status, error.retryable) == (402, False)
    assert "all 2 model calls" in str(error)
    other.complete(ASK)
    assert len(model.requests) == 3


@pytest.mark.parametrize("role", ROLES)
def test_the_role_decides_the_model(role: str) -> None:
    model = ScriptedModel(["Hello."])
    gateway = scripted_gateway(model)
    lease = gateway.lease(role, scope="s", seed=1)
    lease.complete({**ASK, "model": "a-better-one"})
    assert (
        last_request(model)["model"]
        == gateway.model(lease.token)
        == ("the-target" if role in ("target", "user", "judge") else "the-specialist")
    )


def test_leases_that_were_closed_leave_nothing_behind_in_the_gateway() -> None:
    gateway = scripted_gateway()
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
    [({"finish_reason": "error"}, "ended in an error"), ({"error": {"message": "worker died"}}, "worker died")],
)
def test_what_is_no_answer_of_the_model_is_an_infrastructure_fault(
    answered: Any, answer: dict[str, Any], words: str
) -> None:
    whole = answered(None)
    whole["choices"][0].update(answer)
    lease = scripted_gateway(InProcessUpstream(ScriptedModel([whole]))).lease("target", scope="s", seed=1)
    error = refused(lambda: lease.complete(ASK))
    assert error.status >= 500
    assert words in str(error)


def test_an_answer_that_was_cut_off_in_the_middle_is_the_models_own(answered: Any) -> None:
    whole = answered("It is on its")
    whole["choices"][0]["finish_reason"] = "length"
    lease = scripted_gateway(InProcessUpstream(ScriptedModel([whole]))).lease("target", scope="s", seed=1)
    assert lease.complete(ASK) == whole


def test_a_lease_knows_how_the_endpoint_refused_its_last_call(answered: Any) -> None:
    refusal = UpstreamError("too long", status=400, code="context_length_exceeded")
    script = [refusal, answered("x"), UpstreamError("?", status=422), UpstreamError("down", status=503)]
    lease = scripted_gateway(ScriptedModel(script)).lease("target", scope="s", seed=1)
    seen = []
    for _ in range(4):
        with suppress(UpstreamError):
            lease.complete(ASK)
        seen.append(lease.refusal)
    refused(lambda: lease.complete({**ASK, "odd": 1}))
    assert seen == ["400 context_length_exceeded", "", "422", ""]
    assert lease.refusal == "", "what the gateway refuses is the caller's own doing"


def test_secrets_are_struck_from_errors_and_the_kind_stays() -> None:
    model = ScriptedModel(
        [
            ModelUnavailable("key sk-12345678 and sk-12345678-more refused", status=503),
            UpstreamError("at sk-12345678"),
        ]
    )
    lease = scripted_gateway(model, redact=["sk-12345678", "sk-12345678-more", ""]).lease("target", scope="s", seed=1)
    error = refused(lambda: lease.complete(ASK))
    assert isinstance(error, ModelUnavailable)
    assert str(error) == "key [secret] and [secret] refused"
    assert error.__cause__ is None
    assert str(refused(lambda: lease.complete(ASK))) == "at [secret]"


def test_secrets_are_struck_from_answers_before_anybody_keeps_them(call_journal: Any, answered: Any) -> None:
    told = answered('the key is sk-12345678, "quo\\ted"', note={"sk-12345678": ["sk-12345678-more"]})
    secrets = ["sk-12345678", "quo\\ted", "sk-12345678-more"]
    gateway = scripted_gateway(ScriptedModel([told]), redact=secrets, call_journal=call_journal)
    message = gateway.lease("target", scope="s", seed=1).complete(ASK)["choices"][0]["message"]
    assert message["content"] == 'the key is [secret], "[secret]"'
    assert message["note"] == {"[secret]": ["[secret]"]}
    assert "sk-" not in str(call_journal.rows)


def test_only_an_error_that_says_so_is_tried_again() -> None:
    passing = UpstreamError("busy", status=503, retryable=True)
    model = ScriptedModel([passing, passing, "fine"])
    gateway = scripted_gateway(model, tries=3)
    gateway.lease("target", scope="s", seed=1).complete(ASK)
    assert len(model.requests) == 3
    assert gateway.paid == 1
    lasting = ScriptedModel([UpstreamError("no", status=500), "never"])
    refused(lambda: scripted_gateway(lasting, tries=3).lease("target", scope="s", seed=1).complete(ASK))
    assert len(lasting.requests) == 1


@pytest.mark.usefixtures("no_leaks")
def test_stop_ends_a_call_that_hangs(stub: Any) -> None:
    stub.script = ["hang"]
    gateway = scripted_gateway(HttpUpstream(stub.url, "sk-12345678", timeout=30, tries=1))
    lease = gateway.lease("target", scope="s", seed=1)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(lease.complete, ASK)
        wait_for(lambda: stub.hanging)
        gateway.stop()
        error = refused(lambda: call.result(timeout=30))
        assert stub.hanging, "it waited until the endpoint gave up"
    assert error.status >= 500


def test_a_tool_call_comes_back_as_the_model_made_it() -> None:
    lease = scripted_gateway(ScriptedModel([tool_call("find", "{broken")])).lease("target", scope="s", seed=1)
    call = lease.complete({**ASK, "tools": [TOOL]})["choices"][0]["message"]["tool_calls"][0]
    assert call["function"] == {"name": "find", "arguments": "{broken"}


VECTOR = {"object": "list", "data": [{"index": 0, "embedding": [0.25, 0.5]}], "usage": {"prompt_tokens": 3}}


def test_embeddings_are_for_specialists_with_the_fixed_model(stub: Any, call_journal: Any) -> None:
    stub.script = [VECTOR]
    upstream = HttpUpstream(stub.url, "sk-12345678", timeout=2, tries=1)
    with scripted_gateway(upstream, embedding="the-embedder", call_journal=call_journal) as gateway:
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
    gateway = scripted_gateway()
    lease = gateway.lease("clusterer", scope="s", seed=1)
    assert refused(lambda: gateway.embed(lease.token, {"input": "x"})).status == 404
    assert refused(lambda: gateway.embed("made-up", {"input": "x"})).status == 401
