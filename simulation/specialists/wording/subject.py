"""Which fault a miner's record is about, as the engineer understands it from his own knowledge of the faults.

Naive Bayes over stems and pairs of stems, learned from the clauses of `FAULTS` alone: what the miner writes is
not among them, so that a record in new words may be misunderstood, or not understood at all.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import cache, lru_cache
from itertools import pairwise

from sigmaloop.simulation.specialists.wording.fault import Fault
from sigmaloop.simulation.specialists.wording.faults import FAULTS

_COMMON_WORDS = (
    "a an the and or of to in on for with by from at as is are was were be been it its that this these those they "
    "them their you your he she his her who which what when if while has have had do does did will would should "
    "must can may could agent customer"
)
_COMMON = frozenset(_COMMON_WORDS.split())
_PSEUDOCOUNT = 0.4
FLOOR = 4.4
"""Log odds over the average fault, summed over the text, below which nothing is recognised."""


def recognise(text: str) -> str | None:
    """The name of the fault that a text is about; None when it speaks of none."""
    name, odds = ranked(text)[0]
    return name if odds >= FLOOR else None


@lru_cache(maxsize=256)
def ranked(text: str) -> tuple[tuple[str, float], ...]:
    """Every fault with its log odds over the average one, the most likely first."""
    features = set(_features(text))
    odds = {name: sum(learned.get(f, 0.0) for f in features) for name, learned in _evidence().items()}
    return tuple(sorted(odds.items(), key=lambda pair: (-pair[1], pair[0])))


def _features(text: str) -> list[str]:
    stems = [_stem(w) for w in re.findall(r"[a-z]+", text.lower()) if w not in _COMMON]
    return stems + [f"{a} {b}" for a, b in pairwise(stems)]


def _stem(word: str) -> str:
    for ending in ("ations", "ation", "ions", "ion", "ings", "ing", "ies", "ed", "es", "s", "e", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word


def _words(fault: Fault) -> Counter[str]:
    """How often each feature occurs; a description of the trouble counts twice."""
    clauses = (*fault.when, *fault.do, *fault.avoid, *fault.avoiding, *fault.limit)
    counts: Counter[str] = Counter()
    for text in (*fault.trouble, *fault.trouble, fault.subject, *clauses):
        # Alternatives stand side by side here; pairs across a bar are no pairs.
        for piece in re.split(r"[\[\]|]", text):
            counts.update(_features(piece))
    return counts


@cache
def _evidence() -> dict[str, dict[str, float]]:
    """Per fault and feature the log of how much more often it occurs than with the average fault."""
    counts = {name: _words(fault) for name, fault in FAULTS.items()}
    total: Counter[str] = Counter()
    for found in counts.values():
        total.update(found)
    share = {name: sum(found.values()) / sum(total.values()) for name, found in counts.items()}
    return {
        name: {
            feature: math.log((found[feature] + _PSEUDOCOUNT) / (total[feature] * share[name] + _PSEUDOCOUNT))
            for feature in total
        }
        for name, found in counts.items()
    }
