"""Plain words to signed senses: what a sentence is about, and whether it is for or against it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from sigmaloop.simulation.reading.clauses import signs
from sigmaloop.simulation.reading.lexicon import SENSES
from sigmaloop.simulation.reading.words import form, words

_GAP = 4
_WALLS = frozenset({".", ";", ":", "(", ")", "!", "?"})


class Occurrence(NamedTuple):
    """Where a sense stands in a sentence, and whether the sentence is for it (+1), against it (-1) or neither."""

    start: int
    end: int
    sign: int


Senses = Mapping[str, tuple[Occurrence, ...]]


def _compile() -> dict[str, tuple[tuple[tuple[str, ...], str], ...]]:
    """First stem of a phrase -> the rest of the phrase and its sense."""
    index: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for sense, phrases in SENSES.items():
        for phrase in dict.fromkeys(phrases.split()):
            stems = tuple(form(word) for word in phrase.split("_"))
            index.setdefault(stems[0], []).append((stems[1:], sense))
    return {first: tuple(rest) for first, rest in index.items()}


_INDEX = _compile()


@lru_cache(maxsize=8192)
def senses(sentence: str) -> Senses:
    """The senses of one sentence, each with where it stands."""
    tokens = words(sentence)
    values = signs(tokens)
    stems = [form(token) for token in tokens]
    found: dict[str, set[Occurrence]] = {}
    for i in range(len(stems)):
        for rest, sense in _INDEX.get(stems[i], ()):
            end = _follow(stems, i + 1, rest)
            if end:
                found.setdefault(sense, set()).add(Occurrence(i, end, values[i]))
    return {sense: tuple(sorted(where)) for sense, where in found.items()}


def _follow(stems: list[str], at: int, rest: tuple[str, ...]) -> int:
    """Where the phrase ends when the stems continue like this, otherwise 0. A star stands for up to four words."""
    for n, wanted in enumerate(rest):
        if wanted == "*":
            for skip in range(_GAP + 1):
                if any(stem in _WALLS for stem in stems[at : at + skip]):
                    return 0
                end = _follow(stems, at + skip, rest[n + 1 :])
                if end:
                    return end
            return 0
        if at >= len(stems) or stems[at] != wanted:
            return 0
        at += 1
    return at
