"""Signs of life of a run that nobody follows in this process: a server steps it, node by node."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from langgraph.errors import GraphInterrupt

from sigmaloop.graph.events import Emit, Event
from sigmaloop.graph.pulse import Pulse, note_pause
from sigmaloop.graph.services import Services
from sigmaloop.graph.sessions import is_followed


@contextmanager
def signs_of_life(services: Services) -> Iterator[Emit]:
    """Takes in a node's news, and why it pauses; `Run.follow` does both itself, and then nothing is written here."""
    if is_followed(services.run_id):
        yield _pass
        return
    try:
        yield Pulse(services.journal).feel
    except GraphInterrupt as asked:
        note_pause(services.journal, asked.args[0][0].value)
        raise


def _pass(event: Event) -> None:
    pass
