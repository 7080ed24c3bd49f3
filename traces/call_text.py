"""A recorded model call as people read it: what was sent, message by message, and what came back."""

from __future__ import annotations

import json

from sigmaloop.records import JsonObject
from sigmaloop.traces.columns import wrap
from sigmaloop.traces.conversation_text import shortened


def call_lines(index: int, request: JsonObject, answer: JsonObject, *, width: int, full: bool = False) -> list[str]:
    """The lines of one call, none longer than `width` columns; long messages are cut unless `full`."""
    tools = request.get("tools") or []
    lines = [f"model call {index} of {request.get('model', 'unknown')}, {len(tools)} tools offered"]
    for message in request.get("messages") or []:
        lines += _message(message, width, full=full)
    for choice in answer.get("choices") or []:
        lines += _message({**(choice.get("message") or {}), "role": "ANSWER"}, width, full=full)
    return lines


def _message(message: JsonObject, width: int, *, full: bool) -> list[str]:
    content = message.get("content")
    texts = [content] if isinstance(content, str) else [json.dumps(content, ensure_ascii=False)] if content else []
    for call in message.get("tool_calls") or []:
        function = call.get("function") or {}
        texts.append(f"calls {function.get('name')} {function.get('arguments')}")
    body = shortened([line for text in texts for line in wrap(text, width - 4)], full=full)
    return [f"  {message.get('role', 'message')}", *(f"    {line}".rstrip() for line in body)]
