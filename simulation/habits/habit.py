"""One habit: a way in which the simulated model goes wrong, and what would keep it from doing so."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sigmaloop.records import Record

Domain = Literal["any", "retail", "airline", "telecom"]


class Habit(Record):
    """Ground truth about one kind of mistake; tests read it, the loop never does."""

    id: str = Field(pattern=r"^[a-z_]+$")
    domain: Domain
    wrong: str
    """What the model does when the habit strikes."""
    rate: float = Field(gt=0, lt=1)
    """Probability of striking at an exposed decision, with the policy present and nothing else said."""
    mechanism: str
    """Two to six words that name it, as a miner would."""
    symptom: str
    """How it looks in a trace."""
    cause: str
    remedy: str
    """What should have been done; said to the model as a rule, it is a cure."""
    side_effect: str = ""
    """What an over-broad rule against it breaks."""
    raises: tuple[str, ...] = ()
    """Habits that strike more often when the rule against this one is over-broad."""
