"""Runs an agent once against a tiny scripted model: does it run at all, and what would the model be sent?

The scripted model makes one tool call, says one sentence, and then the user ends. It costs nothing. The
harness engineer sees the effect of its change in here, and no candidate is tried that fails it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any

from sigmaloop.errors import SandboxError, UpstreamError
from sigmaloop.records import Record
from sigmaloop.tools.json_types import Json
from sigmaloop.tools.sandbox.conversation import NAME_CHARACTERS
from sigmaloop.tools.sandbox.supervisor import Supervisor

SENTENCE = "I have looked into it. Is there anything else that I can do for you?"
TOOL_RESULT = '{"status": "ok"}'
MAX_CALLS = 20
"""Model calls after which an agent that never stops is stopped."""
_SHOWN = 300
_ARGUMENTS = 20_000
"""Most characters of the arguments that the scripted model makes up."""


class DryRun(Record):
    """What happened when the agent ran once."""

    ok: bool
    detail: str = ""
    """Why it failed, such as `agent.py line 12, in run: NameError: ...`; empty when it ran."""
    printed: str = ""
    """What it wrote to standard output, which nobody sees in a real rollout."""
    first_request: Json | None = None
    """The first request that the model would be sent; None when the agent asked it nothing."""
    transcript: tuple[str, ...] = ()
    """One line for every model call, tool call and message."""

    def report(self) -> str:
        """The same as a text for the harness engineer."""
        head = "The agent ran to its end." if self.ok else f"The agent failed: {self.detail}"
        parts = [head, "What happened:\n" + "\n".join(self.transcript or ("nothing",))]
        if self.first_request is not None:
            parts.append("What the model is sent first:\n" + _readable(self.first_request))
        return "\n\n".join(parts)


def dry_run(
    supervisor: Supervisor,
    source: str,
    *,
    instructions: str,
    tools: Sequence[Json],
    opening: str,
) -> DryRun:
    """Run the agent once, within the supervisor's deadlines. Raises SandboxError for faults of ours."""
    for again in (True, False):
        script = _Script(instructions, tools, opening)
        result = supervisor.run(source, script)
        if not (result.doubtful and again):  # what came from outside does not come twice
            break
    if result.status == "infra":
        raise SandboxError(f"the dry run could not be made: {result.detail}")
    return DryRun(
        ok=result.status == "ok",
        detail=result.detail,
        printed=result.printed,
        first_request=script.first_request,
        transcript=tuple(script.transcript),
    )


class _Script:
    """Handlers that play the environment, the user and the model."""

    def __init__(self, instructions: str, tools: Sequence[Json], opening: str) -> None:
        self._opening = {
            "instructions": instructions,
            "tools": [dict(tool) for tool in tools],
            "opening": opening,
        }
        self._calls = 0
        self.first_request: Json | None = None
        self.transcript: list[str] = []

    def init(self) -> Json:
        return copy.deepcopy(self._opening)

    def act(self, name: str, arguments: Json) -> str:
        self._note(f"tool {name}({json.dumps(arguments, ensure_ascii=False)}) -> {TOOL_RESULT}")
        return TOOL_RESULT

    def say(self, text: str) -> str | None:
        self._note(f"said: {text}; the user ends the conversation")
        return None

    def submit(self, answer: object) -> None:
        self._note(f"submitted: {json.dumps(answer, ensure_ascii=False)}")

    def llm(self, request: Json) -> Json:
        self._calls += 1
        if self._calls > MAX_CALLS:
            raise UpstreamError(f"more than {MAX_CALLS} model calls in a dry run; does it ever stop?", status=402)
        if not isinstance(request.get("messages"), list):
            raise UpstreamError("messages is missing", status=400)
        if self.first_request is None:
            self.first_request = request
        call = _tool_call(request.get("tools")) if self._calls == 1 else None
        if call:
            self._note(f"model call 1 -> calls {call['function']['name']}")
            return _completion({"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls")
        self._note(f"model call {self._calls} -> says a sentence")
        return _completion({"role": "assistant", "content": SENTENCE}, "stop")

    def _note(self, line: str) -> None:
        self.transcript.append(line if len(line) <= _SHOWN else line[:_SHOWN] + " ...")


def _tool_call(tools: Any) -> Json | None:
    """A call of the first tool that the agent offers to the model; None without a usable one."""
    try:
        function = tools[0]["function"]
        name, schema = function["name"], function.get("parameters") or {}
    except (LookupError, TypeError, AttributeError):
        return None
    if not isinstance(name, str) or len(name) > NAME_CHARACTERS:
        return None
    arguments = json.dumps(example_of(schema), ensure_ascii=False)
    if len(arguments) > _ARGUMENTS:
        arguments = "{}"
    return {"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}


def example_of(schema: object, *, depth: int = 8) -> object:
    """A plausible value of a JSON schema: its default, example or first choice, else one of its type.

    Of a malformed schema it takes what it understands: the agent wrote it, and a real model would be sent it as well.
    """
    if not isinstance(schema, dict) or depth == 0:
        return None
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    for key in ("examples", "enum"):
        if isinstance(schema.get(key), list) and schema[key]:
            return schema[key][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if isinstance(schema.get(key), list) and schema[key]:
            return example_of(schema[key][0], depth=depth - 1)
    kind = schema.get("type", "object" if "properties" in schema or depth == 8 else "string")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if kind == "object":
        properties = schema.get("properties")
        properties = properties if isinstance(properties, dict) else {}
        required = schema.get("required")
        wanted = required if isinstance(required, list) else list(properties)
        return {name: example_of(properties[name], depth=depth - 1) for name in properties if name in wanted}
    if kind == "array":
        return [example_of(schema.get("items", {}), depth=depth - 1)]
    simple = {"string": "example", "integer": schema.get("minimum", 1), "number": schema.get("minimum", 1.0)}
    return {**simple, "boolean": True}.get(str(kind))


def _completion(message: Json, finish_reason: str) -> Json:
    return {
        "id": "chatcmpl-dry-run",
        "object": "chat.completion",
        "created": 0,
        "model": "dry-run",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def _readable(request: Json) -> str:
    """Messages as they read, tools by name and description."""
    lines = [
        f"[{message.get('role')}] {message.get('content')}" if isinstance(message, dict) else str(message)
        for message in request["messages"]
    ]
    tools = request.get("tools")
    for tool in tools if isinstance(tools, list) else ():
        function = tool.get("function") if isinstance(tool, dict) else None
        if isinstance(function, dict):
            lines.append(f"[tool] {function.get('name')}: {function.get('description')}")
    return "\n".join(lines)
