"""One attempt, node by node: proposed, admitted or refused, judged, read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from conftest_nodes import HELD_OUT, TRAIN, begun, naming

from sigmaloop.graph import events
from sigmaloop.graph.nodes.attempt import (
    propose,
    propose_nothing,
    regression_gate,
    review,
    stop_at_review,
    stop_at_validation,
    validation_gate,
)
from sigmaloop.graph.nodes.conclude import learn, revert
from sigmaloop.memory.facts import AttemptIntended


@pytest.fixture
def attempt(loop: Any) -> Any:
    """A loop whose batch has failures and a cluster to fix."""
    return begun(loop)


def offer(loop: Any, *texts: str | None) -> None:
    loop.services.engineer.texts += texts


def test_an_attempt_is_written_down_before_anything_is_paid(attempt: Any) -> None:
    offer(attempt, None)
    state = attempt.go(propose)
    intent = attempt.services.journal.read(AttemptIntended)[0]
    assert (intent.candidate_id, intent.number, intent.attempt) == ("A0001", 1, 1)
    assert (intent.parent, intent.cluster_id) == (state["incumbent"], state["cluster_id"])
    assert (state["attempts_total"], state["attempt"], state["candidate_id"]) == (1, 1, "A0001")


def test_an_engineer_that_hands_in_nothing_spends_the_attempt(attempt: Any) -> None:
    offer(attempt, None)
    state = attempt.go(propose)
    assert (state["outcome"], state["reason"]) == ("unusable", "no_proposal")
    verdict = attempt.services.history.verdicts(state["verdicts"])[0]
    assert (verdict.gate, verdict.outcome) == ("admission", "failed")


def test_a_change_that_was_rejected_before_is_refused_whatever_its_comments(attempt: Any) -> None:
    offer(attempt, naming("other-1"), naming("other-1") + "# again\n")
    attempt.services.versions.record("A0000", attempt.state["incumbent"], naming("other-1"), "A0000: alpha")
    attempt.go(propose)
    attempt.go(revert, learn)
    state = attempt.go(propose)
    assert (state["outcome"], state["reason"]) == ("unusable", "repeated")
    assert "A0001" in attempt.services.history.verdicts(state["verdicts"])[0].message


def test_a_change_that_mends_its_cluster_passes_the_first_gate(attempt: Any) -> None:
    offer(attempt, naming(*TRAIN))
    state = attempt.go(propose, regression_gate)
    assert state["outcome"] == "passed"
    gates = [v.gate for v in attempt.services.history.verdicts(state["verdicts"])]
    assert gates == ["cluster_tasks", "regression"]
    assert state["paused_gate"] is None


def test_a_change_that_mends_nothing_stops_at_its_cluster_tasks(attempt: Any) -> None:
    offer(attempt, naming("other-1"))
    state = attempt.go(propose, regression_gate)
    assert (state["outcome"], state["reason"]) == ("failed", "cluster_tasks_below_floor")


def test_a_change_that_helps_held_out_tasks_passes_and_one_that_does_not_fails(
    loop_with: Callable[..., Any],
) -> None:
    for text, outcome in ((naming(*TRAIN, *HELD_OUT), "passed"), (naming(*TRAIN), "failed")):
        loop = begun(loop_with())
        offer(loop, text)
        state = loop.go(propose, regression_gate, validation_gate)
        assert state["outcome"] == outcome
        assert [v.gate for v in loop.services.history.verdicts(state["verdicts"])][-1] == "validation"


def test_faults_of_the_candidate_alone_reject_it(attempt: Any) -> None:
    offer(attempt, naming(*TRAIN, sick=tuple(HELD_OUT)))
    state = attempt.go(propose, regression_gate, validation_gate)
    assert (state["outcome"], state["reason"]) == ("failed", "unmeasurable")


def test_the_judge_may_veto_what_passed(attempt: Any) -> None:
    offer(attempt, naming(*TRAIN, *HELD_OUT))
    attempt.services.judge.veto = True
    state = attempt.go(propose, regression_gate, validation_gate, review)
    assert (state["outcome"], state["reason"]) == ("declined", "vetoed_overfit")


def test_a_reading_is_asked_for_once(attempt: Any) -> None:
    offer(attempt, naming(*TRAIN, *HELD_OUT))
    assert attempt.go(propose, regression_gate, validation_gate, review)["outcome"] == "approved"
    attempt.services.judge.veto = True
    assert attempt.go(review)["outcome"] == "approved", "the first reading is in the journal"


@pytest.mark.parametrize(
    ("ending", "gate", "outcome"),
    [
        (propose_nothing, "admission", "unusable"),
        (stop_at_validation, "validation", "failed"),
        (stop_at_review, "judge", "declined"),
    ],
)
def test_an_attempt_that_died_twice_is_a_verdict_with_the_exception(
    attempt: Any, ending: Callable[..., Any], gate: str, outcome: str
) -> None:
    offer(attempt, naming(*TRAIN))
    attempt.go(propose)
    state = attempt.state
    state.update(ending(state, attempt.services, attempt.news.append, "KeyError: 'x'"))
    verdict = attempt.services.history.verdicts(state["verdicts"])[-1]
    assert (verdict.gate, verdict.reason, verdict.message) == (gate, "fault", "KeyError: 'x'")
    assert state["outcome"] == outcome
    assert any(isinstance(e, events.VerdictGiven) for e in attempt.news)


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [(["approve"], "approved"), (["Yes "], "approved"), (["resume", "approve"], "approved"),
     (["decline"], "declined"), (["maybe", "yes"], "approved"), (["resume", "no"], "declined")],
)  # fmt: skip
def test_only_a_clear_yes_of_the_person_keeps_a_change(
    loop_with: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, answers: list[str], outcome: str
) -> None:
    loop = begun(loop_with(review="person"))
    offer(loop, naming(*TRAIN, *HELD_OUT))
    given = iter(answers)
    asked: list[dict[str, Any]] = []

    def person(question: dict[str, Any]) -> str:
        asked.append(question)
        return next(given)

    monkeypatch.setattr("sigmaloop.graph.nodes.attempt.interrupt", person)  # a question needs a graph around it
    state = loop.go(propose, regression_gate, validation_gate, review)
    assert state["outcome"] == outcome
    assert len(asked) == len(answers)
    assert "diff" in asked[0]
    assert any(figure.startswith("validation: passed") for figure in asked[0]["figures"])
    assert ["problem" in question for question in asked[1:]] == [answer == "maybe" for answer in answers[:-1]]
