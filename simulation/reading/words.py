"""A sentence as a list of words: lower case, contractions spelled out, set phrases as one word, light stems."""

from __future__ import annotations

import re
from functools import lru_cache

from sigmaloop.simulation.reading.set_phrases import REWRITES

_TOKEN = re.compile(r"[a-z0-9#$%@]+(?:'[a-z]+)?|[.,;:()!?=+\-<>]")
_QUOTED = re.compile(r"\"[^\"\n]{0,80}\"|“[^”\n]{0,80}”|(?<![\w])'[^'\n]{2,80}'(?![\w])")
_DROPPED = frozenset({"a", "an", "the", "very", "also", "really", "please", "just", "actually", "simply", "kindly"})
_FORMS = {
    "forgets": "forget", "forgetting": "forget", "forgotten": "forget", "forgot": "forget", "skips": "skip",
    "skipping": "skip", "skipped": "skip", "omits": "omit", "omitting": "omit", "omitted": "omit",
    "ignores": "ignore", "ignoring": "ignore", "ignored": "ignore", "avoiding": "avoid", "avoids": "avoid",
    "missing": "missing", "missed": "miss", "misses": "miss", "neglecting": "neglect", "neglects": "neglect",
    "overlooking": "overlook", "overlooks": "overlook", "fails": "fails", "failing": "failing",
    "dropping": "drop", "bypassing": "bypass", "disregarding": "disregard",
    "withholding": "withhold", "hiding": "hide", "told": "tell", "said": "say", "made": "make", "took": "take",
    "taken": "take", "gave": "give", "got": "get", "sent": "send", "paid": "pay", "went": "go",
    "gone": "go", "chosen": "choose", "chose": "choose", "found": "find", "kept": "keep", "meant": "mean",
    "wrote": "write", "written": "write", "cancelled": "cancel", "canceled": "cancel", "owed": "owe", "does": "do",
    "flew": "fly", "booked": "book", "bought": "buy", "swapped": "swap", "left": "leave", "sold": "sell",
}  # fmt: skip
_SENTENCE = re.compile(r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)(?<!etc\.)[\")”']?\s+|\n+")


def plain(sentence: str) -> str:
    """Lower case; what stands in quotation marks is a mention and keeps only its words, without negations."""
    text = _QUOTED.sub(_mention, sentence.replace("’", "'")).lower()
    for pattern, replacement in REWRITES:
        text = pattern.sub(replacement, text)
    return text


def _mention(match: re.Match[str]) -> str:
    inner = re.sub(r"[^\w\s?]", " ", match.group()[1:-1])
    return " saidwords " + re.sub(r"\b(no|not|never|n't|without)\b", "", inner, flags=re.I) + " endwords "


def words(sentence: str) -> list[str]:
    """Words and punctuation of a sentence."""
    return [_FORMS.get(w, w) for w in _TOKEN.findall(plain(sentence)) if w not in _DROPPED]


def sentences(text: str) -> list[str]:
    """Sentences and lines of a text, without bullets."""
    pieces = (piece.strip(" \t-*•>#") for piece in _SENTENCE.split(text))
    return [piece for piece in pieces if len(piece) > 2]


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """A light stem: plural, -ing, -ed, -ly and -ation endings go."""
    if len(word) <= 3 or not word.isalpha():
        return word
    for ending, keep in (("ies", "y"), ("ied", "y"), ("ations", ""), ("ation", ""), ("ings", ""), ("ing", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return _undouble(word[: -len(ending)] + keep)
    for ending in ("ers", "er", "edly", "ed", "ely", "ly", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith(("ss", "eed")):
            return _undouble(word[: -len(ending)])
    return _undouble(word)


def _undouble(word: str) -> str:
    """Cancelled, shipped: one consonant at the end, and no mute e."""
    if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "sz":
        return word[:-1]
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


def form(word: str) -> str:
    """The stem of a word, irregular forms included: what the lexicon is compared by."""
    return stem(_FORMS.get(word, word))
