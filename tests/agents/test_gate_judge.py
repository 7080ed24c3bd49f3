"""The gate judge: it reads a change and explains a verdict; it may veto overfitting and can save nothing."""

from __future__ import annotations

from typing import Any

import pytest

from sigmaloop.agents.gate_judge import GateJudge
from sigmaloop.agents.lessons import lesson
from sigmaloop.errors import UpstreamError
from sigmaloop.records import Candidate, Judgement, LedgerEntry, Verdict


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


def judge(endpoint: Any, candidate: Any, cluster: Any) -> Judgement:
    return GateJudge(endpoint, setting="s").judge(candidate=candidate, cluster=cluster, verdicts=VERDICTS)


def test_a_change_is_classified_and_explained(endpoint: Any, call: Any, candidate: Any, cluster: Any) -> None:
    endpoint.answers = [call("Reading", {"classification": "overfit", "veto": True, "explanation": "Names  one."})]
    assert judge(endpoint, candidate, cluster) == Judgement(
        classification="overfit", veto=True, explanation="Names one."
    )
    assert endpoint.scopes == [("gate_judge", "judge:A0007")]


def test_the_judge_learns_which_gate_decided_and_no_number_of_it(
    endpoint: Any, call: Any, candidate: Any, cluster: Any
) -> None:
    endpoint.answers = [call("Reading", {"classification": "sound", "explanation": "Fine."})]
    judge(endpoint, candidate, cluster)
    shown = "".join(m["content"] for m in endpoint.requests[0]["messages"])
    assert "validation (held-out tasks): failed" in shown
    assert "regression suite (tasks fixed earlier stay fixed): passed" in shown
    for secret in ("57", "61", "val-033", "9 of 10", "validation_below_best"):
        assert secret not in shown


def test_a_long_change_is_read_whole(endpoint: Any, call: Any, candidate: Any, cluster: Any) -> None:
    diff = "".join(f'+    "rule {n}",\n' for n in range(3_000))
    endpoint.answers = [call("Reading", {"classification": "sound", "explanation": "Fine."})]
    judge(endpoint, candidate.model_copy(update={"diff": diff}), cluster)
    assert diff.strip() in endpoint.requests[0]["messages"][1]["content"]


@pytest.mark.parametrize("reading", ["sound", "risky", "unclear"])
def test_only_overfitting_is_vetoed(endpoint: Any, call: Any, candidate: Any, cluster: Any, reading: str) -> None:
    endpoint.answers = [call("Reading", {"classification": reading, "veto": True, "explanation": "No."})]
    assert judge(endpoint, candidate, cluster).veto is False


def test_a_judgement_has_no_field_that_could_save_a_failed_change() -> None:
    assert set(Judgement.model_fields) == {"classification", "veto", "explanation"}


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


def entry(**changes: Any) -> LedgerEntry:
    return LedgerEntry.model_validate(
        {
            "candidate_id": "A0007",
            "batch": 2,
            "attempt": 3,
            "cluster_id": "C001",
            "cluster_title": "changes without confirmation",
            "parent": "p",
            "commit": "c",
            "agent": "a",
            "kind": "prompt",
            "summary": "Adds a rule.",
            "hypothesis": "h",
            "outcome": "rejected",
            "gate": "validation",
            "reason": "validation_below_best",
            "best_micros": 61_000_000,
        }
        | changes
    )


@pytest.mark.parametrize("gate", ["admission", "regression", "validation", "judge", "review"])
def test_a_rejected_attempt_teaches_which_gate_stopped_what(gate: str) -> None:
    learning = lesson(entry(gate=gate), Judgement(classification="risky", explanation="Too broad."))
    assert learning.id == "L0007"
    assert gate in learning.pattern
    assert "rule in the prompt" in learning.pattern
    assert learning.advice
    assert "Too broad." in learning.for_people
    assert "61" not in learning.model_dump_json()


def test_a_kept_change_teaches_to_leave_it() -> None:
    learning = lesson(entry(outcome="kept", gate=None), None)
    assert learning.outcome == "kept"
    assert learning.gate is None
    assert "works" in learning.pattern


def test_an_attempt_that_handed_in_nothing_teaches_too() -> None:
    learning = lesson(entry(kind=None, summary="", gate="admission"))
    assert learning.tried == "nothing that could be tried"
    assert "nothing usable" in learning.pattern
