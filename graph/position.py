"""Where a run stands: what its newest usable checkpoint carries, what runs next, and what it waits for.

`positions` reads this from the stored checkpoint without loading LangGraph, for `status`, `apply` and notebooks that
only look. A test compares it, for every checkpoint of runs that were stopped in many places, with the library's answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sigmaloop.errors import BadInput
from sigmaloop.graph.state import gather
from sigmaloop.memory.checkpoint_file import CheckpointFile, StoredCheckpoint

Check = Callable[[Mapping[str, Any]], None]
_TO_NODE = "branch:to:"
"""Prefix of the channel that makes a node run."""
_SENT = "__pregel_tasks"
"""The channel of tasks that were sent to a node: the miners."""
_START = "__start__"
_CONTROL = frozenset({"__error__", "__error_source_node__", "__interrupt__", "__resume__"})
"""Channels that say how a task fares, not what came out of it."""
_NO_TASK = "00000000-0000-0000-0000-000000000000"
"""Writes under this id come from outside a task."""


class Position(NamedTuple):
    """Empty before the first checkpoint."""

    values: dict[str, Any] = {}
    """The graph state, with what finished tasks of the step have added to it."""
    next: tuple[str, ...] = ()
    """Nodes that are still to run in this step."""
    questions: tuple[dict[str, Any], ...] = ()
    """What the run waits for when it is paused."""
    idle: bool = True
    """No task follows. `next` alone does not tell: it is empty, too, between the last task of a step and the checkpoint
    that follows, which is where a killed process may have stopped."""


class Usable(NamedTuple):
    """The newest checkpoint that can be used."""

    snapshot: Any
    """As it was read; with empty values when there is none."""
    passed_over: str
    """Why a newer one cannot be used; empty when this is the newest."""


def usable(names: Iterable[str], read: Callable[[str], Any], check: Check, *, nothing: Any) -> Usable:
    """The first of the checkpoints, the newest first, that can be read and passes `check`.

    `check` raises BadInput for values with which nothing can go on.
    """
    problem = ""
    for name in names:
        try:
            snapshot = read(name)
        except Exception as error:  # whatever a damaged file makes of the library that reads it
            problem = problem or f"it cannot be read ({type(error).__name__}: {str(error)[:100]})"
            continue
        if "baseline" not in snapshot.values:  # begun, and nothing measured yet
            return Usable(snapshot, problem)
        try:
            check(snapshot.values)
        except BadInput as error:
            problem = problem or str(error)
        else:
            return Usable(snapshot, problem)
    return Usable(nothing, problem)


def position_of_run(path: Path, run_id: str, check: Check) -> Position:
    """Where a run of the checkpoint file at `path` stands."""
    file = CheckpointFile(path)
    names = file.ids(run_id)

    def read(name: str) -> Position:
        return position(file.read(run_id, name), newest=name == names[0])

    found = usable(names, read, check, nothing=Position()).snapshot
    assert isinstance(found, Position)
    return found


def position(stored: StoredCheckpoint, *, newest: bool = True) -> Position:
    """The position that a stored checkpoint and the writes since then amount to.

    Of an older checkpoint the writes of tasks do not count: going on from it does them again.
    """
    channels = stored.checkpoint["channel_values"]
    values = {"mined": [], **{name: value for name, value in channels.items() if not _is_internal(name)}}
    finished = set()
    for task, name, value in sorted(stored.writes, key=lambda write: write[0] != _NO_TASK):
        if name in _CONTROL or not (newest or task == _NO_TASK):
            continue
        if task != _NO_TASK:
            finished.add(task)
        if not _is_internal(name):
            values[name] = gather(values.get(name, []), value) if name == "mined" else value
    due = _due(stored.checkpoint)
    waiting = [
        question["value"]
        for task, name, asked in stored.writes
        if name == "__interrupt__" and task not in finished
        for question in asked
    ]
    # Tasks of one step are either one node or miners, which are all alike.
    return Position(values, due[: len(due) - len(finished)], tuple(waiting), idle=not due)


def _due(checkpoint: Mapping[str, Any]) -> tuple[str, ...]:
    """The nodes that a checkpoint makes run: those sent for, and those whose channel changed since they ran last."""
    channels, versions, seen = (checkpoint[key] for key in ("channel_values", "channel_versions", "versions_seen"))
    sent = [node for node, *_ in channels.get(_SENT) or ()]
    triggers = {name: name.removeprefix(_TO_NODE) for name in channels if name.startswith(_TO_NODE)}
    if _START in channels:
        triggers[_START] = _START
    due = [
        node
        for channel, node in sorted(triggers.items())
        if node not in seen or channel not in seen[node] or versions[channel] > seen[node][channel]
    ]
    return (*sent, *due)


def _is_internal(name: str) -> bool:
    return name.startswith(("__", _TO_NODE))
