"""An event of the journal and how events are chained: each hash covers the one before it, and the rollouts since.

Pure: the folds (suite, clusters, views) need events, not a database. Times are not hashed, so that two
runs with one seed end in the same head.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError

from sigmaloop.records import Record

GENESIS = ""
"""The head of an empty chain."""


class Event(Record):
    """A fact that was written once and never changes."""

    seq: int = Field(ge=1)
    """1-based position in the chain."""
    id: str = Field(min_length=1)
    kind: str = Field(min_length=1)
    batch: int = Field(ge=0, lt=2**63)
    payload: dict[str, Any]


def canonical(payload: Mapping[str, Any]) -> str:
    """The one JSON text of a payload: sorted keys, ASCII, no NaN."""
    return json.dumps(payload, sort_keys=True, separators=(",", ":"), allow_nan=False)


def checked(*, id: str, kind: str, batch: int, payload: Mapping[str, Any]) -> str:  # noqa: A002 - the field's name
    """The canonical payload of an event that may be written: what is written once can never be mended.

    Raises ValueError, saying which part is wrong, for anything that could not be read back as an `Event`, is
    no JSON, or holds text that is no valid Unicode.
    """
    if not isinstance(payload, Mapping):
        raise ValueError(f"its payload is {type(payload).__name__}, not an object")
    try:
        event = Event.model_validate(
            {"seq": 1, "id": id, "kind": kind, "batch": batch, "payload": dict(payload)}, strict=True
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))} is {first['input']!r:.100}: {first['msg']}") from None
    try:
        text = canonical(event.payload)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"its payload is no JSON: {error}") from None
    for words in (id, kind, text if "\\ud" not in text else json.dumps(event.payload, ensure_ascii=False)):
        try:
            words.encode()
        except UnicodeEncodeError as error:
            around = words[max(0, error.start - 20) : error.start + 20]
            raise ValueError(f"it holds half a character, at {around!a}") from None
    return text


def link(head: str, *, id: str, kind: str, batch: int, payload: str, rollouts: str = "") -> str:  # noqa: A002
    """The chain's new head after an event whose canonical payload is `payload`.

    `rollouts`: hash over the results that were stored since the event before it; empty when there were none.
    """
    covered = [rollouts] if rollouts else []
    text = json.dumps([head, id, kind, batch, payload, *covered], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
