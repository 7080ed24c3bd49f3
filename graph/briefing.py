"""What the harness engineer is told before an attempt, and what it may look up during one.

Nothing of validation gets in: of earlier attempts it learns kept or rejected, and by which gate.
"""

from __future__ import annotations

from sigmaloop.agents.harness_engineer import Brief, Hands, PastAttempt
from sigmaloop.agents.trace_text import trace_text
from sigmaloop.errors import BadInput
from sigmaloop.graph.prepare import smoke_session
from sigmaloop.graph.services import Services
from sigmaloop.memory.index import Kind
from sigmaloop.records import Cluster, FailureRecord, LedgerEntry
from sigmaloop.tools.dry_run import dry_run

SHOWN_FAILURES = 5
"""Failures of the target cluster that are laid before the engineer at once; the rest it can search."""
FOUND = 5
"""Results of one search."""


def brief_for(services: Services, cluster: Cluster, attempt: int, agent_size: int) -> Brief:
    """The cluster, its newest failures, earlier attempts on it, and the learnings nearest to it."""
    ledger = [LedgerEntry.model_validate(e.payload) for e in services.journal.events("ledger")]
    earlier = [
        PastAttempt(summary=e.summary, kind=e.kind, outcome=e.outcome, gate=e.gate)
        for e in ledger
        if e.cluster_id == cluster.id
    ]
    query = f"{cluster.title}. {cluster.root_cause}"
    return Brief(
        cluster=cluster,
        failures=tuple(reversed(cluster.failures))[:SHOWN_FAILURES],
        attempts=tuple(earlier),
        learnings=tuple(_search(services, "learning", query)),
        attempt=attempt,
        agent_size=agent_size,
    )


def hands_for(services: Services, source: str) -> Hands:
    """Look-ups and a rehearsal, as callables."""

    def read_trace(failure_id: str) -> str:
        payload = services.journal.get("failure", failure_id)
        if payload is None:
            raise BadInput(f"no failure {failure_id}; search_failures lists them")
        failure = FailureRecord.model_validate(payload)
        return trace_text(services.journal.trace(failure.rollout_id))

    def rehearse(changed: str) -> str:
        tried = dry_run(services.supervisor, changed, **smoke_session(services.benchmark))
        return tried.report()

    return Hands(
        source=source,
        search_failures=lambda query: _search(services, "failure", query),
        search_learnings=lambda query: _search(services, "learning", query),
        search_attempts=lambda query: _search(services, "attempt", query),
        read_trace=read_trace,
        dry_run=rehearse,
    )


def _search(services: Services, kind: Kind, query: str) -> list[str]:
    return [f"{hit.id}: {hit.text}" for hit in services.index.search(kind, query, FOUND)]
