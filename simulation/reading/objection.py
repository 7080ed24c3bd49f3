"""What an objection of the agent's code asks for: it may name the fault, or say what to do instead."""

from __future__ import annotations

import re
from functools import lru_cache

from sigmaloop.simulation.reading.meaning import Meanings, meanings
from sigmaloop.simulation.reading.words import sentences

_CLAUSE = re.compile(r"(?<=[;:,])\s+(?!(or|nor)\b)")
_TELLS = re.compile(r"^(this|that|you|your|it|there|the|these|some|one|an?|no|not all|another|nothing|so far)\b", re.I)
_ORDERS = re.compile(
    r"\b(must|should|need|needs|have to|has to|may not|can ?not|only|before|no (need|point|reason|use))\b", re.I
)
_LACKS = re.compile(
    r"\b(not yet|not(?! (allow|permit|cover))|never|n't|without|leaves out|left out|omits|lacks|forgot|skipped|"
    r"ignored|missing( from)?)\b|"
    r"(?<=[a-z])n't\b|^no\b",
    re.I,
)


@lru_cache(maxsize=1024)
def objection(text: str) -> Meanings:
    """What a text says that stands up against the model's next step.

    "You have not asked for a yes" describes what is lacking, and so asks for it; "this is the primary line" names
    the fault. What it orders is read as anywhere else.
    """
    return meanings(tuple(" ".join(_turned(clause) for clause in _clauses(s)) for s in sentences(text)))


def _clauses(sentence: str) -> list[str]:
    return [piece for piece in _CLAUSE.split(sentence) if piece and piece not in ("or", "nor")]


def _turned(clause: str) -> str:
    if not _TELLS.match(clause) or _ORDERS.search(clause):
        return clause
    lacking = _LACKS.sub(" ", clause)
    return lacking if lacking != clause else f"when {clause.rstrip(';:')},"
