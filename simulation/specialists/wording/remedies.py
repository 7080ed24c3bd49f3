"""Writes one remedy from what the miner's record says."""

from __future__ import annotations

import re
from typing import Literal

from sigmaloop.simulation.specialists.wording.choices import Draw, pick, relabelled
from sigmaloop.simulation.specialists.wording.fault import Fault
from sigmaloop.simulation.specialists.wording.faults import FAULTS
from sigmaloop.simulation.specialists.wording.forms import Form, placed, worded
from sigmaloop.simulation.specialists.wording.rewording import reworded
from sigmaloop.simulation.specialists.wording.sentences import Emphasis, sentence
from sigmaloop.simulation.specialists.wording.subject import FLOOR, ranked
from sigmaloop.simulation.specialists.wording.weaknesses import blurred, broad, tied, vague

Quality = Literal["specific", "vague", "broad", "overfit", "blurred", "repeat"]

_HARM = re.compile(
    r"regress|worse|broke|break|harm|side effect|too (?:broad|wide|strict)|other (?:tasks|requests)|suite"
)
_REDRAWS = 8


def remedy(cause: str, form: Form, quality: Quality, draw: Draw, *, reason: str = "", seen: str = "") -> str:
    """A remedy against what `cause` tells, in the words of an engineer.

    cause: mechanism, root cause and what should have been done, in the miner's words. draw: a number in [0, 1) by
    label; the same numbers give the same text. reason: why an earlier draft was rejected; the new one is worded
    otherwise and stresses something else. seen: a trace, for a remedy that clings to one case.
    """
    found = [FAULTS[name] for name, odds in ranked(cause) if odds >= FLOOR]
    if quality == "repeat":
        return _draft(cause, found, form, "specific", lambda _: 0.0, (), seen)
    first = _draft(cause, found, form, quality, draw, (), seen)
    if not reason:
        return first
    for number in range(_REDRAWS):
        again = relabelled(draw, f"again {number} {reason}")
        second = _draft(cause, found, form, quality, again, _emphases(reason), seen)
        if second != first:
            break
    return second


def _emphases(reason: str) -> tuple[Emphasis, ...]:
    """After harm done the limit is drawn, after no effect the contrast and the reason are."""
    return ("bounded",) if _HARM.search(reason.lower()) else ("contrast", "reasoned")


def _draft(
    cause: str, found: list[Fault], form: Form, quality: Quality, draw: Draw, emphases: tuple[Emphasis, ...], seen: str
) -> str:
    fault = found[0] if found else None
    if quality == "specific":
        return worded(fault, form, draw, emphases) if fault else placed(reworded(cause, draw), form, draw)
    if quality == "overfit":
        rule = sentence(fault, draw, emphases) if fault else reworded(cause, draw)
        return placed(tied(rule, seen or cause, draw), form, draw)
    if quality == "blurred" and fault:
        return placed(blurred(fault, _other(found, draw), draw), form, draw)
    if quality == "broad":
        return placed(broad(fault.excess if fault else (), draw), form, draw)
    return placed(vague(fault.subject if fault else "such requests", draw), form, draw)


def _other(found: list[Fault], draw: Draw) -> Fault:
    """The second fault of a mixed cluster: what else the record speaks of, or something else that came to mind."""
    if len(found) > 1:
        return found[1]
    return pick([fault for fault in FAULTS.values() if fault is not found[0]], draw, "neighbour")
