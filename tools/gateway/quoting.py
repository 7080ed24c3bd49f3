"""Words of others in our messages: short and on one line, so that no message can be made long or ugly from outside."""

from __future__ import annotations

MOST_QUOTED = 100
"""Characters of a text that a message repeats."""


def excerpt(text: str, *, most: int = MOST_QUOTED) -> str:
    """The beginning of a text: at most `most` printable characters, white space run together, and an ellipsis."""
    # Far more than is kept, so that a text of megabytes is not read through for a message.
    head = "".join(c if c.isprintable() else " " for c in text[: 16 * most])
    line = " ".join(head.split())
    return line if len(line) <= most and len(text) <= 16 * most else line[:most] + "…"
