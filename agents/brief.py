"""What the harness engineer is given: records and callables, without a model, a prompt or a database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from sigmaloop.records import ChangeKind, Cluster, FailureRecord, GateName, Record
from sigmaloop.tools.changes.file_kinds import Kind

SHOWN_FAILURES = 8
"""Failures that a brief tells of; the engineer can search for the others."""
SHOWN_TRACES = 3
"""Of these, whose recordings it holds."""
REPLAYS = 3
"""Rollouts that one attempt may try its change on."""


class PastAttempt(Record):
    """What the engineer is told of an earlier attempt: of validation never more than kept or rejected."""

    id: str = ""
    kind: ChangeKind | None
    """None when nothing was handed in."""
    summary: str
    outcome: Literal["kept", "rejected"]
    gate: GateName | None = None
    """Which gate rejected it."""
    at: str = ""
    """Title of the cluster that it was for, if another, similar one."""
    diff: str = ""
    figures: tuple[str, ...] = ()
    """Of training tasks, such as `3 of 4 trials of its targets passed`."""
    trace: str = ""
    """Of one target that still failed with the change."""
    because: str = ""
    """The judge's word on why it helped or did not."""
    next_idea: str = ""
    """The judge's, for the next attempt."""


class ShownTrace(Record):
    """A recording of a training task."""

    name: str
    """Of a failure its id, else the request type."""
    ending: str = ""
    """How it ended, as far as training may show it."""
    text: str


class Brief(Record):
    """All that one attempt starts from."""

    cluster: Cluster
    agent: str
    """Text of the kept agent."""
    attempts: tuple[PastAttempt, ...] = ()
    """Earlier attempts on this cluster and on similar ones, oldest first."""
    learnings: tuple[str, ...] = ()
    """Most relevant first."""
    traces: tuple[ShownTrace, ...] = ()
    """Failures of the cluster."""
    passing: ShownTrace | None = None
    """A rollout of the same request type that went well."""
    tools: str = ""
    """What the agent may call in the domains of these failures."""
    policy: str = ""
    """What it must follow there."""
    works: tuple[str, ...] = ()
    """Kept changes, with the clusters that they mended."""
    rates: tuple[str, ...] = ()
    """What kind of change worked on what kind of cause, with counts."""
    others: tuple[str, ...] = ()
    """The other open clusters, a line each."""
    program: str = ""
    """The owner's words, bounded and unable to close a section."""
    advice: str = ""
    """What is asked of this attempt in particular."""
    attempt: int = Field(ge=1)
    """1-based within the batch."""
    size_limit: int = 60_000
    """Most characters of the agent file."""

    @property
    def failures(self) -> tuple[FailureRecord, ...]:
        """The failures that are told of: the cluster's newest, newest first.

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
    replay: Callable[[str, str], str]
    """Takes the text of an agent file and a failure id: the recording of that training task, played with the target's
    model; charged."""
    file: str = "agent.py"
    """Name of the file that changes."""
    kind: Kind = "python"
