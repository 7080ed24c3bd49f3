"""What a statement says about each habit: a cure, the contrary, something vague, or nothing.

A statement is one or a few sentences that belong together: a bullet, a line, a paragraph. What is to be done must
stand in one sentence; what it is about may stand in a neighbour ("A tool fails? Try again.").
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from sigmaloop.simulation.habits import HABITS, RIGHT, WRONG
from sigmaloop.simulation.reading.grammar import readable
from sigmaloop.simulation.reading.language import Occurrence, Senses, senses

Meaning = Literal["cure", "vague", "contrary"]
Meanings = Mapping[str, Meaning]
"""Habits that a statement says something about; all others are left out."""

_NOTHING: Senses = {}
_SPOKEN = re.compile(r"^(Ask|Say): ")
"""Before what is said aloud in an example."""


class _Pattern(NamedTuple):
    """A compiled pattern: see `habits.cures`."""

    only_cures: bool
    act: tuple[str, ...]
    about: tuple[tuple[bool, tuple[str, ...]], ...]
    """For each term whether it must not be negated, and its senses."""
    without: tuple[str, ...]


def _compiled(pattern: str) -> _Pattern:
    first, *rest = pattern.lstrip("~").split()
    about = tuple((t[0] == "+", tuple(t.lstrip("+").split("|"))) for t in rest if t[0] != "!")
    without = tuple(name for t in rest if t[0] == "!" for name in t[1:].split("|"))
    return _Pattern(pattern[0] == "~", tuple(first.split("|")), about, without)


_RIGHT = {habit: tuple(map(_compiled, RIGHT[habit])) for habit in HABITS}
_WRONG = {habit: tuple(map(_compiled, WRONG[habit])) for habit in HABITS}
_NOUNS = {habit: frozenset(n for p in _RIGHT[habit] for _, names in p.about for n in names) for habit in HABITS}


@lru_cache(maxsize=4096)
def meanings(statement: tuple[str, ...], topic: str = "") -> Meanings:
    """What the sentences of a statement say together; `topic` is what they stand beside, such as a tool's name."""
    read = [senses(s) if readable(_SPOKEN.sub("", s)) else _NOTHING for s in statement]
    beside = senses(topic) if topic else _NOTHING
    found: dict[str, Meaning] = {}
    for habit in HABITS:
        meaning = _meaning(habit, read, beside)
        if meaning:
            found[habit] = meaning
    return found


def _meaning(habit: str, read: Sequence[Senses], beside: Senses) -> Meaning | None:
    for_it = against = 0
    touched = mixed = False
    for n, here in enumerate(read):
        if not here:
            continue
        near = [*read[max(0, n - 2) : n], *read[n + 1 : n + 2], beside]
        for patterns, way in ((_RIGHT[habit], 1), (_WRONG[habit], -1)):
            for pattern in patterns:
                found = _signs(pattern, here, near)
                touched |= bool(found)
                if 2 in found:  # permitted: the right way need not be taken, the wrong one may
                    found = (found - {2}) | {-way}
                if {1, -1} <= found:  # both in one breath: "submit again instead of repeating it as it was"
                    mixed = True
                    continue
                for_it += way in found
                against += -way in found and not pattern.only_cures
    if for_it > against or (mixed and not against):
        return "cure"
    if against:
        return "contrary"
    vague = touched or any("careful" in here and _NOUNS[habit] & here.keys() for here in read)
    return "vague" if vague else None


def _signs(pattern: _Pattern, here: Senses, near: Sequence[Senses]) -> set[int]:
    """The signs under which the act of the pattern stands in this sentence, if it is about the right thing."""
    if any(name in here for name in pattern.without):
        return set()
    found: set[int] = set()
    for name in pattern.act:
        for act in here.get(name, ()):
            if act.sign not in found and all(_about(term, act, here, near) for term in pattern.about):
                found.add(act.sign)
    return found


def _apart(one: Occurrence, other: Occurrence) -> bool:
    """Two senses of one and the same word do not make a statement; a phrase and a word of it may."""
    return one.end <= other.start or one.start >= other.end or one.end - one.start != other.end - other.start


def _about(term: tuple[bool, tuple[str, ...]], act: Occurrence, here: Senses, near: Sequence[Senses]) -> bool:
    """Whether one of the senses stands beside the act, in other words than it, or in a neighbouring sentence."""
    unnegated, names = term
    for name in names:
        for there in here.get(name, ()):
            if _apart(there, act) and (not unnegated or there.sign >= 0):
                return True
        if not unnegated and any(name in sentence for sentence in near):
            return True
    return False
