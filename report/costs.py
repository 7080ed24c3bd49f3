"""What a run cost: by purpose, by role, by batch, by cluster, and for each attempt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from sigmaloop.memory.overview import BESIDE_TRIAL, CERTIFY_TRIAL, Result, Spending
from sigmaloop.report.material import Material
from sigmaloop.report.record import CostLine, Costs
from sigmaloop.report.words import amount, count, money

PURPOSES = ("Judging changes", "Measuring the current agent", "Traffic", "Certification", "Specialists")
ROLES = {
    "target": "Your agent", "failure_miner": "Failure miner", "clusterer": "Clusterer",
    "harness_engineer": "Harness engineer", "gate_judge": "Reviewer", "embedder": "Embedder",
}  # fmt: skip
_BY_STAGE = {
    "traffic": "Traffic", "baseline": "Measuring the current agent", "incumbent": "Measuring the current agent",
    "control": "Measuring the current agent", "null agent": "Measuring the current agent",
    "promotion": "Measuring the current agent", "certify": "Certification",
    "certify on validation": "Certification", "certify on test": "Certification",
}  # fmt: skip
CERTIFYING = "end"
"""The batch of certification, which is part of none."""


class Paid(NamedTuple):
    """A sum."""

    rollouts: int = 0
    calls: int = 0
    tokens: int = 0
    cost: float = 0.0

    def plus(self, spent: Spending) -> Paid:
        return Paid(
            self.rollouts + spent.id.startswith("rollout:"), self.calls + spent.calls, self.tokens + spent.tokens,
            self.cost + spent.cost,
        )  # fmt: skip


def costs_of(material: Material) -> Costs:
    """Every sum over the same rows, so that each table adds up to the whole."""
    rollouts = {f"rollout:{result.id}": result for result in material.results}
    owner, failures = _owners(material, rollouts), _failure_batches(material)

    def purpose(spent: Spending) -> str:
        found = rollouts.get(spent.id)
        return "Specialists" if found is None else _BY_STAGE.get(found.stage, "Judging changes")

    def batch(spent: Spending) -> str:
        found = rollouts.get(spent.id)
        if found is not None:
            return CERTIFYING if CERTIFY_TRIAL <= found.trial < BESIDE_TRIAL else str(spent.batch)
        return str(spent.batch or _batch_of_scope(material, rollouts, failures, spent.id))

    clusters = {entry.candidate_id: material.clusters.survivor(entry.cluster_id) for entry in material.ledger}
    by_purpose = _sums(material.spending, purpose)
    total = sum((spent.tokens for spent in material.spending), 0)
    cost = sum(spent.cost for spent in material.spending)
    calls = sum(spent.calls for spent in material.spending)
    by_batch = _sums(material.spending, batch)
    by_cluster = _sums(material.spending, lambda spent: clusters.get(owner.get(spent.id, ""), ""))
    most = max(by_purpose.items(), key=lambda found: found[1].tokens, default=None)
    title = f"{amount(total)} tokens in {count(calls)} calls"
    title = f"{money(cost)} for {title}" if cost else f"{title} (no prices set)"
    if most and total:
        title += f"; {most[1].tokens / total:.0%} for {most[0].lower()}"
    return Costs(
        title=title,
        priced=cost > 0,
        by_purpose=_lines((name, by_purpose[name]) for name in PURPOSES if name in by_purpose),
        by_role=_lines(sorted(_sums(material.spending, lambda s: ROLES.get(s.role, s.role)).items(), key=_tokens)),
        by_batch=_lines(sorted(by_batch.items(), key=lambda found: (not found[0].isdigit(), int_or_0(found[0])))),
        by_cluster=_lines(sorted(((k, v) for k, v in by_cluster.items() if k), key=_tokens)),
    )


def paid_by_attempt(material: Material) -> dict[str, Paid]:
    """What each attempt cost: its rollouts, and the specialists that proposed and read it."""
    owner = _owners(material, {f"rollout:{result.id}": result for result in material.results})
    return {
        name: paid for name, paid in _sums(material.spending, lambda spent: owner.get(spent.id, "")).items() if name
    }


def int_or_0(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _owners(material: Material, rollouts: Mapping[str, Result]) -> dict[str, str]:
    """The attempt that each spending was for, by the spending's id."""
    agents = {change["agent"]: name for name, change in material.changes.items()}
    found = {
        id_: agents[result.agent]
        for id_, result in rollouts.items()
        if result.agent in agents and _BY_STAGE.get(result.stage, "Judging changes") == "Judging changes"
    }
    for spent in material.spending:
        kind, _, about = spent.id.partition(":")
        if kind in ("propose", "judge"):
            found[spent.id] = about.partition(":")[0]
    return found


def _batch_of_scope(material: Material, rollouts: Mapping[str, Result], failures: Mapping[str, int], scope: str) -> int:
    """The batch of a specialist's work where its spending does not say."""
    kind, _, about = scope.partition(":")
    about = about.partition(":")[0]
    if kind in ("propose", "judge"):
        return int(material.changes.get(about, {}).get("batch", 0))
    if kind == "mine":
        found = rollouts.get(f"rollout:{about}")
        return found.trial if found and found.stage == "traffic" else 0
    return failures.get(about, 0) if kind == "cluster" else 0


def _failure_batches(material: Material) -> dict[str, int]:
    clusters = material.clusters.clusters().values()
    return {failure.id: failure.batch for cluster in clusters for failure in cluster.failures}


def _sums(spending: Iterable[Spending], name: Callable[[Spending], str]) -> dict[str, Paid]:
    sums: dict[str, Paid] = {}
    for spent in spending:
        key = name(spent)
        sums[key] = sums.get(key, Paid()).plus(spent)
    return sums


def _tokens(found: tuple[str, Paid]) -> tuple[int, str]:
    return -found[1].tokens, found[0]


def _lines(sums: Iterable[tuple[str, Paid]]) -> tuple[CostLine, ...]:
    return tuple(CostLine(label=name, **paid._asdict()) for name, paid in sums)
