"""A batch's failures go to their clusters: equal words at once, the others by one call of the clusterer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sigmaloop.agents.filing import Filing, KnownCluster, NewCause, Place
from sigmaloop.errors import SpecialistError
from sigmaloop.graph.events import ClusterFounded, Emit
from sigmaloop.graph.services import Services
from sigmaloop.graph.shown import passing_rollout
from sigmaloop.memory.facts import ClusterCreated, ClusterDiagnosed, FailureAssigned
from sigmaloop.memory.similarity import (
    SHOW_ALL,
    Embed,
    cluster_of_mechanism,
    fallback_choice,
    nearest_clusters,
    same_mechanism,
)
from sigmaloop.records import Cluster, FailureRecord, Step

COUNTER_EXAMPLES = 3
"""Request types of which the clusterer is shown a rollout that went well."""


def file_failures(
    services: Services, emit: Emit, failures: Sequence[FailureRecord], *, incumbent: str, batch: int
) -> None:
    """Assign the failures that have no cluster yet, all in one transaction, and write the new diagnoses."""
    journal = services.journal
    new = [failure for failure in failures if not journal.event(f"assigned:{failure.id}")]
    if not new:
        return
    clusters = services.history.clusters(incumbent)
    causes = causes_of(new, clusters)
    filing = _asked(services, causes, clusters, incumbent, batch)
    placed = {place.label: place for place in filing.places}
    homes = {cause.label: home_of(cause, placed.get(cause.label), clusters, services.index.embed) for cause in causes}
    with journal.transaction():  # never a cluster without the failures that founded it, nor half a batch
        founded = _write(services, causes, homes, batch)
        for named in filing.diagnoses:
            home = homes.get(named.cluster)
            cluster_id = founded.get(home.founder, home.cluster_id) if home else named.cluster
            if cluster_id:
                journal.write(ClusterDiagnosed(batch=batch, cluster_id=cluster_id, diagnosis=named.diagnosis))
    for label, cluster_id in founded.items():
        emit(ClusterFounded(cluster_id=cluster_id, title=title_of(causes, homes, label)))


def causes_of(failures: Sequence[FailureRecord], clusters: Mapping[str, Cluster]) -> list[NewCause]:
    """Failures with the same mechanism are one cause; one that a cluster has word for word is in it already."""
    return [
        NewCause(
            label=f"N{number}",
            failures=group,
            cluster_id=same.id if (same := cluster_of_mechanism(group[0].mechanism, clusters)) else None,
        )
        for number, group in enumerate(same_mechanism(failures), 1)
    ]


def _asked(
    services: Services, causes: Sequence[NewCause], clusters: Mapping[str, Cluster], incumbent: str, batch: int
) -> Filing:
    shown = _shown(services, causes, clusters)
    states = services.history.cluster_states(incumbent, batch)
    known = [KnownCluster(cluster=c, state=states[c.id].state, failed=states[c.id].failed) for c in shown]
    if not known and len(causes) == 1:
        return Filing(places=())  # nothing to choose from: it founds the first cluster
    try:
        return services.clusterer.file(
            causes,
            known,
            passing=_passing(services, causes, incumbent, batch),
            batch=batch,
            scope=f"cluster:{batch}:{incumbent[:12]}",
        )
    except SpecialistError:
        return Filing(places=())


def _shown(services: Services, causes: Sequence[NewCause], clusters: Mapping[str, Cluster]) -> list[Cluster]:
    """All clusters while there are few, else those nearest to any of the causes; the oldest first."""
    if len(clusters) <= SHOW_ALL:
        return list(clusters.values())
    near = {c.id for cause in causes for c in nearest_clusters(cause.first, clusters, services.index.embed)[:8]}
    near |= {cause.cluster_id for cause in causes if cause.cluster_id}
    return [cluster for cluster in clusters.values() if cluster.id in near]


def _passing(services: Services, causes: Sequence[NewCause], incumbent: str, batch: int) -> dict[str, tuple[Step, ...]]:
    largest = sorted(causes, key=lambda cause: -len(cause.failures))
    found: dict[str, tuple[Step, ...]] = {}
    for kind in dict.fromkeys(cause.first.request_type for cause in largest):
        rollout = passing_rollout(services, incumbent, kind, batch) if len(found) < COUNTER_EXAMPLES else None
        if rollout is not None:
            found[kind] = services.journal.trace(rollout.id)
    return found


def home_of(cause: NewCause, place: Place | None, clusters: Mapping[str, Cluster], embed: Embed) -> Place:
    """Where a cause goes; by similarity when the clusterer gave no word that can be used."""
    if cause.cluster_id:
        return Place(label=cause.label, cluster_id=cause.cluster_id)
    if place is not None:
        return place
    choice = fallback_choice(cause.first, clusters, embed)
    if choice.cluster_id:
        return Place(label=cause.label, cluster_id=choice.cluster_id)
    return Place(label=cause.label, founder=cause.label)


def _write(services: Services, causes: Sequence[NewCause], homes: Mapping[str, Place], batch: int) -> dict[str, str]:
    """Write clusters and assignments; returns the new clusters' ids by the label of the cause that founds them."""
    journal, founded = services.journal, dict[str, str]()
    by_label = {cause.label: cause for cause in causes}
    for cause in causes:
        home = homes[cause.label]
        cluster_id = home.cluster_id or founded.get(home.founder)
        if cluster_id is None:
            cluster_id = founded[home.founder] = services.history.next_cluster_id()
            root_cause = by_label[home.founder].first.root_cause
            title = title_of(causes, homes, home.founder)
            journal.write(ClusterCreated(batch=batch, cluster_id=cluster_id, title=title, root_cause=root_cause))
        for failure in cause.failures:
            journal.write(FailureAssigned(batch=batch, cluster_id=cluster_id, failure=failure))
    return founded


def title_of(causes: Sequence[NewCause], homes: Mapping[str, Place], founder: str) -> str:
    cause = next(cause for cause in causes if cause.label == founder)
    return homes[founder].title or cause.first.mechanism
