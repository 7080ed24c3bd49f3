"""What the harness engineer is told before an attempt, and what it may look up during one.

Nothing of validation gets in: of earlier attempts it learns kept or rejected, and by which gate. Attempts and
learnings are those of the kept agent's lineage: what was kept on a way that was left is not in the file.
"""

from __future__ import annotations

from sigmaloop.agents.brief import Brief, EngineerTools, PastAttempt
from sigmaloop.agents.trace_text import trace_text
from sigmaloop.graph.rehearsal import rehearse
from sigmaloop.graph.services import Services
from sigmaloop.memory.index import Kind
from sigmaloop.records import Cluster

FOUND = 5
"""Results of one search."""


def brief_for(services: Services, incumbent: str, cluster: Cluster, attempt: int, agent_size: int) -> Brief:
    """The cluster, its newest failures, earlier attempts on it, and the learnings nearest to it."""
    earlier = [
        PastAttempt(summary=e.summary, kind=e.kind, outcome=e.outcome, gate=e.gate)
        for e in services.history.ledger(incumbent)
        if e.cluster_id == cluster.id
    ]
    query = f"{cluster.title}. {cluster.root_cause}"
    return Brief(
        cluster=cluster,
        attempts=tuple(earlier),
        learnings=tuple(_search_own(services, incumbent, "learning", query)),
        attempt=attempt,
        agent_size=agent_size,
    )


def tools_for(services: Services, incumbent: str, source: str) -> EngineerTools:
    """Look-ups and a rehearsal, as callables; `source`: the text of the incumbent."""

    def read_trace(failure_id: str) -> str:
        return trace_text(services.journal.trace(services.history.failure(failure_id).rollout_id))

    return EngineerTools(
        source=source,
        file=services.form.file,
        kind=services.form.kind,
        search_failures=lambda query: _search(services, "failure", query),
        search_learnings=lambda query: _search_own(services, incumbent, "learning", query),
        search_attempts=lambda query: _search_own(services, incumbent, "attempt", query),
        read_trace=read_trace,
        dry_run=lambda changed: rehearse(services, source, changed).report(),
    )


def _search(services: Services, kind: Kind, query: str) -> list[str]:
    return [f"{hit.id}: {hit.text}" for hit in services.index.search(kind, query, FOUND)]


def _search_own(services: Services, incumbent: str, kind: Kind, query: str) -> list[str]:
    """The same among the lineage's own attempts: learning `L0001` is of attempt `A0001`."""
    own = {entry.candidate_id[1:] for entry in services.history.ledger(incumbent)}
    left = services.history.ended_attempts() - len(own)
    hits = services.index.search(kind, query, FOUND + left)
    return [f"{hit.id}: {hit.text}" for hit in hits if hit.id[1:] in own][:FOUND]
