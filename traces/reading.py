"""Conversations of files that other programs wrote, one at a time, whatever the format.

    for found in read_conversations(Path("runs.jsonl")):
        ...        # a Conversation, or a Problem with file and line

A file of 100 MB takes no more memory than its largest conversation; formats whose records lie apart (LangSmith,
OpenTelemetry) wait in a temporary file.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from sigmaloop.errors import BadInput
from sigmaloop.traces import langsmith, otel
from sigmaloop.traces.grouping import Grouping
from sigmaloop.traces.imported import FORMATS, Conversation, Format, Imported, Problem, place
from sigmaloop.traces.json_stream import Unreadable, Value, read_values
from sigmaloop.traces.message_lists import read_list
from sigmaloop.traces.tau_bench import read_trajectory


def read_conversations(path: Path, *, format: Format | None = None, pass_at: float = 1.0) -> Iterator[Imported]:  # noqa: A002 - the word for it
    """The conversations of a file, and what was wrong with it. `format` None: told by its first record.

    `pass_at`: reward from which a conversation passed. Raises BadInput for a file that cannot be opened, or whose
    format cannot be told.
    """
    values = read_values(path)
    first: list[Value | Unreadable] = []
    if format is None:
        for found in values:
            first.append(found)
            if isinstance(found, Value):
                format = _told(found.value)  # noqa: A001
                break
        if format is None and any(isinstance(found, Value) for found in first):
            raise BadInput(
                f"{path}:{first[-1].line}: this is no conversation in a known format "
                f"({', '.join(FORMATS)}); name it with --format, or write lists of OpenAI messages, one a line"
            )
    yield from _judged(_read(chain(first, values), place(path), format), pass_at)


def _told(value: object) -> Format | None:
    """The format that a record is of."""
    if isinstance(value, list):
        return "openai"
    if not isinstance(value, dict):
        return None
    keys = value.keys()
    if "traj" in keys:
        return "tau-bench"
    if (
        keys & {"resourceSpans", "resource_spans", "scopeSpans", "spanId", "traceId"}
        or {"context", "attributes"} <= keys
    ):
        return "otel"
    if keys & {"run_type", "dotted_order", "parent_run_id"} or isinstance(value.get("runs"), list):
        return "langsmith"
    if keys & {"messages", "conversation", "role"}:
        return "openai"
    return "tau-bench" if {"task_id", "reward"} <= keys else None


def _read(values: Iterator[Value | Unreadable], file: str, format: Format | None) -> Iterator[Imported]:  # noqa: A002
    if format in ("langsmith", "otel"):
        yield from _grouped(values, file, otel if format == "otel" else langsmith)
        return
    alone: list[Value] = []
    for found in values:
        if isinstance(found, Unreadable):
            yield Problem(file=file, line=found.line, said=found.said)
        elif format == "openai" and _is_message(found.value):
            alone.append(found)
        elif format == "openai":
            yield from _guarded(read_list(found.value, file, found.line), file, found.line)
        elif isinstance(found.value, dict):
            yield from _guarded(read_trajectory(found.value, file, found.line), file, found.line)
        else:
            yield Problem(file=file, line=found.line, said="not an object; it is left out")
    if alone:  # the messages of one conversation, which is all that the file holds
        messages = [found.value for found in alone]
        yield from _guarded(read_list(messages, file, alone[0].line), file, alone[0].line)


def _is_message(value: object) -> bool:
    return isinstance(value, dict) and "role" in value and not value.keys() & {"messages", "conversation"}


def _grouped(values: Iterator[Value | Unreadable], file: str, form: object) -> Iterator[Imported]:
    with Grouping() as grouping:
        for found in values:
            if isinstance(found, Unreadable):
                yield Problem(file=file, line=found.line, said=found.said)
                continue
            take = otel.take_spans if form is otel else langsmith.take_run
            yield from _guarded(take(found.value, file, found.line, grouping), file, found.line)
        for group in grouping.groups():
            read = otel.read_trace if form is otel else langsmith.read_trace
            yield from _guarded(read(group, file), file, group.line)


def _guarded(found: Iterator[Imported], file: str, line: int) -> Iterator[Imported]:
    """The boundary to somebody else's data: a record of another shape than its format's is told, and the next read."""
    try:
        yield from found
    except (TypeError, AttributeError, LookupError, ValueError) as error:
        said = f"a record of an unexpected shape ({type(error).__name__}: {str(error)[:120]}); it is left out"
        yield Problem(file=file, line=line, said=said)


def _judged(found: Iterator[Imported], pass_at: float) -> Iterator[Imported]:
    for item in found:
        if isinstance(item, Conversation) and item.reward is not None and pass_at != 1:
            yield item.model_copy(update={"outcome": "passed" if item.reward >= pass_at else "failed"})
        else:
            yield item
