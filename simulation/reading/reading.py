"""How the simulated model reads its harness: for each habit, how strongly the model is told to avoid it.

Everything that the harness wrote is split into statements (`harness`). A statement counts by what it says
(`meaning`) and by its place, never by a marker or a template: a rule or a reminder that code puts in, a worked
example, a note in a tool's description, an objection of code to what the model was about to do. Attention is finite:
the more there is to keep in mind, the less each statement does. Descriptions of parameters are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from sigmaloop.records import Record, digest
from sigmaloop.simulation.habits import HABITS
from sigmaloop.simulation.reading.broad import bumps
from sigmaloop.simulation.reading.grammar import readable
from sigmaloop.simulation.reading.harness import Harness, Statement, harness, statements
from sigmaloop.simulation.reading.meaning import Meaning, Meanings, meanings
from sigmaloop.simulation.reading.objection import objection
from sigmaloop.simulation.reading.words import sentences

RULE, EXAMPLE, TOOL, CHECK, VAGUE, CONTRARY = 0.25, 0.15, 0.10, 0.02, 0.90, 1.8
"""What a statement of each kind multiplies a habit's rate by, with the model's full attention."""
AGAIN = 0.75
"""Each further rule, example or note that says the same multiplies the rate by this."""
NO_POLICY = 2.4
"""Every rate is multiplied by this when the policy is missing, and by less when only a part of it is."""
SPAN, FADING = 20.0, 0.7
"""Statements that the model can keep in mind at once; of n more than that, each does (SPAN / n) ** FADING as much."""
LONG, DUPLICATE, CONTRADICTION, GIBBERISH, WORST_LOAD = 0.005, 0.03, 0.12, 0.01, 1.8
"""What each statement beyond SPAN, each repeated one, each contradiction and each line that is no sentence adds to
every rate; and the most in all."""
_WORDS_OF_A_RULE, _WORDS_OF_AN_EXAMPLE = 25, 30
_NARROW = re.compile(
    r"\bthis case\b|\bfor (the |this )?customer\b[^.:]{0,60}\bonly\b|\bcustomer [A-Z]\w+ [A-Z]\w+|"
    r"\b(cu|or|rs|it|sku|pr|pm|fl|ln|bi|ch|pl|pa)_\w{3,}|[\w.]+@[\w.]+\.\w+"
)
_FOR_INSTANCE = re.compile(r"\be\.g\.|such as|for example|for instance|\blike\b", re.I)
_AGENT_LINE = re.compile(r"^\W{0,3}(agent|assistant|you|bot)\b", re.I)
_CUSTOMER_LINE = re.compile(r"^\W{0,3}(customer|user|caller|client)\b[^:\n]{0,40}:", re.I)
_ORDER = re.compile(r"(do not|don't|never|avoid|there is no|no |skip|leave)", re.I)
_BAD_LINE = re.compile(r"\b(bad|wrong|not like this|incorrect)\b\s*:.*", re.I)


class Reading(Record):
    """How often each habit strikes under a harness, before the conversation begins."""

    multipliers: dict[str, float]
    bumps: dict[str, float]
    """Added to the rate by over-broad rules."""
    load: float
    """By how much a long, repetitive or contradictory prompt (or a missing policy) raises every rate."""
    focus: float = 1.0
    """How much of its effect a statement keeps beside all the others."""
    edition: str = ""
    """Names the words of the harness: another wording has other luck."""

    def rate(self, habit: str, checks: Sequence[str] = ()) -> float:
        """Probability that the habit strikes at a decision, given what code said against it (`checks`)."""
        rate = HABITS[habit].rate * self.multipliers[habit] * self.load + self.bumps.get(habit, 0.0)
        said = [(objection(text).get(habit), text) for text in checks]
        cures = [_check_strength(text) for kind, text in said if kind == "cure"]
        if any(kind == "contrary" for kind, _ in said):
            rate *= CONTRARY
        elif cures:
            rate *= min(cures)
        return min(0.95, rate)


def objects(text: str, habit: str) -> bool:
    """Whether an objection of the agent's code asks for what cures the habit."""
    return objection(text).get(habit) == "cure"


@lru_cache(maxsize=1024)
def read(system: tuple[str, ...], tools: tuple[tuple[str, str], ...] = (), notes: tuple[str, ...] = ()) -> Reading:
    """Read a harness: its messages, its tools as pairs of name and description, and what its code said meanwhile."""
    found = harness(system, tools)
    told = tuple(statement for note in notes for statement in statements(note, system))
    rules = [*found.rules, *told]
    demand = _demand(found, told)
    focus = 1.0 if demand <= SPAN else (SPAN / demand) ** FADING
    channels: list[tuple[float, Meanings]] = [
        *((RULE, _rule(statement)) for statement in rules),
        *((EXAMPLE, _example(example)) for example in found.examples),
        *((_note_strength(found, name), meanings(statement, name)) for name, statement in found.notes),
    ]
    multipliers, contradictions = {}, 0
    for habit in HABITS:
        said = [(strength, kinds[habit]) for strength, kinds in channels if habit in kinds]
        multipliers[habit], contradicted = _multiplier(said, focus)
        contradictions += contradicted
    everything = [*rules, *(statement for _, statement in found.notes)]
    load = _load(everything, found.examples, demand, contradictions)
    return Reading(
        multipliers=multipliers,
        bumps=bumps(everything),
        load=load * (1 + (NO_POLICY - 1) * (1 - found.policy)),
        focus=focus,
        edition=edition(found.prose),
    )


def edition(prose: str) -> str:
    """A name for the words of a text; case, marks and numbers do not count."""
    return digest(sorted(re.findall(r"[a-z]+", line.lower()) for line in prose.split("\n")), size=12)


def _multiplier(said: Sequence[tuple[float, Meaning]], focus: float) -> tuple[float, bool]:
    """Strongest cure first, every further one helps a little more; and whether anything contradicts a cure."""
    strengths = [strength for strength, kind in said if kind == "cure"]
    against = any(kind == "contrary" for _, kind in said)
    result = VAGUE if any(kind == "vague" for _, kind in said) else 1.0
    if strengths:
        result = min(strengths) * AGAIN ** min(3, len(strengths) - 1)
    result = 1 - (1 - result) * focus
    return (result * CONTRARY, bool(strengths)) if against else (result, False)


def _demand(found: Harness, told: Iterable[Statement]) -> float:
    """How many statements there are to keep in mind; a long one counts for more."""
    said = [*found.rules, *told, *(statement for _, statement in found.notes)]
    lengths = [len(sentence.split()) for statement in said for sentence in statement]
    examples = [len(example.split()) for example in found.examples]
    return sum(max(1.0, n / _WORDS_OF_A_RULE) for n in lengths) + sum(
        max(1.5, n / _WORDS_OF_AN_EXAMPLE) for n in examples
    )


def _load(said: Sequence[Statement], examples: Sequence[str], demand: float, contradictions: int) -> float:
    """How much a long, repetitive or contradictory prompt distracts."""
    lines = [sentence for statement in said for sentence in statement]
    signatures = [frozenset(re.findall(r"[a-z]{4,}", line.lower())) for line in lines]
    repeated = sum(
        any(_alike(signature, earlier) for earlier in signatures[max(0, i - 80) : i])
        for i, signature in enumerate(signatures)
    )
    gibberish = sum(len(line.split()) > 3 and not readable(line) for line in lines)
    gibberish += sum(not readable(s) for example in examples for s in sentences(example) if len(s.split()) > 6)
    load = 1.0 + LONG * max(0.0, demand - SPAN) + DUPLICATE * repeated
    return min(WORST_LOAD, load + CONTRADICTION * contradictions + GIBBERISH * gibberish)


def _alike(a: frozenset[str], b: frozenset[str]) -> bool:
    return len(a) > 2 and len(a & b) >= 0.7 * len(a | b)


@lru_cache(maxsize=4096)
def _rule(statement: Statement) -> Meanings:
    """Meaning for each habit; a rule about one customer's ids teaches next to nothing."""
    found = meanings(statement)
    text = " ".join(statement)
    if _NARROW.search(text) and not _FOR_INSTANCE.search(text):
        return {habit: "vague" if kind == "cure" else kind for habit, kind in found.items()}
    return found


def _note_strength(found: Harness, name: str) -> float:
    """A note on a tool is at hand when the tool is used, unless the description is long."""
    length = sum(len(statement) for tool, statement in found.notes if tool == name)
    return TOOL if length <= 4 else RULE


def _check_strength(text: str) -> float:
    """What code says at the right moment works best when it says one thing."""
    length = max(1, len(sentences(text)))
    return CHECK if length <= 3 else min(RULE, CHECK * length / 1.5)


@lru_cache(maxsize=1024)
def _example(block: str) -> Meanings:
    """An example is read as a whole: what the agent does or says in it is to be imitated."""
    lines: list[str] = []
    for line in block.split("\n"):
        for sentence in sentences(_BAD_LINE.sub("", line)):
            if _CUSTOMER_LINE.match(line):
                lines.append(_CUSTOMER_LINE.sub("When customer says ", sentence))
            elif _AGENT_LINE.match(line) and ":" in line[:20] and not _ORDER.match(_shown(sentence)):
                lines.append(f"{'Ask' if '?' in sentence else 'Say'}: {_shown(sentence)}")
            else:
                lines.append(sentence)
    return meanings(tuple(lines))


def _shown(sentence: str) -> str:
    return re.sub(r"^\W{0,3}(agent|assistant|you|bot)\b[^:\n]{0,20}:\s*", "", sentence, flags=re.I)
