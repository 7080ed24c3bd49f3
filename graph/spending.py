"""What a run may spend and what it has spent, both in its journal: a resumed run counts on, or gets more."""

from __future__ import annotations

from pydantic import Field

from sigmaloop.memory.facts import RecordKind
from sigmaloop.memory.journal import Journal
from sigmaloop.records import Record
from sigmaloop.settings import Settings
from sigmaloop.tools.gateway.budget import NOTHING, Amount


class RunLimits(Record):
    """None: no limit, or none but the one that the run was started with."""

    max_money: float | None = None
    max_run_tokens: int | None = None
    max_run_calls: int | None = None
    max_hours: float | None = None


class Spent(Record):
    """What a run has spent, worst cases of calls under way included."""

    tokens: int = Field(ge=0)
    units: str
    """Money in the gateway's whole units, as text: whoever reads JSON numbers as floats would lose some of them."""
    calls: int = 0
    seconds: float = 0.0
    """How long processes have worked on it, as far as their last model call; counted while hours are limited."""


LIMITS = RecordKind("limits", RunLimits)
SPENT = RecordKind("spent", Spent)
_RUN = "run"


def limits(settings: Settings, journal: Journal | None) -> RunLimits:
    """The run's limits: those that it was resumed with last, else those that it was started with."""
    first = {name: getattr(settings, name) for name in RunLimits.model_fields}
    later = journal.load(LIMITS, _RUN) if journal else None
    return RunLimits.model_validate({**first, **(later.model_dump(exclude_none=True) if later else {})})


def set_limits(
    journal: Journal,
    *,
    max_money: float | None = None,
    max_run_tokens: int | None = None,
    max_run_calls: int | None = None,
    max_hours: float | None = None,
) -> None:
    """New limits for a run that goes on; None leaves one as it is."""
    limits = RunLimits(
        max_money=max_money, max_run_tokens=max_run_tokens, max_run_calls=max_run_calls, max_hours=max_hours
    )
    given = limits.model_dump(exclude_none=True)
    if given:
        known = journal.load(LIMITS, _RUN) or RunLimits()
        journal.save(LIMITS, _RUN, known.model_copy(update=given))


class JournalAccount:
    """Keeps what a run has spent, for the gateway."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def load(self) -> Amount:
        spent = self._journal.load(SPENT, _RUN)
        return Amount(spent.tokens, int(spent.units), spent.calls) if spent else NOTHING

    def seconds(self) -> float:
        spent = self._journal.load(SPENT, _RUN)
        return spent.seconds if spent else 0.0

    def save(self, charged: Amount, seconds: float) -> None:
        spent = Spent(tokens=charged.tokens, units=str(charged.units), calls=charged.calls, seconds=seconds)
        self._journal.save(SPENT, _RUN, spent)
