"""The upstream against an endpoint that misbehaves in every way: bounded, clear, and never naming the key."""

from __future__ import annotations

import json
import time
from email.utils import formatdate
from typing import Any

import pytest
from pydantic import SecretStr

from sigmaloop.errors import BadInput, ModelUnavailable, UpstreamError
from sigmaloop.tools.upstream.upstream import HttpUpstream

pytestmark = pytest.mark.usefixtures("no_leaks")


KEY = "sk-secret-0123456789"


ASK = {"model": "some-model", "messages": [{"role": "user", "content": "Hello"}]}


FAILED: tuple[int, str, dict[str, str]] = (500, '{"error": {"message": "worker fell over"}}', {})


HTML = (200, "<html><body>Welcome to the router</body></html>", {"Content-Type": "text/html"})


def said(answer: dict[str, Any]) -> Any:
    return answer["choices"][0]["message"]["content"]


def test_an_answer_comes_back_whole_and_the_request_goes_out_as_it_is(stub: Any, reach: Any) -> None:
    assert reach().complete(ASK) == stub.script[0]
    assert stub.seen == [ASK]
    assert stub.paths == ["/v1/chat/completions"]
    assert stub.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_a_key_may_be_wrapped_or_absent(stub: Any, reach: Any) -> None:
    reach(key=SecretStr(KEY)).complete(ASK)
    reach(key=None).complete(ASK)
    assert stub.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert "Authorization" not in stub.headers[1]


@pytest.mark.parametrize(
    "fault",
    [
        FAILED,
        (503, "", {}),
        (429, "slow down", {}),
        (408, "", {}),
        HTML,
        (200, "[]", {}),
        (200, '{"choices": []}', {}),
        (200, '{"choices": [{"message": {"content": 5}}]}', {}),
        "half",
        "reset",
        "hang",
    ],
    ids=["500", "503", "429", "408", "html", "list", "no-choices", "odd-message", "half", "reset", "hang"],
)
def test_a_passing_fault_is_tried_again(stub: Any, reach: Any, answered: Any, fault: Any) -> None:
    stub.script = [fault, fault, answered("At last.")]
    assert said(reach().complete(ASK)) == "At last."
    assert len(stub.seen) == 3


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (FAILED, ["failed (500)", "worker fell over", "try again later"]),
        (
            HTML,
            [
                "does not answer like an OpenAI-compatible API",
                "no JSON object",
                "Welcome to the router",
                "/v1",
            ],
        ),
        ((200, '{"error": {"message": "no worker"}}', {}), ["no choices", "no worker"]),
        ((429, "slow down", {}), ["429", "slow down", "concurrency"]),
        ("half", ["broke off the answer"]),
        ("reset", ["broke off the answer"]),
        ("hang", ["did not answer within 0.3 s", "model_timeout"]),
    ],
    ids=["500", "html", "error-in-200", "429", "half", "reset", "hang"],
)
def test_a_lasting_fault_ends_after_the_tries_with_a_clear_message(
    stub: Any, reach: Any, fault: Any, words: list[str]
) -> None:
    stub.script = [fault]
    with pytest.raises(UpstreamError) as caught:
        reach(tries=2).complete(ASK)
    assert not isinstance(caught.value, ModelUnavailable)
    assert caught.value.status >= 500
    assert not caught.value.retryable
    assert len(stub.seen) == 2
    for word in [*words, stub.url, "tried 2 times"]:
        assert word in str(caught.value)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_said_at_once(stub: Any, reach: Any, status: int) -> None:
    stub.script = [(status, '{"error": {"message": "bad key"}}', {})]
    with pytest.raises(ModelUnavailable) as caught:
        reach().complete(ASK)
    assert len(stub.seen) == 1
    for word in [f"the endpoint at {stub.url} refused the key ({status})", "set OPENAI_API_KEY", "bad key"]:
        assert word in str(caught.value)
    with pytest.raises(ModelUnavailable, match="wants a key, and none is set"):
        reach(key=None).complete(ASK)


def test_an_unknown_model_is_said_at_once_with_its_name(stub: Any, reach: Any) -> None:
    stub.script = [(404, '{"error": "no such model"}', {})]
    with pytest.raises(ModelUnavailable) as caught:
        reach().complete(ASK)
    assert len(stub.seen) == 1
    for word in ["'some-model'", stub.url, "404", "no such model"]:
        assert word in str(caught.value)


def test_an_account_without_credit_is_not_tried_again(stub: Any, reach: Any) -> None:
    stub.script = [(429, '{"error": {"message": "pay first", "code": "insufficient_quota"}}', {})]
    with pytest.raises(ModelUnavailable, match=r"out of credit.*pay first"):
        reach().complete(ASK)
    assert len(stub.seen) == 1


def test_a_refused_request_is_the_requests_fault_and_other_refusals_are_not(stub: Any, reach: Any) -> None:
    body = '{"error": {"message": "context too long"}}'
    stub.script = [(400, body, {}), (402, body, {}), (307, body, {"Location": "https://elsewhere.test/v1"})]
    statuses = []
    for words in (
        "refused the request .400.: context too long",
        "402.: context too long|402: context",
        "elsewhere",
    ):
        with pytest.raises(UpstreamError, match=words) as caught:
            reach().complete(ASK)
        statuses.append(caught.value.status)
    assert statuses == [400, 503, 502]
    assert len(stub.seen) == 3


@pytest.mark.parametrize(
    "headers", [{"Retry-After": "0.25"}, {"retry-after-ms": "250"}], ids=["seconds", "milliseconds"]
)
def test_the_wait_that_the_endpoint_asks_for_is_kept(stub: Any, reach: Any, answered: Any, headers: Any) -> None:
    stub.script = [(429, "", headers), answered()]
    began = time.monotonic()
    reach().complete(ASK)
    assert time.monotonic() - began >= 0.25


def test_a_wait_given_as_a_date_is_understood(stub: Any, reach: Any) -> None:
    stub.script = [(429, "", {"Retry-After": formatdate(time.time() + 900, usegmt=True)})]
    with pytest.raises(UpstreamError, match=r"it asks to wait (89\d|90\d) s"):
        reach().complete(ASK)


def test_a_wait_beyond_the_clock_is_not_begun(stub: Any, reach: Any) -> None:
    stub.script = [(429, "come back later", {"Retry-After": "3600"})]
    with pytest.raises(UpstreamError, match="it asks to wait 3600 s"):
        reach().complete(ASK)
    assert len(stub.seen) == 1


def test_the_total_clock_bounds_all_tries(stub: Any, reach: Any) -> None:
    stub.script = ["hang"]
    with pytest.raises(UpstreamError, match="did not answer"):
        reach(timeout=0.2, tries=20, total=0.5).complete(ASK)
    assert len(stub.seen) <= 3
    with pytest.raises(UpstreamError, match=r"did not answer within 0\.2 s"):
        reach(timeout=5.0, tries=20, total=0.2).complete(ASK)


def test_an_unreachable_host_is_named(silent: str, reach: Any) -> None:
    with pytest.raises(UpstreamError) as caught:
        reach(silent).complete(ASK)
    assert f"{silent} cannot be reached" in str(caught.value)


def ended(answer: dict[str, Any], reason: str) -> dict[str, Any]:
    """The answer, with another reason why it ended."""
    (choice,) = answer["choices"]
    return {**answer, "choices": [{**choice, "finish_reason": reason}]}


@pytest.mark.parametrize("reason", ["error"])
def test_what_is_no_answer_is_tried_again(stub: Any, reach: Any, answered: Any, reason: str) -> None:
    empty = ended(answered(None), reason)
    stub.script = [empty, empty, answered("At last.")]
    assert said(reach().complete(ASK)) == "At last."
    stub.script = [empty]
    with pytest.raises(UpstreamError, match=f"gave no answer: .*finish_reason {reason}.*tried 3 times") as caught:
        reach().complete(ASK)
    assert caught.value.status == 503


def test_a_refusal_repeats_little_of_what_the_endpoint_repeats_and_keeps_its_code(stub: Any, reach: Any) -> None:
    error = {"message": "unknown field " + "x" * 100_000, "code": "unknown_parameter"}
    stub.script = [(400, json.dumps({"error": error}), {})]
    with pytest.raises(UpstreamError) as caught:
        reach().complete(ASK)
    assert str(caught.value).count("x") <= 100
    assert (caught.value.status, caught.value.code) == (400, "unknown_parameter")


@pytest.mark.parametrize("status", [200, 400, 401, 404, 418, 429, 500])
def test_no_message_holds_the_key_even_when_the_endpoint_repeats_it(stub: Any, reach: Any, status: int) -> None:
    # Long enough that the cut of the excerpt falls into a key.
    stub.script = [(status, f"you sent {KEY} " * 40, {})]
    with pytest.raises(UpstreamError) as caught:
        reach(tries=1).complete(ASK)
    assert KEY not in str(caught.value)
    assert KEY[:9] not in str(caught.value)
    assert "[key]" in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_redirect_to_an_address_with_the_key_does_not_show_it(stub: Any, reach: Any) -> None:
    stub.script = [(302, "", {"Location": f"https://elsewhere.test/?key={KEY}"})]
    with pytest.raises(UpstreamError, match="elsewhere") as caught:
        reach().complete(ASK)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["", "api.openai.com/v1", "ftp://host/v1", "http:///v1", "http://me:pw@host/v1", "http://[broken/v1"],
)
def test_a_base_url_that_is_no_address_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(BadInput, match="base URL") as caught:
        HttpUpstream(url, KEY)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize("key", ["two\nlines", "schlüssel", "bell\a"])
def test_a_key_that_cannot_be_sent_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(BadInput, match="OPENAI_API_KEY") as caught:
        HttpUpstream("http://127.0.0.1:1/v1", key)
    assert key not in str(caught.value)


def test_a_query_in_the_base_url_is_kept(stub: Any, reach: Any) -> None:
    reach(f"{stub.url}/?api-version=3").complete(ASK)
    assert stub.paths == ["/v1/chat/completions?api-version=3"]


def test_embeddings_go_to_their_own_path(stub: Any, reach: Any) -> None:
    stub.script = [{"data": [{"embedding": [0.5], "index": 0}], "usage": {"prompt_tokens": 2}}]
    assert reach().embeddings({"model": "e", "input": "x"})["data"][0]["embedding"] == [0.5]
    assert stub.paths == ["/v1/embeddings"]
