"""The language of the sandbox: length-prefixed JSON, the only thing that parent and child ever exchange.

A frame is a 4-byte big-endian length and that many bytes of UTF-8 JSON, one object. Size and nesting are
limited, NaN, infinities, duplicate keys and lone surrogates are refused, and nothing is ever unpickled.
Whatever is wrong with the bytes of the other side becomes a `FrameError`, never another exception.
Both sides load this file, so it imports the standard library only.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

Json = dict[str, Any]
"""A message: one JSON object."""
MAX_BYTES = 4 * 1024 * 1024
"""Most bytes of one frame's JSON."""
MAX_DEPTH = 64
"""Most objects and lists inside each other."""
READY = b"R"
READY_BOUNDED = b"B"
"""The one byte by which the zygote says that it serves."""

_HEADER = struct.Struct(">I")


class FrameError(ValueError):
    """Bytes that are no frame, or a message that can not become one."""


def encode(message: Mapping[str, object]) -> bytes:
    """The frame of a message. Raises FrameError when it is not JSON, too deep or too large.

    A lone surrogate, which UTF-8 can not carry, is sent as `?`: models do write half an emoji.
    """
    try:
        text = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise FrameError(f"not JSON: {error}") from None
    payload = text.encode("utf-8", "replace")
    if len(payload) > MAX_BYTES:
        raise FrameError(f"{len(payload)} bytes; at most {MAX_BYTES} fit into a frame")
    if _may_be_deep(payload):
        check_depth(json.loads(text))
    return _HEADER.pack(len(payload)) + payload


def decode(payload: bytes) -> Json:
    """The message of a frame's JSON bytes. Raises FrameError."""
    try:
        value = json.loads(
            payload.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_float=_finite,
            parse_constant=_refuse_constant,
        )
    except FrameError:
        raise
    except (ValueError, RecursionError) as error:
        raise FrameError(f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise FrameError("not a JSON object")
    if _may_be_deep(payload) or b"\\ud" in payload.lower():
        _check_values(value)
    return value


class Reader:
    """Cuts a stream of bytes into messages; holds at most one frame and what was read beyond it."""

    def __init__(self, parse: Callable[[bytes], Json] = decode) -> None:
        """`parse` makes messages of payloads; one that refuses less than `decode` does is a hole in the sandbox."""
        self._parse = parse
        self._buffer = bytearray()
        self.last = 0
        """Bytes of the message that was returned last."""

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def pop(self) -> Json | None:
        """The next whole message, or None until more bytes come. Raises FrameError."""
        if len(self._buffer) < _HEADER.size:
            return None
        (length,) = _HEADER.unpack_from(self._buffer)
        if length > MAX_BYTES:
            raise FrameError(f"header announces {length} bytes; at most {MAX_BYTES} fit into a frame")
        end = _HEADER.size + length
        if len(self._buffer) < end:
            return None
        payload = bytes(self._buffer[_HEADER.size : end])
        del self._buffer[:end]
        self.last = length
        return self._parse(payload)


def _unique(pairs: list[tuple[str, object]]) -> Json:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise FrameError("a key stands twice in one object")
    return members


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):  # 1e999 is valid JSON, but no number that a ledger could hold
        raise FrameError("a number is out of range")
    return value


def _refuse_constant(text: str) -> NoReturn:
    raise FrameError(f"{text} is not JSON")


def _may_be_deep(payload: bytes) -> bool:
    """Cheap, and never wrong when it says no: most frames are spared the walk."""
    return payload.count(b"[") + payload.count(b"{") > MAX_DEPTH


def check_depth(value: object) -> None:
    """Raises FrameError when more than MAX_DEPTH objects and lists are inside each other."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        parts = [item.values() if type(item) is dict else item for item in level]
        level = [item for part in parts for item in part if type(item) is dict or type(item) is list]
        if not level:
            return
    raise FrameError(f"nested deeper than {MAX_DEPTH}")


def _check_values(value: object) -> None:
    """Refuse what is too deep or can not be written as UTF-8."""
    check_depth(value)
    level: list[Any] = [value]
    while level:
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                deeper.extend(item)
                deeper.extend(item.values())
            elif isinstance(item, list):
                deeper.extend(item)
            elif isinstance(item, str) and not item.isascii():
                try:
                    item.encode("utf-8")
                except UnicodeEncodeError:
                    raise FrameError("a text holds half a surrogate pair") from None
        level = deeper
