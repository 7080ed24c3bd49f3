"""Routing is a pure function of the state: every branching point, every edge."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sigmaloop.graph import routing
from sigmaloop.graph.build import build_graph
from sigmaloop.graph.state import LoopState

EDGES = {
    ("__start__", "baseline"), ("baseline", "simulate"), ("simulate", "mine"), ("simulate", "cluster"),
    ("mine", "cluster"), ("cluster", "propose"), ("cluster", "simulate"), ("cluster", "certify"),
    ("cluster", "screen"), ("propose", "screen"), ("screen", "propose"), ("screen", "regression_gate"),
    ("screen", "revert"), ("screen", "keep"), ("learn", "screen"),
    ("regression_gate", "validation_gate"), ("regression_gate", "revert"), ("regression_gate", "pause"),
    ("validation_gate", "review"), ("validation_gate", "revert"), ("validation_gate", "pause"),
    ("pause", "regression_gate"), ("pause", "validation_gate"),
    ("review", "keep"), ("review", "revert"), ("keep", "promote"), ("promote", "learn"), ("revert", "learn"),
    ("learn", "propose"), ("learn", "simulate"), ("learn", "certify"), ("certify", "__end__"),
}  # fmt: skip

states = st.builds(
    lambda batch, attempt, total, kept, cluster, batches, attempts, most: LoopState(
        batch=batch,
        attempt=attempt,
        attempts_total=total,
        kept=kept,
        cluster_id=cluster,
        limits={"batches": batches, "attempts": attempts, "max_attempts": most},
    ),
    st.integers(1, 20), st.integers(0, 6), st.integers(0, 96), st.booleans(), st.sampled_from([None, "C001"]),
    st.integers(1, 20), st.integers(1, 6), st.integers(1, 96),
)  # fmt: skip


def test_the_graph_has_exactly_the_edges_of_the_design() -> None:
    assert {(e.source, e.target) for e in build_graph().get_graph().edges} == EDGES


def test_the_branching_edges_carry_their_labels() -> None:
    labels = {(e.source, e.target): e.data for e in build_graph().get_graph().edges if e.data}
    assert labels["cluster", "propose"] == "fix"
    assert labels["learn", "propose"] == "try_again"
    assert labels["regression_gate", "pause"] == "indecisive"
    assert labels["review", "keep"] == "approved"
    assert labels["screen", "propose"] == "redraft"
    assert labels["screen", "regression_gate"] == "ready"
    assert labels["screen", "keep"] == "ungated"
    assert labels["learn", "screen"] == "regroup"


@given(states)
def test_a_kept_change_ends_its_batch_only_where_the_settings_say_so(state: LoopState) -> None:
    published = LoopState(**{**state, "limits": {**state["limits"], "stop_after_keep": True}})
    if state["kept"]:
        assert routing.after_learn(published) != "try_again"
        goes_on = routing.attempts_left(state) and bool(state["cluster_id"])
        assert (routing.after_learn(state) == "try_again") == goes_on


@given(states)
def test_the_end_of_the_ladder_ends_the_run(state: LoopState) -> None:
    state["plateau"] = "stop"
    assert routing.after_learn(state) == routing.after_cluster(state) == "finished"


@given(states)
def test_no_attempt_is_made_beyond_the_budget(state: LoopState) -> None:
    limits = state["limits"]
    if state["attempts_total"] >= limits["max_attempts"]:
        assert routing.after_learn(state) == routing.after_cluster(state) == "finished"
    if state["attempt"] >= limits["attempts"]:
        assert routing.after_learn(state) != "try_again"
        assert routing.after_cluster(state) != "fix"


@given(states)
def test_no_batch_follows_the_last_one(state: LoopState) -> None:
    if state["batch"] >= state["limits"]["batches"]:
        assert routing.after_learn(state) != "next_batch"


def test_every_failed_rollout_gets_a_miner_of_its_own() -> None:
    state = LoopState(run_id="r", batch=3, incumbent="c", failed=["t1", "t2"])
    sends = routing.to_miners(state)
    assert not isinstance(sends, str)
    assert [send.arg["task_id"] for send in sends] == ["t1", "t2"]
    assert {send.node for send in sends} == {"mine"}


def test_a_batch_without_failures_goes_straight_to_clustering() -> None:
    assert routing.to_miners(LoopState(run_id="r", batch=1, incumbent="c", failed=[])) == "cluster"
