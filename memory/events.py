"""An event of the journal and how events are chained: each hash covers the one before it.

Pure: the folds (suite, clusters, views) need events, not a database. Times are not hashed, so that two
runs with one seed end in the same head.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from sigmaloop.records import Record

GENESIS = ""
"""The head of an empty chain."""


class Event(Record):
    """A fact that was written once and never changes."""

    seq: int = Field(ge=1)
    """1-based position in the chain."""
    id: str = Field(min_length=1)
    kind: str = Field(min_length=1)
    batch: int = Field(ge=0)
    payload: dict[str, Any]


def canonical(payload: Mapping[str, Any]) -> str:
    """The one JSON text of a payload: sorted keys, ASCII (so that any text of a model fits), no NaN."""
    return json.dumps(payload, sort_keys=True, separators=(",", ":"), allow_nan=False)


def link(head: str, *, id: str, kind: str, batch: int, payload: str) -> str:  # noqa: A002 - the field's name
    """The chain's new head after an event whose canonical payload is `payload`."""
    text = json.dumps([head, id, kind, batch, payload], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
