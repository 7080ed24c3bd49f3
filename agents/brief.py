"""What the harness engineer is given: records and callables, without a model, a prompt or a database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from sigmaloop.records import ChangeKind, Cluster, FailureRecord, GateName, Record
from sigmaloop.tools.changes.file_kinds import Kind

SHOWN_FAILURES = 5
"""Failures that a brief shows; the engineer can search for the others."""


class PastAttempt(Record):
    """What the engineer is told of an earlier attempt: never a score."""

    kind: ChangeKind | None
    """None when nothing was handed in."""
    summary: str
    outcome: Literal["kept", "rejected"]
    gate: GateName | None = None
    """Which gate rejected it."""


class Brief(Record):
    """All that one attempt starts from."""

    cluster: Cluster
    attempts: tuple[PastAttempt, ...] = ()
    """Earlier attempts on this cluster, oldest first."""
    learnings: tuple[str, ...] = ()
    """Most relevant first."""
    attempt: int = Field(ge=1)
    """1-based within the batch."""
    agent_size: int = Field(ge=0)
    """Characters of the agent file."""
    size_limit: int = 60_000
    """Most characters of the agent file."""

    @property
    def failures(self) -> tuple[FailureRecord, ...]:
        """The failures that are shown: the cluster's newest, newest first.

        The newest come from the agent as it is now; older ones may have been cured since.
        """
        return self.cluster.failures[: -SHOWN_FAILURES - 1 : -1]


@dataclass(frozen=True)
class EngineerTools:
    """What the engineer may look up and try; each takes a text.

    A question that cannot be answered raises BadInput, whose message goes back to the engineer; every other
    error ends the attempt. None of them may show anything of validation but kept or rejected.
    """

    source: str
    """Text of the kept agent, which the change starts from."""
    search_failures: Callable[[str], Sequence[str]]
    search_learnings: Callable[[str], Sequence[str]]
    search_attempts: Callable[[str], Sequence[str]]
    read_trace: Callable[[str], str]
    """Takes a failure id."""
    dry_run: Callable[[str], str]
    """Takes the text of an agent file."""
    file: str = "agent.py"
    """Name of the file that changes."""
    kind: Kind = "python"
