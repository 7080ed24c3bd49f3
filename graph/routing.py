"""Where the loop goes next: pure functions of the state, one for every branching point of the drawing."""

from __future__ import annotations

from typing import Literal, cast

from langgraph.types import Send

from sigmaloop.graph.state import LoopState, MineTask

GateEdge = Literal["passed", "failed", "indecisive"]


def to_miners(state: LoopState) -> list[Send] | Literal["cluster"]:
    """One miner for every failed rollout of the batch; straight to clustering when nothing failed."""
    if not state["failed"]:
        return "cluster"
    return [
        Send(
            "mine",
            MineTask(run_id=state["run_id"], batch=state["batch"], agent=state["incumbent"], task_id=task),
        )
        for task in state["failed"]
    ]


def after_cluster(state: LoopState) -> Literal["fix", "next_batch", "finished"]:
    """Fix the chosen cluster while the budget lasts."""
    if attempts_left(state) and state.get("cluster_id"):
        return "fix"
    return _onward(state)


def after_propose(state: LoopState) -> Literal["ready", "unusable"]:
    return cast("Literal['ready', 'unusable']", state["next"])


def after_gate(state: LoopState) -> GateEdge:
    """Shared by both gates."""
    return cast("GateEdge", state["next"])


def after_review(state: LoopState) -> Literal["approved", "declined"]:
    return cast("Literal['approved', 'declined']", state["next"])


def after_pause(state: LoopState) -> Literal["regression_gate", "validation_gate"]:
    """Back to the gate that could not decide."""
    gate = state.get("paused_gate")
    assert gate is not None, "only a paused gate leads here"
    return gate


def after_learn(state: LoopState) -> Literal["try_again", "next_batch", "finished"]:
    """A kept change ends the batch; a rejected one is followed by another approach while the budget lasts."""
    if not state["kept"] and attempts_left(state) and state.get("cluster_id"):
        return "try_again"
    return _onward(state)


def attempts_left(state: LoopState) -> bool:
    """Whether batch and run may try once more."""
    limits = state["limits"]
    return state["attempt"] < limits["attempts"] and state["attempts_total"] < limits["max_attempts"]


def _onward(state: LoopState) -> Literal["next_batch", "finished"]:
    limits = state["limits"]
    spent = state["batch"] >= limits["batches"] or state["attempts_total"] >= limits["max_attempts"]
    return "finished" if spent else "next_batch"
