"""What an attempt taught, written from structured fields: no model, and no text of a trace gets in."""

from __future__ import annotations

from sigmaloop.records import ChangeKind, GateName, Judgement, Learning, LedgerEntry

_KINDS: dict[ChangeKind, str] = {
    "prompt": "a rule in the prompt",
    "example": "a worked example",
    "tool": "a note on a tool",
    "context": "a change of the context",
    "control_flow": "a check in code",
}
_NEXT: dict[GateName, str] = {
    "admission": "Hand in a change that compiles, differs from the kept agent and names no task.",
    "cluster_tasks": "It did not help the tasks that it was made for: find out what they have in common.",
    "regression": "It broke tasks that were fixed before: make it narrower, say when it applies.",
    "validation": "It did not help on held-out tasks: say more exactly what to do, or change another place.",
    "judge": "State the general behaviour instead of the particular task.",
    "review": "A person declined it: ask why before trying the same again.",
}


def lesson(entry: LedgerEntry, judgement: Judgement | None = None) -> Learning:
    """The learning of one finished attempt, whether it was kept, reverted or never usable."""
    kind = _KINDS[entry.kind] if entry.kind else "an attempt that handed in nothing usable"
    reading = f" (read as {judgement.classification})" if judgement else ""
    if entry.outcome == "kept":
        pattern = f"{kind.capitalize()} works on this cause{reading}."
        advice = "Leave it in place; if failures of this cause return, sharpen it rather than add another."
    else:
        pattern = f"{kind.capitalize()} was stopped by the {entry.gate or 'last'} gate{reading}."
        advice = _NEXT[entry.gate] if entry.gate else "Try another kind of change."
    return Learning(
        candidate_id=entry.candidate_id,
        batch=entry.batch,
        attempt=entry.attempt,
        cluster_id=entry.cluster_id,
        cluster_title=entry.cluster_title,
        tried=entry.summary or "nothing that could be tried",
        outcome=entry.outcome,
        gate=entry.gate,
        pattern=pattern,
        advice=advice,
        for_people=_for_people(entry, judgement),
    )


def _for_people(entry: LedgerEntry, judgement: Judgement | None) -> str:
    kept = entry.outcome == "kept"
    fate = "It is part of the agent now." if kept else f"It was reverted by the {entry.gate or 'last'} gate."
    explanation = judgement.explanation if judgement else entry.hypothesis
    return f"Against “{entry.cluster_title}”: {entry.summary} {fate} {explanation}".strip()[:1_000]
