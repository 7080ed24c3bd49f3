"""Lists of OpenAI messages, one a line: bare, or in an object with `messages` and what else is known."""

from __future__ import annotations

from collections.abc import Iterator

from sigmaloop.records import JsonObject
from sigmaloop.traces.chat_messages import read_chat, text_of
from sigmaloop.traces.imported import Conversation, Imported, Problem
from sigmaloop.traces.verdicts import judged


def read_list(record: object, file: str, line: int) -> Iterator[Imported]:
    """The conversation of a line, and what it lacks."""
    fields: JsonObject = record if isinstance(record, dict) else {"messages": record}
    messages = fields.get("messages", fields.get("conversation"))
    if not isinstance(messages, list) or not messages:
        yield Problem(file=file, line=line, said="there is no `messages`, a list of chat messages; it is left out")
        return
    chat = read_chat(messages)
    if not chat.steps:
        yield Problem(file=file, line=line, said=f"no message of it can be read ({chat.odd}); it is left out")
        return
    if chat.odd:
        yield Problem(file=file, line=line, said=chat.odd, lost=False)
    more = fields.get("metadata")
    known = {**(more if isinstance(more, dict) else {}), **fields}
    outcome, reward = judged(known)
    if outcome == "unknown":
        said = "nothing says whether it failed, such as `reward`, `passed` or `outcome`"
        yield Problem(file=file, line=line, said=said, lost=False)
    yield Conversation(
        id=_first(known, "id", "conversation_id", "session_id", "thread_id") or f"line {line}",
        file=file,
        line=line,
        format="openai",
        steps=chat.steps,
        outcome=outcome,
        reward=reward,
        detail=text_of(known.get("detail") or known.get("feedback")),
        task=_first(known, "task_id", "task"),
        request_type=_first(known, "request_type", "type", "category", "intent"),
        instructions=chat.instructions,
        model=_first(known, "model"),
    )


def _first(fields: JsonObject, *names: str) -> str:
    """The first of these fields that is a text or a number."""
    found = (fields.get(name) for name in names)
    return next((text_of(str(value)) for value in found if isinstance(value, (str, int)) and str(value)), "")
