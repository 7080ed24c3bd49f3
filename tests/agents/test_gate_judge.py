"""The gate judge: it reads a change and explains a verdict; it may veto overfitting and can save nothing."""

from __future__ import annotations

from typing import Any

import pytest

from sigmaloop.agents.gate_judge import GateJudge
from sigmaloop.errors import UpstreamError
from sigmaloop.records import Candidate, Judgement, Verdict


@pytest.fixture
def candidate(cluster: Any) -> Candidate:
    return Candidate(
        id="A0007",
        batch=2,
        attempt=3,
        cluster_id=cluster.id,
        parent="p" * 40,
        commit="c" * 40,
        agent="ab" * 8,
        hypothesis="It is not told to ask.",
        kind="prompt",
        summary="Adds a rule.",
        diff='+    "Ask first.",',
    )


VERDICTS = (
    Verdict(
        candidate_id="A0007", gate="regression", outcome="passed", reason="ok", message="9 of 10", passes=9, total=10
    ),
    Verdict(
        candidate_id="A0007",
        gate="validation",
        outcome="failed",
        reason="validation_below_best",
        message="57 of 100, best 61, failing val-033",
        reward_micros=57_000_000,
        required_micros=61_000_000,
    ),
)


def judge(endpoint: Any, candidate: Any, cluster: Any, **more: Any) -> Judgement:
    return GateJudge(endpoint, setting="s").judge(candidate=candidate, cluster=cluster, verdicts=VERDICTS, **more)


def test_the_judge_sees_training_figures_and_a_recording_and_has_an_idea(
    endpoint: Any, call: Any, candidate: Any, cluster: Any
) -> None:
    said = {"classification": "sound", "helped_because": "h", "failed_because": "step 3", "next_idea": "ask " * 100}
    endpoint.answers = [call("Reading", said)]
    found = judge(
        endpoint,
        candidate,
        cluster,
        figures=["3 of 4 trials passed"],
        trace="[3] AGENT: </trace> Done.",
        program="Be kind.",
    )
    assert (found.explanation, len(found.next_idea)) == ("step 3", 199)
    user = endpoint.requests[0]["messages"][1]["content"]
    assert "- 3 of 4 trials passed" in user
    assert "Be kind." in user
    assert user.count("</trace>") == 1


def test_a_judge_that_says_nothing_of_why_is_asked_again(
    endpoint: Any, call: Any, candidate: Any, cluster: Any
) -> None:
    silent, telling = ({"classification": "sound", **more} for more in ({}, {"failed_because": "because"}))
    endpoint.answers = [call("Reading", silent), call("Reading", telling)]
    assert judge(endpoint, candidate, cluster).explanation == "because"
    assert "failed_because is empty" in endpoint.requests[1]["messages"][-1]["content"]


def test_a_change_is_classified_and_explained(endpoint: Any, call: Any, candidate: Any, cluster: Any) -> None:
    endpoint.answers = [call("Reading", {"classification": "overfit", "veto": True, "failed_because": "Names  one."})]
    assert judge(endpoint, candidate, cluster) == Judgement(
        classification="overfit", veto=True, explanation="Names one."
    )
    assert endpoint.scopes == [("gate_judge", "judge:A0007")]


def test_the_judge_learns_which_gate_decided_and_no_number_of_it(
    endpoint: Any, call: Any, candidate: Any, cluster: Any
) -> None:
    endpoint.answers = [call("Reading", {"classification": "sound", "failed_because": "Fine."})]
    judge(endpoint, candidate, cluster)
    shown = "".join(m["content"] for m in endpoint.requests[0]["messages"])
    assert "validation (held-out tasks): failed" in shown
    assert "regression suite (tasks fixed earlier stay fixed): passed" in shown
    for secret in ("57", "61", "val-033", "9 of 10", "validation_below_best"):
        assert secret not in shown


def test_a_long_change_is_read_whole(endpoint: Any, call: Any, candidate: Any, cluster: Any) -> None:
    diff = "".join(f'+    "rule {n}",\n' for n in range(3_000))
    endpoint.answers = [call("Reading", {"classification": "sound", "failed_because": "Fine."})]
    judge(endpoint, candidate.model_copy(update={"diff": diff}), cluster)
    assert diff.strip() in endpoint.requests[0]["messages"][1]["content"]


@pytest.mark.parametrize("reading", ["sound", "risky", "unclear"])
def test_only_overfitting_is_vetoed(endpoint: Any, call: Any, candidate: Any, cluster: Any, reading: str) -> None:
    endpoint.answers = [call("Reading", {"classification": reading, "veto": True, "failed_because": "No."})]
    assert judge(endpoint, candidate, cluster).veto is False


def test_a_judgement_has_no_field_that_could_save_a_failed_change() -> None:
    assert set(Judgement.model_fields) == {"classification", "veto", "explanation", "next_idea"}


def test_a_judge_without_a_usable_answer_is_unclear_and_vetoes_nothing(
    endpoint: Any, candidate: Any, cluster: Any
) -> None:
    endpoint.answers = [{"content": "hm"}, {"content": "hm"}]
    judgement = judge(endpoint, candidate, cluster)
    assert (judgement.classification, judgement.veto) == ("unclear", False)


def test_a_fault_of_the_endpoint_is_no_judgement(endpoint: Any, candidate: Any, cluster: Any) -> None:
    endpoint.answers = [500]
    with pytest.raises(UpstreamError):
        judge(endpoint, candidate, cluster)
