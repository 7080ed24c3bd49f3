"""Every attempt as people see it: what it changed, why, and by how much it passed or missed a gate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from sigmaloop.memory.overview import GATE_TRIAL, Result
from sigmaloop.records import LedgerEntry
from sigmaloop.report import gates
from sigmaloop.report.costs import Paid, paid_by_attempt
from sigmaloop.report.effects import Effect, effect_of
from sigmaloop.report.material import Material
from sigmaloop.report.record import Attempt, GateLine, RejectedGroup
from sigmaloop.report.words import plural, word

KINDS = {
    "prompt": "rule in the prompt", "example": "example", "tool": "tool", "context": "context", "control_flow": "code",
}  # fmt: skip
"""Kinds of change, in the words of the page."""


UNGATED = "ungated"
"""Reason of an attempt that was kept without a gate."""


def attempts_of(material: Material) -> tuple[Attempt, ...]:
    """In the order in which they ended."""
    paid, details = paid_by_attempt(material), _details(material)
    promoted = Counter(fact.candidate_id for fact in material.promoted)
    return tuple(
        _attempt(material, number, entry, paid, details, promoted)
        for number, entry in enumerate(material.ledger, start=1)
    )


def funnel_of(attempts: Sequence[Attempt]) -> tuple[GateLine, ...]:
    """How many got past each gate that stopped any, or that all attempts meet."""
    left, lines = len(attempts), [GateLine(label="Proposed", passed=len(attempts))]
    for gate in gates.ORDER:
        stopped = sum(attempt.group == gate for attempt in attempts)
        left -= stopped
        if stopped or gate not in ("judge", "review"):
            lines.append(GateLine(label=gates.PASSED[gate], passed=left))
    return tuple(lines)


def rejected_of(attempts: Sequence[Attempt]) -> tuple[RejectedGroup, ...]:
    """The rejected by gate, in the order of the gates, and in each the nearest to passing first."""
    found = []
    for gate in gates.ORDER:
        own = sorted((a for a in attempts if a.group == gate), key=lambda a: (a.distance, a.number))
        if own:
            ids = tuple(attempt.id for attempt in own)
            found.append(RejectedGroup(group=gate, title=gates.TITLES[gate], why=gates.REASONS[gate], ids=ids))
    return tuple(found)


def rejected_title(attempts: Sequence[Attempt]) -> str:
    """What most were rejected for."""
    rejected = [attempt for attempt in attempts if attempt.group != "kept"]
    if not rejected:
        return ""
    group, most = Counter(attempt.group for attempt in rejected).most_common(1)[0]
    reason = {
        "unusable": "could not be used", "cluster_tasks": "did not fix their own failures",
        "regression": "broke an earlier fix", "validation": "made held-out tasks no better",
        "judge": "were vetoed by the reviewer model", "review": "were declined by a person",
    }[group]  # fmt: skip
    share = "all" if most == len(rejected) else "most" if 2 * most > len(rejected) else f"{most}"
    return f"{len(rejected)} of {plural(len(attempts), 'attempt')}; {share} because they {reason}"


def changes_title(kept: Sequence[Attempt], added: int, removed: int) -> str:
    """Three changes, +48 −1 lines in one file."""
    if not kept:
        return ""
    return (
        f"{word(len(kept), start=True)} change{'s' * (len(kept) != 1)}, +{added:,} \u2212{removed:,} lines in one file"
    )


def lines_changed(diff: str) -> tuple[int, int]:
    """Lines that a unified diff adds and removes."""
    lines = diff.splitlines()
    added = sum(line.startswith("+") and not line.startswith("+++ ") for line in lines)
    return added, sum(line.startswith("-") and not line.startswith("--- ") for line in lines)


def _attempt(
    material: Material,
    number: int,
    entry: LedgerEntry,
    paid: Mapping[str, Paid],
    details: Mapping[str, str],
    promoted: Mapping[str, int],
) -> Attempt:
    group, ruling = gates.ended(entry), material.ruling.get(entry.candidate_id)
    compared = ruling.compared if ruling else None
    effect = effect_of(compared) or _effect_of_verdict(entry)
    verdict = gates.last_verdict(entry)
    diff = str(material.changes.get(entry.candidate_id, {}).get("diff", ""))
    added, removed = lines_changed(diff)
    cost = paid.get(entry.candidate_id, Paid())
    said = entry.judgement
    return Attempt(
        id=entry.candidate_id,
        number=number,
        batch=entry.batch,
        attempt=entry.attempt,
        group=group,
        cluster=material.clusters.survivor(entry.cluster_id),
        cluster_title=entry.cluster_title,
        kind=KINDS.get(entry.kind or "", entry.kind or ""),
        summary=entry.summary,
        hypothesis=entry.hypothesis,
        reviewer=said.classification if said else "",
        reviewer_says=said.explanation if said else "",
        parts=entry.parts,
        removes=entry.removes,
        ungated=entry.reason == UNGATED,
        by=_steps(entry) if group == "kept" else gates.missed_by(verdict, effect, reason=entry.reason),
        detail=details.get(entry.agent, "") if group in ("cluster_tasks", "regression") else "",
        distance=gates.distance(verdict, effect),
        effect=effect,
        promoted=promoted.get(entry.candidate_id, 0) if group == "kept" else 0,
        diff=diff,
        added=added,
        removed=removed,
        tokens=cost.tokens,
        cost=cost.cost,
    )


def _effect_of_verdict(entry: LedgerEntry) -> Effect | None:
    """What the ledger itself says of the comparison, where there is no decision beside it."""
    found = next((v for v in reversed(entry.verdicts) if v.gate == "validation"), None)
    if found is None or found.difference is None or found.standard_error is None:
        return None
    return Effect(difference=found.difference, standard_error=found.standard_error, rollouts=found.evaluated)


def _steps(entry: LedgerEntry) -> str:
    """How a kept change passed each gate."""
    if entry.reason == UNGATED:
        return "kept without a gate: nobody measured whether it helps"
    newest = {verdict.gate: verdict for verdict in entry.verdicts}
    parts = []
    for gate, name in (("cluster_tasks", "own failures"), ("regression", "suite")):
        verdict = newest.get(gate)  # type: ignore[call-overload]
        if verdict:
            parts.append(f"{name}: {gates.missed_by(verdict, None) if verdict.evaluated else 'still empty'}")
    compared = newest.get("validation")
    if compared:
        parts.append(f"held-out tasks: {plural(compared.evaluated, 'trial')}")
    return "; ".join(parts)


def _details(material: Material) -> dict[str, str]:
    """What most failing trials of each agent on training tasks said of themselves."""
    said: dict[str, Counter[str]] = {}
    for result in material.results:
        if result.detail and not result.passed and result.trial >= GATE_TRIAL and _in_training(result, material):
            said.setdefault(result.agent, Counter())[result.detail] += 1
    return {agent: max(counts, key=lambda detail: (counts[detail], detail)) for agent, counts in said.items()}


def _in_training(result: Result, material: Material) -> bool:
    return result.split == "train" or (not result.split and result.task_id in material.training)
