"""The probe: a provider's words are found out with few requests, and what cannot be asked is said."""

from __future__ import annotations

import json
from typing import Any

import pytest
from dialects import Dialect, any_choice, dialects, openai_words, refuses, serve_dialect

from sigmaloop.endpoints import RoleModel
from sigmaloop.errors import ModelUnavailable
from sigmaloop.tools.gateway.probe import MOST_REQUESTS, Probed, probe, probe_embeddings
from sigmaloop.tools.upstream.http import HttpUpstream

MODEL = RoleModel(model="m", auth="bearer", key_env="KEY")


def probed(dialect: Dialect, model: RoleModel = MODEL) -> Probed:
    header = "api-key" if "deployments" in dialect.url else "bearer"
    fields = {key: value for key, value in dialect.settings.items() if key != "model"}
    with HttpUpstream(dialect.url, dialect.key, tries=1, timeout=5, auth=header) as upstream:  # type: ignore[arg-type]
        return probe(upstream, model.model_copy(update=fields))


@pytest.mark.parametrize("name", dialects())
def test_a_providers_words_are_found_in_few_requests(name: str) -> None:
    with serve_dialect(dialects()[name]) as dialect:
        found = probed(dialect)
        assert len(found.changes) == len(dialect.found)
        for change, word in zip(found.changes, dialect.found, strict=True):
            assert word in change
        assert found.requests == len(dialect.asked) <= MOST_REQUESTS
        assert not found.notes
        dialect.refused.clear()
        assert probed(dialect, found.model).requests == 3, "asked as found, it refuses nothing"
        assert not dialect.refused


def test_real_parameters_are_asked_with() -> None:
    with serve_dialect(Dialect(settings={"max_tokens": 77, "reasoning_effort": "high"})) as dialect:
        probed(dialect)
        assert {(r["max_tokens"], r["reasoning_effort"], r["seed"]) for r in dialect.asked} == {(77, "high", 0)}


def answers(stub: Any, script: list[Any], **fields: Any) -> Probed:
    stub.script = script
    with HttpUpstream(stub.url, "k", tries=1, timeout=0.3) as upstream:
        return probe(upstream, MODEL.model_copy(update=fields))


def test_an_endpoint_that_takes_next_to_nothing_is_given_up_after_eight_requests() -> None:
    names = ("max_tokens", "temperature", "seed", "n", "parallel_tool_calls")
    fields = tuple(refuses(name, 400, openai_words) for name in names)
    picky = Dialect(refuses=(*fields, any_choice("this tool_choice is not supported")))
    with serve_dialect(picky) as dialect, pytest.raises(ModelUnavailable, match=r"still refuses|does not take"):
        probed(dialect)
    assert len(dialect.asked) == MOST_REQUESTS


def test_a_field_that_a_person_set_and_nothing_replaces_is_named(stub: Any) -> None:
    odd = (400, json.dumps({"error": {"message": "Unsupported parameter: 'reasoning_effort'"}}), {})
    with pytest.raises(ModelUnavailable, match=r"take reasoning_effort out of \[models.target\]"):
        answers(stub, [odd], reasoning_effort="low")


def test_an_empty_answer_is_a_failure_with_its_reason(stub: Any, answered: Any) -> None:
    with pytest.raises(ModelUnavailable, match=r"its answer is empty .finish_reason stop"):
        answers(stub, [answered("")])
    cut = answered(None)
    cut["choices"][0]["finish_reason"] = "length"
    with pytest.raises(ModelUnavailable, match="longer than max_tokens 2048 allows; set a larger max_tokens"):
        answers(stub, [cut])


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ((401, '{"error": {"message": "bad"}}', {}), "refused the key .401.: set OPENAI_API_KEY"),
        ((402, '{"error": {"message": "pay"}}', {}), "out of credit .402.: pay"),
        ((404, "", {}), "does not know the model 'm' .404.: check the model's name"),
        ((500, '{"error": {"message": "worker fell over"}}', {}), "model 'm' cannot be used.*failed .500."),
        ((200, "<html>", {}), "model 'm' cannot be used.*check the base URL"),
        ("hang", "did not answer within 0.3 s: is it up"),
    ],
    ids=["401", "402", "404", "500", "html", "hang"],
)
def test_a_fault_says_what_to_do(stub: Any, fault: Any, words: str) -> None:
    with pytest.raises(ModelUnavailable, match=words):
        answers(stub, [fault])
    assert len(stub.seen) <= 2, "a passing fault is asked once more, no other one"


def test_a_passing_fault_is_forgiven_once(stub: Any, answered: Any) -> None:
    found = answers(stub, [(503, "", {}), answered("ok")])
    assert found.notes == ("made no tool call when one was asked for",)
    assert found.requests == 3


def test_an_embedding_model_is_asked_for_one_vector(stub: Any) -> None:
    stub.script = [{"data": [{"embedding": [0.5]}]}]
    with HttpUpstream(stub.url, "k", tries=1, timeout=5) as upstream:
        assert probe_embeddings(upstream, MODEL).requests == 1
    assert (stub.paths, stub.seen[0]["model"]) == (["/v1/embeddings"], "m")
