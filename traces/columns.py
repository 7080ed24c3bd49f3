"""Text that fits a number of columns on a terminal, whatever alphabet it is written in."""

from __future__ import annotations

import unicodedata

from sigmaloop.clean_text import clean


def cells(text: str) -> int:
    """Columns that a line takes: two for wide characters, none for marks that combine."""
    if text.isascii():
        return len(text)
    return sum(map(_cells, text))


def wrap(text: str, width: int) -> list[str]:
    """Cleaned lines of at most `width` columns, broken at spaces where there are any; empty lines stay."""
    lines: list[str] = []
    for paragraph in clean(text).expandtabs(4).split("\n"):
        lines += _wrapped(paragraph.rstrip(), max(width, 4))
    return lines


def cut(text: str, width: int) -> str:
    """One line of at most `width` columns; what does not fit is marked."""
    return cut_line(" ".join(clean(text).split()), width)


def cut_line(line: str, width: int) -> str:
    """The same for a clean line whose spaces stay."""
    if cells(line) <= width:
        return line.rstrip()
    return _head(line, max(width - 2, 0)) + ".." if width > 2 else _head(line, width)


def pad(text: str, width: int) -> str:
    """The line with spaces behind it, up to `width` columns."""
    return text + " " * max(0, width - cells(text))


def _wrapped(line: str, width: int) -> list[str]:
    done: list[str] = []
    while cells(line) > width:
        head = _head(line, width)
        space = head.rfind(" ")
        if line[len(head) : len(head) + 1] == " ":
            space = len(head)
        # A break that would leave most of the line empty is worse than a broken word.
        if space > len(head) // 3:
            head = line[:space]
        done.append(head.rstrip())
        line = line[len(head) :].lstrip(" ")
    return [*done, line]


def _head(text: str, width: int) -> str:
    """As much of the beginning as fits, at least one character of it."""
    used = 0
    for place, character in enumerate(text):
        used += _cells(character)
        if used > width:
            return text[: max(place, 1)]
    return text


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
