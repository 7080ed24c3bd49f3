"""The clusterer: one call places a batch's causes among the clusters shown, or in new ones, and what they share."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sigmaloop.agents.clusterer import Clusterer
from sigmaloop.agents.filing import Filing, KnownCluster, NewCause
from sigmaloop.errors import SpecialistError
from sigmaloop.records import Step


@pytest.fixture
def clusters(cluster: Any) -> list[KnownCluster]:
    other = cluster.model_copy(update={"id": "C004", "title": "wrong total stated"})
    mended = "mended; a change was kept in batch 1: Adds a rule."
    return [KnownCluster(cluster=cluster, state="open", failed=("[tool] A note. -> rejected by regression",)),
            KnownCluster(cluster=other, state=mended)]  # fmt: skip


@pytest.fixture
def causes(failure: Any) -> list[NewCause]:
    """Three mechanisms, the last of which belongs to C001 word for word."""
    made = [failure.model_copy(update={"mechanism": name}) for name in ("acts too soon", "guesses ids", "no yes")]
    return [
        NewCause(label=f"N{n}", failures=(one,), cluster_id="C001" if n == 3 else None) for n, one in enumerate(made, 1)
    ]


def file(endpoint: Any, causes: Any, clusters: Any, **more: Any) -> Filing:
    return Clusterer(endpoint, setting="s").file(causes, clusters, batch=2, scope="cluster:2:abc", **more)


def places(filing: Filing) -> dict[str, str]:
    return {place.label: place.cluster_id or f"new {place.founder}" for place in filing.places}


def put(cause: str, cluster: str, title: str = "") -> dict[str, str]:
    return {"cause": cause, "cluster": cluster, "title": title}


def test_one_call_places_all_causes(endpoint: Any, call: Any, causes: Any, clusters: Any) -> None:
    endpoint.answers = [call("FiledCauses", {"places": [put("N1", " C004 "), put("N2", "New", "x" * 200)]})]
    filing = file(endpoint, causes, clusters)
    assert places(filing) == {"N1": "C004", "N2": "new N2"}
    assert filing.places[1].title == "x" * 80
    assert endpoint.scopes == [("clusterer", "cluster:2:abc")]


def test_the_same_words_are_no_question(endpoint: Any, call: Any, causes: Any, clusters: Any) -> None:
    endpoint.answers = [call("FiledCauses", {"places": [put("N1", "C004"), put("N2", "C004"), put("N3", "C004")]})]
    assert "N3" not in places(file(endpoint, causes, clusters))
    assert "- N3 (1 failures; cancel_pending_order) belongs to C001, the same words" in shown(endpoint)


def shown(endpoint: Any) -> str:
    return str(endpoint.requests[0]["messages"][1]["content"])


def test_states_failed_attempts_and_passing_rollouts_are_shown(
    endpoint: Any, call: Any, causes: Any, clusters: Any
) -> None:
    endpoint.answers = [call("FiledCauses", {"places": [put("N1", "C001"), put("N2", "C001")]})]
    file(endpoint, causes, clusters, passing={"cancel": (Step(index=0, kind="say", text="Shall I cancel it?"),)})
    user = shown(endpoint)
    for words in ("C001 (1 failures; open)", "mended; a change was kept in batch 1", "rejected by regression",
                  "== cancel\n[0] AGENT: Shall I cancel it?", "acts too soon", "where?"):  # fmt: skip
        assert words in user
    assert causes[0].first.task_id not in user


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ([put("N1", "N2"), put("N2", "new", "ids")], {"N1": "new N2", "N2": "new N2"}),
        ([put("N1", "N2"), put("N2", "C001")], {"N1": "C001", "N2": "C001"}),
        ([put("N1", "N2"), put("N2", "N1")], {"N1": "new N1", "N2": "new N1"}),
        ([put("N1", "N1"), put("N2", "new")], {"N1": "new N1", "N2": "new N2"}),
        ([put("N1", "C001"), put("N1", "C004"), put("N2", "C004")], {"N1": "C001", "N2": "C004"}),
    ],
)
def test_causes_may_share_a_new_cluster(
    endpoint: Any, call: Any, causes: Any, clusters: Any, said: Any, found: Any
) -> None:
    endpoint.answers = [call("FiledCauses", {"places": said})]
    assert places(file(endpoint, causes, clusters)) == found


def test_an_unknown_id_and_a_cause_left_out_are_named_once_and_then_left_to_the_caller(
    endpoint: Any, call: Any, causes: Any, clusters: Any
) -> None:
    endpoint.answers = [call("FiledCauses", {"places": [put("N1", "C099")]})] * 2
    assert file(endpoint, causes, clusters).places == ()
    said = endpoint.requests[1]["messages"][-1]["content"]
    assert "'C099'" in said
    assert "N2" in said


def test_a_clusterer_without_a_usable_answer_raises(endpoint: Any, causes: Any, clusters: Any) -> None:
    endpoint.answers = [{"content": "hm"}] * 2
    with pytest.raises(SpecialistError):
        file(endpoint, causes, clusters)


def test_diagnoses_are_of_clusters_that_are_there(endpoint: Any, call: Any, causes: Any, clusters: Any) -> None:
    said = [
        {"cluster": name, "common_cause": "it  acts", "where": "before the yes", "missing_instruction": "ask"}
        for name in ("C001", "N2", "C099")
    ]
    endpoint.answers = [call("FiledCauses", {"places": [put("N1", "C001"), put("N2", "new")], "diagnoses": said})]
    found = {named.cluster: named.diagnosis for named in file(endpoint, causes, clusters).diagnoses}
    assert set(found) == {"C001", "N2"}
    assert (found["C001"].common_cause, found["C001"].where) == ("it acts", "before the yes")


names = st.sampled_from(["N1", "N2", "N3", "N9", "C001", "C004", "C099", "new", "NEW", "x", " "])


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(said=st.lists(st.tuples(names, names), max_size=6))
def test_whatever_is_said_every_place_is_a_known_cluster_or_one_that_is_founded(
    endpoint: Any, call: Any, causes: Any, clusters: Any, said: Any
) -> None:
    endpoint.answers = [call("FiledCauses", {"places": [put(*pair) for pair in said]})] * 2
    try:
        filing = file(endpoint, causes, clusters)
    except SpecialistError:
        return
    found = {place.label: place for place in filing.places}
    for place in filing.places:
        assert place.label in ("N1", "N2")
        assert place.cluster_id in ("C001", "C004") or found[place.founder].founder == place.founder
