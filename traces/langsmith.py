"""Exports of LangSmith: runs, of which all with one `trace_id` are one conversation, or those of one thread.

The messages are those of its model runs; a trace without any is read from its first run and its tool runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sigmaloop.clean_text import clean_line
from sigmaloop.records import JsonObject
from sigmaloop.traces.chat_messages import read_chat, text_of
from sigmaloop.traces.grouping import Group, Grouping, joined
from sigmaloop.traces.imported import Conversation, Imported, Problem
from sigmaloop.traces.verdicts import NAMES, judged, reading

KEPT = (
    "id", "trace_id", "parent_run_id", "run_type", "name", "inputs", "outputs", "error", "start_time",
    "dotted_order", "feedback_stats", "reference_example_id",
)  # fmt: skip
_ROLES = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant", "system": "system", "tool": "tool"}
_CLASSES = {"HumanMessage": "user", "AIMessage": "assistant", "SystemMessage": "system", "ToolMessage": "tool"}


def take_run(record: object, file: str, line: int, grouping: Grouping) -> Iterator[Problem]:
    """Put a run to those of its trace; says why it cannot."""
    runs = record.get("runs") if isinstance(record, dict) and "runs" in record else [record]
    for run in runs if isinstance(runs, list) else []:
        trace = (run.get("trace_id") or run.get("id")) if isinstance(run, dict) else None
        if not isinstance(run, dict) or not trace:
            yield Problem(file=file, line=line, said="a run without `trace_id` and `id`; it is left out")
            continue
        metadata = _metadata(run)
        thread = next((metadata[n] for n in ("thread_id", "session_id", "conversation_id") if metadata.get(n)), "")
        kept = {name: run[name] for name in KEPT if run.get(name) is not None}
        grouping.add(str(trace), line, {**kept, "metadata": metadata}, conversation=str(thread))


def read_trace(group: Group, file: str) -> Iterator[Imported]:
    """The conversation of a trace or thread, and what it lacks."""
    runs = sorted(group.records, key=lambda run: str(run.get("dotted_order") or run.get("start_time") or ""))
    ids = {run.get("id") for run in runs}
    roots = [run for run in runs if not run.get("parent_run_id") or run["parent_run_id"] not in ids] or runs[:1]
    name = f"trace {group.id}"
    models = [run for run in runs if run.get("run_type") == "llm"]
    history = joined([messages for run in models if (messages := _of_model(run))])
    chat = read_chat(history or _of_tools(roots, runs))
    if not chat.steps:
        said = f"{name} has no messages: neither a run of type `llm` nor its first run holds any; it is left out"
        yield Problem(file=file, line=group.line, said=said)
        return
    if chat.odd:
        yield Problem(file=file, line=group.line, said=f"{name}: {chat.odd}", lost=False)
    outcome, reward = "unknown", None
    for root in reversed(roots):
        outcome, reward = _outcome(root)
        if outcome != "unknown":
            break
    else:
        said = f"{name} has no feedback and no error: whether it failed is unknown"
        yield Problem(file=file, line=group.line, said=said, lost=False)
    metadata: JsonObject = {}
    for root in roots:
        metadata |= root.get("metadata") or {}
    yield Conversation(
        id=group.id,
        file=file,
        line=group.line,
        format="langsmith",
        steps=chat.steps,
        outcome=outcome,  # type: ignore[arg-type]
        reward=reward,
        detail=clean_line(str(roots[-1].get("error") or ""))[:500],
        task=str(metadata.get("task_id") or roots[0].get("reference_example_id") or ""),
        request_type=text_of(metadata.get("request_type") or metadata.get("intent")),
        instructions=chat.instructions,
        model=text_of(next((m for r in models if (m := (r.get("metadata") or {}).get("ls_model_name"))), "")),
    )


def _metadata(run: JsonObject) -> JsonObject:
    extra = run.get("extra")
    found = extra.get("metadata") if isinstance(extra, dict) else run.get("metadata")
    return found if isinstance(found, dict) else {}


def _outcome(root: JsonObject) -> tuple[Any, float | None]:
    """From the feedback's mean where there is one, else from its error."""
    stats = root.get("feedback_stats")
    means = {key: value.get("avg") for key, value in stats.items() if isinstance(value, dict)} if stats else {}
    known = {name: means[name] for name in NAMES if name in means}
    if not known and len(means) == 1:
        known = {"score": next(iter(means.values()))}
    outcome, reward = judged(known)
    if outcome == "unknown" and root.get("error"):
        return reading(False) or (outcome, reward)
    return outcome, reward


def _of_model(run: JsonObject) -> list[JsonObject]:
    """What a model was sent, and what it answered."""
    sent = _messages((run.get("inputs") or {}).get("messages"))
    return [*sent, *_answer(run.get("outputs"))] if sent else []


def _answer(outputs: object) -> list[JsonObject]:
    if not isinstance(outputs, dict):
        return []
    for field in ("generations", "choices"):
        found = outputs.get(field)
        while isinstance(found, list) and found:
            found = found[0]
        if isinstance(found, dict):
            return _messages([found.get("message") or {"role": "assistant", "content": found.get("text")}])
    for field in ("messages", "output", "message"):
        found = outputs.get(field)
        if found:
            return _messages(found if isinstance(found, list) else [found])[-1:]
    return _messages([outputs]) if "content" in outputs else []


def _messages(given: object) -> list[JsonObject]:
    """Messages in OpenAI's form, of which LangChain has three more."""
    if isinstance(given, list) and len(given) == 1 and isinstance(given[0], list):
        given = given[0]
    return [found for message in given if (found := _message(message))] if isinstance(given, list) else []


def _message(message: object) -> JsonObject | None:
    if not isinstance(message, dict):
        return None
    if isinstance(message.get("role"), str):
        return message
    inner = message.get("kwargs") or message.get("data") or message
    kind = str(message.get("type", ""))
    names = message.get("id")
    named = str(names[-1]).removesuffix("Chunk") if isinstance(names, list) and names else ""
    role = _CLASSES.get(named) if named else _ROLES.get(kind)
    if not isinstance(inner, dict) or role is None:
        return None
    more = inner.get("additional_kwargs")
    calls = inner.get("tool_calls") or (more.get("tool_calls") if isinstance(more, dict) else None)
    return {
        "role": role,
        **{name: inner[name] for name in ("content", "name", "tool_call_id") if inner.get(name) is not None},
        **({"tool_calls": calls} if calls else {}),
    }


def _of_tools(roots: list[JsonObject], runs: list[JsonObject]) -> list[JsonObject]:
    """A conversation from what went into its first runs, the tools that were run, and what came out."""
    messages: list[JsonObject] = []
    for root in roots:
        whole = _messages((root.get("outputs") or {}).get("messages"))
        if whole:
            messages += whole
            continue
        messages.append({"role": "user", "content": _plain(root.get("inputs"))})
        for run in runs:
            if run.get("run_type") == "tool" and run.get("trace_id") in (root.get("trace_id"), None):
                call = {"id": str(run.get("id")), "function": {"name": run.get("name"), "arguments": run.get("inputs")}}
                messages.append({"role": "assistant", "tool_calls": [call]})
                result = run.get("error") or _plain(run.get("outputs"))
                messages.append({"role": "tool", "tool_call_id": str(run.get("id")), "content": result})
        if root.get("outputs"):
            messages.append({"role": "assistant", "content": _plain(root["outputs"])})
    return [m for m in messages if m.get("content") or m.get("tool_calls")]


def _plain(value: object) -> object:
    """The one text of an object of inputs or outputs, or all of it."""
    if isinstance(value, dict) and len(value) == 1:
        return next(iter(value.values()))
    return value
