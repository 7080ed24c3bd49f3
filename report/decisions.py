"""The gate's decisions as facts of a run: what `gate explain` recomputes, and what summary and history fold."""

from __future__ import annotations

from typing import Any, Self

from sigmaloop.gate.decision import Decision
from sigmaloop.memory.events import Event
from sigmaloop.memory.facts import Fact


class DecisionMade(Fact):
    """Everything that an attempt or a canary was decided on."""

    kind = "decision"
    decision: Decision
    turn: str = ""
    """Of the attempt's ending, as in `AttemptEnded`."""

    @property
    def id(self) -> str:
        return f"decision:{self.decision.subject.candidate_id}{self.turn}"

    def payload(self) -> dict[str, Any]:
        return self.decision.model_dump(mode="json")

    @classmethod
    def of(cls, event: Event) -> Self:
        decision = Decision.model_validate(event.payload)
        turn = event.id.removeprefix(f"decision:{decision.subject.candidate_id}")
        return cls(batch=event.batch, decision=decision, turn=turn)
