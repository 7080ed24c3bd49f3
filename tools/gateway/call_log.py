"""Every model call of a run in one file, each message stored once: sent again, it costs no more than its digest.

The file only grows. A record is a kind, the content's digest, a length and compressed JSON: `P` is a part (a message,
the tools, an answer), `C` a call that lists its parts by digest. A record that a killed process left unfinished is
cut off when the file is opened again.
"""

from __future__ import annotations

import hashlib
import json
import struct
import threading
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from sigmaloop.errors import StoreError
from sigmaloop.tools.json_types import Json

_HEAD = struct.Struct(">c16sI")
_PART, _CALL = b"P", b"C"


class TraceStore(Protocol):
    """Keeps model calls for people who want to look at them later; nothing decides by it. Thread-safe."""

    def keep(self, *, scope: str, index: int, role: str, request: Json, answer: Json) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class TracedCall:
    """A call as it went upstream, and its answer."""

    scope: str
    index: int
    role: str
    request: Json
    answer: Json


class TraceFile:
    """A TraceStore in a file. One process writes."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._file = path.open("ab+")
        self._known: set[bytes] = set()
        whole = 0
        for kind, digest, _, end in _records(self._file):
            whole = end
            if kind == _PART:
                self._known.add(digest)
        self._file.truncate(whole)

    def keep(self, *, scope: str, index: int, role: str, request: Json, answer: Json) -> None:
        rest = {key: value for key, value in request.items() if key != "messages"}
        parts = [_packed(part) for part in (*request.get("messages", ()), rest, answer)]
        named = [digest.hex() for digest, _ in parts]
        call = {"scope": scope, "index": index, "role": role}
        call |= {"messages": named[:-2], "rest": named[-2], "answer": named[-1]}
        with self._lock:
            if self._file.closed:
                return
            for digest, text in parts:
                if digest not in self._known:
                    self._known.add(digest)
                    self._write(_PART, digest, text)
            self._write(_CALL, *_packed(call))
            self._file.flush()

    def close(self) -> None:
        with self._lock:
            self._file.close()

    def _write(self, kind: bytes, digest: bytes, text: bytes) -> None:
        data = zlib.compress(text)
        self._file.write(_HEAD.pack(kind, digest, len(data)) + data)


def read_calls(path: Path, *, scope: str | None = None) -> Iterator[TracedCall]:
    """The calls in the order in which they ended, of one scope or all. Raises StoreError for a damaged file."""
    parts: dict[str, bytes] = {}
    with path.open("rb") as file:
        for kind, digest, data, _ in _records(file):
            if kind == _PART:
                parts[digest.hex()] = data
                continue
            try:
                call = _unpacked(data)
                if scope in (None, call["scope"]):
                    yield _call(call, parts)
            except (zlib.error, ValueError, KeyError) as error:
                raise StoreError(f"{path} is damaged ({type(error).__name__}: {error})") from error


def _call(call: Json, parts: Mapping[str, bytes]) -> TracedCall:
    rest, answer = (_unpacked(parts[call[key]]) for key in ("rest", "answer"))
    messages = [_unpacked(parts[name]) for name in call["messages"]]
    request = {**rest, "messages": messages} if messages else rest
    return TracedCall(call["scope"], call["index"], call["role"], request, answer)


def _records(file: BinaryIO) -> Iterator[tuple[bytes, bytes, bytes, int]]:
    """(kind, digest, data, where it ends) of every record that is whole."""
    file.seek(0)
    while len(head := file.read(_HEAD.size)) == _HEAD.size:
        kind, digest, length = _HEAD.unpack(head)
        data = file.read(length)
        if kind not in (_PART, _CALL) or len(data) < length:
            return
        yield kind, digest, data, file.tell()


def _packed(value: Json) -> tuple[bytes, bytes]:
    text = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(text).digest()[:16], text


def _unpacked(data: bytes) -> Json:
    value: Json = json.loads(zlib.decompress(data))
    return value
