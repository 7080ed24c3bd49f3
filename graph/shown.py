"""What of the training side a specialist may see: recordings, figures and endings. Nothing of another split."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sigmaloop.agents.trace_text import trace_text
from sigmaloop.graph.history import INPUTS
from sigmaloop.graph.rollouts import REPLAY_TRIAL
from sigmaloop.graph.services import Services
from sigmaloop.records import FailureRecord, Rollout


def training(services: Services, tasks: Collection[str]) -> list[str]:
    """Those of the tasks that are training tasks, sorted."""
    return sorted(t for t in tasks if t in services.tasks and services.tasks[t].split == "train")


def passing_rollout(services: Services, incumbent: str, request_type: str, batch: int) -> Rollout | None:
    """A rollout of this batch's traffic, or an earlier one of the same agent, that went well on such a request."""
    commit = services.history.traffic_agent(incumbent, batch)
    agent = services.identity(services.versions.source(commit or incumbent))
    tasks = training(services, [t.id for t in services.tasks.values() if t.request_type == request_type])
    known = services.journal.rollouts(agent=agent, task_ids=tasks)
    good = [r for r in known if r.passed and 1 <= r.key.trial <= batch]  # traffic: its trial is its batch
    return max(good, key=lambda r: (r.key.trial, r.task_id), default=None)


def rollout_of(services: Services, failure: FailureRecord) -> Rollout | None:
    """The rollout that a failure was mined from."""
    known = services.journal.rollouts(task_ids=[failure.task_id])
    return next((r for r in known if r.id == failure.rollout_id), None)


def ending_of(rollout: Rollout | None) -> str:
    """How a training rollout ended, as far as its benchmark tells."""
    if rollout is None:
        return ""
    return rollout.explanation or rollout.detail or f"reward {rollout.reward}"


def target_trace(services: Services, candidate_id: str, agent: str, *, passed: bool, limit: int) -> str:
    """The recording of one target of an attempt, with its change, that passed or did not; empty when there is none."""
    inputs = services.journal.load(INPUTS, candidate_id)
    tasks = training(services, inputs.failing if inputs else ())
    played = [
        r for r in services.journal.rollouts(agent=agent, task_ids=tasks) if r.valid and r.key.trial != REPLAY_TRIAL
    ]
    fitting = sorted((r for r in played if r.passed == passed), key=lambda r: (r.key.trial, r.task_id))
    if not fitting:
        return ""
    chosen = fitting[0]
    text = trace_text(services.journal.trace(chosen.id), limit=limit)
    return text if passed else f"(ended: {ending_of(chosen)})\n{text}"


def by_type(services: Services, rollouts: Sequence[Rollout]) -> dict[str, tuple[int, int]]:
    """Passed and valid training rollouts by request type."""
    found: dict[str, tuple[int, int]] = {}
    for rollout in rollouts:
        task = services.tasks.get(rollout.task_id)
        if task is not None and task.split == "train" and rollout.valid:
            passed, total = found.get(task.request_type, (0, 0))
            found[task.request_type] = passed + rollout.passed, total + 1
    return dict(sorted(found.items()))
