"""Words a given text anew when its subject is unknown: order of clauses, synonyms, how strongly it is put."""

from __future__ import annotations

import re

from sigmaloop.simulation.specialists.wording.choices import Draw, pick
from sigmaloop.simulation.specialists.wording.sentences import tidy

_SYNONYMS: tuple[tuple[str, ...], ...] = (
    ("check", "verify", "look at"),
    ("make sure", "see to it", "ensure"),
    ("tell", "inform"),
    ("choose", "select", "pick"),
    ("carefully", "with care"),
    ("closely", "strictly"),
    ("completely", "in full"),
    ("begin", "start"),
    ("clearly", "plainly"),
    ("whenever", "every time"),
    ("work out", "determine"),
    ("mention", "name"),
    ("handle", "deal with"),
    ("certain", "sure"),
)
_STRENGTH = ("", "", "Always ", "Be sure to ", "Remember to ")
_FRONTED = re.compile(r"^((?:when|if|before|after|once|with|for)\b[^,;:]*), (?:then )?(.+)$", re.IGNORECASE)
_TRAILING = re.compile(r"^([^,;:]+?) ((?:when|if|before|after|once)\b [^,;:]+)$", re.IGNORECASE)


def reworded(text: str, draw: Draw) -> str:
    """What the last sentence of a text asks for, in other words; an empty text gives a plain duty."""
    parts = [p.strip() for p in re.split(r"(?<=[.!?])\s+|\n+", text) if p.strip()]
    core = parts[-1].rstrip(".!") if parts else "Follow the policy"
    core = re.sub(r"^(?:the )?agent (?:should have|should|ought to|must) ", "", core, flags=re.IGNORECASE)
    core = _order(core[0].lower() + core[1:], draw)
    for number, words in enumerate(_SYNONYMS):
        for word in words:
            if re.search(rf"\b{word}\b", core):
                core = re.sub(rf"\b{word}\b", pick(words, draw, f"synonym {number}"), core, count=1)
                break
    strength = pick(_STRENGTH, draw, "strength")
    if strength and re.match(
        r"(?:do not|don't|never|always|when|if|before|after|once|with|for|the|an?|every|each)\b", core
    ):
        strength = ""
    return tidy(f"{strength}{core}.")


def _order(core: str, draw: Draw) -> str:
    if draw("turn") < 0.5:
        return core
    if found := _FRONTED.match(core):
        return f"{found.group(2)} {found.group(1)[0].lower()}{found.group(1)[1:]}"
    if found := _TRAILING.match(core):
        return f"{found.group(2)}, {found.group(1)}"
    first, sep, second = core.partition("; ")
    return f"{second}; {first}" if sep else core
