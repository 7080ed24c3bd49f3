"""How the simulated model reads its harness: for each habit, how strongly the model is told to avoid it.

Everything that the harness wrote is split into statements: sentences of system messages (outside the policy), worked
examples, notes in tool descriptions, and what code put into the conversation. A statement counts by what it says
(`language`, `cures`), never by a marker or a template. Descriptions of parameters are not read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Literal

from sigmaloop.records import Record
from sigmaloop.simulation.habits import CURES, HABITS, OPPOSED, TOO_BROAD
from sigmaloop.simulation.reading.language import Signed, concepts, sentences, together

Meaning = Literal["cure", "vague", "contrary", "none"]

RULE, EXAMPLE, TOOL, CHECK, VAGUE, CONTRARY = 0.25, 0.15, 0.10, 0.02, 0.90, 1.8
"""What a statement of each kind multiplies a habit's rate by."""
AGAIN = 0.75
"""Each further rule, example or note that says the same multiplies the rate by this."""
NO_POLICY = 2.4
"""Every rate is multiplied by this when the policy is missing."""
LONG, DUPLICATE, CONTRADICTION, WORST_LOAD = 0.02, 0.05, 0.12, 1.8
"""What each rule beyond 30, each repeated rule and each contradiction adds to every rate; and the most in all."""

_POLICY = re.compile(r"^# Policy\b.*?(?:^End of policy\.?[ \t]*$|\Z)", re.M | re.S)
_EXAMPLE_HEAD = re.compile(
    r"^[ \t#*]*(worked |good |bad )?examples?\b[^\n]{0,40}:?[ \t*]*$|^[ \t]*examples? ?\d*[:.]", re.I
)
_SPEAKER = re.compile(r"^\W{0,3}(customer|user|caller|client|agent|assistant|you|bot)\b[^:\n]{0,40}:", re.I | re.M)
_AGENT = re.compile(r"^\W{0,3}(agent|assistant|you|bot)\b[^:\n]{0,40}:", re.I | re.M)
_SAID = frozenset({1})
_COMMANDS = re.compile(
    r"\b(must|should|always|never|only|do not|don't|before|make sure|ensure|last resort|ask|tell|exactly|has to|"
    r"have to)\b",
    re.I,
)
_DIRECTS = re.compile(
    rf"{_COMMANDS.pattern}|^\w+: |\b(first|after(wards)?|once|twice|just|check|verify|confirm|compare|choose|pick|"
    r"take|use|call|match|look|find|book|count|convert|calculate|multiply|add|subtract|include|give|say|state|mention|"
    r"inform|pass|copy|keep|read|retry|try|correct|reset|refund|pay|list|wait|avoid|refrain|requires?|needs?|"
    r"when|if|unless|until|without|instead|rather|"
    r"not (simply|automatically|just|to be)|(is|are) not (enough|sorted)|cannot|can be|in question|customer "
    r"(named|asked|wants|gave|has))\b",
    re.I,
)
_NARROW = re.compile(
    r"\bthis case\b|\bfor (the |this )?customer\b[^.:]{0,60}\bonly\b|\bcustomer [A-Z]\w+ [A-Z]\w+|"
    r"\b(cu|or|rs|it|sku|pr|pm|fl|ln|bi|ch|pl|pa)_\w{3,}|[\w.]+@[\w.]+\.\w+"
)
_FOR_INSTANCE = re.compile(r"\be\.g\.|such as|for example|for instance|\blike\b", re.I)


class Reading(Record):
    """How often each habit strikes under a harness, before the conversation begins."""

    multipliers: dict[str, float]
    bumps: dict[str, float]
    """Added to the rate by over-broad rules."""
    load: float
    """By how much a long, repetitive or contradictory prompt (or a missing policy) raises every rate."""

    def rate(self, habit: str, checks: Sequence[str] = ()) -> float:
        """Probability that the habit strikes, given what code has said in this conversation so far."""
        rate = min(0.95, HABITS[habit].rate * self.multipliers[habit] * self.load + self.bumps.get(habit, 0.0))
        if any(objects(text, habit) for text in checks):
            rate *= CHECK
        return rate


@lru_cache(maxsize=512)
def read(system: tuple[str, ...], tools: tuple[tuple[str, str], ...]) -> Reading:
    """Read a harness: its system messages, and its tools as pairs of name and description."""
    text = "\n\n".join(system)
    has_policy = any(len(section) > 300 for section in _POLICY.findall(text))
    prose, examples = _split(_POLICY.sub("\n\n", text))
    rules = sentences(prose)
    channels: list[tuple[float, list[dict[str, Meaning]]]] = [
        (RULE, _meanings(rules)),
        (EXAMPLE, [_example(example) for example in examples]),
        (TOOL, [_note(name, sentence) for name, description in tools for sentence in notes(description)]),
    ]
    multipliers, contradictions = {}, 0
    for habit in HABITS:
        multipliers[habit], contradicted = _multiplier(habit, channels)
        contradictions += contradicted
    load = _load(rules, contradictions) * (1.0 if has_policy else NO_POLICY)
    statements = [*rules, *(s for _, description in tools for s in notes(description))]
    return Reading(multipliers=multipliers, bumps=_bumps(concepts(s) for s in statements), load=load)


def notes(description: str) -> list[str]:
    """The sentences of a tool's description that tell its user what to do, not what the tool does."""
    first, *rest = sentences(description) or [""]
    return [s for s in (first,) if _COMMANDS.search(s)] + [s for s in rest if _DIRECTS.search(s)]


def objects(text: str, habit: str) -> bool:
    """Whether an objection of the agent's code is about the habit. Signs do not matter: it may name the mistake."""
    return _objections(text).get(habit, False)


@lru_cache(maxsize=1024)
def _objections(text: str) -> dict[str, bool]:
    statement = together(concepts(s) for s in sentences(text))
    return {habit: any(_meets(statement, pattern, _any_sign) for pattern in CURES[habit]) for habit in HABITS}


def meaning(statement: Signed, habit: str) -> Meaning:
    """What a statement with these concepts says about a habit."""
    if any(_meets(statement, pattern, _same_sign) for pattern in OPPOSED.get(habit, ())):
        return "contrary"
    if any(_meets(statement, pattern[1:], _same_sign) for pattern in CURES[habit] if pattern[0] == "~"):
        return "cure"
    plain = [pattern for pattern in CURES[habit] if pattern[0] != "~"]
    cures = sum(_meets(statement, pattern, _same_sign) for pattern in plain)
    against = sum(_meets(statement, pattern, _other_sign) for pattern in plain)
    if cures > against:
        return "cure"
    if against > cures:
        return "contrary"
    if cures or (any(concept in statement for concept in _nouns(habit)) and "careful" in statement):
        return "vague"
    return "none"


def _split(text: str) -> tuple[str, list[str]]:
    """Plain prose, and the blocks that are worked examples."""
    prose, examples, inside = [], [], False
    for block in re.split(r"\n[ \t]*\n", text):
        headed = bool(_EXAMPLE_HEAD.search(block.split("\n", 1)[0]))
        inside = headed or (inside and not _is_list(block))
        if inside or _SPEAKER.search(block):
            examples.append(block)
        else:
            prose.append(block)
    return "\n\n".join(prose), examples


def _is_list(block: str) -> bool:
    """Rules follow: a list, or a heading such as `Rules:`."""
    return bool(
        re.match(
            r"[ \t]*([-*•]|\d+[.)])[ \t]|[ \t]*#|[^\n]{0,40}(rules|reminders|instructions)\b[^\n]*:",
            block,
            re.I,
        )
    )


@lru_cache(maxsize=4096)
def _rule(sentence: str) -> dict[str, Meaning]:
    """Meaning for each habit; a rule about one customer's ids teaches next to nothing."""
    statement = concepts(sentence)
    meanings = {habit: meaning(statement, habit) for habit in HABITS}
    if _NARROW.search(sentence) and not _FOR_INSTANCE.search(sentence):
        return {habit: "vague" if kind == "cure" else kind for habit, kind in meanings.items()}
    return meanings


def _meanings(rules: Sequence[str]) -> list[dict[str, Meaning]]:
    return [_rule(sentence) for sentence in rules]


@lru_cache(maxsize=4096)
def _note(name: str, sentence: str) -> dict[str, Meaning]:
    """A note in the description of a tool speaks of that tool."""
    statement = together((concepts(sentence), concepts(name)))
    return {habit: meaning(statement, habit) for habit in HABITS}


@lru_cache(maxsize=1024)
def _example(block: str) -> dict[str, Meaning]:
    """An example is read as a whole: what happens in it is to be imitated."""
    statement = together(concepts(s) for s in sentences(block))
    if _AGENT.search(block):
        statement = {**statement, "say": _SAID, **({"ask": _SAID} if "?" in block else {})}
    return {habit: meaning(statement, habit) for habit in HABITS}


def _multiplier(habit: str, channels: Iterable[tuple[float, list[dict[str, Meaning]]]]) -> tuple[float, bool]:
    """Strongest cure first, every further one helps a little more; and whether anything contradicts a cure."""
    strengths: list[float] = []
    vague = against = False
    for strength, statements in channels:
        kinds = [statement[habit] for statement in statements]
        strengths += [strength] * kinds.count("cure")
        vague |= "vague" in kinds
        against |= "contrary" in kinds
    result = VAGUE if vague else 1.0
    if strengths:
        result = min(strengths) * AGAIN ** min(3, len(strengths) - 1)
    return (result * CONTRARY, bool(strengths)) if against else (result, False)


def _bumps(statements: Iterable[Signed]) -> dict[str, float]:
    """By how much over-broad statements raise the rate of which habits."""
    raised: dict[str, float] = {}
    for statement in statements:
        for pattern, effects in TOO_BROAD:
            if _meets(statement, pattern, _same_sign):
                for habit, by in effects.items():
                    raised[habit] = max(by, raised.get(habit, 0.0))
    return raised


def _load(rules: Sequence[str], contradictions: int) -> float:
    """How much a long, repetitive or contradictory prompt distracts."""
    signatures = [frozenset(re.findall(r"[a-z]{4,}", rule.lower())) for rule in rules]
    repeated = sum(
        any(_alike(signature, earlier) for earlier in signatures[max(0, i - 80) : i])
        for i, signature in enumerate(signatures)
    )
    load = 1.0 + LONG * max(0, len(rules) - 30) + DUPLICATE * repeated + CONTRADICTION * contradictions
    return min(WORST_LOAD, load)


def _alike(a: frozenset[str], b: frozenset[str]) -> bool:
    return len(a) > 2 and len(a & b) >= 0.7 * len(a | b)


Sense = Callable[[str, frozenset[int]], bool]


def _same_sign(sign: str, signs: frozenset[int]) -> bool:
    return (1 if sign == "+" else -1) in signs


def _other_sign(sign: str, signs: frozenset[int]) -> bool:
    return signs == {-1 if sign == "+" else 1}


def _any_sign(sign: str, signs: frozenset[int]) -> bool:
    return bool(signs)


def _meets(statement: Signed, pattern: str, sense: Sense) -> bool:
    for sign, names in _terms(pattern):
        occurrences = [statement[name] for name in names if name in statement]
        if sign == "!":
            if occurrences:
                return False
            continue
        if not any(not sign or sense(sign, signs) for signs in occurrences):
            return False
    return True


@lru_cache(maxsize=512)
def _terms(pattern: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    terms = pattern.lstrip("~").split()
    return tuple((t[0] if t[0] in "+-!" else "", tuple(t.lstrip("+-!").split("|"))) for t in terms)


@lru_cache(maxsize=64)
def _nouns(habit: str) -> frozenset[str]:
    return frozenset(name for pattern in CURES[habit] for _, names in _terms(pattern) for name in names)
