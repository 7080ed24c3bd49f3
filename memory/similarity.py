"""Which cluster is a failure like? Nearest clusters by centroid, and the choice when no model can decide."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from sigmaloop.records import Cluster, ClusterChoice, FailureRecord

Vectors: TypeAlias = npt.NDArray[np.float32]
Embed: TypeAlias = Callable[[Sequence[str]], Vectors]
"""Texts to unit vectors, one row a text. It is handed every failure of every cluster again for each new one: give
it something that remembers, as `FailureIndex.embed` does."""

SHOW_ALL = 60
"""Up to this many clusters the decider sees all of them: fewer cost accuracy, more cost attention."""
SHOW_NEAREST = 20
SAME_CAUSE = 0.25
"""Cosine to a centroid above which a failure joins it, for hash-v1."""


def centroids(clusters: Sequence[Cluster], embed: Embed) -> Vectors:
    """Unit mean of the embeddings of each cluster's failures, one row a cluster."""
    texts = [_texts(cluster) for cluster in clusters]
    flat = embed([text for group in texts for text in group])
    ends = np.cumsum([len(group) for group in texts])
    rows = [flat[end - len(group) : end].mean(axis=0) for group, end in zip(texts, ends, strict=True)]
    return np.stack([row / (float(np.linalg.norm(row)) or 1.0) for row in rows]).astype(np.float32)


def nearest_clusters(
    failure: FailureRecord,
    clusters: Mapping[str, Cluster] | Collection[Cluster],
    embed: Embed,
    *,
    centers: Vectors | None = None,
) -> list[Cluster]:
    """The clusters to show to the one who decides, most similar first: all while there are few."""
    known = _listed(clusters)
    ordered = [cluster for _, cluster in _by_similarity(failure, known, embed, centers)]
    return ordered if len(ordered) <= SHOW_ALL else ordered[:SHOW_NEAREST]


def fallback_choice(
    failure: FailureRecord,
    clusters: Mapping[str, Cluster] | Collection[Cluster],
    embed: Embed,
    *,
    threshold: float = SAME_CAUSE,
    centers: Vectors | None = None,
) -> ClusterChoice:
    """The cluster with the same mechanism tag, else the nearest one, else a new one; no model is asked.

    `centers` saves work when many failures meet the same clusters: their `centroids`, in their order.
    """
    known = _listed(clusters)
    same = cluster_of_mechanism(failure.mechanism, known)
    if same is not None:
        return ClusterChoice(cluster_id=same.id, reason=f"same mechanism: {failure.mechanism}")
    ranked = _by_similarity(failure, known, embed, centers)
    if ranked and ranked[0][0] >= threshold:
        likeness, cluster = ranked[0]
        return ClusterChoice(cluster_id=cluster.id, reason=f"nearest centroid, cosine {likeness:.2f}")
    return ClusterChoice(cluster_id=None, title=failure.mechanism, reason="no known cluster is similar")


def same_mechanism(failures: Sequence[FailureRecord]) -> list[tuple[FailureRecord, ...]]:
    """The failures by their mechanism, in the order in which each was met first: equal words are no question."""
    groups: dict[str, list[FailureRecord]] = {}
    for failure in failures:
        groups.setdefault(_tag(failure.mechanism), []).append(failure)
    return [tuple(group) for group in groups.values()]


def cluster_of_mechanism(mechanism: str, clusters: Mapping[str, Cluster] | Collection[Cluster]) -> Cluster | None:
    """The cluster that holds most failures of the very same mechanism; the oldest of equals."""
    tag = _tag(mechanism)
    counts = [(sum(_tag(f.mechanism) == tag for f in cluster.failures), cluster) for cluster in _listed(clusters)]
    same = max(counts, key=lambda pair: pair[0], default=None)
    return same[1] if same is not None and same[0] else None


def _by_similarity(
    failure: FailureRecord, clusters: Sequence[Cluster], embed: Embed, centers: Vectors | None
) -> list[tuple[float, Cluster]]:
    if not clusters:
        return []
    matrix = centroids(clusters, embed) if centers is None else centers
    likeness = matrix @ embed([failure.embedding_text])[0]
    pairs = [(float(value), cluster) for value, cluster in zip(likeness, clusters, strict=True)]
    return sorted(pairs, key=lambda pair: -pair[0])  # stable: the older of equals first


def _listed(clusters: Mapping[str, Cluster] | Collection[Cluster]) -> list[Cluster]:
    return list(clusters.values() if isinstance(clusters, Mapping) else clusters)


def _texts(cluster: Cluster) -> list[str]:
    texts = [failure.embedding_text for failure in cluster.failures]
    # A cluster whose failures all moved away still says what it was about.
    return texts or [f"{cluster.title}. {cluster.root_cause}"]


def _tag(mechanism: str) -> str:
    return " ".join(mechanism.casefold().split())
