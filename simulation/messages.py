"""Chat completions as the simulation reads and writes them: this is where JSON comes in and goes out."""

from __future__ import annotations

import json
from typing import Any, NotRequired, TypedDict

JsonObject = dict[str, Any]
"""A JSON object of unknown shape: a request, the arguments of a tool call, a tool's result."""


class Function(TypedDict):
    """A tool's name and its arguments, as JSON text."""

    name: str
    arguments: str


class ToolCall(TypedDict):
    """One tool call of the model."""

    id: str
    type: str
    function: Function


class Message(TypedDict):
    """What the model answers: text, or tool calls."""

    role: str
    content: str | None
    tool_calls: NotRequired[list[ToolCall]]


def text_message(text: str) -> Message:
    return {"role": "assistant", "content": text}


def tool_message(name: str, arguments: str, *, call_id: str) -> Message:
    """A message with one tool call; `arguments` is JSON text."""
    function: Function = {"name": name, "arguments": arguments}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": call_id, "type": "function", "function": function}],
    }


def json_object(text: str) -> JsonObject:
    """The JSON object that a text is; empty when it is anything else."""
    try:
        data = json.loads(text)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
