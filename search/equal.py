"""Drafts that say the same: only one of them is worth a rollout."""

from __future__ import annotations

from collections.abc import Iterable

from sigmaloop.search.words import Draft

COSINE = 0.95
"""From which two added texts count as one."""


def equals(draft: Draft, others: Iterable[Draft]) -> str:
    """Id of an earlier draft that says the same: an equal syntax tree, or nearly the same words. Empty: none."""
    near = {similar.draft for similar in draft.similar if similar.cosine >= COSINE}
    for other in others:
        if other.id != draft.id and (other.tree == draft.tree or other.id in near):
            return other.id
    outside = near - {other.id for other in others}
    return min(outside, default="")
