"""Reads what customers write: names, numbers, dates, amounts, choices. Rules only, no knowledge of any task."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_COUNTS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_UPSET = re.compile(r"third time|annoyed|waiting for days|angry|fed up|ridiculous|unacceptable", re.I)
_SECOND = re.compile(
    r"(?:^|(?<=[.!?])\s+|\n)(?:also|besides|and one more thing|one more thing|in addition|additionally|secondly|"
    r"apart from that|by the way)\b[,:]?\s+",
    re.I,
)
_ACCEPTS = re.compile(
    r"\W*(all right|alright|ok|okay|fine|i see|i understand|well|too bad|understood|never mind)\b", re.I
)
_NOTHING = re.compile(
    r"\W*(no\b|nope|that'?s all|that is all|that was all|nothing|all good|i'?m (good|fine)|thanks?\b|thank you)", re.I
)


def upset(text: str) -> bool:
    return bool(_UPSET.search(text))


def split_requests(text: str) -> list[str]:
    """The requests that a message holds."""
    return [part.strip() for part in _SECOND.split(text) if part.strip()]


def accepts_refusal(text: str) -> bool:
    return bool(_ACCEPTS.match(text)) or not re.search(r"[?!]|please|but\b|exception|deserve|need", text, re.I)


def further_request(text: str) -> str:
    """What the customer wants besides, or nothing."""
    if _NOTHING.match(text) and not re.search(r"\b(one more|another|also|but)\b|\?", text, re.I):
        return ""
    return re.sub(r"^\W*(yes|yeah|oh)\b[^:]{0,30}?(one more thing|another thing)?\s*[:,.]\s*", "", text, flags=re.I)


def says_no(text: str) -> bool:
    return bool(re.match(r"\W*(no\b|nope|stop|don'?t|rather not|never mind|leave it)", text, re.I))


def corrects(text: str) -> bool:
    return bool(re.match(r"\W*(yes|ok|okay|sure|almost|well)?\W*\b(but|except|only)\b", text, re.I))


def email(text: str) -> str:
    match = re.search(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", text)
    return match.group() if match else ""


def zip_code(text: str) -> str:
    codes = re.findall(r"zip\D{0,20}\b(\d{5})\b", text, re.I) or re.findall(r"\b\d{5}\b", text)
    return str(codes[0]) if codes else ""


def names(text: str) -> list[str]:
    """Pairs of capitalised words, as first and last name."""
    pairs = re.findall(
        r"\b([A-Z][a-z]+ [A-Z][a-z]+)\b", re.sub(r"\b(The|Just|It|My|I|Instead|Please|Name|Is)\b", "-", text)
    )
    return list(dict.fromkeys(pairs))


def iso_date(text: str, today: str) -> str:
    """The first date in a text: ISO, `March 9, 1984`, `May 20`, `this Saturday`, `Friday of next week`."""
    days = dates(text, today)
    return days[0] if days else ""


def dates(text: str, today: str) -> list[str]:
    """All dates in a text, in order."""
    patterns = (
        r"(?P<iso>\d{4}-\d\d-\d\d)",
        rf"(?P<month>{'|'.join(MONTHS)})\s+(?P<day>\d{{1,2}})(?:\w\w)?(?:,?\s+(?P<year>\d{{4}}))?",
        rf"(?P<weekday>{'|'.join(WEEKDAYS)})(?P<after>\s+(?:of\s+)?next\s+week)?",
    )
    now = date.fromisoformat(today)
    days = []
    for match in re.finditer("|".join(patterns), text, re.I):
        part = match.groupdict()
        if part["iso"]:
            days.append(part["iso"])
        elif part["month"]:
            month = MONTHS.index(part["month"].lower()) + 1
            days.append(f"{int(part['year'] or now.year):04d}-{month:02d}-{int(part['day']):02d}")
        else:
            start = now - timedelta(days=now.weekday()) + timedelta(days=7 if part["after"] else 0)
            days.append((start + timedelta(days=WEEKDAYS.index(part["weekday"].lower()))).isoformat())
    return days


def names_weekday(text: str) -> bool:
    return bool(re.search("|".join(WEEKDAYS), text, re.I))


def spoken_day(iso: str) -> str:
    month, day = int(iso[5:7]), int(iso[8:10])
    return f"{MONTHS[month - 1].capitalize()} {day}"


def count_before(text: str, noun: str) -> int:
    """`three more checked bags` -> 3; 0 when the text names no number."""
    match = re.search(rf"\b(\d+|{'|'.join(_COUNTS)}|an?)\s+(?:\w+\s+){{0,2}}(?:{noun})", text, re.I)
    if not match:
        return 0
    word = match.group(1).lower()
    return int(word) if word.isdigit() else _COUNTS.index(word) if word in _COUNTS else 1


def mentioned(options: Iterable[str], text: str) -> list[str]:
    """Which of the options a text names, in the order of the text."""
    at = {option: re.search(rf"\b{re.escape(option)}\b", text, re.I) for option in options if option}
    return sorted((o for o, m in at.items() if m), key=lambda o: at[o].start())  # type: ignore[union-attr]


def address(texts: Iterable[str]) -> dict[str, str]:
    """A US address, from the newest text that holds one; a later `apartment is 12` replaces the unit."""
    unit = ""
    for text in texts:
        changed = re.search(r"apartment (?:number )?is (?:apt\.? )?(\w+)", text, re.I)
        if changed and not unit:
            unit = f"Apt {changed.group(1)}"
        match = re.search(
            r"(\d+ [\w .'-]+?),\s*(?:((?:apt|apartment|unit|suite|floor)\.? [\w-]+),\s*)?"
            r"([\w .'-]+?),\s*([A-Z]{2})\s+(\d{5})",
            text,
            re.I,
        )
        if match:
            line1, line2, city, state, code = match.groups()
            return {"line1": line1, "line2": unit or line2 or "", "city": city, "state": state, "zip": code}
    return {}


REASONS = {
    "found_cheaper": r"cheaper|lower price",
    "arrives_too_late": r"too late|too long",
    "ordered_by_mistake": r"mistake|wrong button|accident",
    "no_longer_needed": r"no longer|don'?t (need|want)|not need|any ?more",
}


def cancel_reason(texts: Iterable[str]) -> str:
    for text in texts:
        for reason, pattern in REASONS.items():
            if re.search(pattern, text, re.I):
                return reason
    return ""
