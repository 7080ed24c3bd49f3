"""What the clusterer is given and what it answers: a batch's new causes, the clusters, and where each cause goes."""

from __future__ import annotations

from sigmaloop.records import Cluster, Diagnosis, FailureRecord, Record


class NewCause(Record):
    """Failures of one batch with the very same mechanism."""

    label: str
    """`N1`, `N2` ..., as the clusterer names it."""
    failures: tuple[FailureRecord, ...]
    cluster_id: str | None = None
    """Set when the mechanism is a known cluster's own, word for word: that is no question."""

    @property
    def first(self) -> FailureRecord:
        """The failure that speaks for them."""
        return self.failures[0]


class KnownCluster(Record):
    """A cluster and where it stands."""

    cluster: Cluster
    state: str
    """Such as `open`, or `mended in batch 3 by: Adds the rule ...`."""
    failed: tuple[str, ...] = ()
    """Attempts at it since its last diagnosis that failed, and why."""


class Place(Record):
    """Where a cause goes."""

    label: str
    cluster_id: str | None = None
    """A known cluster."""
    founder: str = ""
    """Else the label of the cause that founds the cluster: its own, or another new one's."""
    title: str = ""
    """Of the new cluster."""


class NamedDiagnosis(Record):
    """What a cluster's failures have in common."""

    cluster: str
    """Its id, or the label of the cause that founds it."""
    diagnosis: Diagnosis


class Filing(Record):
    """The clusterer's word on a batch."""

    places: tuple[Place, ...]
    """Of the causes that it could place; the others are left to the caller."""
    diagnoses: tuple[NamedDiagnosis, ...] = ()
