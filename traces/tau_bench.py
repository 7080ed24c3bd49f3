"""Trajectories of tau-bench: one object a conversation, with `traj`, `reward`, `task_id` and `trial`."""

from __future__ import annotations

from collections.abc import Iterator

from sigmaloop.records import JsonObject
from sigmaloop.traces.chat_messages import read_chat
from sigmaloop.traces.imported import Conversation, Imported, Problem
from sigmaloop.traces.verdicts import judged


def read_trajectory(record: JsonObject, file: str, line: int) -> Iterator[Imported]:
    """The conversation of a record, and what it lacks."""
    messages = record.get("traj", record.get("messages"))
    task, trial = record.get("task_id"), record.get("trial")
    name = f"task {task}" if task is not None else "this record"
    if not isinstance(messages, list) or not messages:
        yield Problem(file=file, line=line, said=f"{name} has no `traj`; it is left out")
        return
    chat = read_chat(messages)
    if not chat.steps:
        yield Problem(file=file, line=line, said=f"no message of {name} can be read ({chat.odd}); it is left out")
        return
    if chat.odd:
        yield Problem(file=file, line=line, said=f"{name}: {chat.odd}", lost=False)
    for field in ("task_id", "reward"):
        if record.get(field) is None:
            unknown = "its task" if field == "task_id" else "whether it failed"
            yield Problem(file=file, line=line, said=f"{name} has no `{field}`: {unknown} is unknown", lost=False)
    outcome, reward = judged({"reward": record.get("reward")})
    number = trial if isinstance(trial, int) and trial >= 0 else 0
    yield Conversation(
        id=f"{task}#{number}" if task is not None else f"line {line}",
        file=file,
        line=line,
        format="tau-bench",
        steps=chat.steps,
        outcome=outcome,
        reward=reward,
        task="" if task is None else str(task),
        trial=number,
        instructions=chat.instructions,
    )
