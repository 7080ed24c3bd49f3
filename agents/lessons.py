"""What the attempts taught: one lesson an attempt, the same ones merged, the contradicted ones retired.

Written from structured fields and the judge's words; of validation nothing but that it rejected gets in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sigmaloop.records import ChangeKind, GateName, Judgement, Learning, LedgerEntry, Verdict

_KINDS: dict[ChangeKind, str] = {
    "prompt": "a rule in the prompt",
    "example": "a worked example",
    "tool": "a note on a tool",
    "context": "a change of the context",
    "control_flow": "a check in code",
}
_NEXT: dict[GateName, str] = {
    "admission": "Hand in a change that compiles, differs from the kept agent and names no task.",
    "cluster_tasks": "It did not work on the tasks that it was made for: do something else.",
    "regression": "It broke tasks that were fixed before: make it narrower, say when it applies.",
    "validation": "It mended its targets and could not be shown to help others: it may be right and too small. Make it "
    "reach more cases, or join it with another change.",
    "judge": "State the general behaviour instead of the particular task.",
    "review": "A person declined it: ask why before trying the same again.",
}
ALIKE = 0.6
"""Share of common words from which two lessons say the same."""
_LONGEST = 700


def lesson(entry: LedgerEntry, judgement: Judgement | None = None) -> Learning:
    """The learning of one finished attempt, whether it was kept, reverted or never usable."""
    kind = _KINDS[entry.kind] if entry.kind else "an attempt that handed in nothing usable"
    if entry.outcome == "kept":
        follows = "Leave it in place; if failures of this cause return, sharpen it rather than add another."
    else:
        follows = _NEXT[entry.gate] if entry.gate else "Try another kind of change."
    idea = judgement.next_idea if judgement else ""
    return Learning(
        candidate_id=entry.candidate_id,
        batch=entry.batch,
        attempt=entry.attempt,
        cluster_id=entry.cluster_id,
        cluster_title=entry.cluster_title,
        kind=entry.kind,
        situation=f"{entry.cluster_title}. {entry.hypothesis}".strip()[:_LONGEST],
        tried=f"{kind}: {entry.summary}" if entry.kind and entry.summary else "nothing that could be tried",
        outcome=entry.outcome,
        gate=entry.gate,
        observed=_observed(entry, judgement)[:_LONGEST],
        follows=f"{idea} {follows}".strip(),
    )


def training_figures(verdicts: Iterable[Verdict]) -> tuple[str, ...]:
    """What the gates saw on training tasks: the only figures that anybody is told."""
    words = {"cluster_tasks": "trials of the failing tasks that it was made for", "regression": "suite cases"}
    return tuple(
        f"{verdict.passes} of {verdict.evaluated} {words[verdict.gate]} passed"
        for verdict in verdicts
        if verdict.gate in words and verdict.evaluated
    )


def current(lessons: Sequence[Learning]) -> list[Learning]:
    """The lessons that hold, oldest first: those that say the same merged into the newest, contradicted ones left out.

    A kept change contradicts what earlier attempts at its cluster said against its kind.
    """
    kept: dict[tuple[str, ChangeKind | None], int] = {
        (one.cluster_id, one.kind): at for at, one in enumerate(lessons) if one.outcome == "kept"
    }
    holding = [
        one for at, one in enumerate(lessons) if one.outcome == "kept" or at > kept.get((one.cluster_id, one.kind), -1)
    ]
    merged: list[Learning] = []
    for one in holding:
        twin = next((at for at, other in enumerate(merged) if _same(one, other)), None)
        if twin is None:
            merged.append(one)
            continue
        other = merged.pop(twin)
        sums = {name: getattr(one, name) + getattr(other, name) for name in ("same", "used", "helped")}
        merged.append(one.model_copy(update=sums))
    return merged


def _same(one: Learning, other: Learning) -> bool:
    alike = (one.cluster_id, one.kind, one.outcome, one.gate) == (
        other.cluster_id,
        other.kind,
        other.outcome,
        other.gate,
    )
    left, right = _words(one), _words(other)
    return alike and len(left & right) >= ALIKE * len(left | right)


def _words(one: Learning) -> set[str]:
    """Of what was tried, without the name of its kind; the rest is much the same for all."""
    return set(re.findall(r"\w+", one.tried.partition(": ")[2].casefold()))


def _observed(entry: LedgerEntry, judgement: Judgement | None) -> str:
    fate = "kept" if entry.outcome == "kept" else f"rejected by the {entry.gate or 'last'} gate"
    reading = f" (read as {judgement.classification})" if judgement else ""
    figures = "; ".join(training_figures(entry.verdicts))
    said = judgement.explanation if judgement else ""
    return " ".join(part for part in (f"{fate.capitalize()}{reading}.", f"{figures}." if figures else "", said) if part)
