"""Records that belong together though they lie apart in a file: spans of one trace, traces of one conversation.

They wait in a temporary file; in memory are only their places.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

from sigmaloop.records import JsonObject


class Group(NamedTuple):
    """What belongs together."""

    id: str
    line: int
    """Of the first of them."""
    records: list[JsonObject]
    """In the file's order."""


class Grouping:
    """Takes records one by one and gives them back group by group, in the order in which groups began."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - `__exit__` closes it
        self._places: dict[str, list[tuple[int, int]]] = {}
        self._lines: dict[str, int] = {}
        self._parents: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self._file.close()

    def add(self, trace: str, line: int, record: JsonObject, *, conversation: str = "") -> None:
        """A record of a trace; `conversation`: what the trace is part of, if this record says so."""
        data = json.dumps(record).encode()
        self._places.setdefault(trace, []).append((self._file.tell(), len(data)))
        self._lines.setdefault(trace, line)
        self._file.write(data)
        if conversation:
            self._parents.setdefault(trace, conversation)

    def groups(self) -> Iterator[Group]:
        """Every group, once all records are in."""
        members: dict[str, list[str]] = {}
        for trace in self._places:
            members.setdefault(self._parents.get(trace, trace), []).append(trace)
        for name, traces in members.items():
            places = sorted(place for trace in traces for place in self._places[trace])
            yield Group(name, self._lines[traces[0]], [self._read(*place) for place in places])

    def _read(self, offset: int, size: int) -> JsonObject:
        self._file.seek(offset)
        record: JsonObject = json.loads(self._file.read(size))
        return record


def joined(histories: list[list[JsonObject]]) -> list[JsonObject]:
    """One list of messages from those of several model calls, in the order in which they were made.

    A call is mostly sent everything that was said before: lists with one opening are one conversation, of which the
    longest is kept. What opens otherwise, such as a sub-agent's own conversation, follows behind.
    """
    kept: dict[str, list[JsonObject]] = {}
    for history in histories:
        opening = next((m for m in history if m.get("role") not in ("system", "developer")), None)
        key = json.dumps([opening and opening.get("role"), opening and opening.get("content")], default=str)
        if len(history) >= len(kept.get(key, ())):
            kept[key] = history
    return [message for history in kept.values() for message in history]
