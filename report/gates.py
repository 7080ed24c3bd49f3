"""The gates in the words of the page, and by how much an attempt missed one, always as numbers."""

from __future__ import annotations

from typing import Literal

from sigmaloop.gate.finding import Finding
from sigmaloop.records import REWARD_MICROS, LedgerEntry, Verdict
from sigmaloop.report.effects import Effect
from sigmaloop.report.words import between, plural, points

Group = Literal["kept", "unusable", "cluster_tasks", "regression", "validation", "judge", "review"]
"""How an attempt ended: kept, or the gate that it did not pass."""

ORDER: tuple[Group, ...] = ("unusable", "cluster_tasks", "regression", "validation", "judge", "review")
TITLES: dict[Group, str] = {
    "kept": "Kept",
    "unusable": "Not usable",
    "cluster_tasks": "Did not fix its own failures",
    "regression": "Broke an earlier fix",
    "validation": "No better on held-out tasks",
    "judge": "Vetoed by the reviewer model",
    "review": "Declined by a person",
}
SHORT: dict[Group, str] = {
    "kept": "kept",
    "unusable": "not usable",
    "cluster_tasks": "own failures",
    "regression": "earlier fix",
    "validation": "held-out",
    "judge": "vetoed",
    "review": "declined",
}
"""For the terminal."""
REASONS: dict[Group, str] = {
    "unusable": "They could not be run, said nothing new, or broke a rule for changes.",
    "cluster_tasks": "The failing tasks that the change was written for still failed.",
    "regression": "A task that was fixed before failed again.",
    "validation": "On tasks that the change was not written for, it was not better by enough.",
    "judge": "They passed every measurement, and the reviewer model refused them.",
    "review": "They passed every measurement, and a person refused them.",
}
PASSED: dict[Group, str] = {
    "unusable": "Usable",
    "cluster_tasks": "Fixed their own failures",
    "regression": "Kept earlier fixes",
    "validation": "Better on held-out tasks",
    "judge": "Not vetoed",
    "review": "Approved",
}
"""What those are called that a gate let pass."""
_GROUPS: dict[str | None, Group] = {
    None: "unusable", "admission": "unusable", "cluster_tasks": "cluster_tasks", "regression": "regression",
    "validation": "validation", "judge": "judge", "review": "review",
}  # fmt: skip


def group_of(gate: str | None) -> Group:
    """The words' name of a gate; None: refused before any."""
    return _GROUPS.get(gate, "unusable")


def ended(entry: LedgerEntry) -> Group:
    return "kept" if entry.outcome == "kept" else group_of(entry.gate)


def last_verdict(entry: LedgerEntry) -> Verdict | None:
    """That of the gate that rejected it; one that was indecisive is asked again."""
    return next((verdict for verdict in reversed(entry.verdicts) if verdict.gate == entry.gate), None)


def missed_by(found: Verdict | Finding | None, effect: Effect | None, *, reason: str = "") -> str:
    """By how much a gate was missed, or passed: numbers, or the gate's own words where there are none."""
    if found is None:
        return reason.replace("_", " ")
    if found.gate in ("cluster_tasks", "regression"):
        return _counted(found)
    if found.gate == "validation":
        return compared(effect) if effect else _summed(found)
    return found.message


def compared(effect: Effect) -> str:
    """−6.0 points (−17.9 to +5.9) after 50 trials; missed by 4.5."""
    said = (
        f"{points(effect.difference)} points ({between(effect.low, effect.high)}) "
        f"after {plural(effect.rollouts, 'trial')}"
    )
    return said if effect.short is None else f"{said}; missed by {100 * effect.short:.1f}"


def _counted(found: Verdict | Finding) -> str:
    what = ("trial", "trials") if found.gate == "cluster_tasks" else ("suite task", "suite tasks")
    if not found.evaluated:
        return "nothing to count" if found.outcome == "passed" else found.message
    needed = -(-found.required_micros // REWARD_MICROS)
    of = f"{found.passes} of {plural(found.evaluated, *what)} passed"
    return of if found.outcome == "passed" else f"{of}, {needed} of {found.total} needed"


def _summed(found: Verdict | Finding) -> str:
    """The reference policy adds rewards up and compares them with a bar."""
    reached = found.reward_micros if found.upper_bound_micros is None else found.upper_bound_micros
    at_most = "" if found.upper_bound_micros is None else "at most "
    return f"{at_most}{reached / REWARD_MICROS:g} of {found.total}, {found.required_micros / REWARD_MICROS:g} needed"


def distance(found: Verdict | None, effect: Effect | None) -> float:
    """How far from passing, to sort by: 0 is nearest."""
    if effect and effect.short is not None:
        return effect.short
    if found and found.required_micros:
        return max(0.0, (found.required_micros - found.passes * REWARD_MICROS) / found.required_micros)
    return 1.0
