"""Which model answers, by the name in its answers: the first of each role is the run's, another one pauses it.

Names are records while a node works, from whichever thread; when it ends they become events, in one fixed order.
"""

from __future__ import annotations

import threading

from sigmaloop.errors import ModelChanged
from sigmaloop.memory.facts import ModelAnswered, RecordKind
from sigmaloop.memory.journal import Journal
from sigmaloop.records import Record


class ModelNames(Record):
    """Every name under which a role's model answered or was accepted, in order."""

    role: str
    names: tuple[str, ...]


NAMES = RecordKind("model_names", ModelNames)


class JournalNames:
    """Keeps the names in a run's journal, for the gateway. Thread-safe.

    A name that was accepted counts from the next time that the run is opened: until then it pauses.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._lock = threading.Lock()
        self._known = {met.role: met.names for met in journal.load_all(NAMES)}

    def meet(self, role: str, name: str) -> None:
        """Raises ModelChanged for a name that is neither the role's first nor accepted."""
        with self._lock:
            known = self._known.get(role)
            if known is None:
                self._known[role] = (name,)
                self._journal.save(NAMES, role, ModelNames(role=role, names=(name,)))
            elif name not in known:
                raise ModelChanged(role, first=known[0], now=name)


def accept(journal: Journal, change: ModelChanged) -> None:
    """A person is told of the change now, so the run goes on with both names when it is resumed."""
    met = journal.load(NAMES, change.role)
    names = met.names if met else (change.first,)
    if change.now not in names:
        journal.save(NAMES, change.role, ModelNames(role=change.role, names=(*names, change.now)))


def write_names(journal: Journal) -> None:
    """Make events of the names met so far. Called again it changes nothing."""
    for met in journal.load_all(NAMES):
        for name in met.names:
            journal.write(ModelAnswered(role=met.role, name=name, first=name == met.names[0]))
