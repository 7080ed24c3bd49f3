"""Changes of known worth: where the gate stopped each, and what to think of how many it let pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from sigmaloop.gate.canaries import CopiesKept
from sigmaloop.records import Record
from sigmaloop.report.effects import effect_of
from sigmaloop.report.gates import SHORT, Group, group_of, missed_by
from sigmaloop.report.rulings import Ruling
from sigmaloop.report.words import listed, percent, plural

UNUSUAL = 0.05
"""More kept than this chance explains is a reason to mistrust the gate."""


class KnownChange(Record):
    """A change of known worth that was sent through the gate."""

    id: str
    worth: str
    """`identical` or `harmful`."""
    batch: int
    straight: bool
    """Sent straight to the comparison."""
    stopped_at: Group | Literal["passed", "undecided"]
    by: str
    """By how much."""
    compared: bool
    """Whether it reached the comparison on held-out tasks."""


def known_changes(rulings: Iterable[Ruling]) -> tuple[KnownChange, ...]:
    """Those of a run, in the order in which they were judged."""
    return tuple(_known(ruling) for ruling in rulings if ruling.subject.canary)


def canary_sentence(known: Sequence[KnownChange], expected: CopiesKept | None) -> str:
    """What became of the known changes, where each was stopped, and whether that is usual; empty without any."""
    decided = [change for change in known if change.stopped_at != "undecided"]
    parts = [text for worth in ("identical", "harmful") if (text := _of_one_worth(decided, worth))]
    if not parts:
        return ""
    copies = [change for change in decided if change.worth == "identical"]
    return " ".join([f"{'; '.join(parts)}.", *_usual(copies, expected), *_blind(decided)])


def suspicious(known: Sequence[KnownChange], expected: CopiesKept | None) -> str:
    """Why the known changes speak against the gate; empty when they do not."""
    harmful = [change.id for change in known if change.worth == "harmful" and change.stopped_at == "passed"]
    if harmful:
        return f"the gate let {listed(harmful)} pass, known to be harmful"
    copies = [c for c in known if c.worth == "identical" and c.stopped_at != "undecided"]
    chance = at_least(sum(c.stopped_at == "passed" for c in copies), _rates(copies, expected))
    if chance is not None and chance < UNUSUAL:
        return f"the gate lets more copies pass than it should: chance does that in {percent(chance)} of such runs"
    if known and not any(change.compared for change in known):
        return "no known change reached the comparison on held-out tasks, so they say nothing about it"
    return ""


def at_least(kept: int, rates: Sequence[float] | None) -> float | None:
    """Chance that so many or more of the copies are kept, each at its own rate; None where the rates are not known."""
    if rates is None:
        return None
    chances = [1.0]
    for rate in rates:
        longer = [*chances, 0.0]
        for kept_so_far in range(len(chances), 0, -1):
            longer[kept_so_far] = longer[kept_so_far] * (1 - rate) + chances[kept_so_far - 1] * rate
        longer[0] *= 1 - rate
        chances = longer
    return min(1.0, sum(chances[kept:]))


def _known(ruling: Ruling) -> KnownChange:
    last = ruling.findings[-1]
    if ruling.outcome == "indecisive":
        stopped: Group | Literal["passed", "undecided"] = "undecided"
    else:
        stopped = "passed" if ruling.outcome == "passed" else group_of(last.gate)
    return KnownChange(
        id=ruling.subject.candidate_id,
        worth=ruling.subject.canary,
        batch=ruling.subject.batch,
        straight=ruling.stages == ("validation",),
        stopped_at=stopped,
        by=missed_by(last, effect_of(last), reason=ruling.reason),
        compared=ruling.compared is not None,
    )


def _of_one_worth(known: Sequence[KnownChange], worth: str) -> str:
    own = [change for change in known if change.worth == worth]
    if not own:
        return ""
    kept = sum(change.stopped_at == "passed" for change in own)
    name = "byte-identical change" if worth == "identical" else "known-harmful change"
    stops = [
        f"{change.id} at {SHORT[change.stopped_at]} ({change.by})"
        for change in own
        if change.stopped_at != "passed" and change.stopped_at != "undecided"
    ]
    said = f"of {plural(len(own), name)} the gate kept {kept}"
    return f"{said}, and stopped {listed(stops)}" if stops else said


def _usual(copies: Sequence[KnownChange], expected: CopiesKept | None) -> list[str]:
    """What to think of the number of copies kept."""
    rates = _rates(copies, expected)
    if not copies:
        return []
    if rates is None:
        return ["How many this policy keeps here is not known."]
    kept, mean = sum(change.stopped_at == "passed" for change in copies), sum(rates) / len(rates)
    usual = f"one in {1 / mean:.0f}" if mean >= 0.01 else "none"
    chance = at_least(kept, rates) or 0.0
    if not kept:
        return [f"This policy keeps about {usual} of them, so none is usual."]
    verdict = "that is usual" if chance >= UNUSUAL else "that is more than chance explains"
    return [f"This policy keeps about {usual} of them; {kept} or more happen in {percent(chance)} of runs: {verdict}."]


def _blind(known: Sequence[KnownChange]) -> list[str]:
    reached = sum(change.compared for change in known)
    if not reached:
        return ["None of them reached the comparison on held-out tasks, which they therefore do not test."]
    return [f"{reached} of {len(known)} reached the comparison on held-out tasks."]


def _rates(copies: Sequence[KnownChange], expected: CopiesKept | None) -> list[float] | None:
    if expected is None:
        return None
    return [expected.straight if change.straight else expected.whole for change in copies]
