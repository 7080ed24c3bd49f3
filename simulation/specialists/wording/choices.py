"""Settles the choices in square brackets that clauses offer."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

Draw = Callable[[str], float]
"""A number in [0, 1) by label; the same label gives the same number."""
T = TypeVar("T")

_INNERMOST = re.compile(r"\[([^\[\]]*)\]")


def pick(choices: Sequence[T], draw: Draw, label: str) -> T:
    """One of the choices."""
    return choices[int(draw(label) * len(choices))]


def spell(clause: str, draw: Draw, label: str) -> str:
    """A clause with every `[this|that]` replaced by one of its parts; parts may be empty."""
    number = 0
    while found := _INNERMOST.search(clause):
        part = pick(found.group(1).split("|"), draw, f"{label} {number}")
        clause = clause[: found.start()] + part + clause[found.end() :]
        number += 1
    return re.sub(r"\s+(?=[\s,;:.])", "", clause).strip()


def relabelled(draw: Draw, prefix: str) -> Draw:
    """The same source of luck under labels of its own."""
    return lambda label: draw(f"{prefix}: {label}")
