"""What a person sees in the state beside the ids: the cluster's title, the score, the verdict in words, the diff.

Nothing is decided by these: they are read from the journal again after every node.
"""

from __future__ import annotations

from sigmaloop.clean_text import clean_line
from sigmaloop.graph.services import Services
from sigmaloop.graph.state import LoopState, LoopUpdate
from sigmaloop.records import REWARD_MICROS

LONGEST_DIFF = 4_000
"""Characters: every checkpoint holds the whole state."""


def display(services: Services, state: LoopState, update: LoopUpdate) -> LoopUpdate:
    """Those of the fields for people that a node's update changes."""
    after: LoopUpdate = {**state, **update}
    shown: LoopUpdate = {
        "cluster": _title(services, after),
        "score": round(after["best_micros"] / REWARD_MICROS / max(1, after["best_tasks"]), 6),
        "verdict": _sentence(services, after),
        "diff": _diff(services, after),
    }
    return {name: value for name, value in shown.items() if state.get(name) != value}  # type: ignore[return-value]


def _title(services: Services, state: LoopUpdate) -> str:
    chosen = state.get("cluster_id")
    return services.history.clusters(state["incumbent"])[chosen].title if chosen else ""


def _sentence(services: Services, state: LoopUpdate) -> str:
    if not (state.get("candidate_id") and state.get("verdicts")):
        return ""
    newest = services.history.verdicts(state["verdicts"])[-1]
    return f"{newest.candidate_id}, {newest.gate}: {newest.outcome}. {clean_line(newest.message)}"


def _diff(services: Services, state: LoopUpdate) -> str:
    made = services.history.candidate(state.get("candidate_id"))
    diff = made.diff if made else ""
    return diff if len(diff) <= LONGEST_DIFF else f"{diff[:LONGEST_DIFF]}\n... cut: {len(diff):,} characters in all"
