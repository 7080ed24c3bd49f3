"""Words of a model, cleaned once: text that can be stored, sent and shown, and that hides nothing from its reader."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

DEEPEST = 64
"""Levels of lists and objects that an answer of a model may have."""

_LINE_ENDS = re.compile("\r\n?|\x85")
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # what operates a terminal
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # what turns the direction of writing
    "\u00ad\u034f\u180e\u200b-\u200d\u2028\u2029\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
"""Characters that are not seen, line end and tab aside: controls, directions, widths of zero, tags."""


def clean(text: str, *, keep: str = "") -> str:
    """The text with \\n as its only line end, without surrogates and without what cannot be seen.

    Unseen characters that `keep` holds are left: a file that has them already may go on having them.
    """
    if _SURROGATE.search(text):  # halves that belong together become one character, others a mark
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if text.isascii() and text.isprintable():
        return text
    return _UNSEEN.sub(lambda found: found[0] if found[0] in keep else "", _LINE_ENDS.sub("\n", text))


def unseen(text: str) -> str:
    """The unseen characters that a text holds, each once."""
    return "".join(sorted(set(_UNSEEN.findall(text))))


def clean_line(text: str) -> str:
    """The same as one line: no text of a model adds lines to what it stands in."""
    return " ".join(clean(text).split())


def clean_json(value: object, by: Callable[[str], str] = clean, *, deepest: int = DEEPEST) -> Any:
    """A JSON value with every text in it cleaned, names of fields included. Raises ValueError when it is too deep."""
    if isinstance(value, str):
        return by(value)
    if not isinstance(value, (dict, list)):
        return value
    if not deepest:
        raise ValueError(f"it is nested more than {DEEPEST} levels deep")
    if isinstance(value, list):
        return [clean_json(item, by, deepest=deepest - 1) for item in value]
    return {by(str(key)): clean_json(item, by, deepest=deepest - 1) for key, item in value.items()}
