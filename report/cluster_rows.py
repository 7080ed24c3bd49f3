"""How failures developed: every cluster after every batch, the open ones first."""

from __future__ import annotations

from collections import Counter, defaultdict

from sigmaloop.memory.clusters import ClusterFold
from sigmaloop.memory.events import Event
from sigmaloop.records import Cluster
from sigmaloop.report.material import Material
from sigmaloop.report.record import ClusterCell, ClusterRow
from sigmaloop.report.words import plural


def cluster_rows(material: Material) -> tuple[ClusterRow, ...]:
    """Open ones first, by priority, then the resolved ones."""
    cells = _cells(material)
    statuses = material.clusters.statuses()
    rejected = Counter(
        material.clusters.survivor(entry.cluster_id) for entry in material.ledger if entry.outcome == "rejected"
    )
    rows = [
        ClusterRow(
            id=cluster.id,
            title=cluster.title,
            root_cause=cluster.root_cause,
            status=statuses[cluster.id],
            open=statuses[cluster.id] != "resolved",
            failing=len(cluster.tasks - cluster.resolved_tasks),
            tasks=len(cluster.tasks),
            failures=cluster.size,
            kept=cluster.kept,
            rejected=rejected[cluster.id],
            stubborn=cluster.attempts,
            severity=cluster.severity,
            priority=cluster.priority(material.batch),
            cells=tuple(cells[cluster.id]),
            request_types=tuple(sorted({failure.request_type for failure in cluster.failures})),
        )
        for cluster in material.clusters.clusters().values()
    ]
    return tuple(sorted(rows, key=lambda row: (not row.open, -row.priority, row.id)))


def clusters_title(rows: tuple[ClusterRow, ...]) -> str:
    """How many causes are left."""
    if not rows:
        return ""
    left = sum(row.open for row in rows)
    failures = plural(sum(row.failures for row in rows), "failure")
    return f"{failures} with {plural(len(rows), 'cause')}: {len(rows) - left} resolved, {left} open"


def _cells(material: Material) -> dict[str, list[ClusterCell]]:
    """The clusters as they stood when each batch ended."""
    by_batch: dict[int, list[Event]] = defaultdict(list)
    for event in material.events:
        by_batch[event.batch].append(event)
    fold, before = ClusterFold(), dict[str, int]()
    found: dict[str, list[ClusterCell]] = defaultdict(list)
    for batch in sorted(by_batch):
        clusters = fold.extend(by_batch[batch]).clusters()
        for cluster in clusters.values():
            if batch:
                found[cluster.id].append(_cell(cluster, batch, before.get(cluster.id, 0)))
        before = {cluster.id: cluster.size for cluster in clusters.values()}
    return found


def _cell(cluster: Cluster, batch: int, before: int) -> ClusterCell:
    tasks, failing = len(cluster.tasks), len(cluster.tasks - cluster.resolved_tasks)
    return ClusterCell(
        batch=batch,
        failing=failing,
        tasks=tasks,
        new=max(0, cluster.size - before),
        state="resolved" if not failing else "open" if failing == tasks else "part",
    )
