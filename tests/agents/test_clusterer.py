"""The clusterer: every failure gets a cluster that was shown or a new one with a title, never one that was made up."""

from __future__ import annotations

from typing import Any

import pytest

from sigmaloop.agents.clusterer import Clusterer
from sigmaloop.errors import SpecialistError


@pytest.fixture
def clusters(cluster: Any) -> list[Any]:
    return [cluster, cluster.model_copy(update={"id": "C004", "title": "wrong total stated"})]


def choose(endpoint: Any, failure: Any, clusters: Any) -> Any:
    return Clusterer(endpoint, setting="s").choose(failure=failure, clusters=clusters)


def test_an_existing_cluster_is_chosen_by_id(endpoint: Any, call: Any, failure: Any, clusters: Any) -> None:
    endpoint.answers = [call("Choice", {"cluster_id": " C004 ", "reason": "same"})]
    choice = choose(endpoint, failure, clusters)
    assert (choice.cluster_id, choice.title, choice.reason) == ("C004", "", "same")
    assert endpoint.scopes == [("clusterer", f"cluster:{failure.id}")]


def test_a_new_cluster_gets_a_title(endpoint: Any, call: Any, failure: Any, clusters: Any) -> None:
    endpoint.answers = [
        call("Choice", {"cluster_id": "New", "title": "x" * 200}),
        call("Choice", {"cluster_id": "new"}),
    ]
    assert choose(endpoint, failure, clusters).title == "x" * 80
    untitled = choose(endpoint, failure, clusters)
    assert (untitled.cluster_id, untitled.title) == (None, failure.mechanism)


def test_every_cluster_is_shown_in_the_order_given(endpoint: Any, call: Any, failure: Any, clusters: Any) -> None:
    endpoint.answers = [call("Choice", {"cluster_id": "C001"})]
    choose(endpoint, failure, clusters[::-1])
    user = endpoint.requests[0]["messages"][1]["content"]
    assert 0 < user.index("- C004 ") < user.index("- C001 ")
    assert failure.mechanism in user
    assert failure.task_id not in user


def test_an_id_that_was_not_shown_is_refused_in_the_repair_turn(
    endpoint: Any, call: Any, failure: Any, clusters: Any
) -> None:
    endpoint.answers = [call("Choice", {"cluster_id": "C099"}), call("Choice", {"cluster_id": "C001"})]
    assert choose(endpoint, failure, clusters).cluster_id == "C001"
    assert "'C099' is not in the list" in endpoint.requests[1]["messages"][-1]["content"]


def test_a_clusterer_that_insists_on_an_unknown_id_is_not_believed(
    endpoint: Any, call: Any, failure: Any, clusters: Any
) -> None:
    endpoint.answers = [call("Choice", {"cluster_id": "C099"})] * 2
    with pytest.raises(SpecialistError, match="C099"):
        choose(endpoint, failure, clusters)


def test_the_first_failure_needs_no_model(endpoint: Any, failure: Any) -> None:
    choice = choose(endpoint, failure, [])
    assert (choice.cluster_id, choice.title) == (None, failure.mechanism)
    assert endpoint.requests == []
