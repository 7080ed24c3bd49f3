"""Plain words to signed concepts: what a sentence is about, and whether it is for or against it.

A sentence becomes a set of concepts (`lexicon`), each with the signs under which it occurs: +1 affirmed, -1 under
a negation ("never", "no need to", "rather than", "forget"). Two negations cancel: "never X without Y" is for Y.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from sigmaloop.simulation.reading.lexicon import CONCEPTS

Signed = Mapping[str, frozenset[int]]

_TOKEN = re.compile(r"[a-z0-9#$%@]+(?:'[a-z]+)?|[.,;:()!?=+\-]")
_REWRITES = (
    (re.compile(r"[’‘`]"), "'"),
    (re.compile(r"[_/]"), " "),
    (re.compile(r"\bcan't|\bcannot"), "can not"),
    (re.compile(r"\bwon't"), "will not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"\byes or no\b|\byes no\b"), "yes"),
    (re.compile(r"\b(say|saying|says|said) no\b"), "decline"),
    (re.compile(r"\bno less\b|\bno more( and|,)?|\bno longer\b|\bnot only\b(?=.*\bbut\b)"), " "),
    (
        re.compile(r"\bno matter\b|\birrespective of\b|\bregardless of\b|\bwhichever\b|\bdoes not matter\b"),
        "whatever",
    ),
    (re.compile(r"\b(instead of|rather than|as opposed to|in place of)\b"), "ratherthan"),
    (re.compile(r"\b(leave|leaves|leaving|left|drop|drops|dropping)( \w+){0,3} out\b"), r"leaveout\2"),
    (re.compile(r"\bleav(e|es|ing) (out|off)\b"), "leaveout"),
    (re.compile(r"\bno (reason|need|exception|use)\b"), r"not \1"),
    (re.compile(r"\bif not\b"), "otherwise"),
    (re.compile(r"\beven (if|though|when)\b"), "whatever"),
    (re.compile(r"\b(as|so) long as\b"), "aslongas"),
    (
        re.compile(r"\b(is|are|be) (not (needed|necessary|required)|optional|unnecessary|superfluous)\b"),
        "notneeded",
    ),
    (re.compile(r"\b(\w+)-(\w+)"), r"\1 \2"),
)
_DROPPED = frozenset({"a", "an", "the", "very", "then", "also", "really", "please", "just", "actually", "simply"})
_NEGATING = (
    "not never no nor neither avoid refrain skip omit forget ignore leaveout neglect overlook miss fail unnecessary "
    "nothing nobody without ratherthan bad incorrect drop disregard bypass"
)
_NEGATORS = frozenset(_NEGATING.split())
_RELEASES = frozenset({"until", "unless", "before", "prior", "except", "till", "aslongas"})
_CONDITIONS = frozenset({"if", "when", "whenever", "where", "because", "since"})
_CLAUSE_ENDS = frozenset({".", ";", ":", "(", ")", "!", "?", "but", "otherwise", "instead"})
_SENTENCE = re.compile(r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)(?<!etc\.)\s+|\n+")


def stem(word: str) -> str:
    """A light stem: plural, -ing, -ed, -ly and -ation endings go."""
    if len(word) <= 3 or not word.isalpha():
        return word
    for ending, keep in (
        ("ies", "y"),
        ("ied", "y"),
        ("ations", ""),
        ("ation", ""),
        ("ings", ""),
        ("ing", ""),
    ):
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


_FORMS = {
    "forgets": "forget", "forgetting": "forget", "forgotten": "forget", "forgot": "forget", "skips": "skip",
    "skipping": "skip", "skipped": "skip", "omits": "omit", "omitting": "omit", "omitted": "omit",
    "ignores": "ignore", "ignoring": "ignore", "ignored": "ignore", "avoiding": "avoid", "avoids": "avoid",
    "missing": "miss", "missed": "miss", "misses": "miss", "neglecting": "neglect", "neglects": "neglect",
    "overlooking": "overlook", "overlooks": "overlook", "fails": "fail", "failing": "fail",
    "drops": "drop", "dropping": "drop", "dropped": "drop", "stopping": "stop", "stops": "stop",
}  # fmt: skip


def words(sentence: str) -> list[str]:
    """Lower-case words and punctuation, contractions spelled out, negators in their base form."""
    text = sentence.lower()
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    return [_FORMS.get(w, w) for w in _TOKEN.findall(text) if w not in _DROPPED]


def signs(tokens: list[str]) -> list[int]:
    """For each token +1 where it is affirmed, -1 where it is negated."""
    sign, negated, condition, start = 1, False, False, 0
    result: list[int] = []
    for i, token in enumerate(tokens):
        if token in _CLAUSE_ENDS:
            sign, condition, start = 1, False, i
        elif token == ",":
            condition, start = False, i
            if not {"or", "nor"} & set(tokens[i + 1 : i + 5]):
                sign = 1
        elif token in _CONDITIONS:
            condition = True
        elif token == "notneeded":
            result[start:] = [-known for known in result[start:]]
        elif token in _RELEASES:
            sign = 1
        elif token == "without":
            sign = 1 if negated else -1
        elif token == "ratherthan" or (token == "whatever" and i > 0):
            sign = -1
        elif token in _NEGATORS:
            sign, negated = -sign, negated or not condition
        result.append(sign)
    return result


def _compile() -> dict[str, tuple[tuple[tuple[str, ...], str], ...]]:
    """First stem of a phrase -> the rest of the phrase and its concept."""
    index: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for concept, phrases in CONCEPTS.items():
        for phrase in phrases.split():
            stems = tuple(stem(_FORMS.get(w, w)) for w in phrase.split("_"))
            index.setdefault(stems[0], []).append((stems[1:], concept))
    return {first: tuple(rest) for first, rest in index.items()}


_INDEX = _compile()


@lru_cache(maxsize=4096)
def concepts(sentence: str) -> Signed:
    """The concepts of one sentence, each with the signs under which it occurs."""
    tokens = words(sentence)
    signs_of: dict[str, set[int]] = {}
    stems = [stem(t) for t in tokens]
    for i, sign in enumerate(signs(tokens)):
        for rest, concept in _INDEX.get(stems[i], ()):
            if _follows(stems, i + 1, rest):
                signs_of.setdefault(concept, set()).add(sign)
    return {concept: frozenset(values) for concept, values in signs_of.items()}


def _follows(stems: list[str], at: int, rest: tuple[str, ...]) -> bool:
    """Whether the stems continue like this. A star stands for up to five words."""
    for n, wanted in enumerate(rest):
        if wanted == "*":
            return any(_follows(stems, at + skip, rest[n + 1 :]) for skip in range(6))
        if at >= len(stems) or stems[at] != wanted:
            return False
        at += 1
    return True


def together(parts: Iterable[Signed]) -> dict[str, frozenset[int]]:
    """The concepts of several sentences read as one."""
    union: dict[str, frozenset[int]] = {}
    for part in parts:
        for concept, values in part.items():
            union[concept] = union.get(concept, frozenset()) | values
    return union


def sentences(text: str) -> list[str]:
    """Sentences and lines of a text, without bullets."""
    pieces = (piece.strip(" \t-*•>#\"'") for piece in _SENTENCE.split(text))
    return [piece for piece in pieces if len(piece) > 2]
