"""What a customer has against a proposal: a wrong thing, a wrong detail, something that it never asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sigmaloop.eval.benchmarks.helpdesk.plain_text import compiled
from sigmaloop.eval.benchmarks.helpdesk.requests import Case
from sigmaloop.eval.benchmarks.helpdesk.things import Thing

EXTRA = re.compile(
    r"\b(?:add|adding|include|including|throw(?:ing)? in|arrange|order|buy|send|sending|give|giving|issue|issuing|plus|"
    r"sign(?:ing)? you up for|book|booking)\b(?: \S+){0,4}? "
    r"(insurance|warranty|protection|gift[- ]?wrap\w*|express (?:shipping|delivery)|expedited (?:shipping|delivery)|"
    r"priority (?:boarding|shipping|support)|seat selection|lounge|voucher|subscription|membership|newsletter|"
    r"accessor(?:y|ies)|hotel|rental car|meal|upgrade|service plan|data|roaming|sim|bags?)\b"
)
"""A service that an agent adds to what was asked for."""
_NUMBER = re.compile(
    r"\b(?:or_|order (?:number |no\.? |#)?#?)(\d{5})\b|\b(?:rs_)?(\d{4}[a-z]{2})\b|\b(555-\d{3}-\d{4})\b"
)
"""The number of an order, a reservation or a line."""
_DESCRIBED = re.compile(
    r"\b(?:orders?|one|reservation|trip|which|that)(?: \S+)? (?:with|containing|contains?|holds?|of|has|"
    r"holding|including)\b"
    r"[^.;:?!]*"
)
"""What only says which order is meant."""
_STAYS = re.compile(
    r"\b(?:stays?|keep|kept|remains?|untouched|unchanged|leave|not|n't|except|instead of|rather than)\b"
)
NEVER_ASKED = "No, I didn't ask for that. Only what I told you, please."
WRONG_ONE = "No, that's not the one I mean."


def objection(
    case: Case, told: Sequence[Case], others: Sequence[Thing], sentences: Sequence[str], *, pending: bool = False
) -> str:
    """What the customer says against a proposal of these sentences (lower case); empty: nothing.

    `told`: all matters that the agent has heard of. `others`: things of the world that no told matter is about.
    `pending`: the customer has a correction to make, which says more than a no in the same respect.
    """
    text = "\n".join(sentences)
    if _wrong_thing(case, told, others, text):
        return f"{WRONG_ONE} {case.facts.get('which', case.later)}"
    for respect in case.respects:
        heard = _only_objects(sentences) if respect.strict else text
        if not respect.met(heard) and not (pending and _corrects(case, respect.right)):
            return respect.answer
    return NEVER_ASKED if _extra(told, text) else ""


def _wrong_thing(case: Case, told: Sequence[Case], others: Sequence[Thing], text: str) -> bool:
    mine = [thing for each in told for thing in each.things]
    if any(thing.last_named(text) >= 0 for thing in case.things):
        return False
    if any(thing.last_named(text) >= 0 for thing in others if thing not in mine):
        return True
    known = {thing.number.casefold() for thing in mine}
    return bool(mine) and any(found[found.lastindex or 0] not in known for found in _NUMBER.finditer(text))


def _corrects(case: Case, right: str) -> bool:
    """The customer is about to say it anyway."""
    return compiled(right).search(case.correction.casefold()) is not None


def _only_objects(sentences: Sequence[str]) -> str:
    return "\n".join(_DESCRIBED.sub(" ", sentence) for sentence in sentences if not _STAYS.search(sentence))


def _extra(told: Sequence[Case], text: str) -> bool:
    wanted = [f"{case.topic}|{_stem(case)}" for case in told]
    return any(not any(compiled(want).search(found[1]) for want in wanted) for found in EXTRA.finditer(text))


def _stem(case: Case) -> str:
    """The services that the case itself is about, beside its topic."""
    writes = " ".join(call.tool for call in case.writes)
    names = {
        "bags": "bag",
        "insurance": "insur",
        "voucher": "voucher",
        "data": "data",
        "roaming": "roaming",
        "sim": "sim",
    }
    listed = [stem for part, stem in names.items() if part in writes]
    return "|".join(listed) or r"(?!)"
