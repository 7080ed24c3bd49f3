"""What happens in a run is told in typed events, each with one line that operates no terminal."""

from __future__ import annotations

import types
import typing
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sigmaloop.graph import events
from sigmaloop.records import Certificate, Record, Verdict

KINDS = get_args(get_args(events.Event)[0])
DIRTY = "\x1b]0;owned\x07\x1b[2J\u202e[red]\nkept  all is well\u200b\x9b1m"
SEEN = "\x1b\x07\u202e\u200b\x9b"
VERDICT = Verdict(candidate_id="A0001", gate="validation", outcome="failed", reason="r", message=DIRTY)
CERTIFICATE = Certificate(
    split="test", tasks=40, trials=2, baseline=0.5, final=0.6, difference=0.1, standard_error=0.03, simulated=True
)


def value_of(kind: Any, text: str) -> Any:
    """A value for a field of an event, with this text wherever a text may stand."""
    origin = typing.get_origin(kind)
    if origin is typing.Literal:
        return get_args(kind)[0]
    if origin in (typing.Union, types.UnionType):
        return value_of(get_args(kind)[0], text)
    if origin is tuple:
        return (text,)
    if isinstance(kind, type) and issubclass(kind, Record):
        return {Verdict: VERDICT, Certificate: CERTIFICATE}[kind]
    return {str: text, int: 3, bool: True, float: 0.5}[kind]


def made(kind: type[Any], text: str = DIRTY) -> Any:
    given = {name: field.annotation for name, field in kind.model_fields.items() if name != "event"}
    return kind(**{name: value_of(annotation, text) for name, annotation in given.items()})


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_is_one_line_of_visible_text(kind: type[Any]) -> None:
    line = made(kind).line()
    assert "\n" not in line
    assert not any(character in line for character in SEEN)


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_comes_back_from_its_json_as_what_it_was(kind: type[Any]) -> None:
    event = made(kind)
    again = events.read_event(event.model_dump(mode="json"))
    assert type(again) is kind
    assert again == event


def test_every_event_has_a_name_of_its_own() -> None:
    names = [kind.model_fields["event"].default for kind in KINDS]
    assert len(set(names)) == len(names)


def test_what_is_no_event_is_refused() -> None:
    for data in ({}, {"event": "nonesuch"}, {"event": "kept"}, {"event": "kept", "id": "A1", "more": 1}):
        with pytest.raises(ValueError, match="validation error"):
            events.read_event(data)


@given(st.text())
def test_any_words_of_a_model_stay_on_their_line(text: str) -> None:
    line = events.Kept(id="A0001", summary=text, reward_micros=1).line()
    assert len(line.splitlines()) == 1


def test_the_lines_say_what_happened() -> None:
    assert events.TrafficDone(batch=2, passed=6, tasks=10, infra=0).line() == "batch 2: 6 of 10 tasks passed"
    assert events.SuiteGrown(tasks=1, suite=4, refused=2).line().endswith("it is full, 2 more did not fit")
    assert events.CertificateMade(changed=False, certificate=CERTIFICATE).line() == (
        "certified on test: .500, no change was kept (simulated model)"
    )
    assert events.CertificateMade(changed=True, certificate=CERTIFICATE).line() == (
        "certified on test: .500 -> .600 (simulated model)"
    )
    assert events.BaselineScored(reward_micros=3_000_000, tasks=4).line() == "baseline: .750 on validation"
