"""Signs of life: what whoever works on a run is doing, and why it stopped, where another process can read it.

They are records beside the chain, not facts: nothing is decided by them, and two runs with one seed may differ in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import Any

from sigmaloop.graph import events
from sigmaloop.memory.facts import HEARTBEAT, ONE, PAUSED, RunPaused
from sigmaloop.memory.facts import Heartbeat as Heartbeat
from sigmaloop.memory.journal import Journal

BEAT_SECONDS = 2.0
"""Rollouts that end closer together than this are one sign."""


class Pulse:
    """Follows the news of a run and keeps its newest sign of life."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._beat = (journal.load(HEARTBEAT, ONE) or Heartbeat()).model_copy(update={"tokens": _tokens(journal)})
        self._last = 0.0

    def feel(self, event: events.Event) -> None:
        """Take in one event; writes at most every two seconds, and whenever something new begins."""
        change = self._change(event)
        if not change:
            return
        self._beat = self._beat.model_copy(update=change)
        counting = isinstance(event, events.RolloutDone)
        if not counting or monotonic() - self._last >= BEAT_SECONDS:
            if not counting:
                self._beat = self._beat.model_copy(update={"tokens": _tokens(self._journal)})
            self._journal.stamp(HEARTBEAT, ONE, self._beat)
            self._last = monotonic()

    def _change(self, event: events.Event) -> dict[str, Any]:
        if isinstance(event, events.RolloutDone):
            again = event.stage == self._beat.stage
            return {"stage": event.stage, "done": self._beat.done + 1 if again else 1, "of": None}
        if isinstance(event, events.WindowDrawn):
            return {"batch": event.batch, "stage": "traffic", "done": 0, "of": event.tasks, "candidate": ""}
        if isinstance(event, events.AttemptStarted):
            place = {"candidate": event.id, "cluster": f"{event.cluster_id} {event.title}"}
            return {**place, "attempt": self._beat.attempt + 1, "stage": "", "done": 0}
        if isinstance(event, events.Kept):
            return {"kept": self._beat.kept + 1}
        if isinstance(event, events.CertificationStarted):
            return {"candidate": "", "stage": f"certify on {event.split}", "done": 0}
        return {"stage": "", "done": 0} if isinstance(event, events.Learned) else {}


def note_pause(journal: Journal, asked: Mapping[str, Any]) -> None:
    """Why a run stops here and waits, as the checkpoint has it too, but with the time and for good."""
    pause = RunPaused(
        reason=str(asked.get("reason") or "review"),
        message=str(asked.get("message") or asked.get("question") or ""),
        batch=journal.newest_batch(),
        asked="answers" in asked,
    )
    journal.stamp(PAUSED, f"{journal.length():08d}", pause, batch=pause.batch)


def _tokens(journal: Journal) -> int:
    return sum(used.tokens for used in journal.usage().values())
