"""Which model answers, by the name in its answers: the first of each role is the run's, another one pauses it.

Names are records while a node works, from whichever thread; when it ends they become events, in one fixed order.
"""

from __future__ import annotations

import threading

from sigmaloop.errors import ModelChanged
from sigmaloop.memory.journal import Journal

NAMES = "model_names"
"""Kind of the records: by role, every name that answered or was accepted, in order."""
ANSWERED = "model_answered"
"""Kind of the events: one for each role and name."""


class JournalNames:
    """Keeps the names in a run's journal, for the gateway. Thread-safe.

    A name that was accepted counts from the next time that the run is opened: until then it pauses.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._lock = threading.Lock()
        self._known = {payload["role"]: list(payload["names"]) for payload in journal.all(NAMES)}

    def meet(self, role: str, name: str) -> None:
        """Raises ModelChanged for a name that is neither the role's first nor accepted."""
        with self._lock:
            known = self._known.get(role)
            if known is None:
                self._known[role] = [name]
                self._journal.put(NAMES, role, {"role": role, "names": [name]})
            elif name not in known:
                raise ModelChanged(role, first=known[0], now=name)


def accept(journal: Journal, change: ModelChanged) -> None:
    """A person is told of the change now, so the run goes on with both names when it is resumed."""
    names = (journal.get(NAMES, change.role) or {"names": [change.first]})["names"]
    if change.now not in names:
        journal.put(NAMES, change.role, {"role": change.role, "names": [*names, change.now]})


def write_names(journal: Journal) -> None:
    """Make events of the names met so far. Called again it changes nothing."""
    for payload in journal.all(NAMES):
        for name in payload["names"]:
            fact = {"role": payload["role"], "name": name, "first": name == payload["names"][0]}
            journal.append(ANSWERED, f"{ANSWERED}:{payload['role']}:{name}", fact)
