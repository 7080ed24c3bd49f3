"""The frame codec: what is sent arrives, and hostile bytes are a FrameError, nothing else."""

from __future__ import annotations

import json
import pickle
import struct

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sigmaloop.tools.sandbox import fast_frames
from sigmaloop.tools.sandbox.child.frames import MAX_BYTES, MAX_DEPTH, FrameError, Reader, decode, encode

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
messages = st.dictionaries(st.text(), values, max_size=5)


def framed(payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + payload


def read(data: bytes) -> list[dict[str, object]]:
    """What both ways to read find; they must say the same of everything."""
    careful, quick = told(Reader(), data), told(Reader(fast_frames.decode), data)
    if isinstance(careful, FrameError):
        assert isinstance(quick, FrameError)
        raise careful
    assert repr(quick) == repr(careful)  # 1 is not 1.0, nor True
    return careful


def told(reader: Reader, data: bytes) -> list[dict[str, object]] | FrameError:
    reader.feed(data)
    found = []
    try:
        while (message := reader.pop()) is not None:
            found.append(message)
    except FrameError as error:
        return error
    return found


@settings(max_examples=40)
@given(st.lists(messages, max_size=4), st.integers(1, 7))
def test_what_is_sent_arrives_however_the_bytes_are_cut(sent: list[dict[str, object]], size: int) -> None:
    data = b"".join(encode(message) for message in sent)
    reader, found = Reader(), []
    for start in range(0, len(data), size):
        reader.feed(data[start : start + size])
        while (message := reader.pop()) is not None:
            found.append(message)
    assert found == sent


@given(st.binary(max_size=300))
@example(b"\xef\xbb\xbf{}")
@example(b'{"a":"\\udfff"}')
def test_any_payload_is_a_message_or_a_frame_error(payload: bytes) -> None:
    try:
        (message,) = read(framed(payload))
    except FrameError:
        return
    assert decode(encode(message)[4:]) == message


json_like = st.recursive(
    st.sampled_from(
        ["1", "-0", "1.0", "1e400", "1e16", "12345678901234567890123", "null", "true", '"\\u00e9"', '"é"', '""']
    ),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda parts: f"[{','.join(parts)}]")
        | st.lists(st.tuples(st.sampled_from(["a", "b", "\\u0061"]), inner), max_size=3).map(
            lambda parts: "{" + ",".join(f'"{key}":{value}' for key, value in parts) + "}"
        )
    ),
    max_leaves=8,
)


@given(json_like)
def test_both_ways_to_read_say_the_same_of_odd_json(text: str) -> None:
    try:
        read(framed(f'{{"a":{text}}}'.encode()))
    except FrameError:
        return


@given(st.binary(max_size=300))
def test_any_stream_gives_messages_or_a_frame_error(data: bytes) -> None:
    try:
        found = read(data)
    except FrameError:
        return
    assert all(isinstance(message, dict) for message in found)


HOSTILE = {
    "a 4 GB header": b"\xff\xff\xff\xff",
    "one byte too many announced": struct.pack(">I", MAX_BYTES + 1),
    "no bytes": framed(b""),
    "white space": framed(b"   "),
    "half an object": framed(b'{"op":'),
    "two objects": framed(b"{}{}"),
    "a list": framed(b"[]"),
    "a text": framed(b'"done"'),
    "null": framed(b"null"),
    "NaN": framed(b'{"reward":NaN}'),
    "infinity": framed(b'{"reward":Infinity}'),
    "a number that overflows": framed(b'{"reward":1e999}'),
    "a negative number that overflows": framed(b'{"reward":-1e999}'),
    "a huge integer": framed(b'{"reward":' + b"9" * 100_000 + b"}"),
    "a key twice": framed(b'{"op":"act","op":"done"}'),
    "a key twice, deep down": framed(b'{"args":[{"a":1,"\\u0061":2}]}'),
    "deep lists": framed(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "deep objects": framed(b'{"a":' * 500 + b"1" + b"}" * 500),
    "just too deep": framed(b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}"),
    "Latin-1": framed('{"text":"é"}'.encode("latin-1")),
    "UTF-16": framed('{"text":"e"}'.encode("utf-16")),
    "an overlong NUL": framed(b'{"text":"\xc0\x80"}'),
    "a surrogate in UTF-8": framed(b'{"text":"\xed\xa0\x80"}'),
    "half a surrogate pair, escaped": framed(b'{"text":"\\ud800"}'),
    "half a surrogate pair as a key": framed(b'{"\\uD800":1}'),
    "a control character": framed(b'{"text":"\n"}'),
    "pickle": framed(pickle.dumps({"op": "done"})),
    "single quotes": framed(b"{'op':'done'}"),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_bytes_are_a_frame_error(data: bytes) -> None:
    with pytest.raises(FrameError):
        read(data)


def test_a_truncated_frame_waits_for_the_rest() -> None:
    assert read(framed(b'{"op":"done"}')[:-1]) == []


def test_the_deepest_allowed_message_passes() -> None:
    message = json.loads('{"a":' + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1) + "}")
    assert read(encode(message)) == [message]
    with pytest.raises(FrameError, match="nested"):
        encode({"a": message})


@pytest.mark.parametrize(
    "message", [{"a": float("nan")}, {"a": {1, 2}}, {"a": b"bytes"}, {"a": object()}, {"a": "x" * MAX_BYTES}]
)
def test_what_is_not_json_is_not_sent(message: dict[str, object]) -> None:
    with pytest.raises(FrameError):
        encode(message)


def test_a_message_that_contains_itself_is_not_sent() -> None:
    message: dict[str, object] = {}
    message["self"] = message
    with pytest.raises(FrameError):
        encode(message)


def test_half_an_emoji_is_sent_as_a_question_mark() -> None:
    assert read(encode({"text": "\ud83d!"})) == [{"text": "?!"}]
