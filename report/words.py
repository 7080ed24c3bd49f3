"""Numbers and words as people read them, the same on the page, in the terminal and in a notebook."""

from __future__ import annotations

import re
import time
from math import log10

from sigmaloop.clean_text import clean_line

MINUS = "\u2212"
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_USER = re.compile(r"(?<=//)[^/@\s]+@")
TITLE, SUMMARY = 140, 220
"""Characters of a title and of a summary."""


def signed(value: float, digits: int = 1) -> str:
    """+11.0, with a real minus; what rounds to nothing has no sign."""
    text = f"{abs(value):.{digits}f}"
    if float(text) == 0:
        return text
    return f"{'+' if value > 0 else MINUS}{text}"


def points(share: float) -> str:
    """A difference of rewards in points: .11 is +11.0."""
    return signed(100 * share)


def between(low: float, high: float) -> str:
    """An interval of differences: +4.0 to +18.0."""
    return f"{points(low)} to {points(high)}"


def percent(share: float, digits: int = 0) -> str:
    """60%; never 0% or 100% for what is not quite that."""
    text = f"{100 * share:.{digits}f}"
    if digits == 0 and 0 < share < 1 and text in ("0", "100"):
        text = f"{100 * share:.1f}"
        text = {"0.0": "<0.1", "100.0": ">99.9"}.get(text, text)
    return f"{text}%"


def count(number: int) -> str:
    """82,622."""
    return f"{number:,}"


def word(number: int, *, start: bool = False) -> str:
    """A small number as a word."""
    text = _WORDS[number] if 0 <= number < len(_WORDS) else count(number)
    return text.capitalize() if start else text


def plural(number: int, one: str, many: str | None = None) -> str:
    """1 task, 2 tasks, 10,000 tasks."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def amount(number: int) -> str:
    """Tokens in three figures: 303 M, 72.4 M, 950 k, 312."""
    for size, name in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if number >= 0.9995 * size:
            value = number / size
            return f"{value:.{max(0, 2 - int(log10(max(value, 1))))}f} {name}"
    return str(number)


def money(value: float) -> str:
    """An amount in the currency of the prices."""
    return f"{value:,.2f}" if value >= 0.1 else f"{value:.3f}"


def duration(seconds: float) -> str:
    """26 min, 3 h 5 min, 2 d 4 h."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{max(0, round(seconds))} s"
    if minutes < 120:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"


def day(at: float) -> str:
    """21 November 2026, in UTC."""
    stamp = time.gmtime(at)
    return f"{stamp.tm_mday} {time.strftime('%B %Y', stamp)}"


def clock(at: float) -> str:
    """10:42, in UTC."""
    return time.strftime("%H:%M", time.gmtime(at))


def span(first: float, last: float) -> str:
    """21 November 2026, 09:47 to 10:13 UTC."""
    end = clock(last) if day(first) == day(last) else f"{day(last)}, {clock(last)}"
    return f"{day(first)}, {clock(first)} to {end} UTC"


def cut(text: str, longest: int = SUMMARY) -> str:
    """Words of a model as one visible line, cut with a mark."""
    line = clean_line(text)
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def listed(parts: list[str] | tuple[str, ...]) -> str:
    """a, b and c."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def masked(text: str) -> str:
    """An address without its user name and password."""
    return _USER.sub("***@", text)
