"""From which checkpoint a run goes on: the newest that can be used; without any, from its journal.

A checkpoint cannot be used when it is damaged, was edited to something that the run cannot be, or knows of events
that the journal has lost (a power cut, or a copy without the file beside it).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver

from sigmaloop.graph.checks import check_facts
from sigmaloop.graph.events import Event, Noted
from sigmaloop.graph.position import Check, Usable, usable
from sigmaloop.graph.rebuild import rebuilt
from sigmaloop.graph.services import Services
from sigmaloop.memory.checkpoints import checkpoint_ids


def settle(graph: Any, saver: BaseCheckpointSaver[Any], config: RunnableConfig, services: Services) -> Iterator[Event]:
    """Make the newest checkpoint one that can be used, and tell when it was not."""

    def check(values: Mapping[str, Any]) -> None:
        check_facts(values, services.journal, services.versions, tasks=services.tasks)

    names = checkpoint_ids(saver, config["configurable"]["thread_id"])
    found = _usable(graph, names, config, check)
    if found.snapshot.values:
        if found.passed_over:
            graph.update_state(found.snapshot.config, None, as_node="__copy__")
            where = ", ".join(found.snapshot.next) or "the end"
            message = f"the newest checkpoint cannot be used: {found.passed_over}. Going on from the one before {where}"
            yield Noted(message=message)
        return
    stand = rebuilt(services.journal)
    if stand is None:
        return
    values = {"run_id": services.run_id, **stand.values}
    graph.update_state(_nowhere(config, services.run_id), values, as_node=stand.after)
    why = found.passed_over or "its checkpoints are gone"
    yield Noted(message=f"{why}: going on from the journal, behind batch {stand.values['batch']}")


def _usable(graph: Any, names: Sequence[str], config: RunnableConfig, check: Check) -> Usable:
    thread = config["configurable"]["thread_id"]

    def read(name: str) -> Any:
        # The newest is asked for without its name, for only so its pending writes and answers count.
        at = {"thread_id": thread} if name == names[0] else {"thread_id": thread, "checkpoint_id": name}
        return graph.get_state({**config, "configurable": at})

    return usable(names, read, check, nothing=graph.get_state(_nowhere(config, thread)))


def _nowhere(config: RunnableConfig, thread: str) -> RunnableConfig:
    """A place without a checkpoint: what is written from there has no past, however damaged the thread's is."""
    return {**config, "configurable": {"thread_id": thread, "checkpoint_id": "none"}}
