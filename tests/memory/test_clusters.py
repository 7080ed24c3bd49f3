"""Clusters are folded from events: ids never move, every failure has one home, the newest scores decide their state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaloop.errors import StoreError
from sigmaloop.memory.clusters import (
    ClusterFold,
    fallback_choice,
    fold_clusters,
    nearest_clusters,
    next_cluster_id,
    rank,
)
from sigmaloop.memory.embedder import HashEmbedder
from sigmaloop.memory.events import Event
from sigmaloop.memory.similarity import centroids
from sigmaloop.records import Cluster, FailureRecord, digest

Facts = Callable[..., list[Event]]
Make = Callable[..., FailureRecord]
embed = HashEmbedder().embed


def created(cluster_id: str, batch: int = 1, title: str = "title") -> tuple[str, dict[str, Any], int]:
    return "cluster_created", {"cluster_id": cluster_id, "title": title, "root_cause": "cause"}, batch


def assigned(cluster_id: str, failure: FailureRecord) -> tuple[str, dict[str, Any], int]:
    payload = {"cluster_id": cluster_id, "failure": failure.model_dump(mode="json")}
    return "failure_assigned", payload, failure.batch


def scored(task: str, passed: bool, batch: int = 1) -> tuple[str, dict[str, Any], int]:
    return "task_scored", {"task_id": task, "passed": passed, "batch": batch}, batch


def ended(cluster_id: str, outcome: str, batch: int = 1) -> tuple[str, dict[str, Any], int]:
    return "ledger", {"cluster_id": cluster_id, "outcome": outcome}, batch


def merged(cluster_id: str, into: str, batch: int = 1) -> tuple[str, dict[str, Any], int]:
    return "cluster_merged", {"cluster_id": cluster_id, "into": into}, batch


def test_failures_gather_in_their_cluster(make_events: Facts, make_failure: Make) -> None:
    first, second = make_failure("t1", batch=1), make_failure("t2", batch=4)
    found = fold_clusters(make_events(created("C001"), assigned("C001", first), assigned("C001", second)))
    cluster = found["C001"]
    assert cluster.failures == (first, second)
    assert (cluster.created_batch, cluster.last_batch) == (1, 4)
    assert cluster.tasks == {"t1", "t2"}
    assert cluster.resolution_rate == 0


def test_the_newest_score_on_a_kept_agent_decides_what_is_resolved(make_events: Facts, make_failure: Make) -> None:
    facts = [created("C001"), assigned("C001", make_failure("t1")), assigned("C001", make_failure("t2"))]
    facts += [scored("t1", True), scored("t3", True)]
    assert fold_clusters(make_events(*facts))["C001"].resolved_tasks == {"t1"}
    facts += [scored("t1", False), scored("t2", True)]
    assert fold_clusters(make_events(*facts))["C001"].resolved_tasks == {"t2"}


def test_a_new_failure_of_a_task_unresolves_it(make_events: Facts, make_failure: Make) -> None:
    facts = [created("C001"), assigned("C001", make_failure("t1")), scored("t1", True, 2)]
    facts += [assigned("C001", make_failure("t1", batch=3))]
    assert fold_clusters(make_events(*facts))["C001"].resolution_rate == 0


def test_attempts_count_rejections_since_the_last_kept_change(make_events: Facts) -> None:
    facts = [created("C001"), created("C002")]
    facts += [ended("C001", outcome) for outcome in ("rejected", "kept", "rejected", "rejected", "indecisive")]
    found = fold_clusters(make_events(*facts))
    assert (found["C001"].attempts, found["C001"].kept) == (2, 1)
    assert (found["C002"].attempts, found["C002"].kept) == (0, 0)


def test_the_older_of_two_merged_clusters_survives_whichever_way_round(make_events: Facts, make_failure: Make) -> None:
    one, two, later = make_failure("t1"), make_failure("t2"), make_failure("t3", batch=5)
    for pair in (("C001", "C002"), ("C002", "C001")):
        facts = [created("C001", 1, "old"), created("C002", 2, "young"), assigned("C001", one), assigned("C002", two)]
        facts += [ended("C001", "rejected"), ended("C002", "rejected"), merged(*pair, batch=3)]
        facts += [assigned("C002", later), ended("C002", "rejected"), merged("C002", "C001", 6)]
        fold = ClusterFold().extend(make_events(*facts))
        found = fold.clusters()
        assert list(found) == ["C001"]
        assert found["C001"].title == "old"
        assert {f.task_id for f in found["C001"].failures} == {"t1", "t2", "t3"}
        assert (found["C001"].attempts, found["C001"].last_batch) == (3, 5)
        assert fold.survivor("C002") == "C001"
        assert next_cluster_id(make_events(*facts)) == "C003", "a merged id is not given again"


def test_a_failure_that_moves_is_in_one_cluster_only(make_events: Facts, make_failure: Make) -> None:
    failure = make_failure("t1")
    facts = [created("C001"), created("C002"), assigned("C001", failure), scored("t1", True), assigned("C002", failure)]
    found = fold_clusters(make_events(*facts))
    assert found["C001"].failures == ()
    assert found["C002"].failures == (failure,)
    assert found["C002"].resolved_tasks == {"t1"}, "a move is no new failure"


def test_contradictory_events_are_refused(make_events: Facts, make_failure: Make) -> None:
    with pytest.raises(StoreError, match="C007, which was never created"):
        fold_clusters(make_events(assigned("C007", make_failure())))
    with pytest.raises(StoreError, match="given before"):
        fold_clusters(make_events(created("C002"), created("C002")))
    with pytest.raises(StoreError, match="no cluster id"):
        fold_clusters(make_events(created("first")))


def test_ids_start_at_one_and_grow_past_three_digits(make_events: Facts) -> None:
    assert next_cluster_id([]) == "C001"
    assert next_cluster_id(make_events(created("C999"))) == "C1000"
    assert list(fold_clusters(make_events(created("C999"), created("C1000")))) == ["C999", "C1000"]


def test_a_cluster_goes_from_new_to_resolved_and_may_come_back(make_events: Facts, make_failure: Make) -> None:
    facts = [created("C001"), assigned("C001", make_failure("t1")), assigned("C001", make_failure("t2"))]

    def status(*more: tuple[str, dict[str, Any], int], batch: int | None = None) -> str:
        facts.extend(more)
        return ClusterFold().extend(make_events(*facts)).statuses(batch=batch)["C001"]

    assert status() == "new"
    assert status(batch=2) == "active"
    assert status(ended("C001", "rejected")) == "active"
    assert status(scored("t1", True, 2)) == "partially resolved"
    assert status(scored("t2", True, 2)) == "resolved"
    assert status(assigned("C001", make_failure("t3", batch=3))) == "recurring"
    assert status(scored("t3", True, 4)) == "resolved"
    assert status(scored("t1", False, 5)) == "recurring"


def test_a_cluster_whose_last_failing_task_moved_away_was_resolved_too(make_events: Facts, make_failure: Make) -> None:
    failing = make_failure("t2")
    facts = [created("C001"), created("C002"), assigned("C001", make_failure("t1")), assigned("C001", failing)]
    facts += [scored("t1", True, 2), assigned("C002", failing)]
    assert ClusterFold().extend(make_events(*facts)).statuses()["C001"] == "resolved"
    facts += [assigned("C001", make_failure("t3", batch=3))]
    assert ClusterFold().extend(make_events(*facts)).statuses()["C001"] == "recurring"


def test_the_stubborn_the_old_and_the_resolved_are_ranked_behind(make_events: Facts, make_failure: Make) -> None:
    facts = [created(f"C00{n}") for n in range(1, 6)]
    facts += [assigned(f"C00{n}", make_failure(f"t{n}", batch=3 if n != 2 else 1)) for n in range(1, 6)]
    facts += [ended("C003", "rejected")] * 3 + [scored("t4", True, 3)]
    order = [cluster.id for cluster in rank(fold_clusters(make_events(*facts)), 3)]
    assert order == ["C001", "C005", "C002", "C003", "C004"]


def test_without_a_model_the_same_mechanism_decides(make_events: Facts, make_failure: Make) -> None:
    other = make_failure("t2", mechanism="forgets second request", root_cause="x", should_have="y")
    facts = [created("C001"), created("C002"), assigned("C001", make_failure("t1")), assigned("C002", other)]
    clusters = fold_clusters(make_events(*facts))
    first = make_failure("t1")
    new = make_failure(
        "t9", mechanism="Forgets  second Request", root_cause=first.embedding_text, should_have=first.embedding_text
    )
    assert nearest_clusters(new, clusters, embed)[0].id == "C001", "its words are those of the other cluster"
    choice = fallback_choice(new, clusters, embed)
    assert (choice.cluster_id, choice.reason) == ("C002", "same mechanism: Forgets  second Request")


def test_without_a_model_the_nearest_cause_decides_or_a_new_cluster_is_made(
    make_events: Facts, make_failure: Make
) -> None:
    amount = make_failure(
        "t2",
        mechanism="refund amount not stated",
        root_cause="It completed the refund and never told how much money comes back.",
        should_have="Say the refund amount before closing.",
    )
    facts = [created("C001"), created("C002"), assigned("C001", make_failure("t1")), assigned("C002", amount)]
    clusters = fold_clusters(make_events(*facts))
    near = make_failure(
        "t3",
        mechanism="omits refund amount",
        root_cause="The amount of the refund was never mentioned.",
        should_have="State how much money is refunded.",
    )
    far = make_failure(
        "t4",
        mechanism="skips identity verification",
        root_cause="Birth date and postcode stayed unchecked.",
        should_have="Verify identity first.",
    )
    assert fallback_choice(near, clusters, embed).cluster_id == "C002"
    choice = fallback_choice(far, clusters, embed)
    assert choice.cluster_id is None
    assert choice.title == "skips identity verification"
    centers = centroids(list(clusters.values()), embed)
    assert fallback_choice(near, clusters, embed, centers=centers) == fallback_choice(near, clusters, embed)
    assert [c.id for c in nearest_clusters(near, clusters, embed)] == ["C002", "C001"]


def test_the_decider_sees_all_clusters_while_they_are_few_then_the_nearest(make_failure: Make) -> None:
    many = [Cluster(id=f"C{n:03d}", title=f"word{n}", root_cause="cause", created_batch=0) for n in range(1, 62)]
    assert len(nearest_clusters(make_failure(), many[:60], embed)) == 60
    assert len(nearest_clusters(make_failure(), many, embed)) == 20
    assert nearest_clusters(make_failure(), [], embed) == []
    assert fallback_choice(make_failure(), {}, embed).cluster_id is None


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, dict[str, Any], int]]:
    """A history as the loop writes it: clusters in order of id, other events about clusters that exist."""
    facts: list[tuple[str, dict[str, Any], int]] = [created("C001", 0)]
    count = 1
    for batch in range(draw(st.integers(1, 12))):
        step = draw(st.sampled_from(["create", "assign", "merge", "score", "end"]))
        some = st.integers(1, count).map(lambda n: f"C{n:03d}")
        task = draw(st.sampled_from(["t1", "t2", "t3"]))
        if step == "create":
            count += 1
            facts.append(created(f"C{count:03d}", batch))
        elif step == "assign":
            failure = FailureRecord(
                rollout_id=digest(task, draw(st.integers(0, 2))), task_id=task, request_type="r", batch=batch,
                mechanism="m", what_failed="w", root_cause="c", should_have="s", severity=1,
            )  # fmt: skip
            facts.append(assigned(draw(some), failure))
        elif step == "merge":
            facts.append(merged(draw(some), draw(some), batch))
        elif step == "score":
            facts.append(scored(task, draw(st.booleans()), batch))
        else:
            facts.append(ended(draw(some), draw(st.sampled_from(["kept", "rejected"])), batch))
    return facts


def as_events(facts: list[tuple[str, dict[str, Any], int]]) -> list[Event]:
    return [Event(seq=n, id=str(n), kind=k, payload=p, batch=b) for n, (k, p, b) in enumerate(facts, start=1)]


@settings(max_examples=80, deadline=None)
@given(facts=histories(), data=st.data())
def test_folding_a_beginning_and_then_the_rest_equals_folding_all(
    facts: list[tuple[str, dict[str, Any], int]], data: st.DataObject
) -> None:
    events = as_events(facts)
    cut = data.draw(st.integers(0, len(events)))
    fold = ClusterFold().extend(events[:cut])
    fold.clusters()
    fold.statuses()
    fold.extend(events[cut:])
    whole = ClusterFold().extend(events)
    assert fold.clusters() == whole.clusters() == fold_clusters(events)
    assert fold.statuses() == whole.statuses()
    assert fold.next_id() == next_cluster_id(events)


@settings(max_examples=80, deadline=None)
@given(facts=histories())
def test_ids_never_move_and_every_failure_has_one_home(facts: list[tuple[str, dict[str, Any], int]]) -> None:
    events = as_events(facts)
    fold = ClusterFold()
    given_ids: set[str] = set()
    titles: dict[str, int] = {}
    for event in events:
        fold.extend([event])
        for cluster in fold.clusters().values():
            assert titles.setdefault(cluster.id, cluster.created_batch) == cluster.created_batch
        given_ids |= set(fold.clusters())
        assert fold.next_id() not in given_ids
        homes = [f.id for cluster in fold.clusters().values() for f in cluster.failures]
        assert len(homes) == len(set(homes))
    for known in given_ids:
        assert fold.survivor(known) in fold.clusters()
        assert fold.survivor(known) <= known
    mined = {FailureRecord.model_validate(e.payload["failure"]).id for e in events if e.kind == "failure_assigned"}
    assert set(homes) == mined
