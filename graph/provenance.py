"""Which kept attempt wrote each line of the agent file, folded from the texts on the way to it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple


class Line(NamedTuple):
    """A line of the agent file."""

    number: int
    """1-based."""
    text: str
    attempt: str
    """Id of the kept attempt that wrote it; empty: it is the first agent's."""


def written_by(versions: Sequence[tuple[str, str]]) -> list[Line]:
    """The lines of the last version. `versions`: (attempt id, text) from the first agent on, whose id is empty."""
    lines: list[str] = []
    authors: list[str] = []
    for attempt, text in versions:
        new = text.splitlines()
        made = [attempt] * len(new)
        for block in SequenceMatcher(None, lines, new, autojunk=False).get_matching_blocks():
            made[block.b : block.b + block.size] = authors[block.a : block.a + block.size]
        lines, authors = new, made
    return [Line(n, text, author) for n, (text, author) in enumerate(zip(lines, authors, strict=True), 1)]
