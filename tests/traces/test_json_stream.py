"""Large files are read value by value; what is broken is told with its line, and what stands before it is kept."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaloop.errors import BadInput
from sigmaloop.traces import json_stream
from sigmaloop.traces.json_stream import Unreadable, Value, read_values

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.lists(st.dictionaries(st.text(max_size=5), JSON, max_size=3), max_size=6)


def written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@settings(max_examples=40, deadline=None)
@given(objects=OBJECTS, indent=st.sampled_from([None, 1]), ascii_only=st.booleans(), block=st.sampled_from([5, 64]))
def test_every_item_of_an_array_comes_back_at_its_line(
    objects: list[Any], indent: int | None, ascii_only: bool, block: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    texts = [json.dumps(item, indent=indent, ensure_ascii=ascii_only) for item in objects]
    path = written(tmp_path_factory.mktemp("j") / "x.json", "[\n" + ",\n".join(texts) + "\n]\n")
    lines = [2 + sum(text.count("\n") + 1 for text in texts[:place]) for place in range(len(texts))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "BLOCK", block)
        found = list(read_values(path))
    assert found == [Value(line, item) for line, item in zip(lines, objects, strict=True)]


@settings(max_examples=25, deadline=None)
@given(values=st.lists(st.dictionaries(st.text(max_size=5), JSON, max_size=3) | st.lists(JSON, max_size=3), max_size=6))
def test_every_line_of_jsonl_comes_back_lists_included(
    values: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = "\n\n".join(json.dumps(value) for value in values)
    path = written(tmp_path_factory.mktemp("j") / "x.jsonl", text)
    if len(values) == 1 and isinstance(values[0], list):
        values = values[0]  # a list alone is an array of records
        assert [found.value for found in read_values(path) if isinstance(found, Value)] == values
        return
    assert list(read_values(path)) == [Value(1 + 2 * place, value) for place, value in enumerate(values)]


def test_one_value_over_several_lines_is_one_value(tmp_path: Path) -> None:
    value = {"messages": [{"role": "user", "content": "hello"}], "n": [1, 2]}
    path = written(tmp_path / "x.json", json.dumps(value, indent=2))
    assert list(read_values(path)) == [Value(1, value)]


@pytest.mark.parametrize(
    ("text", "before", "line", "word"),
    [
        (b'{"a": 1}\n{"b": \xff}\n{"c": 3}\n', 1, 2, "byte 0xff is not UTF-8"),
        (b'{"a": 1}\n{broken}\n{"c": 3}\n', 1, 2, "no JSON"),
        (b'[{"a": 1},\n{"b": "\xe9"},\n{"c": 3}]', 0, 2, "byte 0xe9 is not UTF-8"),
        (b'[{"a": 1},\n\n{broken},\n{"c": 3}]', 1, 3, "no JSON"),
        (b'[{"a": 1},\n{"b": "cut of', 1, 2, "no JSON: Unterminated"),
        (b'[{"a": 1},\n', 1, 2, "ends before its array does"),
        ('{"a": 1}\n'.encode("utf-16"), 0, 1, "not UTF-8"),
        (b'{"a": 1}\n' + b"[" * 100_000 + b"\n", 1, 2, "no JSON"),
    ],
)
def test_what_is_broken_is_told_with_its_line(tmp_path: Path, text: bytes, before: int, line: int, word: str) -> None:
    found = list(read_values(written(tmp_path / "x.json", text)))
    problem = next(item for item in found if isinstance(item, Unreadable))
    assert problem.line == line
    assert word in problem.said
    assert found.index(problem) == before
    if text.startswith(b"{") and b"\xff" in text:
        assert found[-1] == Value(3, {"c": 3}), "a broken line hides no other"


def test_a_byte_order_mark_is_no_part_of_the_first_value(tmp_path: Path) -> None:
    for text in (b"\xef\xbb\xbf[{}]", b"\xef\xbb\xbf{}\n"):
        assert [found.value for found in read_values(written(tmp_path / "x", text)) if isinstance(found, Value)] == [{}]


def test_a_large_file_takes_no_more_memory_than_a_few_of_its_values(tmp_path: Path) -> None:
    item = json.dumps({"text": "word " * 4_000})
    path = written(tmp_path / "x.json", "[" + ",\n".join([item] * 400) + "]")
    assert path.stat().st_size > 8_000_000
    tracemalloc.start()
    count = sum(1 for _ in read_values(path))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 400
    assert most < 3_000_000


def test_a_value_beyond_the_limit_is_told_and_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "LARGEST", 1_000)
    monkeypatch.setattr(json_stream, "BLOCK", 100)
    path = written(tmp_path / "x.json", '[{"a": 1},\n{"b": "' + "x" * 5_000 + '"}]')
    first, second = read_values(path)
    assert isinstance(first, Value)
    assert isinstance(second, Unreadable)
    assert "one record a line" in second.said


def test_a_file_that_is_not_there_is_the_users_to_mend(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        list(read_values(tmp_path / "nowhere.json"))
