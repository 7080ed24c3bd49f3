"""A file's line ends and byte order mark survive work on its text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sigmaloop.tools.changes.text_form import in_form_of, text_of

lines = st.lists(st.text("ab é", max_size=3), max_size=8)
files = st.tuples(st.booleans(), lines, st.sampled_from(["\n", "\r\n", "\r"])).map(
    lambda of: (b"\xef\xbb\xbf" if of[0] else b"") + of[2].join(of[1]).encode()
)
mixed = st.lists(st.sampled_from(["a", "b", "\n", "\r\n", "\r"]), max_size=12).map(lambda of: "".join(of).encode())


@given(files | mixed)
def test_a_text_that_was_not_changed_is_the_same_bytes(data: bytes) -> None:
    assert in_form_of(data, text_of(data)) == data


@given(files | mixed, st.text("ab\n", max_size=12))
def test_a_changed_text_reads_as_it_was_written(data: bytes, text: str) -> None:
    assert text_of(in_form_of(data, text)) == text


@pytest.mark.parametrize(
    ("original", "text", "written"),
    [
        (b"a\r\nb\r\n", "a\nnew\nb\n", b"a\r\nnew\r\nb\r\n"),
        (b"\xef\xbb\xbfa\n", "new\na\n", b"\xef\xbb\xbfnew\na\n"),
        (b"a\r\nb\nc\r\n", "a\nb\nnew\nc\n", b"a\r\nb\nnew\r\nc\r\n"),
        (b"", "a\n", b"a\n"),
    ],
)
def test_new_lines_are_written_like_the_others(original: bytes, text: str, written: bytes) -> None:
    assert in_form_of(original, text) == written
