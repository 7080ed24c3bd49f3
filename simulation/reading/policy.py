"""The policy, wherever it stands and however it is headed: which part of a text it is, and how much of it is there.

It is recognised by what it says: the day, the sums, terms and field names that only helpdesk's policies state. A rule
of the harness states none of them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_SHARED = (
    r"today is (\w+, )?\d{4}-\d\d-\d\d",
    r"verified: true",
    r"together with (the )?zip code",
    r"\bbusy, nothing was changed|is busy",
    r"do only what this document allows",
    r"being annoyed, a refused request",
)
_FACTS: dict[str, tuple[str, ...]] = {
    "retail": (
        r"5 to 7 business days", r"within 30 days", r"found cheaper|arrives too late", r"\bor_\d+",
        r"shipping fee minus the discount", r"`?pending`?.{0,60}`?shipped`?", r"expected date and the carrier",
        r"available: true", r"exchanged or modified only once", r"gift card immediately",
    ),
    "airline": (
        r"24 hours", r"three letters", r"180 minutes", r"\$50", r"\$30", r"1 in economy, 2 in business",
        r"booked today or yesterday", r"weeks run from", r"leg 1 of a round trip", r"\brs_\w*\d",
    ),
    "telecom": (
        r"suspended_for", r"network: fault", r"data_left_gb", r"\$8 a day", r"apn: wrong", r"valid: false", r"\$15",
        r"4G, 5G", r"price per gigabyte", r"suspend the line with the right reason", r"that has begun",
    ),
}  # fmt: skip
_ALL = {name: tuple(re.compile(fact, re.I | re.S) for fact in (*_SHARED, *facts)) for name, facts in _FACTS.items()}
_DATED = re.compile(_SHARED[0], re.I)
_BLOCK = re.compile(r"\n[ \t]*\n")
_HARNESS_HEAD = re.compile(
    r"^\W*(rules?|(worked |good |bad )?examples?|reminders?|notes?|instructions?|important|guidelines?|remember|"
    r"learned|lessons?|customer|user|caller|agent|assistant|plan|summary|conversation|draft)\b[^\n.]{0,40}(:|$)",
    re.I,
)
_END = re.compile(r"^\W*end of (the )?(policy|document|handbook|rules)\W*$", re.I | re.M)
_HEADING = re.compile(r"#+ [^\n]{1,60}|[^\n.]{1,60}:")
_TOP = re.compile(r"^# ", re.M)
ENOUGH = 0.85
"""Share of the facts that counts as all of them: a policy may be edited."""


class Found(NamedTuple):
    """A text without its policy, and the policy."""

    rest: str
    policy: str


def coverage(text: str) -> float:
    """How much of a policy stands in a text, from 0 to 1."""
    best = max(sum(bool(fact.search(text)) for fact in facts) / len(facts) for facts in _ALL.values())
    return min(1.0, best / ENOUGH)


@lru_cache(maxsize=256)
def part(text: str) -> Found:
    """Take the policy out of a text. Blocks are parted by blank lines."""
    blocks = _BLOCK.split(text)
    inside = False
    rest: list[str] = []
    policy: list[str] = []
    for n, block in enumerate(blocks):
        told = _facts(block)
        if not inside:
            inside = bool(_DATED.search(block)) or told >= 3 or (_heads(block) and _begins(blocks[n + 1 :], block))
        elif (_HARNESS_HEAD.match(block) and told < 3) or (
            _TOP.match(block) and not told and not _begins(blocks[n + 1 :])
        ):
            inside = False
        if not inside:
            rest.append(block)
            continue
        if not policy and rest and _HEADING.fullmatch(rest[-1].strip()) and not _HARNESS_HEAD.match(rest[-1]):
            rest.pop()
        end = _END.search(block)
        policy.append(block[: end.end()] if end else block)
        if end:
            inside = False
            rest.append(block[end.end() :].strip())
    return Found("\n\n".join(part for part in rest if part.strip()), "\n\n".join(policy))


def _facts(block: str) -> int:
    return max(sum(bool(fact.search(block)) for fact in facts) for facts in _ALL.values())


def _heads(block: str) -> bool:
    return bool(_TOP.match(block.lstrip()))


def _begins(following: list[str], block: str = "") -> bool:
    """Whether a policy follows this heading before the next one."""
    text = block
    for later in following:
        if _TOP.match(later) or _HARNESS_HEAD.match(later):
            break
        text += "\n\n" + later
        if _DATED.search(text) or _END.search(text) or _facts(text) >= 3:
            return True
    return bool(_END.search(text)) or bool(_DATED.search(text))
