"""What an attempt taught, written from structured fields: no model, and no text of a trace gets in."""

from __future__ import annotations

from typing import Literal

from sigmaloop.records import Candidate, ChangeKind, Cluster, GateName, Judgement, Learning

_KINDS: dict[ChangeKind, str] = {
    "prompt": "a rule in the prompt",
    "example": "a worked example",
    "tool": "a note on a tool",
    "context": "a change of the context",
    "control_flow": "a check in code",
}
_NEXT: dict[GateName, str] = {
    "admission": "Hand in a change that compiles, differs from the kept agent and names no case.",
    "regression": "It broke cases that were fixed before: make it narrower, say when it applies.",
    "validation": "It did not help other customers: say more exactly what to do, or change another place.",
    "judge": "State the general behaviour instead of the particular case.",
    "review": "A person declined it: ask why before trying the same again.",
}


def lesson(
    candidate: Candidate,
    cluster: Cluster,
    outcome: Literal["kept", "rejected"],
    gate: GateName | None,
    judgement: Judgement | None,
) -> Learning:
    """The learning of one finished attempt; `gate` is the one that rejected it, None for a kept change."""
    kind = _KINDS[candidate.kind]
    reading = judgement.classification if judgement else "unclear"
    if outcome == "kept":
        pattern = f"{kind.capitalize()} works on this cause (read as {reading})."
        advice = "Leave it in place; if failures of this cause return, sharpen it rather than add another."
    else:
        pattern = f"{kind.capitalize()} was stopped by the {gate or 'last'} gate (read as {reading})."
        advice = _NEXT[gate] if gate else "Try another kind of change."
    return Learning(
        candidate_id=candidate.id,
        batch=candidate.batch,
        attempt=candidate.attempt,
        cluster_id=cluster.id,
        cluster_title=cluster.title,
        tried=candidate.summary,
        outcome=outcome,
        gate=gate,
        pattern=pattern,
        advice=advice,
        for_people=_for_people(candidate, cluster, outcome, gate, judgement),
    )


def _for_people(
    candidate: Candidate, cluster: Cluster, outcome: str, gate: GateName | None, judgement: Judgement | None
) -> str:
    said = judgement.explanation if judgement else candidate.hypothesis
    fate = "is part of the agent now" if outcome == "kept" else f"was reverted by the {gate or 'last'} gate"
    told = f"Against “{cluster.title}” ({cluster.size} failures): {candidate.summary} It {fate}. {said}"
    return told[:1_000]
