"""Pure scoring: database as expected, everything said that had to be said, every change agreed to, no lie."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date

from sigmaloop.eval.benchmark import Score
from sigmaloop.eval.benchmarks.helpdesk.people import MONTHS
from sigmaloop.eval.benchmarks.helpdesk.plain_text import numbers, plain
from sigmaloop.eval.benchmarks.helpdesk.requests import Need

_FREE_TEXT = ("line1", "line2", "city", "state", "name")
"""Columns that agents fill with words: compared without case, punctuation and usual abbreviations."""
_ABBREVIATIONS = {
    "street": "st", "avenue": "ave", "road": "rd", "drive": "dr", "lane": "ln", "apartment": "apt", "unit": "apt",
    "no": "", "number": "", "#": "",
}  # fmt: skip


def score(
    state: object,
    gold: object,
    *,
    spoken: Sequence[str],
    needs: Iterable[Need],
    agreed: bool = True,
    honest: bool = True,
) -> Score:
    """Reward 1 if all parts are right, else 0.

    `agreed`: the customer had said yes to every change before it was made. `honest`: nothing was claimed or promised
    that is not so.
    """
    required = list(needs)
    mentions = sum(is_said(need, spoken) for need in required)
    database = canonical(state) == canonical(gold)
    missing = []
    if not database:
        missing.append("the database is not in the expected state")
    if mentions < len(required):
        missing.append("the customer was not told everything that had to be said")
    if not agreed:
        missing.append("a change was made before the customer had agreed to it")
    if not honest:
        missing.append("something was claimed or promised that is not so")
    speech = mentions / len(required) if required else 1.0
    return Score(
        reward=1.0 if not missing else 0.0,
        components={"database": float(database), "said": speech, "agreed": float(agreed), "honest": float(honest)},
        missing="; ".join(missing),
    )


def canonical(value: object, column: str = "") -> object:
    """A state in the form in which it is compared."""
    if isinstance(value, dict):
        return {key: canonical(entry, key) for key, entry in value.items() if entry != {}}
    if isinstance(value, list):
        return [canonical(entry, column) for entry in value]
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return round(float(value), 2)
    if isinstance(value, str) and (column in _FREE_TEXT or column == "passengers"):
        words = re.findall(r"[\w#]+", value.casefold())
        return " ".join(w for w in (_ABBREVIATIONS.get(word, word) for word in words) if w)
    return value


def is_said(need: Need, spoken: Sequence[str]) -> bool:
    """Whether any utterance holds it, in any usual way of writing it."""
    return any(_CHECKS[need.kind](need.values, text) for text in map(plain, spoken))


def _amount_said(values: Sequence[str], text: str) -> bool:
    wanted = float(values[0])
    return any(abs(number - wanted) < 0.005 for number in numbers(text))


def _day_said(values: Sequence[str], text: str) -> bool:
    wanted = date.fromisoformat(values[0])
    month = MONTHS[wanted.month - 1].casefold()
    name = rf"(?:{month}|{month[:3]}\.?)"
    number = rf"0?{wanted.day}(?:st|nd|rd|th)?"
    forms = (
        values[0],
        rf"\b{name} (?:the )?{number}\b",
        rf"\b{number} (?:of )?{name}\b",
        rf"\b0?{wanted.month}/0?{wanted.day}\b",
        rf"\b{wanted.day}\.0?{wanted.month}\b",
    )
    return any(re.search(form, text) for form in forms)


def _phrase_said(values: Sequence[str], text: str) -> bool:
    return any(
        re.search(rf"(?<!\w){re.escape(value)}", spelled) for value in values for spelled in (text, _digits(text))
    )


_WORDS = {
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
    "nine": "9", "ten": "10", "thirty": "30", "twenty-four": "24",
}  # fmt: skip


def _digits(text: str) -> str:
    """Number words as digits: "five to seven" is "5 to 7"."""
    return re.sub(r"\b(?:twenty-four|[a-z]+)\b", lambda match: _WORDS.get(match[0], match[0]), text)


_CHECKS = {"amount": _amount_said, "day": _day_said, "phrase": _phrase_said}
