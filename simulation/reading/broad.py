"""Over-broad statements: what they break, whatever they were written against."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from sigmaloop.simulation.habits import TOO_BROAD
from sigmaloop.simulation.reading.grammar import readable
from sigmaloop.simulation.reading.harness import Statement
from sigmaloop.simulation.reading.language import senses


def bumps(statements: Iterable[Statement]) -> dict[str, float]:
    """By how much over-broad statements raise the rate of which habits."""
    raised: dict[str, float] = {}
    for statement in statements:
        for sentence in statement:
            for habit, by in _breaks(sentence).items():
                raised[habit] = max(by, raised.get(habit, 0.0))
    return raised


@lru_cache(maxsize=4096)
def _breaks(sentence: str) -> dict[str, float]:
    if not readable(sentence):
        return {}
    raised: dict[str, float] = {}
    for pattern, effects in TOO_BROAD:
        if _meets(sentence, pattern):
            raised |= effects
    return raised


def _meets(sentence: str, pattern: str) -> bool:
    here = senses(sentence)
    for term in pattern.split():
        sign = term[0] if term[0] in "+-!" else ""
        occurrences = [where.sign for name in term.lstrip("+-!").split("|") for where in here.get(name, ())]
        if sign == "!":
            if occurrences:
                return False
        elif not any(not sign or s == (1 if sign == "+" else -1) for s in occurrences):
            return False
    return True
