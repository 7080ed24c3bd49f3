"""What a run may spend and what it has spent, both in its journal: a resumed run counts on, or gets more."""

from __future__ import annotations

from typing import NamedTuple

from sigmaloop.memory.journal import Journal
from sigmaloop.settings import Settings
from sigmaloop.tools.gateway.budget import NOTHING, Amount

LIMITS = ("limits", "run")
SPENT = ("spent", "run")


class Limits(NamedTuple):
    """None: no limit."""

    money: float | None
    tokens: int | None


def limits(settings: Settings, journal: Journal | None) -> Limits:
    """The run's limits: those that it was resumed with last, else those that it was started with."""
    later = (journal.get(*LIMITS) if journal else None) or {}
    return Limits(later.get("max_money", settings.max_money), later.get("max_run_tokens", settings.max_run_tokens))


def set_limits(journal: Journal, *, max_money: float | None = None, max_run_tokens: int | None = None) -> None:
    """New limits for a run that goes on; None leaves one as it is."""
    given = {"max_money": max_money, "max_run_tokens": max_run_tokens}
    changed = {name: limit for name, limit in given.items() if limit is not None}
    if changed:
        journal.put(*LIMITS, {**(journal.get(*LIMITS) or {}), **changed})


class JournalAccount:
    """Keeps what a run has spent, for the gateway."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def load(self) -> Amount:
        kept = self._journal.get(*SPENT)
        return Amount(int(kept["tokens"]), int(kept["units"])) if kept else NOTHING

    def save(self, charged: Amount) -> None:
        # As texts: whoever reads JSON numbers as floats would lose units beyond 9007 money.
        self._journal.put(*SPENT, {"tokens": str(charged.tokens), "units": str(charged.units)})
