"""Which cluster is next, and the ladder: rules over any ledger. And which attempt wrote a line, over any texts."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sigmaloop.graph.provenance import written_by
from sigmaloop.graph.targets import TRIES, newly, next_target, plateau_step, since_keep
from sigmaloop.records import Cluster, FailureRecord, LedgerEntry

GATES = ("admission", "cluster_tasks", "regression", "validation", "judge", None)


def entry(cluster: str, gate: Any) -> LedgerEntry:
    return LedgerEntry(
        candidate_id="A0001", batch=1, attempt=1, cluster_id=cluster, cluster_title="t", parent="p", commit="c",
        agent="a", kind="prompt", summary="s", hypothesis="h", outcome="rejected" if gate else "kept", gate=gate,
        reason="r",
    )  # fmt: skip


def failures(number: int, severity: int) -> tuple[FailureRecord, ...]:
    return tuple(
        FailureRecord(
            rollout_id=f"{n:016x}", task_id=f"t{n}", request_type="r", batch=1, mechanism="m", what_failed="w",
            root_cause="c", should_have="s", severity=severity,
        )
        for n in range(number)
    )  # fmt: skip


def cluster(name: str, number: int = 1, severity: int = 3, **more: Any) -> Cluster:
    found = failures(number, severity)
    return Cluster(id=name, title="t", root_cause="c", created_batch=1, last_batch=1, failures=found, **more)


CLUSTERS = {name: cluster(name, size) for name, size in (("C001", 3), ("C002", 2), ("C003", 1))}
ledgers = st.lists(st.builds(entry, st.sampled_from(sorted(CLUSTERS)), st.sampled_from(GATES)), max_size=9)


@given(ledgers)
def test_a_cluster_is_tried_again_only_while_the_last_try_did_not_work_and_at_most_three_times(ended: Any) -> None:
    target = next_target(CLUSTERS, ended, batch=1)
    assert target is not None
    if target.id != "C001":  # not the ranking's choice: so it is the last one again
        assert ended[-1].cluster_id == target.id
        assert ended[-1].gate in ("admission", "cluster_tasks", "regression")
        assert not all(e.cluster_id == target.id and e.gate for e in ended[-TRIES:]) or len(ended) < TRIES


@given(ledgers)
def test_another_batch_begins_with_the_ranking(ended: Any) -> None:
    target = next_target(CLUSTERS, ended, batch=2)
    assert target is not None
    assert target.id == "C001"


def test_on_a_plateau_the_cluster_that_was_tried_least_goes_first() -> None:
    tried = {**CLUSTERS, "C001": cluster("C001", 9, attempts=2), "C002": cluster("C002", 9, attempts=1)}
    assert next_target(tried, [], batch=1, step="diversify") == tried["C003"]


def test_a_cluster_that_is_mended_is_nobodys_target() -> None:
    mended = {"C001": cluster("C001", resolved_tasks=frozenset({"t0"}))}
    assert next_target(mended, [entry("C001", "cluster_tasks")], batch=1) is None


@given(st.integers(1, 5), st.integers(1, 5), st.integers(3, 9), st.integers(1, 5))
def test_one_severe_failure_never_goes_before_a_cluster_of_several(
    mild: int, severe: int, size: int, batch: int
) -> None:
    assert cluster("C001", size, mild).priority(batch) > cluster("C002", 1, severe).priority(batch)


@given(ledgers, st.integers(0, 4))
def test_every_step_of_the_ladder_is_taken_once_and_in_order(ended: Any, plateau: int) -> None:
    most = since_keep(ended)
    taken = [step for n in range(most + 1) if (step := newly(n, plateau))]
    assert taken == ["warn", "diversify", "stop"][: len(taken)]
    assert plateau_step(most, plateau) == (taken[-1] if taken else "")


texts = st.lists(st.lists(st.sampled_from("abcd"), max_size=6).map("\n".join), min_size=1, max_size=5)


@given(texts)
def test_the_lines_of_the_last_version_each_have_one_author_who_wrote_that_text(versions: list[str]) -> None:
    named = [(f"A{n}" if n else "", text) for n, text in enumerate(versions)]
    lines = written_by(named)
    assert [line.text for line in lines] == versions[-1].splitlines()
    of = dict(named)
    assert all(line.text in of[line.attempt].splitlines() for line in lines)


def test_a_line_keeps_its_author_through_later_changes() -> None:
    made = written_by([("", "a\nb"), ("A1", "a\nx\nb"), ("A2", "a\nx\ny\nb")])
    assert [(line.number, line.text, line.attempt) for line in made] == [
        (1, "a", ""), (2, "x", "A1"), (3, "y", "A2"), (4, "b", ""),
    ]  # fmt: skip
