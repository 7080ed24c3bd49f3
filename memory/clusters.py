"""Clusters of failures by root cause, as a pure fold of append-only events: ids never move.

    kind              payload
    cluster_created   cluster_id, title, root_cause
    failure_assigned  cluster_id, failure (FailureRecord); again with another cluster: a move
    cluster_merged    cluster_id, into: two clusters; the older one survives, the other is its alias
    task_scored       task_id, passed: the newest score of a task on a kept agent
    cluster_diagnosed cluster_id, diagnosis: what its failures have in common, as understood from now on
    ledger            cluster_id, outcome: kept, rejected, or anything else that does not count; gate: which rejected it

Time is counted in batches, so a run that was paused ranks its clusters as if it had not been.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sigmaloop.errors import StoreError
from sigmaloop.memory.events import Event
from sigmaloop.memory.similarity import fallback_choice as fallback_choice
from sigmaloop.memory.similarity import nearest_clusters as nearest_clusters
from sigmaloop.records import Cluster, Diagnosis, FailureRecord

ClusterStatus = Literal["new", "active", "partially resolved", "resolved", "recurring"]

CREATED = "cluster_created"
ASSIGNED = "failure_assigned"
MERGED = "cluster_merged"
SCORED = "task_scored"
ENDED = "ledger"
DIAGNOSED = "cluster_diagnosed"
HALF = 0.5
"""A setback at validation: the change mended its targets and may be right and too small."""
KINDS = frozenset({CREATED, ASSIGNED, MERGED, SCORED, DIAGNOSED, ENDED})
"""The kinds that the fold reads: `fold_clusters(journal.events(KINDS))` skips all others early."""


def fold_clusters(events: Iterable[Event]) -> dict[str, Cluster]:
    """Surviving clusters by id, in order of id. Raises StoreError when events contradict each other."""
    return ClusterFold().extend(events).clusters()


def next_cluster_id(events: Iterable[Event]) -> str:
    """The id of the next new cluster; an id is never reused, not even a merged one's."""
    return ClusterFold().extend(events).next_id()


def rank(clusters: Mapping[str, Cluster] | Collection[Cluster], batch: int) -> list[Cluster]:
    """Clusters by what working on them now is worth, best first; a resolved one is worth 0."""
    values = clusters.values() if isinstance(clusters, Mapping) else clusters
    return sorted(values, key=lambda cluster: (-cluster.selection(batch), _number(cluster.id)))


@dataclass
class _Draft:
    """A cluster while events are being folded into it."""

    id: str
    title: str
    root_cause: str
    created_batch: int
    last_batch: int
    failures: dict[str, FailureRecord] = field(default_factory=dict)
    attempts: int = 0
    setbacks: float = 0.0
    diagnosis: Diagnosis | None = None
    kept: int = 0
    was_resolved: bool = False


class ClusterFold:
    """The fold's state; folding some events and later the rest equals folding all of them at once."""

    def __init__(self) -> None:
        self._drafts: dict[str, _Draft] = {}
        self._alias: dict[str, str] = {}
        self._home: dict[str, str] = {}  # failure id -> cluster id
        self._passed: dict[str, bool] = {}  # task id -> newest score on a kept agent
        self._newest = 0
        self._batch = 0

    def extend(self, events: Iterable[Event]) -> ClusterFold:
        """Fold further events in, in the order in which they were written."""
        for event in events:
            self._batch = max(self._batch, event.batch)
            if event.kind in KINDS:
                _FOLDERS[event.kind](self, event.payload, event.payload.get("batch", event.batch))
        return self

    def clusters(self) -> dict[str, Cluster]:
        return {draft.id: self._freeze(draft) for draft in self._ordered()}

    def statuses(self, *, batch: int | None = None) -> dict[str, ClusterStatus]:
        now = self._batch if batch is None else batch
        return {draft.id: self._status(draft, now) for draft in self._ordered()}

    def next_id(self) -> str:
        return f"C{self._newest + 1:03d}"

    def survivor(self, cluster_id: str) -> str:
        """The id under which a cluster lives on: its own, unless it was merged away."""
        while cluster_id in self._alias:
            cluster_id = self._alias[cluster_id]
        return cluster_id

    def _created(self, payload: Mapping[str, Any], batch: int) -> None:
        number = _number(payload["cluster_id"])
        if number <= self._newest:
            raise StoreError(f"cluster {payload['cluster_id']} is created, but its id was given before")
        self._newest = number
        self._drafts[payload["cluster_id"]] = _Draft(
            id=payload["cluster_id"],
            title=payload["title"],
            root_cause=payload["root_cause"],
            created_batch=batch,
            last_batch=batch,
        )

    def _assigned(self, payload: Mapping[str, Any], batch: int) -> None:
        failure = FailureRecord.model_validate(payload["failure"])
        draft = self._draft(payload["cluster_id"])
        former = self._home.get(failure.id)
        if former is None:
            # A failure was mined from a rollout of the kept agent: it is a score too.
            self._passed[failure.task_id] = False
            draft.last_batch = max(draft.last_batch, batch)
        else:
            left = self._drafts[self.survivor(former)]
            left.failures.pop(failure.id, None)
            self._note(left)
        self._home[failure.id] = draft.id
        draft.failures[failure.id] = failure
        draft.last_batch = max(draft.last_batch, failure.batch)
        self._note(draft)

    def _merged(self, payload: Mapping[str, Any], _: int) -> None:
        pair = {self._draft(payload["cluster_id"]).id, self._draft(payload["into"]).id}
        if len(pair) == 1:
            return
        older, younger = (self._drafts[id_] for id_ in sorted(pair, key=_number))
        older.failures.update(younger.failures)
        older.last_batch = max(older.last_batch, younger.last_batch)
        older.attempts += younger.attempts
        older.setbacks += younger.setbacks
        older.diagnosis = older.diagnosis or younger.diagnosis
        older.kept += younger.kept
        older.was_resolved = older.was_resolved or younger.was_resolved
        self._alias[younger.id] = older.id
        del self._drafts[younger.id]

    def _scored(self, payload: Mapping[str, Any], _: int) -> None:
        task, passed = payload["task_id"], bool(payload["passed"])
        if self._passed.get(task) == passed:
            return
        self._passed[task] = passed
        if passed:
            for draft in self._drafts.values():
                self._note(draft)

    def _ended(self, payload: Mapping[str, Any], _: int) -> None:
        """A keep credits every part's cluster; a rejection is charged only where one part stood alone."""
        parts = payload.get("parts") or ()
        named = dict.fromkeys([part["cluster_id"] for part in parts] or [payload["cluster_id"]])
        if payload.get("removes"):
            return
        for draft in {id(draft): draft for draft in map(self._draft, named)}.values():
            if payload["outcome"] == "kept":
                draft.kept += 1
                draft.attempts, draft.setbacks = 0, 0.0
            elif payload["outcome"] == "rejected" and len(parts) < 2:
                draft.attempts += 1
                draft.setbacks += HALF if payload.get("gate") == "validation" else 1.0

    def _diagnosed(self, payload: Mapping[str, Any], _: int) -> None:
        self._draft(payload["cluster_id"]).diagnosis = Diagnosis.model_validate(payload["diagnosis"])

    def _note(self, draft: _Draft) -> None:
        """Remember that a cluster was resolved once: what fails in it later is a recurrence."""
        draft.was_resolved = draft.was_resolved or (bool(draft.failures) and not self._failing(draft))

    def _draft(self, cluster_id: str) -> _Draft:
        draft = self._drafts.get(self.survivor(cluster_id))
        if draft is None:
            raise StoreError(f"an event names cluster {cluster_id}, which was never created")
        return draft

    def _ordered(self) -> list[_Draft]:
        return sorted(self._drafts.values(), key=lambda draft: _number(draft.id))

    def _failing(self, draft: _Draft) -> bool:
        return any(not self._passed.get(f.task_id, False) for f in draft.failures.values())

    def _freeze(self, draft: _Draft) -> Cluster:
        tasks = {failure.task_id for failure in draft.failures.values()}
        return Cluster(
            id=draft.id,
            title=draft.title,
            root_cause=draft.root_cause,
            created_batch=draft.created_batch,
            failures=tuple(draft.failures.values()),
            attempts=draft.attempts,
            setbacks=draft.setbacks,
            diagnosis=draft.diagnosis,
            kept=draft.kept,
            resolved_tasks=frozenset(task for task in tasks if self._passed.get(task, False)),
            last_batch=draft.last_batch,
        )

    def _status(self, draft: _Draft, batch: int) -> ClusterStatus:
        if draft.failures and not self._failing(draft):
            return "resolved"
        if draft.was_resolved:
            return "recurring"
        if any(self._passed.get(f.task_id, False) for f in draft.failures.values()):
            return "partially resolved"
        untouched = draft.attempts == 0 and draft.kept == 0
        return "new" if untouched and draft.created_batch >= batch else "active"


_FOLDERS = {
    CREATED: ClusterFold._created,
    ASSIGNED: ClusterFold._assigned,
    MERGED: ClusterFold._merged,
    SCORED: ClusterFold._scored,
    DIAGNOSED: ClusterFold._diagnosed,
    ENDED: ClusterFold._ended,
}


def _number(cluster_id: str) -> int:
    try:
        return int(cluster_id.removeprefix("C"))
    except ValueError:
        raise StoreError(f"{cluster_id!r} is no cluster id; ids are C001, C002 ...") from None
