"""A rejected group may hold something good: its halves go to the gate on their own, the better half first."""

from __future__ import annotations

from sigmaloop.gate.finding import Finding
from sigmaloop.search.rounds import kept, pending_of, rejected, strongest
from sigmaloop.search.words import Field, Group


def halves(field: Field, group: Group) -> tuple[Group, ...]:
    """The better half, then the rest; none of a single draft."""
    if len(group.drafts) < 2:
        return ()
    ranked = [draft.id for draft in strongest(field, (field.draft(name) for name in group.drafts))]
    middle = (len(ranked) + 1) // 2
    return Group(drafts=tuple(ranked[:middle])), Group(drafts=tuple(ranked[middle:]))


def bisected(field: Field) -> Field:
    """The field after the pending group was rejected: its halves are next, before everything else."""
    split = halves(field, pending_of(field).group)
    after = rejected(field)
    return after.model_copy(update={"queue": (*split, *after.queue)})


def judged(field: Field, finding: Finding) -> Field:
    """The field after the gate's last word on the candidate: parts credited, or halves queued."""
    return kept(field) if finding.outcome == "passed" else bisected(field)
