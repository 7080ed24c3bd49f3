"""How the field changes: one function a fact, all of them pure, none of them aware of the order in which facts came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sigmaloop.gate.bank import Bank
from sigmaloop.records import Rollout
from sigmaloop.search.equal import equals
from sigmaloop.search.words import (
    Candidate,
    Draft,
    Fate,
    Field,
    Group,
    KeptPart,
    OpenCluster,
    Reason,
    Screening,
    Slot,
)


def slot_id(field: Field, place: int) -> str:
    """Of the round's place, counted from 1: journalled before the engineer is asked."""
    return f"R{field.round:04}.{place:02}"


def open_round(
    field: Field, clusters: Sequence[OpenCluster], *, batch: int, suite: Sequence[str] = (), number: int | None = None
) -> Field:
    """A new round: nothing drafted, the clusters in their rank order as they are now."""
    return field.model_copy(
        update={
            "round": number or field.round + 1,
            "batch": batch,
            "clusters": tuple(clusters),
            "suite": tuple(suite),
            "drafts": (),
            "screenings": {},
            "queue": (),
            "pending": None,
            "candidates": 0,
            "budget": field.budget.at(batch),
        }
    )


def wrote(field: Field, drafts: Iterable[Draft]) -> Field:
    """With what the engineers wrote. Which came first makes no difference: the one with the lower id stays."""
    fresh = {draft.id: draft for draft in drafts}
    everything = sorted({**{d.id: d for d in field.drafts}, **fresh}.values(), key=lambda d: d.id)
    judged: list[Draft] = []
    for draft in everything:
        if draft.id in fresh and draft.fate == "written" and (other := equals(draft, judged)):
            reason = Reason(draft=draft.id, code="equal", message=f"it says what {other} says")
            draft = draft.model_copy(update={"fate": "equal", "reason": reason})
        judged.append(draft)
    return field.model_copy(update={"drafts": tuple(judged), "budget": field.budget.paid(drafts=len(fresh))})


def screened(field: Field, screenings: Iterable[Screening], *, bank: Bank | None = None) -> Field:
    """With what screening found; a group of one draft tells that draft's fate."""
    found = {s.group.id: s for s in sorted(screenings, key=lambda s: s.group.id)}
    used = dict(field.used)
    for screening in found.values():
        for task in screening.results:
            used[task] = used.get(task, 0) + 1
    changed = field.model_copy(
        update={"screenings": {**field.screenings, **found}, "used": used, "bank": bank or field.bank}
    )
    for screening in found.values():
        if len(screening.group.drafts) == 1:
            fate: Fate = "surviving" if screening.passed else "fallen"
            changed = with_fate(changed, screening.group.drafts, fate, screening.reason)
    return changed


def chose(field: Field, candidate: Candidate) -> Field:
    """A group goes to the gate."""
    left = tuple(group for group in field.queue if group != candidate.group)
    return field.model_copy(update={"pending": candidate, "queue": left, "candidates": field.candidates + 1})


def left_out(field: Field, conflicts: Mapping[str, str]) -> Field:
    """Drafts that a merge did without, with the message of the conflict; they are redrafted on the next incumbent."""
    for draft, message in sorted(conflicts.items()):
        field = with_fate(field, (draft,), "left_out", Reason(draft=draft, code="conflict", message=message))
    pending = field.pending
    if pending is not None:
        rest = tuple(draft for draft in pending.group.drafts if draft not in conflicts)
        pending = pending.model_copy(update={"group": Group(drafts=rest)}) if rest or pending.removes else None
    return field.model_copy(update={"pending": pending})


def kept(field: Field) -> Field:
    """The candidate is the agent: every part is credited, what was measured of the old one is forgotten."""
    candidate = pending_of(field)
    names = candidate.group.drafts
    credited = [
        KeptPart(
            draft=d.id,
            clusters=d.clusters,
            added=d.added,
            batch=field.batch,
            probed=d.id in field.screenings and field.screenings[d.id].z is not None,
        )
        for d in map(field.draft, names)
    ]
    stay = [part for part in field.parts if part.draft not in candidate.removes]
    changed = with_fate(field, names, "kept")
    return changed.model_copy(update={"pending": None, "bank": Bank(), "parts": (*stay, *credited)})


def rejected(field: Field) -> Field:
    """The candidate is not the agent; no part of it is charged with that unless it was alone."""
    candidate = pending_of(field)
    names = candidate.group.drafts
    changed = with_fate(field, names, "rejected") if len(names) == 1 else field
    parts = tuple(
        part.model_copy(update={"removals": part.removals + 1}) if part.draft in candidate.removes else part
        for part in field.parts
    )
    return changed.model_copy(update={"pending": None, "parts": parts})


def pending_of(field: Field) -> Candidate:
    """Raises ValueError when nothing is before the gate."""
    if field.pending is None:
        raise ValueError(f"nothing of round {field.round} is before the gate; pick a candidate first")
    return field.pending


def tested(field: Field, effects: Mapping[str, tuple[float, float]], *, rollouts: int) -> Field:
    """With what a part test found: effect and its standard error by part; and what it cost."""
    parts = tuple(
        part.model_copy(
            update={"effect": effects[part.draft][0], "error": effects[part.draft][1], "tested": part.tested + 1}
        )
        if part.draft in effects
        else part
        for part in field.parts
    )
    return field.model_copy(update={"parts": parts, "on_parts": field.on_parts + rollouts})


def closed(field: Field, clusters: Iterable[str]) -> Field:
    """Some clusters emptied: what was drafted for them is still a candidate, but nobody is asked again."""
    gone = set(clusters)
    return field.model_copy(update={"clusters": tuple(c for c in field.clusters if c.id not in gone)})


def banked(field: Field, rollouts: Iterable[Rollout], *, cap: int = 12) -> Field:
    """With more results of the incumbent on training tasks."""
    return field.model_copy(update={"bank": field.bank.joined(rollouts, cap=cap)})


def with_fate(field: Field, names: Iterable[str], fate: Fate, reason: Reason | None = None) -> Field:
    wanted = set(names)
    drafts = tuple(
        d.model_copy(update={"fate": fate, "reason": reason or d.reason}) if d.id in wanted else d for d in field.drafts
    )
    return field.model_copy(update={"drafts": drafts})


def of_fate(field: Field, *fates: Fate) -> list[Draft]:
    """Drafts of these fates, by id."""
    return [draft for draft in field.drafts if draft.fate in fates]


def redrafts(field: Field, tries: int) -> tuple[Slot, ...]:
    """Slots whose newest draft fell, with the reason, while they have tries and their clusters still fail.

    A draft that says what another says is asked for once more, then dropped.
    """
    newest = {draft.slot.id: draft for draft in field.drafts}
    slots = []
    for draft in newest.values():
        slot = draft.slot
        again = draft.fate == "fallen" or (draft.fate == "equal" and not _asked_already(field, slot))
        if again and slot.attempt < tries and any(field.cluster(c) for c in slot.clusters):
            slots.append(slot.model_copy(update={"attempt": slot.attempt + 1, "reason": draft.reason}))
    return tuple(slots[: field.budget.drafts_left])


def _asked_already(field: Field, slot: Slot) -> bool:
    return sum(draft.slot.id == slot.id and draft.fate == "equal" for draft in field.drafts) > 1


def strength(field: Field, draft: Draft) -> tuple[float, int, str]:
    """Sorts the strongest first: by z of its probes, then by the rank of its cluster, then by id."""
    alone = field.screenings.get(draft.id)
    ranks = [rank for rank, cluster in enumerate(field.clusters) if cluster.id in draft.clusters]
    return -(alone.z if alone and alone.z is not None else 0.0), min(ranks, default=len(field.clusters)), draft.id


def strongest(field: Field, drafts: Iterable[Draft]) -> list[Draft]:
    return sorted(drafts, key=lambda draft: strength(field, draft))


def unscreened(field: Field) -> tuple[Group, ...]:
    """Drafts that nothing was measured of, each a group."""
    return tuple(Group(drafts=(draft.id,)) for draft in of_fate(field, "written"))
