"""What a harness wrote, as statements: rules, worked examples, notes on tools; without the policy."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from sigmaloop.simulation.reading.policy import coverage, part
from sigmaloop.simulation.reading.words import sentences

Statement = tuple[str, ...]
"""One or a few sentences that belong together."""

TOGETHER = 4
"""A paragraph of more sentences is read sentence by sentence."""
_EXAMPLE_HEAD = re.compile(
    r"^[ \t#*]*(worked |good |bad )?examples?\b[^\n]{0,40}:?[ \t*]*$|^[ \t]*examples? ?\d*[:.]", re.I
)
_SPEAKER = re.compile(r"^\W{0,3}(customer|user|caller|client|agent|assistant|you|bot)\b[^:\n]{0,40}:", re.I | re.M)
_BULLET = re.compile(r"^[ \t]*([-*•]|\d+[.)])[ \t]+")
_LIST_HEAD = re.compile(r"[ \t]*#|[^\n]{0,40}(rules|reminders|instructions)\b[^\n]*:", re.I)
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


class Harness(NamedTuple):
    """The words of a harness by their places."""

    rules: tuple[Statement, ...]
    examples: tuple[str, ...]
    notes: tuple[tuple[str, Statement], ...]
    """Tool and note."""
    policy: float
    """How much of the policy is there, from 0 to 1."""
    prose: str
    """Everything but the policy, for telling harnesses apart."""


@lru_cache(maxsize=256)
def harness(texts: tuple[str, ...], tools: tuple[tuple[str, str], ...]) -> Harness:
    """Take a harness apart: its messages, and its tools as pairs of name and description."""
    parted = [part(text) for text in texts]
    known = frozenset(_plain(s) for found in parted for s in _unwrapped(found.policy))
    rest = [found.rest for found in parted]
    prose, examples = _split("\n\n".join(rest))
    rules = [s for block in _statements(prose) if (s := _new(block, known))]
    described = [(name, s) for name, text in tools for s in _notes(part(text).rest) if _plain(s[0]) not in known]
    return Harness(
        rules=tuple(rules),
        examples=tuple(e for e in examples if not _repeats(e, known)),
        notes=tuple(described),
        policy=coverage("\n".join(texts)),
        prose="\n".join([*rest, *(f"{name} {text}" for name, text in tools)]),
    )


def statements(text: str, policy: tuple[str, ...] = ()) -> tuple[Statement, ...]:
    """The statements of a note that code put into the conversation; what the policy says already is no news."""
    known = frozenset(_plain(s) for told in policy for s in _unwrapped(part(told).policy))
    return tuple(s for block in _statements(part(text).rest) if (s := _new(block, known)))


def _unwrapped(policy: str) -> list[str]:
    """Sentences of a text that is wrapped at a line length."""
    return [s for block in re.split(r"\n\s*\n|\n(?=\s*[-*•#])", policy) for s in sentences(" ".join(block.split()))]


def _plain(sentence: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", sentence.lower()))


def _new(block: Statement, known: frozenset[str]) -> Statement:
    """The sentences of a statement that do not stand in the policy."""
    return tuple(s for s in block if not any(piece in known for piece in {_plain(s), *map(_plain, _pieces(s))}))


def _pieces(sentence: str) -> list[str]:
    return [sentence, sentence.rstrip(".:;")]


def _repeats(example: str, known: frozenset[str]) -> bool:
    found = _unwrapped(_SPEAKER.sub("", example))
    return bool(found) and sum(_plain(s) in known for s in found) > len(found) / 2


def _statements(prose: str) -> list[Statement]:
    """Bullets, lines and short paragraphs."""
    found: list[Statement] = []
    for block in re.split(r"\n[ \t]*\n", prose):
        lines = block.split("\n")
        items: list[str] = []
        for line in lines:
            if _BULLET.match(line) or not items or not line[:1].isspace():
                items.append(_BULLET.sub("", line))
            else:
                items[-1] += " " + line.strip()
        for item in items:
            parts = tuple(sentences(item))
            found += [parts] if len(parts) <= TOGETHER else [(s,) for s in parts]
    return [statement for statement in found if statement]


def _notes(description: str) -> list[Statement]:
    """The sentences of a tool's description that tell its user what to do, not what the tool does."""
    first, *rest = sentences(description) or [""]
    directing = [s for s in (first,) if _COMMANDS.search(s)]
    directing += rest if any(_DIRECTS.search(s) for s in rest) else []
    return [(s,) for s in directing] if len(directing) > TOGETHER else [tuple(directing)] if directing else []


def _split(text: str) -> tuple[str, list[str]]:
    """Plain prose, and the blocks that are worked examples."""
    prose, examples, inside = [], [], False
    for block in re.split(r"\n[ \t]*\n", text):
        headed = bool(_EXAMPLE_HEAD.search(block.split("\n", 1)[0]))
        inside = headed or (inside and not (_BULLET.match(block) or _LIST_HEAD.match(block)))
        if inside or _SPEAKER.search(block):
            examples.append(block)
        else:
            prose.append(block)
    return "\n\n".join(prose), examples
