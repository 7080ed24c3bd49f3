"""JSON values of a large file, one at a time: the items of an array, the lines of JSONL, or one value alone.

No more than one value and one block of the file are in memory. What is no UTF-8 or no JSON is told with its line.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from sigmaloop.errors import BadInput

BLOCK = 1 << 18
"""Bytes read at a time."""
LARGEST = 1 << 26
"""Most characters of one value."""
_SPACE = " \t\n\r"


class Value(NamedTuple):
    """A value and where it begins."""

    line: int
    """Counted from 1."""
    value: Any


class Unreadable(NamedTuple):
    """A place that holds no JSON value; nothing behind it can be read, unless the file has one value a line."""

    line: int
    said: str


def read_values(path: Path) -> Iterator[Value | Unreadable]:
    """The values of a file. Raises BadInput for a file that cannot be opened."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}; check its name and permissions") from None
    with file:
        first = _first_character(file)
        file.seek(0)
        yield from _items(file) if first == "[" else _lines(file)


def _first_character(file: BinaryIO) -> str:
    """`[` where an array of records begins; a line that is a list of messages is one record of several."""
    head = file.read(BLOCK).removeprefix(codecs.BOM_UTF8).lstrip()
    if not head.startswith(b"["):
        return ""
    line = head.split(b"\n", 1)[0]
    # A whole list on the first line, and something else on the next: JSONL of lists.
    try:
        whole = isinstance(json.loads(line), list) and bool(head[len(line) :].strip())
    except ValueError:
        whole = False
    return "" if whole else "["


def _lines(file: BinaryIO) -> Iterator[Value | Unreadable]:
    """A value a line; or, if the first line is not one, the values one after another."""
    number, pending, began = 0, b"", 1
    for raw in file:
        number += 1
        if number == 1:
            raw = raw.removeprefix(codecs.BOM_UTF8)
        if not raw.strip():
            continue
        if not pending:
            began = number
        text, problem = _decoded(pending + raw)
        if problem:
            yield Unreadable(began, problem)
            pending = b""
            continue
        try:
            yield Value(began, json.loads(text))
            pending = b""
        except (ValueError, RecursionError) as error:
            if _unfinished(error, text) and _opens(text) and len(text) < LARGEST and (pending or _is_indented(raw)):
                pending += raw  # one value over several lines
                continue
            yield Unreadable(began, _not_json(error))
            pending = b""
    if pending:
        yield Unreadable(began, "the file ends in the middle of a JSON value; write it again whole")


def _is_indented(raw: bytes) -> bool:
    """A first line that opens an object and says no more is one of a value printed for people."""
    return raw.strip() in (b"{", b"[") or raw.rstrip().endswith((b"{", b"[", b","))


def _opens(text: str) -> bool:
    return text.lstrip()[:1] in ("{", "[")


def _items(file: BinaryIO) -> Iterator[Value | Unreadable]:
    """The items of one array, decoded as the file is read."""
    stream = _Text(file)
    stream.skip(_SPACE)
    stream.take(1)  # the bracket
    while True:
        stream.skip(_SPACE + ",")
        if stream.problem:
            yield Unreadable(stream.line, stream.problem)
            return
        if stream.at("]"):
            return
        if stream.ended:
            yield Unreadable(stream.line, "the file ends before its array does; write it again whole")
            return
        line = stream.line
        value, problem = stream.value()
        if problem:
            yield Unreadable(line, problem)
            return
        yield Value(line, value)


class _Text:
    """A window on a file's text that knows its line."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._json = json.JSONDecoder()
        self._text, self._place = "", 0
        self.line = 1
        self.ended = False
        self.problem = ""
        self._more()
        self._text = self._text.removeprefix("\ufeff")

    def at(self, character: str) -> bool:
        return self._text.startswith(character, self._place)

    def skip(self, characters: str) -> None:
        while True:
            end = self._place
            while end < len(self._text) and self._text[end] in characters:
                end += 1
            self.take(end - self._place)
            if self._place < len(self._text) or not self._more():
                return

    def take(self, count: int) -> None:
        self.line += self._text.count("\n", self._place, self._place + count)
        self._place += count

    def value(self) -> tuple[Any, str]:
        """The next value, or why there is none."""
        while True:
            try:
                value, end = self._json.raw_decode(self._text, self._place)
            except (ValueError, RecursionError) as error:
                held = len(self._text) - self._place
                if held < LARGEST and _unfinished(error, self._text) and self._more(held):
                    continue
                if self.problem:
                    return None, self.problem
                if held >= LARGEST:
                    return None, f"one value has more than {LARGEST:,} characters; write one record a line (JSONL)"
                return None, _not_json(error)
            # A number at the very end of the window may go on behind it.
            if end == len(self._text) and self._more():
                continue
            self.take(end - self._place)
            return value, ""

    def _more(self, at_least: int = 0) -> bool:
        """Read on, twice as much as is held, so that a long value is not decoded again for every block of it."""
        data = self._file.read(max(BLOCK, at_least))
        try:
            text = self._decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            self.line += self._text.count("\n", self._place) + data.count(b"\n", 0, error.start)
            self.problem, self._text, self._place, self.ended = _not_utf8(error), "", 0, True
            return False
        self.ended = not data
        self._text, self._place = self._text[self._place :] + text, 0
        return bool(data)


def _unfinished(error: Exception, text: str) -> bool:
    """Whether more text might mend it: the error stands at the end, or in a string that is still open."""
    if not isinstance(error, json.JSONDecodeError):
        return False
    return error.msg.startswith("Unterminated string") or error.pos >= len(text.rstrip()) - 8


def _decoded(raw: bytes) -> tuple[str, str]:
    try:
        return raw.decode(), ""
    except UnicodeDecodeError as error:
        return "", _not_utf8(error)


def _not_utf8(error: UnicodeDecodeError) -> str:
    byte = error.object[error.start]
    return f"byte 0x{byte:02x} is not UTF-8; convert the file, such as with `iconv -f latin1 -t utf-8`"


def _not_json(error: Exception) -> str:
    said = error.msg if isinstance(error, json.JSONDecodeError) else f"{error or type(error).__name__}"
    return f"no JSON: {said}"
