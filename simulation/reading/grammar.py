"""Whether words stand in an order in which people write: shuffled words and lists of keywords mean nothing.

No parser: a sentence is given up when small words stand where English does not let them ("the before", "of or",
"the" at the end), or when it is nothing but a heap of nouns.
"""

from __future__ import annotations

import re
from functools import lru_cache

from sigmaloop.simulation.reading.word_order import likeness

_QUOTED = re.compile(r"\"[^\"\n]{0,80}\"|“[^”\n]{0,80}”|(?<!\w)'[^'\n]{2,80}'(?!\w)")
_WORD = re.compile(r"[a-z0-9$%]+(?:[_'][a-z0-9]+)*|[.,;:()!?=+<>\"&]|[-–—]+>?")


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_DETERMINERS = _set("the a an its their my your our every")
_FULL_STOP = _set(". ; : ! ? ) END")
_STOPS = _FULL_STOP | _set(", ( = + - – — -> < >")
_STRICT_PREPOSITIONS = _set("of per via into during until without upon within toward towards among")
_PREPOSITIONS = _STRICT_PREPOSITIONS | _set("in on for by with from at about against to onto off out up over under")
_MODALS = _set("can could may might must shall should will would cannot")
_FINITE = _set("is are was were")
_DO = _set("do does did")
_HAVE = _set("has have had")
_AUXILIARIES = _MODALS | _FINITE | _HAVE | _DO
_AND = _set("and or nor")
_SUBORDINATORS = _set("if when whenever whether because unless while although though")
_SUBJECTS = _set("he she they i we")
_VERBS = _set(
    "ask tell say compare verify identify choose get give make let include ensure provide inform explain retry "
    "calculate multiply convert find collect gather handle confirm avoid forget ignore omit decline perform execute "
    "send put insure resume apply add subtract deduct disclose become bring know want pay keep take see refuse ensure "
    "happen belong mention wait transfer copy retrieve obtain reimburse subtract deduct state"
)
_ONLY_VERBS = _VERBS - _set("wait transfer copy keep state say add")
_QUANTIFIERS = _set("all several each every one both many two")
_ADJECTIVES = _set("exact original whole full complete entire")
_CHAINING = _ONLY_VERBS - _set("belong happen want know become refuse bring send")
_HELPERS = _set("let make help have see get keep give want know go take")
"""Verbs that may be followed by another one: `let them choose`, `make sure`."""
_LINKS = _STOPS | _set(
    "and or nor but to that if when whenever whether where which who what how why before after until unless by "
    "without then than not never always only so because while as since once for can could may might must shall should "
    "will would do does did it they he she you we is are be them until instead just also even"
)
"""Words that may stand between one verb and the next."""
_NO_NEIGHBOUR: dict[str, frozenset[str]] = {
    "anything": _ONLY_VERBS - {"add"},
    "something": _ONLY_VERBS - {"add"},
    "nothing": _ONLY_VERBS - {"add"},
    "cheapest": _DETERMINERS,
    "lowest": _DETERMINERS | _ONLY_VERBS,
    "several": _DETERMINERS | _FINITE | _QUANTIFIERS | _set("named asked compare take before"),
    "all": _set("per several each every one") | _ONLY_VERBS,
    "both": _set("several each every one all"),
    "one": _set("all several each every the orders items") | _ONLY_VERBS,
    "before": _FULL_STOP | _set("and or of is are"),
    "after": _FULL_STOP | _set("and or of is are"),
    "always": _DETERMINERS | _FULL_STOP | _AND | _set("to exact amount of for"),
    "never": _FULL_STOP | _AND | _set("of for exact"),
    "per": _STOPS | _QUANTIFIERS | _ONLY_VERBS | _set("then once single call items"),
    "via": _STOPS,
    **dict.fromkeys(
        _ADJECTIVES,
        _ONLY_VERBS | _DETERMINERS | _FULL_STOP | _set("to on by with from at customer charged say and"),
    ),
    **dict.fromkeys(("new", "own"), _STOPS - {"(", ","}),
}
"""Words that can not stand right after the first."""
_EXCUSES: dict[str, frozenset[str]] = {
    "always": _FINITE,
    "after": _set("straight right soon shortly morning day"),
    "before": _set("as than ever day week one time"),
    "new": _set("something anything nothing"),
    "own": _set("their its your his her my of"),
    "one": _set("any each every this that which the only no"),
    "exact": _set("be is"),
    "full": _set("in"),
    "complete": _set("is be are must"),
}
"""Unless one of these stands right before it."""


@lru_cache(maxsize=8192)
def readable(sentence: str) -> bool:
    """Whether the words stand in an order in which somebody may have written them."""
    sentence = _QUOTED.sub(" it ", re.sub(r":\s*(?=true\b|false\b)", " ", sentence))
    tokens = [*_WORD.findall(sentence.lower().replace("’", "'")), "END"]
    content = sum(t not in _STOPS for t in tokens)
    if content < 2:
        return content == 1 and "_" in tokens[0]
    faults = _misplaced(tokens) + _chains(tokens) + _heaps(tokens) + _keywords(tokens)
    return likeness(sentence) - FAULT * faults >= _least(content)


FAULT = 0.6
"""What a misplaced small word takes from the likeness of a sentence."""


def _least(content: int) -> float:
    """The least likeness to English of so many words: short lines are often terse, long ones hardly ever."""
    return next(least for most, least in _LEAST if content <= most)


_LEAST = ((4, -0.45), (6, -0.22), (9, -0.13), (20, -0.1), (10_000, -0.15))


def _misplaced(tokens: list[str]) -> int:
    return sum(
        _clashes(before, word, after)
        for before, word, after in zip(["START", *tokens], tokens, [*tokens[1:], "END"], strict=False)
        if word != "END"
    )


def _clashes(before: str, word: str, after: str) -> bool:
    """Whether a small word can not stand between these two."""
    if word in _DETERMINERS:
        return (
            after in _FULL_STOP
            or after == ","
            or (
                after != "while"
                and after in _DETERMINERS | _PREPOSITIONS | _AUXILIARIES | _AND | _SUBORDINATORS | _SUBJECTS
            )
            or after in _set("before after then not there them him us it that this is also always else")
            or (after in _ONLY_VERBS and after not in ("find", "refuse", "handle"))
        )
    if word in _STRICT_PREPOSITIONS:
        return (
            after in _FULL_STOP
            or after in _AUXILIARIES
            or (after in _AND and word in ("of", "per", "via", "during"))
            or after in _PREPOSITIONS - {"in", "at", "up", "over", "to"}
            or after in _set("then not else")
            or (word == "of" and after in _set("found made given said to"))
        )
    if word == "to":
        return after in _set("is are was were of to can must should may if because unless then could would")
    if word in _PREPOSITIONS:
        return (
            after in _MODALS - ({"may"} if word == "up" else set())
            or after in ("nor", "then")
            or (after == "of" and word != "out")
        )
    if word in _MODALS:
        return after in _set("of to for from with by in on at or nor is are was were has had because if unless") or (
            after in _MODALS or (after in _DETERMINERS and before not in _STOPS and before != "START")
        )
    if word in _FINITE:
        return after in _FINITE | _MODALS | _DO | {"nor"} or (before in _AND and after in _set("the a an"))
    if word in _DO:
        return after in _FINITE | _MODALS | _set("of to for from with by nor")
    if word == "not":
        return (
            (after in _FULL_STOP and before != "or")
            or after in _FINITE | _MODALS | _set("of nor")
            or (
                after in _ONLY_VERBS
                and before not in _AUXILIARIES | _STOPS | _set("to and or not why START but do just simply")
            )
        )
    if word in _AND:
        return (
            after in _FULL_STOP
            or after in _AND
            or (word == "nor" and before == "START")
            or (word == "or" and before == "START")
        )
    if word in _SUBORDINATORS:
        allowed = {"whether": "or", "because": "of"}.get(word, "")
        return after in _FULL_STOP or after in _FINITE | _MODALS | _set("of or nor") - {allowed}
    if word in _SUBJECTS:
        return after in _DETERMINERS | _FULL_STOP | _set("of for from with by nor in on at")
    return _content_clashes(before, word, after)


def _content_clashes(before: str, word: str, after: str) -> bool:
    if word == "else":
        return before not in _BEFORE_ELSE
    if word == "there":
        return after not in _AFTER_THERE
    if word in ("anything", "something", "nothing") and before in _DETERMINERS:
        return True
    if word == "before" and before.endswith("ed"):
        return False
    return after in _NO_NEIGHBOUR.get(word, ()) and before not in _EXCUSES.get(word, ())


_BEFORE_ELSE = _STOPS | _set(
    "anything something nothing everything anyone someone somebody anybody nobody or who what where how"
)
_AFTER_THERE = (
    _STOPS | _AUXILIARIES | _AND | _PREPOSITIONS
    | _set(
        "there's anything something any no must exists remains stands it if when and or where is not before after "
        "until rather again as too"
    )
)  # fmt: skip


def _chains(tokens: list[str]) -> int:
    """Verbs in a row with nothing between them that could link them."""
    faults, open_verb = 0, False
    for token in tokens:
        if token in _CHAINING:
            faults += open_verb
            open_verb = token not in _HELPERS
        elif token in _LINKS or token.endswith("n't"):
            open_verb = False
    return faults


_SMALL = (
    _DETERMINERS | _PREPOSITIONS | _AUXILIARIES | _AND | _SUBORDINATORS | _SUBJECTS | _STOPS
    | _set(
        "that which who what where how why it them you him her us this these those his not never only always both each "
        "all any some no be been being as than then before after once again too also yet just even more most less so "
        "there instead rather first second yes look use call try make get take do goes comes works keep stays give go "
        "anything something let ask tell say set whose least such"
    )
)  # fmt: skip


def _heaps(tokens: list[str]) -> int:
    """Runs of words with nothing small between them, or hardly anything small at all."""
    worst = run = 0
    for token in tokens:
        run = 0 if token in _SMALL else run + 1
        worst = max(worst, run)
    plain = [token for token in tokens if token not in _STOPS]
    bare = len(plain) >= 7 and len(plain) == len(tokens) - 1 and sum(t in _SMALL for t in plain) < 0.2 * len(plain)
    return bare + (0 if worst < 6 else 1 if worst == 6 and len(tokens) > 12 else 2)


def _keywords(tokens: list[str]) -> int:
    """A list of single words, comma after comma."""
    commas = [i for i, token in enumerate(tokens) if token in (",", "END")]
    lengths = [b - a - 1 for a, b in zip([-1, *commas], commas, strict=False)]
    single = sum(length <= 1 for length in lengths)
    return 2 if len(lengths) >= 4 and single >= 0.7 * len(lengths) else 0
