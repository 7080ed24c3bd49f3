"""Where the loop goes next: pure functions of the state, one for every branching point of the drawing."""

from __future__ import annotations

from typing import Literal

from langgraph.types import Send

from sigmaloop.graph.state import Gate, LoopState, MineTask

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
    if attempts_left(state) and state["cluster_id"]:
        return "fix"
    return _onward(state)


def after_propose(state: LoopState) -> Literal["ready", "unusable"]:
    """Only a change that was admitted goes to the gates."""
    return "ready" if state["outcome"] == "ready" else "unusable"


def after_gate(state: LoopState) -> GateEdge:
    """Shared by both gates. Raises ValueError for an outcome that is no gate's."""
    match state["outcome"]:
        case "passed" | "failed" | "indecisive" as outcome:
            return outcome
        case other:
            raise ValueError(f"a gate passes, fails or is indecisive, and never {other!r}")


def after_review(state: LoopState) -> Literal["approved", "declined"]:
    """Only a clear yes keeps a change."""
    return "approved" if state["outcome"] == "approved" else "declined"


def after_pause(state: LoopState) -> Gate:
    """Back to the gate that could not decide."""
    gate = state["paused_gate"]
    assert gate is not None, "only a paused gate leads here"
    return gate


def after_learn(state: LoopState) -> Literal["try_again", "next_batch", "finished"]:
    """The batch goes on while its budget lasts; a kept change ends it where the settings say so."""
    ended = state["kept"] and state["limits"].get("stop_after_keep", False)
    if not ended and attempts_left(state) and state["cluster_id"]:
        return "try_again"
    return _onward(state)


def attempts_left(state: LoopState) -> bool:
    """Whether batch and run may try once more."""
    limits = state["limits"]
    if _at_the_end_of_the_ladder(state):
        return False
    return state["attempt"] < limits["attempts"] and state["attempts_total"] < limits["max_attempts"]


def _onward(state: LoopState) -> Literal["next_batch", "finished"]:
    limits = state["limits"]
    spent = state["batch"] >= limits["batches"] or state["attempts_total"] >= limits["max_attempts"]
    return "finished" if spent or _at_the_end_of_the_ladder(state) else "next_batch"


def _at_the_end_of_the_ladder(state: LoopState) -> bool:
    """Nothing was kept for so long that the run stops."""
    return state.get("plateau", "") == "stop"
