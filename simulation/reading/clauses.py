"""For and against: the sign of every word of a sentence, from its clauses.

+1: to be done, or required ("until", "only after"). -1: not to be done ("never", "no need to", "rather than", "is a
waste of time"). 0: a circumstance, neither for nor against ("if ...", "because ...", what people are said to do).
Two negations cancel: "never X without Y" is for Y. 2: permitted ("do not worry about").
"""

from __future__ import annotations

from typing import Literal


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HARD = frozenset({".", ";", ":", "(", ")", "!", "?", "but", "otherwise", "instead", "so", "yet", "therefore"})
_NEGATORS = _set(
    "not never no nor neither avoid skip omit forget ignore neglect overlook miss nothing nobody none bypass "
    "disregard withhold hide conceal lose noneed hardly rarely seldom drop unnecessary"
)
"""Words that turn round what follows."""
_CONDITIONS = _set("if when whenever where once while after upon assoonas provided in_case")
"""Openers of circumstances."""
_CONCESSIONS = frozenset({"whatever", "concede"})
_REASONS = frozenset({"because", "since"})
_RELEASES = frozenset({"until", "unless", "except", "till"})
_TELLERS = _set("we i people some lots many somebody parcels agents plenty")
"""Who is told of, where nothing is asked."""
_TOLD = _set("have been keep had was were seen see say write call omit come happen happens coming got get")
_DIRECTING = _set("must should shall never always need only will may can want ought not")
_IMPERATIVES = _set(
    "ask tell say compare verify identify choose get give make let include ensure provide mention inform explain "
    "calculate multiply convert read write see find collect gather handle wait confirm refuse decline perform "
    "execute send put insure apply add subtract deduct disclose do act keep take use look pay refund check quote "
    "state list note wait retry try correct reset match continue go pass bring work call finish"
)
"""Verbs with which an order begins, also without a comma before it."""
_VERBS_TOO = _set("return change exchange transfer charge cancel book pick grab settle insure offer multiply")
"""More of them, which are nouns as well."""
_PRONOUNS = _set("you they he she it we customer customers user tool tools i there both that")

_RELATIVES = _set("that which who whose whom what")
_INTRODUCE = _set(
    "assume think believe suppose guess pretend remember claim announce write report sure see ensure check confirm "
    "verify say tell know mean so now insist care take is not note and or , state"
)
"""After these, `that` opens no relative clause."""
_ASKING = _set("ask asking check see know inquire enquire inquired determine out goodidea wonder asked")
"""After these, `if` and `when` open an object, not a circumstance."""
_STATES = _set("stays stay remains remain must should is are")
_OCCASIONS = _set("after on upon for with in before prior")
_FINITE = _set("must should shall may ought")

Mode = Literal["main", "condition", "required", "than", "concession", "reason", "relative"]


class _Scan:
    """Reads a sentence word by word and keeps for each what it is worth."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens, self.signs = tokens, [0] * len(tokens)
        self.main = self.now = 1
        self.mode: Mode = "main"
        self.start = 0
        """Where the present clause began."""
        self.weight = 0
        """Words of the main clause since it was negated."""

    def read(self) -> list[int]:
        for i, token in enumerate(self.tokens):
            self._step(i, token)
        self._tell(len(self.tokens))
        return self.signs

    def _step(self, i: int, token: str) -> None:
        if token in ("nothing", "nobody", "no") and self.mode == "condition" and self.tokens[self.start] in _OCCASIONS:
            self.mode, self.now = "main", self.main
        if token in _HARD:
            self._boundary(i, token)
        elif token == ",":
            self._comma(i)
        elif token in _RELEASES:
            self._enter("required", 1)
        elif token == "before" or (token == "prior" and self.tokens[i + 1 : i + 2] == ["to"]):
            required = self.main == -1 or self.now == -1
            self._enter("required" if required else "condition", 1 if required else 0)
        elif token == "without":
            fronted = i == self.start and "," in self.tokens[i:]
            self._enter("condition" if fronted else "than", 0 if fronted else 1 if -1 in (self.main, self.now) else -1)
        elif token == "ratherthan":
            self._enter("than", -1 if i == self.start else -self.main)
        elif token == "than" and self.mode == "main" and not self._counts(i):
            self._enter("than", 0)
        elif token in _CONCESSIONS:
            self._enter("concession", 0 if i == self.start or self.main == -1 else -1)
        elif token in _REASONS:
            self._enter("reason", 0)
        elif token in _CONDITIONS and self._opens_condition(i, token):
            required = "only" in self.tokens[max(self.start, i - 6) : i]
            self._enter("required" if required else "condition", 1 if required else 0)
        elif token == "licence":
            self._enter("main", 2)
        elif token in ("badidea", "would"):
            self._turn(i)
        elif token in _NEGATORS:
            self._negate(i, token)
        elif self.mode == "main" and i > self.start and token in _RELATIVES and self.tokens[i - 1] not in _INTRODUCE:
            self._enter("relative", 0 if self.now == -1 else self.now)
        elif self.mode == "relative" and token in _FINITE:
            self._enter("main", self.main)
        elif self._ends_condition(i, token):
            self.mode, self.now = "main", self.main
        self.signs[i] = self.now
        self.weight += self.mode == "main"

    def _counts(self, i: int) -> bool:
        """More than one: no comparison."""
        return self.tokens[i - 1] in ("more", "less", "fewer") and self.tokens[i + 1 : i + 2] in (
            ["one"],
            ["two"],
            ["1"],
        )

    def _enter(self, mode: Mode, sign: int) -> None:
        self.mode, self.now = mode, sign

    def _boundary(self, i: int, token: str) -> None:
        carried = (
            token == ":" and self.main == -1 and {"this", "following", "advice"} & set(self.tokens[self.start : i])
        )
        self._tell(i)
        self.main = self.now = -1 if carried else 1
        self.mode, self.start = "main", i + 1

    def _comma(self, i: int) -> None:
        following = self.tokens[i + 1 : i + 5]
        if self.mode in ("condition", "concession", "reason", "than", "required", "relative"):
            if self.mode == "than" and {"or", "nor"} & set(following):
                return
            listed = self.mode in ("condition", "concession", "relative") and "or" in following and self.start < i - 6
            if listed:
                return
            if self.main == -1 and self.weight > 2:
                self.main = 1
            self.mode, self.now = "main", self.main
        elif not {"or", "nor"} & set(following) and not _CONCESSIONS & set(following[:1]):
            self._tell(i)
            self.main = self.now = 1
        self.start = i + 1

    def _opens_condition(self, i: int, token: str) -> bool:
        if self.mode == "condition" or (i > self.start and _ASKING & set(self.tokens[max(0, i - 2) : i])):
            return False
        if token == "once":
            following = self.tokens[i + 1 : i + 2]
            fronted = i == self.start or self.tokens[i - 1] in ("only", ",")
            return fronted and bool(following) and following[0] not in ("per", "more", "again", "for", "and", ",", ".")
        return True

    def _ends_condition(self, i: int, token: str) -> bool:
        """A fronted condition without a comma ends where the order begins: `after an error read the message`."""
        if self.mode == "than" and self.tokens[self.start] == "ratherthan":
            return i > self.start + 1 and token in _IMPERATIVES | _VERBS_TOO and "," not in self.tokens[i:]
        if self.mode == "concession" and self.tokens[self.start] in _CONCESSIONS:
            return i > self.start + 2 and token in _STATES and "," not in self.tokens[i:]
        if self.mode != "condition" or i - self.start < 2:
            return False
        if token == "make" and self.tokens[i + 1 : i + 2] == ["sure"]:
            return True
        if token in _FINITE and self.tokens[self.start] in _OCCASIONS:
            return True
        if token not in _IMPERATIVES:
            return False
        if "," in self.tokens[i:] and self.tokens[self.start] in ("if", "when", "whenever", "where", "while", "once"):
            return False
        if self.tokens[self.start] not in _CONDITIONS | {"before", "prior"}:
            return False
        return self.tokens[i - 1] not in _PRONOUNS | {
            "to",
            "not",
            "can",
            "may",
            "must",
            "will",
            "and",
            "or",
            "do",
            "of",
        }

    def _negate(self, i: int, token: str) -> None:
        if self.mode in ("condition", "reason", "concession") and token != "noneed":
            return
        if self.mode == "relative":
            self.now = 0
            return
        if self.mode == "required" and token in ("none", "neither", "nobody", "nothing", "nor", "no"):
            self.now = 0
            return
        if token == "no" and self.tokens[i - 1 : i] == ["with"]:
            self.now = -1
            return
        if token in ("no", "nothing", "none", "nobody") and i > self.start and self.signs[i - 1] == 1:
            self.signs[i - 1] = -1  # "offer nothing that", "make no exception"
        self.now = -self.now if self.now else -1
        if self.mode == "main":
            self.main, self.weight = self.now, 0

    def _turn(self, i: int) -> None:
        """`X is a waste of time`: what was said for X is against it; `it is wrong to X`."""
        told = False
        for at in range(self.start, i):
            if self.tokens[at] not in ("it", "that", "this", "which", "there", "and"):
                told = True
            if self.signs[at] or self.mode == "reason":
                self.signs[at] = 1 if self.signs[at] == -1 else -1
        if told:
            self.now = 0
            return
        self.now = -self.now if self.now else -1
        if self.mode == "main":
            self.main = self.now

    def _tell(self, end: int) -> None:
        """What people are said to have done is no order."""
        clause = self.tokens[self.start : end]
        if clause and clause[0] in _TELLERS and _TOLD & set(clause) and not (_DIRECTING - {"not"}) & set(clause):
            self.signs[self.start : end] = [0] * (end - self.start)


def signs(tokens: list[str]) -> list[int]:
    """For each token +1, -1 or 0."""
    return _Scan(tokens).read()
