"""Conversations of the agent in the run's tree: those on training tasks, as the settings ask.

Those on validation and test tasks are left out unless `trace_held_out` is set: whoever reads them writes the next
program.md, and then they are held out no more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from langsmith import RunTree
from langsmith.run_helpers import get_current_run_tree

from sigmaloop.graph.services import Services
from sigmaloop.graph.tracing import leaf
from sigmaloop.records import Rollout, Usage
from sigmaloop.settings import Settings


def trace_rollouts(services: Services, rollouts: Iterable[Rollout]) -> None:
    """Put the rollouts that the settings name below the node's run; with tracing off, none."""
    node = get_current_run_tree()
    if node is None:
        return
    for rollout in rollouts:
        if wanted(rollout, services.settings):
            _trace(services, node, rollout)


def wanted(rollout: Rollout, settings: Settings) -> bool:
    """Whether a rollout may be sent. One whose split nobody noted counts as held out."""
    if rollout.split != "train" and not settings.trace_held_out:
        return False
    return settings.trace_rollouts == "all" or (settings.trace_rollouts == "failed" and not rollout.passed)


def _trace(services: Services, node: RunTree, rollout: Rollout) -> None:
    about = {
        "task": rollout.task_id, "trial": rollout.key.trial, "agent": rollout.key.agent, "status": rollout.status,
        "split": rollout.split, "stage": rollout.stage, "request_type": rollout.request_type,
        "money": rollout.usage.cost, "seconds": rollout.wall_seconds,
    }  # fmt: skip
    passed = "passed" if rollout.passed else "failed"
    said = [step.model_dump(mode="json", exclude_defaults=True) for step in services.journal.trace(rollout.id)]
    run = leaf(
        node,
        f"rollout {rollout.task_id}: {passed if rollout.valid else 'fault'}",
        {"reward": rollout.reward, "detail": rollout.detail, "conversation": said},
        inputs={"task": rollout.task_id, "trial": rollout.key.trial},
        metadata=about,
        tags=["rollout", passed],
    )
    if rollout.usage.calls:
        usage = {"usage_metadata": _tokens(rollout.usage), "ls_model_name": services.settings.models()[0]}
        leaf(run, "model calls", {"calls": rollout.usage.calls}, metadata=usage, run_type="llm")


def _tokens(usage: Usage) -> dict[str, Any]:
    """Tokens and money in LangSmith's own words."""
    counts = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens, "total_tokens": usage.tokens}
    return {**counts, "total_cost": usage.cost} if usage.cost else counts
