"""Which habit a text about a failure is about: what clusterer and judge know of language."""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import cache

from sigmaloop.simulation.specialists.phrasings import PHRASINGS

_STOP_WORDS = (
    "a after agent all always an and any are as at be been before by customer did do does each every for "
    "from had has have in instead is it its must never no not of on one only or should simply than that "
    "the their them then there they this to was were what when which who will with without would you your"
)
_STOP = frozenset(_STOP_WORDS.split())


def stems(text: str) -> list[str]:
    """Content words of a text, lightly stemmed, in order."""
    words = re.findall(r"[a-z]+", text.lower())
    return [_stem(w) for w in words if w not in _STOP and len(w) > 1]


def similarity(left: str, right: str) -> float:
    """Weighted share of common content words, in [0, 1] (cosine of inverse document frequencies)."""
    return _cosine(_vector(left), _vector(right))


def recognise(text: str, *, floor: float = 0.3) -> str | None:
    """The habit that a text is about, or None when it is about none in particular."""
    vector = _vector(text)
    best, score = max(
        ((habit, max(_cosine(vector, known) for known in vectors)) for habit, vectors in _known().items()),
        key=lambda pair: pair[1],
    )
    return best if score >= floor else None


def _stem(word: str) -> str:
    for ending in ("ations", "ation", "ings", "ing", "ies", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return word[:-1] if len(word) > 4 and word[-1] == word[-2] else word


@cache
def _weights() -> dict[str, float]:
    """Inverse frequency of a stem over the habits: words of one habit say the most."""
    counts: Counter[str] = Counter()
    for phrasing in PHRASINGS.values():
        counts.update(set(stems(" ".join(part for group in phrasing for part in group))))
    return {stem: math.log(1 + len(PHRASINGS) / count) for stem, count in counts.items()}


def _vector(text: str) -> dict[str, float]:
    weights = _weights()
    return {stem: weights.get(stem, 1.5) for stem in stems(text)}


def _cosine(left: dict[str, float], right: dict[str, float]) -> float:
    common = sum(weight * right[stem] for stem, weight in left.items() if stem in right)
    size = math.sqrt(sum(w * w for w in left.values()) * sum(w * w for w in right.values()))
    return common / size if size else 0.0


@cache
def _known() -> dict[str, list[dict[str, float]]]:
    """Every habit as the vectors of its wordings: one per cause and remedy, with every tag, and all together."""
    vectors = {}
    for habit, (mechanisms, causes, remedies) in PHRASINGS.items():
        pairs = [f"{m} {c} {r}" for m in mechanisms for c in causes for r in remedies]
        vectors[habit] = [_vector(text) for text in (*pairs, *remedies)]
    return vectors
