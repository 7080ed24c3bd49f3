"""A model's words, cleaned: nothing in them is unseen, and all of them can be stored and sent."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sigmaloop.clean_text import clean, clean_json, clean_line, unseen

anything = st.text(st.characters(codec=None, exclude_categories=()))


@given(anything)
def test_what_was_cleaned_can_be_stored_shown_and_cleaned_again(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    assert clean(cleaned) == cleaned
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in cleaned if c not in "\n\t")
    assert unseen(cleaned) == ""
    assert "\n" not in clean_line(text)


@given(st.text(st.characters(exclude_categories=("C", "Mn", "Zl", "Zp"))))
def test_text_that_can_be_seen_stays(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("\x1b]0;owned\x07\x9b2Jx", "]0;owned2Jx"),
        ("a\u202eb\u2066c\u200bd\ufeffe", "abcde"),
        ("\ud83d\ude00 \ud83d", "\U0001f600 \ufffd"),
        ("a\r\nb\rc\x85d\te", "a\nb\nc\nd\te"),
    ],
)
def test_what_operates_hides_or_breaks_is_gone(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


def test_what_is_kept_is_kept() -> None:
    assert clean("a\u200cb\u202ec", keep="x\u200c") == "a\u200cbc"
    assert clean_json({"a\0": ["\x1b", 1, None]}) == {"a": ["", 1, None]}
