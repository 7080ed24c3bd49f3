"""Where the specialists' model calls go: the Protocol that the graph implements with the run's gateway."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

Role = Literal["failure_miner", "clusterer", "harness_engineer", "gate_judge"]


@dataclass(frozen=True)
class ModelEndpoint:
    """What a model client needs: an OpenAI-compatible address, a key, a model."""

    base_url: str
    token: str
    """The API key; the gateway knows by it whose call it is."""
    model: str
    timeout: float
    """Seconds for one call, retries of the gateway included."""


class ModelAccess(Protocol):
    """Lends specialists the right to make model calls."""

    def lease(self, role: Role, scope: str) -> AbstractContextManager[ModelEndpoint]:
        """An endpoint that answers one role on one piece of work, until the block ends.

        `scope` is `mine:<rollout id>`, `cluster:<failure id>`, `propose:<candidate id>` or `judge:<candidate id>`.
        """
        ...
