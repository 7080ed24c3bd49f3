"""Texts of agents as they are compared: lower case, one kind of dash and space, without markdown, in sentences."""

from __future__ import annotations

import re
from functools import lru_cache

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_SPLIT = re.compile(r"(?<=[.!?…])[\"')\]]?\s+|\n+|;\s+")


compiled = lru_cache(maxsize=20_000)(re.compile)
"""Patterns made of what a task is about are thousands; `re` itself remembers only 512."""


def plain(text: str) -> str:
    """Lower case, one kind of dash, apostrophe and space."""
    text = text.casefold().replace("’", "'")
    return re.sub(r"\s+", " ", re.sub("[‐‑‒–—−]", "-", text))


def plain_lines(text: str) -> str:
    """`plain`, with the line breaks kept and without numbers and marks of lists and emphasis."""
    listed = re.sub(r"(?m)^\s*\d{1,2}[.)]\s", "- ", text)
    lines = "\n".join(plain(line) for line in listed.splitlines())
    return re.sub(r"[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}", "", lines)


def sentences_of(spoken: str) -> list[str]:
    return [sentence.strip() for sentence in _SPLIT.split(spoken) if sentence.strip()]


def numbers(text: str) -> list[float]:
    """All numbers in a text: "$1,200.50" and "1200.5" are the same one."""
    amounts = []
    for match in _NUMBER.findall(text):
        digits = match.replace(",", "")
        if len(digits) <= 15:
            amounts.append(float(digits))
    return amounts
