"""Puts clauses together: situation, action and reason or limit, affirmed, denied or set against each other."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from sigmaloop.simulation.specialists.wording.choices import Draw, pick, spell
from sigmaloop.simulation.specialists.wording.fault import Fault

Emphasis = Literal["affirmed", "denied", "contrast", "reasoned", "bounded"]

PATTERNS: dict[Emphasis, tuple[str, ...]] = {
    "affirmed": (
        "{when}, {do}.",
        "{when}, [always|you must|you need to|be sure to|remember to|please] {do}.",
        "{when}: {do}.",
        "{do+} {when}.",
        "[What to do|Your task|The right way] {when}: {do}.",
    ),
    "denied": (
        "{when}, do not {avoid}.",
        "{when}, never {avoid}; {do}.",
        "[Never|Do not] {avoid+} {when}.",
        "{when}, [it is wrong|it is a mistake] to {avoid}: {do}.",
        "{when}, [avoid|refrain from] {avoiding}; {do}.",
    ),
    "contrast": (
        "{when}, {do} [instead of|rather than] {avoiding}.",
        "[Do not|Never] {avoid+}. {when}, {do}.",
        "{when}, do not {avoid}, but {do}.",
        "{when}, [the answer is not|do not resort to] {avoiding}: {do}.",
    ),
    "reasoned": (
        "{when}, {do}, [because|since] {why}.",
        "{why+}. [So|For this reason,] {when}, {do}.",
        "{when}, {do}. [The reason|Why]: {why}.",
        "{when}, do not {avoid}: {why}. {do}.",
    ),
    "bounded": (
        "{when}, {do}; {limit}.",
        "{when}, {do} ({limit}).",
        "{when}, do not {avoid}; {do}. [However,|But] {limit}.",
    ),
}
_BACKWARD = re.compile(
    r"\b(it|its|them|they|this|these|that (?:one|answer)|those|one that|then|there|of them|from them|both|each|"
    r"one by one|the (?:one|second|other|same call|first of them|customer's words))\b"
)
"""Words that lean on a situation named before; such clauses cannot open a text."""


class Clauses(NamedTuple):
    """A fault's clauses with every choice made."""

    when: str
    do: str
    avoid: str
    avoiding: str
    why: str
    limit: str


def clauses(fault: Fault, draw: Draw) -> Clauses:
    return Clauses(*(spell(pick(getattr(fault, part), draw, part), draw, f"{part} word") for part in Clauses._fields))


def sentence(fault: Fault, draw: Draw, emphases: tuple[Emphasis, ...] = ()) -> str:
    """One remedy; `emphases` restricts it to patterns of these kinds."""
    patterns = [p for kind in emphases or tuple(PATTERNS) for p in PATTERNS[kind]]
    return filled(pick(patterns, draw, "pattern"), fault, draw)


def filled(pattern: str, fault: Fault, draw: Draw) -> str:
    """A pattern with a fault's clauses; where an opening clause would lean on a later one, they change places."""
    said = clauses(fault, draw)
    if opened := re.search(r"\{(\w+)\+\}", pattern):
        part = opened.group(1)
        free = [c for c in getattr(fault, part) if not _BACKWARD.search(c)]
        if free:
            said = said._replace(**{part: spell(pick(free, draw, f"{part} first"), draw, f"{part} word")})
            pattern = pattern.replace("+}", "}")
        else:
            pattern = {"do": "{when}, {do}.", "avoid": "{when}, do not {avoid}: {do}.", "why": "{when}, {do}: {why}."}[
                part
            ]
    return tidy(spell(pattern, draw, "pattern word").format(**said._asdict()))


def tidy(text: str) -> str:
    """Capitals at the start of sentences and lines."""
    text = re.sub(r"\s+([,;:.])", r"\1", text.strip())
    return re.sub(r"(^|[.?!] |\n)([a-z])", lambda m: m.group(1) + m.group(2).upper(), text)
