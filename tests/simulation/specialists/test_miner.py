"""The simulated miner is right most of the time, wrong in believable ways, and quotes what stands in the trace."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from sigmaloop.simulation.habits import HABITS
from sigmaloop.simulation.specialists.conversation import Conversation, number
from sigmaloop.simulation.specialists.miner import SYMPTOMS, sightings
from sigmaloop.simulation.specialists.phrasings import GENERIC, PHRASINGS

CASES = tomllib.loads((Path(__file__).parent / "traces.toml").read_text(encoding="utf-8"))["case"]


def mine(ask: Any, case: dict[str, str], seed: int) -> dict[str, Any]:
    """The decisive cause."""
    return dict(explain(ask, case, seed)["causes"][0])


def explain(ask: Any, case: dict[str, str], seed: int, **shown: str) -> dict[str, Any]:
    known = {"program": "(none)", "agent": "(not shown)", "mechanisms": "none yet", "passing": "(none)", **shown}
    return dict(
        ask(
            "failure_miner",
            "MinedFailure",
            seed=seed,
            request_type=case["request_type"],
            ending=case["ending"],
            policy=case.get("policy", "# Policy"),
            trace=case["trace"],
            **known,
        )
    )


def habit_of(mechanism: str) -> str:
    return next((h for h, said in PHRASINGS.items() if mechanism in said.mechanisms), "")


def test_there_is_a_symptom_for_every_habit() -> None:
    assert set(SYMPTOMS) == set(HABITS)


@pytest.mark.parametrize("case", CASES, ids=[case["habit"] for case in CASES])
def test_the_surest_symptom_is_that_of_the_habit_which_struck(case: dict[str, str]) -> None:
    found = sightings(Conversation(case["trace"], case["ending"], case["request_type"]))
    assert found[0][0] == case["habit"]


def test_the_miner_is_right_most_of_the_time_but_not_always(ask: Any) -> None:
    seeds = range(12)
    right = [habit_of(mine(ask, case, s)["mechanism"]) == case["habit"] for case in CASES for s in seeds]
    assert 0.88 <= sum(right) / len(right) <= 0.97


def test_real_conversations_are_explained_about_five_times_in_six(real_failures: Any, ask: Any) -> None:
    """The reading of symptoms misses some; the deliberate slips come on top."""
    read, said = [], []
    for seed, (habit, case) in enumerate(real_failures):
        found = sightings(Conversation(case["trace"], case["ending"], case["request_type"], case["policy"]))
        read.append(bool(found) and found[0][0] == habit)
        said.append(habit_of(mine(ask, case, seed)["mechanism"]) == habit)
    assert len({habit for habit, _ in real_failures}) >= 30
    assert sum(read) / len(read) >= 0.85
    assert 0.75 <= sum(said) / len(said) < 0.97


def test_wrong_explanations_are_a_neighbour_or_nothing_in_particular(ask: Any) -> None:
    said = [mine(ask, case, seed)["mechanism"] for case in CASES for seed in range(12)]
    generic = sum(tag in GENERIC.mechanisms for tag in said) / len(said)
    assert 0.01 <= generic <= 0.10
    assert all(tag in GENERIC.mechanisms or habit_of(tag) for tag in said)


def test_the_same_failure_is_worded_in_several_ways(ask: Any) -> None:
    said = [mine(ask, CASES[0], seed) for seed in range(40)]
    for name in ("mechanism", "root_cause", "should_have"):
        assert len({answer[name] for answer in said}) >= 3


def test_the_same_request_gets_the_same_answer(ask: Any) -> None:
    assert mine(ask, CASES[3], 7) == mine(ask, CASES[3], 7)


def test_quotes_come_from_the_trace_nearly_always(ask: Any) -> None:
    quotes = [(case, q) for case in CASES for s in range(8) for q in mine(ask, case, s)["evidence"]]
    real = sum(f"[{q['step']}]" in case["trace"] and q["quote"] in case["trace"] for case, q in quotes)
    assert 0.88 <= real / len(quotes) < 1.0


def test_an_empty_trace_is_explained_in_general_terms(ask: Any) -> None:
    said = mine(ask, {"request_type": "x", "ending": "agent stopped", "trace": ""}, 1)
    assert said["mechanism"] in GENERIC.mechanisms
    assert said["evidence"] == []


@pytest.mark.parametrize(
    ("text", "amount", "stated"),
    [("it is $1,234.50.", 1234.5, True), ("36.50 back", 36.5, True), ("or_3650", 36.5, False), ("none", 5, False)],
)
def test_amounts_are_found_however_they_are_written(text: str, amount: float, stated: bool) -> None:
    assert number(text, amount) is stated


def test_further_causes_are_those_that_show_clearly_and_do_not_decide(ask: Any) -> None:
    told = [explain(ask, case, seed)["causes"] for case in CASES for seed in range(4)]
    assert all(1 <= len(causes) <= 3 for causes in told)
    assert any(len(causes) > 1 for causes in told)
    for causes in told:
        assert [cause["decisive"] for cause in causes] == [True, *[False] * (len(causes) - 1)]
        assert len({habit_of(cause["mechanism"]) for cause in causes}) == len(causes)


def test_a_mechanism_in_use_is_taken_word_for_word_when_it_fits(ask: Any) -> None:
    case = next(case for case in CASES if case["habit"] == "skips_confirmation")
    known = "- acts before confirmation: It calls the changing tool straight away.\n- other trouble: It is another."
    said = [explain(ask, case, seed, mechanisms=known)["causes"][0]["mechanism"] for seed in range(40)]
    assert said.count("acts before confirmation") > 25


def test_a_call_that_was_refused_is_not_taken_for_one_that_was_made() -> None:
    trace = (
        '[0] USER: Cancel it.\n[1] CALL cancel_order {"order_id": "or_1"}\n'
        "[1] REFUSED by the agent's code: Not done: ask first."
    )
    talk = Conversation(trace)
    assert talk.calls[0].held_back
    assert talk.writes == []
