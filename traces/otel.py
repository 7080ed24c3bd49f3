"""OpenTelemetry spans of generative AI, as OTLP's JSON (a batch a line) or as the SDKs print them.

All spans of one `gen_ai.conversation.id`, or else of one trace, are one conversation. Messages are read where the
conventions put them: `gen_ai.input.messages` and `gen_ai.output.messages`, the older events, or numbered attributes.
Source: OpenTelemetry semantic conventions for generative AI, 1.27 to 1.37.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from sigmaloop.clean_text import clean_line
from sigmaloop.records import JsonObject
from sigmaloop.traces.chat_messages import read_chat, text_of
from sigmaloop.traces.grouping import Group, Grouping, joined
from sigmaloop.traces.imported import Conversation, Imported, ImportedOutcome, Problem
from sigmaloop.traces.verdicts import judged

_NUMBERED = re.compile(r"gen_ai\.(prompt|completion)\.(\d+)\.(role|content|tool_calls\.(\d+)\.(id|name|arguments))")
_EVENT = re.compile(r"gen_ai\.(system|user|assistant|tool)\.message|gen_ai\.choice")
_TELLS = ("gen_ai.", "task", "request_type", "session.id")
"""Attributes that are kept."""


def take_spans(record: object, file: str, line: int, grouping: Grouping) -> Iterator[Problem]:
    """Put the spans of a batch, or one span, to those of their traces; says which cannot."""
    for span in _spans(record):
        context = span.get("context") or {}
        trace = span.get("traceId") or span.get("trace_id") or context.get("trace_id")
        if not isinstance(trace, str) or not trace:
            yield Problem(file=file, line=line, said="a span without `traceId`; it is left out")
            continue
        attributes = _attributes(span.get("attributes"))
        status = span.get("status") or {}
        kept = {
            "id": span.get("spanId") or span.get("span_id") or context.get("span_id"),
            "parent": span.get("parentSpanId") or span.get("parent_span_id") or span.get("parent_id"),
            "start": span.get("startTimeUnixNano") or span.get("start_time") or "",
            "failed": str(status.get("code") or status.get("status_code")) in ("2", "STATUS_CODE_ERROR", "ERROR"),
            "said": status.get("message") or status.get("description") or "",
            "attributes": {name: value for name, value in attributes.items() if name.startswith(_TELLS)},
            "events": [
                {"name": event.get("name"), "attributes": _attributes(event.get("attributes"))}
                for event in span.get("events") or []
                if isinstance(event, dict) and str(event.get("name")).startswith("gen_ai.")
            ],
        }
        conversation = attributes.get("gen_ai.conversation.id") or attributes.get("session.id") or ""
        grouping.add(trace, line, kept, conversation=str(conversation))


def read_trace(group: Group, file: str) -> Iterator[Imported]:
    """The conversation of a group of spans, and what it lacks."""
    spans = sorted(group.records, key=lambda span: _time(span["start"]))
    name = f"trace {group.id}"
    if not any(key.startswith("gen_ai.") for span in spans for key in span["attributes"]) and not any(
        span["events"] for span in spans
    ):
        return  # other spans of the program: nothing was said in them
    chat = read_chat(joined([messages for span in spans if (messages := _messages(span))]) or _of_tools(spans))
    if not chat.steps:
        said = (
            f"{name} has no messages: the program must record content, such as with "
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true; it is left out"
        )
        yield Problem(file=file, line=group.line, said=said)
        return
    if chat.odd:
        yield Problem(file=file, line=group.line, said=f"{name}: {chat.odd}", lost=False)
    outcome, reward, detail = _outcome(spans)
    if outcome == "unknown":
        said = f"{name} has no `gen_ai.evaluation.result` and no error: whether it failed is unknown"
        yield Problem(file=file, line=group.line, said=said, lost=False)
    known: JsonObject = {}
    for span in spans:
        known |= span["attributes"]
    yield Conversation(
        id=group.id,
        file=file,
        line=group.line,
        format="otel",
        steps=chat.steps,
        outcome=outcome,
        reward=reward,
        detail=clean_line(detail)[:500],
        task=text_of(known.get("task.id") or known.get("task_id") or ""),
        request_type=text_of(known.get("request_type") or ""),
        instructions=chat.instructions,
        model=text_of(known.get("gen_ai.response.model") or known.get("gen_ai.request.model") or ""),
    )


def _spans(record: object) -> Iterator[JsonObject]:
    if not isinstance(record, dict):
        return
    batches = record.get("resourceSpans") or record.get("resource_spans")
    if batches is None:
        yield from [record] if "scopeSpans" not in record else _scoped(record)
        return
    for batch in batches if isinstance(batches, list) else []:
        yield from _scoped(batch)


def _scoped(batch: object) -> Iterator[JsonObject]:
    scopes = (batch.get("scopeSpans") or batch.get("scope_spans") or []) if isinstance(batch, dict) else []
    for scope in scopes:
        yield from (span for span in scope.get("spans") or [] if isinstance(span, dict))


def _attributes(given: object) -> JsonObject:
    """By name, whether they came as an object or as OTLP's list."""
    if isinstance(given, dict):
        return given
    pairs = given if isinstance(given, list) else []
    return {str(p["key"]): _value(p.get("value")) for p in pairs if isinstance(p, dict) and "key" in p}


def _value(value: object) -> object:
    if not isinstance(value, dict) or not value:
        return value
    kind, inner = next(iter(value.items()))
    if kind == "intValue":
        return int(inner)
    if kind == "arrayValue":
        return [_value(item) for item in inner.get("values") or []]
    if kind == "kvlistValue":
        return _attributes(inner.get("values"))
    return inner


def _messages(span: JsonObject) -> list[JsonObject]:
    """What the model was sent and answered, in OpenAI's form."""
    attributes = span["attributes"]
    system = _parsed(attributes.get("gen_ai.system_instructions"))
    found = [m for field in ("input", "output") for m in _parsed(attributes.get(f"gen_ai.{field}.messages"))]
    messages = [message for given in found if isinstance(given, dict) for message in _of_parts(given)]
    if messages:
        said = "\n".join(text_of(part.get("content")) for part in system if isinstance(part, dict))
        return [{"role": "system", "content": said}, *messages] if said else messages
    return _of_events(span["events"]) or _of_numbers(attributes)


def _of_parts(message: JsonObject) -> Iterator[JsonObject]:
    """A message whose parts are texts, calls of tools and their results."""
    parts = message.get("parts")
    if not isinstance(parts, list):
        yield message
        return
    calls, texts = [], []
    for part in parts:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "tool_call":
            function = {"name": part.get("name"), "arguments": part.get("arguments")}
            calls.append({"id": part.get("id"), "function": function})
        elif kind == "tool_call_response":
            result = part.get("response", part.get("result"))
            yield {"role": "tool", "tool_call_id": part.get("id"), "content": result}
        elif kind not in ("reasoning", "thinking"):
            texts.append(part)
    if texts or calls:
        yield {"role": message.get("role"), "content": texts, **({"tool_calls": calls} if calls else {})}


def _of_events(events: list[JsonObject]) -> list[JsonObject]:
    messages = []
    for event in events:
        found = _EVENT.fullmatch(str(event["name"]))
        if not found:
            continue
        told = event["attributes"]
        inner = told.get("message")
        if found[1] is None and inner is not None:
            parsed = json.loads(inner) if isinstance(inner, str) and inner.startswith("{") else inner
            told = parsed if isinstance(parsed, dict) else {"content": parsed}
        message: JsonObject = {"role": told.get("role") or found[1] or "assistant", "content": told.get("content")}
        calls = _parsed(told.get("tool_calls"))
        messages.append({**message, **({"tool_calls": calls} if calls else {}), "tool_call_id": told.get("id")})
    return messages


def _of_numbers(attributes: JsonObject) -> list[JsonObject]:
    """Messages spread over attributes such as `gen_ai.prompt.0.content`."""
    found: dict[tuple[int, int], JsonObject] = {}
    for name, value in attributes.items():
        match = _NUMBERED.fullmatch(name)
        if not match:
            continue
        message = found.setdefault((match[1] == "completion", int(match[2])), {})
        if match[4] is None:
            message[match[3]] = value
        else:
            calls = message.setdefault("tool_calls", {})
            calls.setdefault(int(match[4]), {})[match[5]] = value
    messages = []
    for (answer, _), message in sorted(found.items()):
        calls = [call for _, call in sorted(message.pop("tool_calls", {}).items())]
        role = message.get("role") or ("assistant" if answer else "user")
        messages.append({**message, "role": role, **({"tool_calls": calls} if calls else {})})
    return messages


def _of_tools(spans: list[JsonObject]) -> list[JsonObject]:
    """The tools that were run, where no message was recorded."""
    messages: list[JsonObject] = []
    for span in spans:
        told = span["attributes"]
        name = told.get("gen_ai.tool.name")
        result = told.get("gen_ai.tool.call.result")
        if name and result is not None:
            call = {"id": span["id"], "function": {"name": name, "arguments": told.get("gen_ai.tool.call.arguments")}}
            messages.append({"role": "assistant", "tool_calls": [call]})
            messages.append({"role": "tool", "tool_call_id": span["id"], "content": result})
    return messages


def _outcome(spans: list[JsonObject]) -> tuple[ImportedOutcome, float | None, str]:
    """From the newest evaluation, else from an error of a span that no other one began."""
    for span in reversed(spans):
        for told in (*(e["attributes"] for e in reversed(span["events"])), span["attributes"]):
            fields = {
                "score": told.get("gen_ai.evaluation.score.value"),
                "label": told.get("gen_ai.evaluation.score.label"),
            }
            outcome, reward = judged(fields)
            if outcome != "unknown":
                return outcome, reward, str(told.get("gen_ai.evaluation.explanation") or "")
    ids = {span["id"] for span in spans}
    failed = [span for span in spans if span["failed"] and span["parent"] not in ids]
    return ("failed", None, str(failed[-1]["said"])) if failed else ("unknown", None, "")


def _parsed(value: object) -> list[object]:
    """A list that came as one or as JSON text; empty for anything else."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    return value if isinstance(value, list) else []


def _time(start: object) -> tuple[int, str]:
    """Nanoseconds of different lengths in their order; other forms of a time by their text."""
    text = str(start)
    return (int(text), "") if text.isdigit() else (0, text)
