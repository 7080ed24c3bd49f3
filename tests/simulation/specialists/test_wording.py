"""The simulated engineer has many words for a remedy, all about the right fault, and none that gives its name away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaloop.records import digest
from sigmaloop.simulation.habits import HABITS
from sigmaloop.simulation.specialists.phrasings import GENERIC, PHRASINGS
from sigmaloop.simulation.specialists.wording import FORMS, Quality, check_lines, recognise, remedy
from sigmaloop.simulation.specialists.wording.faults import FAULTS
from sigmaloop.simulation.specialists.wording.rewording import reworded
from sigmaloop.simulation.specialists.wording.sentences import sentence

NAMES = sorted(FAULTS)
QUALITIES: tuple[Quality, ...] = get_args(Quality)


def luck(*seed: object) -> Callable[[str], float]:
    return lambda label: int(digest(*seed, label, size=12), 16) / 16**12


def record(name: str, number: int = 0) -> str:
    """What the miner's record says: mechanism, root cause, what should have been done."""
    said = PHRASINGS[name]
    return " ".join(group[number % len(group)] for group in said)


def test_there_are_words_for_every_fault_of_the_catalogue() -> None:
    assert set(FAULTS) == set(HABITS)


@pytest.mark.parametrize("form", FORMS)
def test_every_fault_has_sixty_remedies_in_every_form(form: Any) -> None:
    for name in NAMES:
        said: set[str] = set()
        for number in range(200):
            said.add(remedy(record(name), form, "specific", luck(name, number)))
            if len(said) >= 60:
                break
        assert len(said) >= 60, name


def test_the_miners_record_is_understood_in_nearly_all_its_wordings() -> None:
    """The miner's tags and causes are not what recognition was learned from."""
    right = [
        recognise(f"{tag} {cause}") == name
        for name, said in PHRASINGS.items()
        for tag in said.mechanisms
        for cause in said.causes
    ]
    assert sum(right) / len(right) >= 0.95


@pytest.mark.parametrize("text", ["", "The weather is nice.", *GENERIC.causes, *GENERIC.remedies])
def test_what_says_nothing_in_particular_is_not_recognised(text: str) -> None:
    assert recognise(text) is None


def test_a_specific_remedy_is_about_its_fault() -> None:
    right = [recognise(sentence(FAULTS[n], luck(n, i))) == n for n in NAMES for i in range(10)]
    assert sum(right) / len(right) >= 0.97


@given(name=st.sampled_from(NAMES), form=st.sampled_from(FORMS), quality=st.sampled_from(QUALITIES), seed=st.integers())
@settings(max_examples=150, deadline=None, derandomize=True)
def test_a_text_is_finished_nameless_and_the_same_for_the_same_luck(
    name: str, form: Any, quality: Any, seed: int
) -> None:
    text = remedy(record(name, seed % 6), form, quality, luck(seed))
    assert text == remedy(record(name, seed % 6), form, quality, luck(seed))
    assert not any(habit in text or habit.replace("_", " ") in text.lower() for habit in HABITS)
    assert not set("{}|") & set(text)
    assert "  " not in text
    assert text[0].isupper()


@given(name=st.sampled_from(NAMES), form=st.sampled_from(FORMS), seed=st.integers())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_after_a_rejection_another_wording_is_chosen(name: str, form: Any, seed: int) -> None:
    first = remedy(record(name), form, "specific", luck(seed))
    assert remedy(record(name), form, "specific", luck(seed), reason="no effect on validation") != first
    assert remedy(record(name), form, "specific", luck(seed), reason="a regression elsewhere") != first


@pytest.mark.parametrize("name", NAMES)
def test_after_harm_done_the_remedy_says_how_far_it_goes(name: str) -> None:
    again = [remedy(record(name), "rule", "specific", luck(i), reason="a regression elsewhere") for i in range(8)]
    limits = [limit.partition("[")[0] for limit in FAULTS[name].limit]
    assert all(limits)
    assert all(any(limit in text for limit in limits) for text in again)


def test_the_repeated_remedy_is_the_obvious_one_whatever_the_luck() -> None:
    for name in NAMES:
        assert len({remedy(record(name), "rule", "repeat", luck(i)) for i in range(5)}) == 1


def test_a_vague_remedy_says_less_than_a_specific_one_about_what_to_do() -> None:
    understood = [recognise(remedy(record(n), "rule", "vague", luck(n, i))) == n for n in NAMES for i in range(5)]
    assert sum(understood) / len(understood) < 0.6


def test_a_blurred_remedy_names_the_subjects_of_both_faults_of_a_mixed_cluster() -> None:
    mixed = f"{record('omits_amount')} {record('wrong_line')}"
    for number in range(20):
        text = remedy(mixed, "rule", "blurred", luck(number)).lower()
        assert FAULTS["omits_amount"].subject in text
        assert FAULTS["wrong_line"].subject in text


@pytest.mark.parametrize("form", FORMS)
def test_an_overfitted_remedy_names_the_case(form: Any) -> None:
    for name in NAMES[:10]:
        assert "or_48213" in remedy(record(name), form, "overfit", luck(name), seen="CALL get_order or_48213")


def test_an_unknown_cause_is_worded_anew() -> None:
    cause = "The agent hums. When the phone rings, check the weather; mention the moon."
    said = {remedy(cause, "rule", "specific", luck(i)) for i in range(40)}
    assert len(said) >= 8
    assert all("weather" not in text or "moon" in text for text in said)
    assert reworded("", luck(1))


def test_rewording_turns_the_clauses_round_and_swaps_words() -> None:
    said = {reworded("When the phone rings, mention the moon.", luck(i)).lower() for i in range(40)}
    for part in ("when the phone rings, ", "the moon when the phone rings", "mention the moon", "name the moon"):
        assert any(part in text for text in said), part


def objection(cause: str, history: list[dict[str, Any]]) -> str | None:
    """What a check on `book` says of a call after these messages."""
    lines = check_lines(cause, 'name == "book"', "Not yet.")
    space: dict[str, Any] = {}
    exec("\n".join(["def check_call(name, arguments, messages):", *lines, "    return None"]), space)
    said: str | None = space["check_call"]("book", {}, history)
    return said


def called(*tools: str) -> dict[str, Any]:
    return {"role": "assistant", "tool_calls": [{"function": {"name": tool, "arguments": "{}"}} for tool in tools]}


HELLO = {"role": "user", "content": "Hello."}
TOLD = {"role": "tool", "content": "Not done: Not yet."}


@pytest.mark.parametrize(
    ("name", "held", "passes"),
    [
        ("skips_identity_check", [HELLO], [HELLO, called("verify_customer")]),
        ("skips_confirmation", [HELLO], [HELLO, {"role": "user", "content": "Yes, please."}]),
        ("repeats_write", [called("book"), called("book")], [called("book")]),
        ("repeats_write", [called("book"), called("book")], [called("book"), TOLD, called("book")]),
        ("reboot_before_line_check", [HELLO], [HELLO, called("check_line")]),
        ("reboot_before_line_check", [HELLO], [HELLO, TOLD]),
        ("omits_amount", [HELLO], [HELLO, TOLD]),
    ],
)
def test_a_check_holds_a_call_until_its_condition_is_met(name: str, held: Any, passes: Any) -> None:
    assert objection(record(name), held) == "Not yet."
    assert objection(record(name), passes) is None
