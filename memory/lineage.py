"""Which part of a run's history belongs to its kept agent: a run that was forked has ways that it left.

The rule, for an agent and its chain of agents back to the baseline:

- a kept attempt belongs to the chain when its commit is on it;
- a rejected attempt belongs to the chain when it was made from an agent on it, whichever way was followed then,
  unless the very same candidate was kept on the chain: a person may decline it, go back, and approve it;
- of an attempt that ended more than once, the newest of the endings that belong to the chain counts;
- traffic, scores, promotions and decisions belong to the chain when they are about an agent on it;
- failures and clusters belong to all: what went wrong once is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sigmaloop.memory.events import Event
from sigmaloop.memory.journal import Journal

ENDINGS = frozenset({"ledger"})
"""Kinds that an attempt has one of each time it ends."""


@dataclass(frozen=True)
class Lineage:
    """An agent's own history."""

    commits: frozenset[str]
    """The agent, and all that it was made from."""
    kept: frozenset[str]
    """Ids of the attempts on the way to it."""
    left: frozenset[str]
    """`agent_hash` of every other candidate of the run."""
    parents: Mapping[str, str]
    """Attempt id to the commit that it changed, of every attempt of the run."""

    def of(self, events: Iterable[Event]) -> list[Event]:
        """Those of the events that belong to the lineage, in their order."""
        own = [event for event in events if self._belongs(event)]
        newest = {_attempt(event): event.seq for event in own if event.kind in ENDINGS}
        return [event for event in own if event.kind not in ENDINGS or newest[_attempt(event)] == event.seq]

    def _belongs(self, event: Event) -> bool:
        rule = _RULES.get(event.kind)
        return rule is None or rule(self, event.payload)

    def _ended(self, payload: Mapping[str, Any]) -> bool:
        return self._attempt(payload["candidate_id"], kept=payload["outcome"] == "kept")

    def _decided(self, payload: Mapping[str, Any]) -> bool:
        subject = payload["subject"]
        if subject["canary"]:
            return subject["parent"] in self.commits
        return self._attempt(subject["candidate_id"], kept=payload["kept"])

    def _attempt(self, candidate_id: str, *, kept: bool) -> bool:
        if kept or candidate_id in self.kept:
            return kept and candidate_id in self.kept
        parent = self.parents.get(candidate_id)
        return parent is None or parent in self.commits

    def _promoted(self, payload: Mapping[str, Any]) -> bool:
        return payload["candidate_id"] in self.kept

    def _simulated(self, payload: Mapping[str, Any]) -> bool:
        return payload["agent"] in self.commits

    def _scored(self, payload: Mapping[str, Any]) -> bool:
        return payload.get("agent") not in self.left


_RULES: dict[str, Callable[[Lineage, Mapping[str, Any]], bool]] = {
    **dict.fromkeys(ENDINGS, Lineage._ended),
    "decision": Lineage._decided,
    "promoted": Lineage._promoted,
    "batch_started": Lineage._simulated,
    "task_scored": Lineage._scored,
}


def lineage(journal: Journal, incumbent: str) -> Lineage:
    """The lineage of the agent of a commit."""
    made = {payload["commit"]: payload for payload in journal.all("candidate")}
    commits, kept, agents = {incumbent}, set(), set()
    while incumbent in made:
        kept.add(made[incumbent]["id"])
        agents.add(made[incumbent]["agent"])
        incumbent = made[incumbent]["parent"]
        commits.add(incumbent)
    return Lineage(
        commits=frozenset(commits),
        kept=frozenset(kept),
        left=frozenset({payload["agent"] for payload in made.values()} - agents),
        parents={event.id.removeprefix("attempt:"): event.payload["parent"] for event in journal.events("attempt")},
    )


def _attempt(event: Event) -> tuple[str, str]:
    return event.kind, event.payload["candidate_id"]
