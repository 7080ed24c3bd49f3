"""How the index asks the endpoint for embeddings: through the gateway, each text counted once, no answer journaled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sigmaloop.memory.journal import Journal
from sigmaloop.records import digest
from sigmaloop.tools.gateway.gateway import Gateway

SCOPE = "index"
"""How the scopes of these calls begin; the texts name the rest, so that the same call counts once."""


class EmbeddingCalls:
    """Calls of the embedding role that answer with vectors: metered and budgeted like every other."""

    def __init__(self, gateway: Gateway, journal: Journal) -> None:
        self._gateway = gateway
        self._journal = journal

    def ask(self, texts: Sequence[str]) -> dict[str, Any]:
        """The endpoint's whole answer. Raises UpstreamError, or BudgetSpent when the run has to stop."""
        scope = f"{SCOPE}:{digest(*texts)}"
        with self._gateway.lease("embedding", scope=scope, seed=0) as lease:
            answer = self._gateway.embed(lease.token, {"input": list(texts)})
            self._journal.add_usage(scope, "embedding", 0, "", lease.usage())
        return answer
