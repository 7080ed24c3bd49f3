"""Where a run stands, folded from its journal: for a run whose checkpoints were lost or cannot be used.

The fold goes to the newest safe point: behind the baseline, before a batch's traffic, or behind an attempt that has
ended. What was done after it is done again from the journal: nothing that was paid for is paid for twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from sigmaloop.graph.search_facts import SEARCH_FACTS, RoundEnded, SlotsAsked
from sigmaloop.graph.state import Limits, LoopUpdate
from sigmaloop.graph.targets import next_target, plateau_step, since_keep
from sigmaloop.memory.clusters import fold_clusters
from sigmaloop.memory.events import Event
from sigmaloop.memory.facts import (
    AttemptEnded,
    AttemptIntended,
    BaselineMeasured,
    BatchStarted,
    RunStarted,
    facts_in,
)
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.lineage import lineage
from sigmaloop.records import LedgerEntry


class Stand(NamedTuple):
    """A state and the node that it is the end of."""

    values: LoopUpdate
    after: Literal["baseline", "learn"]


def rebuilt(journal: Journal, *, length: int | None = None) -> Stand | None:
    """The newest safe point; None when the run has not measured its baseline yet and simply begins.

    `length`: as if the journal held its first so many events only.
    """
    events = journal.events()[:length]
    base = next(iter(facts_in(events, BaselineMeasured)), None)
    if base is None:
        return None
    common = _common(facts_in(events, RunStarted)[0], base, length=len(events))
    newest = next((e for e in reversed(events) if e.kind in (BatchStarted.kind, AttemptEnded.kind)), None)
    if newest is None:
        first: LoopUpdate = {"batch": 0, "attempts_total": 0, "search": "", "slots": []}
        return Stand({**common, **first, **_best(events, base.commit, base)}, "baseline")
    number = _number(events, newest)
    if newest.kind == BatchStarted.kind:
        batch = BatchStarted.of(newest)
        before: LoopUpdate = {
            "batch": batch.batch - 1,
            "attempts_total": number,
            **_search(events, newest, behind=False),
        }
        return Stand({**common, **before, **_best(events, batch.agent, base)}, "baseline")
    entry = AttemptEnded.of(newest).entry
    incumbent = entry.commit if entry.outcome == "kept" else entry.parent
    plateau = int(str(facts_in(events, RunStarted)[0].settings.get("plateau", 0)))
    behind = _behind(journal, events, entry, incumbent, number, plateau)
    searched = _search(events, newest, behind=True)
    return Stand({**common, **_best(events, incumbent, base), **behind, **searched}, "learn")


def _behind(
    journal: Journal, events: Sequence[Event], entry: LedgerEntry, incumbent: str, number: int, plateau: int
) -> LoopUpdate:
    """Behind an attempt that has ended."""
    own = lineage(journal, incumbent).of(events)
    ended = [fact.entry for fact in facts_in(own, AttemptEnded)]
    step = plateau_step(since_keep(ended), plateau)
    target = next_target(fold_clusters(own), ended, batch=entry.batch, step=step)
    return {
        "batch": entry.batch,
        "attempt": entry.attempt,
        "attempts_total": number,
        "cluster_id": target.id if target else None,
        "plateau": step,
        "candidate_id": entry.candidate_id,
        "kept": entry.outcome == "kept",
    }


def _search(events: Sequence[Event], newest: Event, *, behind: bool) -> LoopUpdate:
    """The newest step of the search before an event; `behind`: with those that were written together with it."""
    head: Event | None = None
    together = True
    for event in events:
        if event.kind not in SEARCH_FACTS:
            together = together and event.seq <= newest.seq
            continue
        if event.seq < newest.seq or (behind and together):
            head = event
    if head is None:
        return {"search": "", "slots": []}
    fact = SEARCH_FACTS[head.kind].of(head)
    if isinstance(fact, SlotsAsked):
        return {"search": head.id, "slots": [slot.draft_id for slot in fact.slots], "outcome": "try_again"}
    going: Literal["onward", "regroup"] = "onward" if isinstance(fact, RoundEnded) else "regroup"
    return {"search": head.id, "slots": [], "outcome": going}


def _common(started: RunStarted, base: BaselineMeasured, *, length: int) -> LoopUpdate:
    """What does not depend on the point."""
    batches, attempts, most = (int(str(started.settings[n])) for n in ("batches", "attempts", "max_attempts"))
    return {
        "limits": Limits(
            batches=batches,
            attempts=attempts,
            max_attempts=most,
            stop_after_keep=bool(started.settings.get("stop_after_keep", False)),
        ),
        "baseline": base.commit,
        "attempt": 0,
        "window": [],
        "failed": [],
        "mined": None,
        "cluster_id": None,
        "candidate_id": None,
        "paused_gate": None,
        "verdicts": [],
        "kept": False,
        "plateau": "",
        "reason": "rebuilt",
        "journal": length,
    }


def _best(events: Sequence[Event], incumbent: str, base: BaselineMeasured) -> LoopUpdate:
    """The incumbent, and what it reached on validation when it was kept."""
    reward_micros, tasks = base.reward_micros, base.tasks
    for entry in (fact.entry for fact in facts_in(events, AttemptEnded)):
        if entry.outcome == "kept" and entry.commit == incumbent:
            verdict = next((v for v in entry.verdicts if v.gate == "validation"), None)
            if verdict is not None:  # what was pasted was never measured
                reward_micros, tasks = verdict.reward_micros, verdict.evaluated
    return {"incumbent": incumbent, "best_micros": reward_micros, "best_tasks": tasks}


def _number(events: Sequence[Event], newest: Event) -> int:
    """Attempts that the run had made at an event, on the way that led to it."""
    ended = facts_in((e for e in events if e.seq <= newest.seq), AttemptEnded)
    if not ended:
        return 0
    intents = {intent.candidate_id: intent.number for intent in facts_in(events, AttemptIntended)}
    return intents[ended[-1].entry.candidate_id]
