"""Which cluster the next attempt is for, and what is done when nothing is kept for long. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Literal

from sigmaloop.memory.clusters import rank
from sigmaloop.records import Cluster, GateName, LedgerEntry

TRIES = 3
"""Attempts at one cluster in a row, each with the reason why the last one did not work."""
DID_NOT_WORK: frozenset[GateName | None] = frozenset({"admission", "cluster_tasks", "regression"})
"""Gates whose word can be acted on at once; one rejected by validation worked, and may be too small."""

Step = Literal["", "warn", "diversify", "stop"]
_LADDER: tuple[tuple[int, Step], ...] = ((4, "stop"), (2, "diversify"), (1, "warn"))
"""A step is taken after so many times `plateau` attempts without a kept change."""


def next_target(
    clusters: Mapping[str, Cluster], ended: Sequence[LedgerEntry], *, batch: int, step: Step = ""
) -> Cluster | None:
    """The cluster to work on now; None when nothing is left to fix. `ended`: the lineage's attempts, oldest first.

    The one that was just tried, while a try that did not work can be improved on; then the ranking decides. On a
    plateau the cluster with the fewest attempts goes first: what was tried most has told what it can.
    """
    again = _again(clusters, [entry for entry in ended if entry.batch == batch], batch)
    if again is not None:
        return again
    ranked = [cluster for cluster in rank(clusters, batch) if cluster.selection(batch) > 0]
    if step == "diversify":
        ranked.sort(key=lambda cluster: cluster.attempts)  # stable: the ranking decides among equals
    return ranked[0] if ranked else None


def _again(clusters: Mapping[str, Cluster], ended: Sequence[LedgerEntry], batch: int) -> Cluster | None:
    last = ended[-1] if ended else None
    if last is None or last.outcome == "kept" or last.gate not in DID_NOT_WORK:
        return None
    cluster = clusters.get(last.cluster_id)
    if cluster is None or cluster.selection(batch) <= 0 or tries_at(ended, cluster.id) >= TRIES:
        return None
    return cluster


def tries_at(ended: Sequence[LedgerEntry], cluster_id: str) -> int:
    """Attempts at a cluster in a row, up to now, that were rejected."""
    return sum(1 for _ in takewhile(lambda e: e.cluster_id == cluster_id and e.outcome != "kept", reversed(ended)))


def since_keep(ended: Sequence[LedgerEntry]) -> int:
    """Attempts since the last kept change."""
    return sum(1 for _ in takewhile(lambda entry: entry.outcome != "kept", reversed(ended)))


def plateau_step(attempts: int, plateau: int) -> Step:
    """Where on the ladder so many attempts without a kept change are; `plateau` 0: there is none."""
    if not plateau:
        return ""
    return next((step for times, step in _LADDER if attempts >= times * plateau), "")


def newly(attempts: int, plateau: int) -> Step:
    """The step that is taken at exactly so many attempts without a kept change, if any."""
    step = plateau_step(attempts, plateau)
    return step if attempts and step != plateau_step(attempts - 1, plateau) else ""
