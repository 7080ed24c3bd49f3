"""What attempts teach: the same lessons merged, the contradicted ones retired, and no score in any."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sigmaloop.agents.lessons import current, lesson, training_figures
from sigmaloop.records import Judgement, LedgerEntry, Verdict

TARGETS = Verdict(
    candidate_id="A0007",
    gate="cluster_tasks",
    outcome="passed",
    reason="r",
    message="m",
    passes=3,
    evaluated=4,
    total=4,
)
HELD_OUT = Verdict(
    candidate_id="A0007",
    gate="validation",
    outcome="failed",
    reason="r",
    message="m",
    passes=57,
    evaluated=99,
    total=99,
)


def entry(number: int = 7, **changes: Any) -> LedgerEntry:
    known: dict[str, Any] = {
        "candidate_id": f"A{number:04d}", "batch": 2, "attempt": 3, "cluster_id": "C001",
        "cluster_title": "changes without confirmation", "parent": "p", "commit": "c", "agent": "a", "kind": "prompt",
        "summary": "Adds a rule.", "hypothesis": "It is not told.", "outcome": "rejected", "gate": "validation",
        "reason": "validation_below_best", "best_micros": 61_000_000, "verdicts": (TARGETS, HELD_OUT),
    }  # fmt: skip
    return LedgerEntry.model_validate(known | changes)


@pytest.mark.parametrize("gate", ["admission", "regression", "validation", "judge", "review"])
def test_a_rejected_attempt_teaches_what_was_seen_and_what_follows(gate: str) -> None:
    judged = Judgement(classification="risky", explanation="At step 4 it asks too late.", next_idea="Ask at step 2.")
    learning = lesson(entry(gate=gate), judged)
    assert learning.id == "L0007"
    assert gate in learning.observed
    assert "At step 4 it asks too late." in learning.observed
    assert "3 of 4 trials of the failing tasks" in learning.observed
    assert learning.follows.startswith("Ask at step 2.")
    assert "a rule in the prompt" in learning.tried
    assert "changes without confirmation" in learning.situation
    assert "57" not in learning.model_dump_json()
    assert "61" not in learning.model_dump_json()


def test_of_validation_no_figure_is_told() -> None:
    assert training_figures([TARGETS, HELD_OUT]) == ("3 of 4 trials of the failing tasks that it was made for passed",)


def test_a_kept_change_teaches_to_leave_it() -> None:
    learning = lesson(entry(outcome="kept", gate=None), None)
    assert (learning.outcome, learning.gate) == ("kept", None)
    assert "Leave it in place" in learning.follows


def test_an_attempt_that_handed_in_nothing_teaches_too() -> None:
    assert lesson(entry(kind=None, summary="", gate="admission")).tried == "nothing that could be tried"


def test_lessons_that_say_the_same_are_one_and_the_newest_speaks() -> None:
    (one,) = current([lesson(entry(n)) for n in (1, 2, 3)])
    assert (one.candidate_id, one.same) == ("A0003", 3)


def test_another_gate_cluster_or_kind_is_another_lesson() -> None:
    said = [entry(1), entry(2, gate="regression"), entry(3, cluster_id="C002"), entry(4, kind="tool")]
    assert len(current([lesson(e) for e in said])) == 4


def test_a_kept_change_retires_what_was_said_against_its_kind_at_its_cause() -> None:
    said = [entry(1), entry(2, kind="tool"), entry(3, outcome="kept", gate=None), entry(4, summary="Adds it again.")]
    assert [one.candidate_id for one in current([lesson(e) for e in said])] == ["A0002", "A0003", "A0004"]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["prompt", "tool"]), st.booleans()), max_size=12))
def test_nothing_kept_is_ever_forgotten_and_what_holds_stays_held(attempts: list[Any]) -> None:
    made = [
        lesson(entry(n, summary=s * 9, kind=k, **({"outcome": "kept", "gate": None} if kept else {})))
        for n, (s, k, kept) in enumerate(attempts)
    ]
    holding = current(made)
    assert current(holding) == holding
    told = {(one.kind, one.tried) for one in holding if one.outcome == "kept"}
    assert told == {(one.kind, one.tried) for one in made if one.outcome == "kept"}
