"""For whom is the new agent better, for whom worse: single tasks before and after, the sealed ones as counts alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sigmaloop.records import Certificate, TaskScores
from sigmaloop.report.headline import certificate_of, certifying
from sigmaloop.report.material import Material
from sigmaloop.report.record import Flips, Need, TypeRow
from sigmaloop.report.words import cut, plural

STUBBORN = 3
"""Rejected attempts that a cluster withstood before a person should look at it."""
HOPELESS_TRIALS = 10
"""A held-out task never solved in so many trials may be broken, or beyond the model."""


def flips_of(material: Material) -> Flips | None:
    """The tasks of the headline's certificate; None without one, or where nothing was kept."""
    found = certificate_of(material)
    if found is None or not any(entry.outcome == "kept" for entry in material.ledger):
        return None
    scores = scores_of(material, found)
    if not scores:
        return None
    where = "sealed test" if found.split == "test" else "held-out"
    trials = f"{plural(found.trials, 'trial')} of each agent on each of {plural(len(scores), where + ' task')}"
    return flips(scores, where=trials)


def flips(scores: Iterable[TaskScores], *, where: str) -> Flips:
    """Counts of tasks by what became of them."""
    scores = list(scores)
    kinds = [_kind(found) for found in scores]
    counts = {name: kinds.count(name) for name in ("fixed", "better", "same", "worse", "broken")}
    up, down = counts["fixed"] + counts["better"], counts["worse"] + counts["broken"]
    title = f"Better on {plural(up, 'task')}, worse on {down}, the same on {counts['same']}"
    return Flips(title=title, where=where, types=_types(scores), **counts)


def scores_of(material: Material, found: Certificate) -> tuple[TaskScores, ...]:
    """Per task: as the certificate says, or, for an older one, as its rollouts do."""
    if found.by_task:
        return found.by_task
    return _from_rollouts(material, found)


def needs_of(material: Material) -> tuple[Need, ...]:
    """What only a person can decide."""
    return tuple(need for need in (*_stubborn(material), _hopeless(material), _broken(material)) if need)


def _kind(found: TaskScores) -> str:
    if found.final == found.baseline:
        return "same"
    if found.final > found.baseline:
        return "fixed" if found.baseline == 0 and found.final == 1 else "better"
    return "broken" if found.baseline == 1 and found.final == 0 else "worse"


def _types(scores: list[TaskScores]) -> tuple[TypeRow, ...]:
    """Kinds of request, those that changed most first; none where tasks do not say theirs."""
    by_type: dict[str, list[TaskScores]] = defaultdict(list)
    for found in scores:
        if found.request_type:
            by_type[found.request_type].append(found)
    rows = [
        TypeRow(
            request_type=name,
            tasks=len(own),
            before=sum(found.baseline for found in own) / len(own),
            after=sum(found.final for found in own) / len(own),
        )
        for name, own in by_type.items()
    ]
    return tuple(sorted(rows, key=lambda row: (row.before - row.after, row.request_type)))


def _from_rollouts(material: Material, found: Certificate) -> tuple[TaskScores, ...]:
    """Certification rollouts of the first and the final agent on the tasks of the split, by trial numbers."""
    rewards: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    held = _held_out(material)
    for result in material.results:
        if (
            certifying(result)
            and result.reward is not None
            and (result.task_id in held) == (found.split == "validation")
        ):
            rewards[result.agent][result.task_id].append(result.reward)
    first = next((agent for agent in rewards if agent != found.agent), "")
    if found.agent not in rewards or not first:
        return ()
    common = sorted(rewards[first].keys() & rewards[found.agent].keys())
    return tuple(
        TaskScores(task_id=task, baseline=_mean(rewards[first][task]), final=_mean(rewards[found.agent][task]))
        for task in common
    )


def _held_out(material: Material) -> set[str]:
    """Validation tasks: those that say so, and those that were measured before certification and are no traffic."""
    return {
        result.task_id
        for result in material.results
        if result.split == "validation" or (not result.split and result.stage == "incumbent")
    } - material.training


def _stubborn(material: Material) -> list[Need]:
    statuses = material.clusters.statuses()
    return [
        Need(
            title=f"{cluster.id} “{cut(cluster.title, 100)}” withstood {plural(cluster.attempts, 'attempt')}",
            text=cut(cluster.root_cause, 220),
            ids=(cluster.id,),
        )
        for cluster in sorted(material.clusters.clusters().values(), key=lambda c: (-c.attempts, c.id))
        if cluster.attempts >= STUBBORN and statuses[cluster.id] != "resolved"
    ]


def _hopeless(material: Material) -> Need | None:
    held = _held_out(material)
    tried: dict[str, list[bool]] = defaultdict(list)
    for result in material.results:
        if result.task_id in held and result.reward is not None:
            tried[result.task_id].append(result.reward > 0)
    never = sorted(task for task, passed in tried.items() if len(passed) >= HOPELESS_TRIALS and not any(passed))
    if not never:
        return None
    return Need(
        title=f"{plural(len(never), 'held-out task')} never solved in {HOPELESS_TRIALS} or more trials",
        text="No agent of this run ever got anything for them. Can they be solved, and are they scored rightly?",
        ids=tuple(never),
    )


def _broken(material: Material) -> Need | None:
    found = material.certificates.get("validation")
    if found is None:
        return None
    lost = [s.task_id for s in scores_of(material, found) if _kind(s) == "broken" and found.trials > 1]
    if not lost:
        return None
    return Need(
        title=f"{plural(len(lost), 'held-out task')} always solved before and never now",
        text="The gain elsewhere outweighs them on average. Whether it does for you is yours to say.",
        ids=tuple(sorted(lost)),
    )


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
