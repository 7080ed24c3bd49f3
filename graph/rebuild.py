"""Where a run stands, folded from its journal: for a run whose checkpoints were lost or cannot be used.

The fold goes to the newest safe point: behind the baseline, before a batch's traffic, or behind an attempt that has
ended. What was done after it is done again from the journal: nothing that was paid for is paid for twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from sigmaloop.memory.clusters import fold_clusters, rank
from sigmaloop.memory.events import Event
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.lineage import lineage
from sigmaloop.memory.runs import STARTED
from sigmaloop.records import LedgerEntry


class Stand(NamedTuple):
    """A state and the node that it is the end of."""

    values: dict[str, Any]
    after: Literal["baseline", "learn"]


def rebuilt(journal: Journal, *, length: int | None = None) -> Stand | None:
    """The newest safe point; None when the run has not measured its baseline yet and simply begins.

    `length`: as if the journal held its first so many events only.
    """
    events = journal.events()[:length]
    base = next((e.payload for e in events if e.kind == "baseline"), None)
    if base is None:
        return None
    newest = next((e for e in reversed(events) if e.kind in ("batch_started", "learning")), None)
    common = {**_common(events, base), "journal": len(events)}
    if newest is None:
        return Stand({**common, "batch": 0, "attempts_total": 0, **_best(events, base["commit"], base)}, "baseline")
    made = _number(events, newest)
    if newest.kind == "batch_started":
        batch, agent = newest.payload["batch"] - 1, newest.payload["agent"]
        return Stand({**common, "batch": batch, "attempts_total": made, **_best(events, agent, base)}, "baseline")
    entry = _entry(events, newest)
    incumbent = entry.commit if entry.outcome == "kept" else entry.parent
    clusters = rank(fold_clusters(lineage(journal, incumbent).of(events)), entry.batch)
    target = next((c.id for c in clusters if c.selection(entry.batch) > 0), None)
    behind = {
        "batch": entry.batch,
        "attempt": entry.attempt,
        "attempts_total": made,
        "cluster_id": target,
        "candidate_id": entry.candidate_id,
        "kept": entry.outcome == "kept",
    }
    return Stand({**common, **_best(events, incumbent, base), **behind}, "learn")


def _common(events: Sequence[Event], base: Mapping[str, Any]) -> dict[str, Any]:
    """What does not depend on the point."""
    settings = next(e.payload["settings"] for e in events if e.kind == STARTED)
    return {
        "limits": {name: settings[name] for name in ("batches", "attempts", "max_attempts")},
        "baseline": base["commit"],
        "attempt": 0,
        "window": [],
        "failed": [],
        "mined": None,
        "cluster_id": None,
        "candidate_id": None,
        "paused_gate": None,
        "verdicts": [],
        "kept": False,
        "reason": "rebuilt",
    }


def _best(events: Sequence[Event], incumbent: str, base: Mapping[str, Any]) -> dict[str, Any]:
    """The incumbent, and what it reached on validation when it was kept."""
    reward_micros, tasks = base["reward_micros"], base["tasks"]
    for event in events:
        if event.kind == "ledger" and event.payload["outcome"] == "kept" and event.payload["commit"] == incumbent:
            entry = LedgerEntry.model_validate(event.payload)
            reward_micros, tasks = next(
                (v.reward_micros, v.evaluated) for v in entry.verdicts if v.gate == "validation"
            )
    return {"incumbent": incumbent, "best_micros": reward_micros, "best_tasks": tasks}


def _entry(events: Sequence[Event], learned: Event) -> LedgerEntry:
    """The ledger's line of a learning: the two are written together."""
    name = learned.id.replace("learning:", "ledger:", 1)
    return LedgerEntry.model_validate(next(e.payload for e in events if e.id == name))


def _number(events: Sequence[Event], newest: Event) -> int:
    """Attempts that the run had made at an event, on the way that led to it."""
    ended = [e.payload["candidate_id"] for e in events if e.kind == "learning" and e.seq <= newest.seq]
    if not ended:
        return 0
    intent = next(e.payload for e in events if e.id == f"attempt:{ended[-1]}")
    return int(intent.get("number", ended[-1][-4:]))
