"""What a benchmark that hosts the agent may answer for a task instead of a bare reward: why, and what was seen."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from sigmaloop.records import JsonObject, Record, Step, StepKind

MOST_STEPS, MOST_CHARACTERS = 200, 20_000


class TaskResult(Record):
    """A task's reward with the trace that the failure miner reads: without one it can only guess."""

    reward: float | None = Field(ge=0.0, le=1.0, allow_inf_nan=False)
    """None: an infrastructure fault, with the reason in `detail`."""
    detail: str = ""
    """What was not achieved, in one line that names no gold answer."""
    components: dict[str, float] = Field(default_factory=dict)
    trace: tuple[Step, ...] = ()
    crashed: bool = False
    """The agent ended in an error of its own; the reward must then be 0."""


def steps(events: Sequence[tuple[StepKind, str] | JsonObject]) -> tuple[Step, ...]:
    """A trace from what happened: (kind, text), or objects with kind, text, tool and arguments; long ones are cut."""
    found = []
    for index, event in enumerate(events[:MOST_STEPS]):
        fields = {"kind": event[0], "text": event[1]} if isinstance(event, tuple) else dict(event)
        fields["text"] = str(fields.get("text", ""))[:MOST_CHARACTERS]
        found.append(Step.model_validate({**fields, "index": index}))
    return tuple(found)
