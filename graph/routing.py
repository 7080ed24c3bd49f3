"""Where the loop goes next: pure functions of the state, one for every branching point of the drawing."""

from __future__ import annotations

from typing import Literal

from langgraph.types import Send

from sigmaloop.graph.state import DraftTask, Gate, LoopState, MineTask

GateEdge = Literal["passed", "failed", "indecisive"]
SEARCHED = ("try_again", "regroup", "onward")
"""What the search says of a batch: ask engineers, go on with what is there, or leave it."""


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


def after_cluster(state: LoopState) -> list[Send] | Literal["fix", "regroup", "next_batch", "finished"]:
    """Fix the chosen cluster while the budget lasts, or all that the search has chosen, side by side."""
    if state.get("search") or state.get("outcome") in SEARCHED:
        return _searched(state)
    if attempts_left(state) and state["cluster_id"]:
        return "fix"
    return _onward(state)


def after_screen(state: LoopState) -> list[Send] | Literal["ready", "ungated", "nothing"]:
    """Only a change that was admitted goes to the gates; with `paste` alone one is kept without them."""
    match state["outcome"]:
        case "redraft":
            return to_engineers(state)
        case "ready":
            return "ready"
        case "ungated":
            return "ungated"
        case _:
            return "nothing"


def to_engineers(state: LoopState) -> list[Send]:
    """One engineer for every slot; what they write joins in the screening, in order of id."""
    return [
        Send(
            "propose",
            DraftTask(
                run_id=state["run_id"],
                batch=state["batch"],
                agent=state["incumbent"],
                search=state["search"],
                draft_id=draft,
            ),
        )
        for draft in state["slots"]
    ]


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


def after_learn(state: LoopState) -> list[Send] | Literal["try_again", "regroup", "next_batch", "finished"]:
    """The batch goes on while its budget lasts; a kept change ends it where the settings say so."""
    if state.get("search"):
        return _searched(state)
    if goes_on(state) and state["cluster_id"]:
        return "try_again"
    return _onward(state)


def goes_on(state: LoopState) -> bool:
    """Whether the batch may make another attempt."""
    ended = state["kept"] and state["limits"].get("stop_after_keep", False)
    return not ended and attempts_left(state)


def _searched(state: LoopState) -> list[Send] | Literal["regroup", "next_batch", "finished"]:
    """Where the search decided to go on."""
    match state["outcome"]:
        case "try_again" if state["slots"]:
            return to_engineers(state)
        case "try_again" | "regroup":
            return "regroup"
        case _:
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
