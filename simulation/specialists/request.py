"""A specialist's request: its sections, its tools, the calls made so far; and how to answer it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from sigmaloop.records import digest
from sigmaloop.simulation.messages import JsonObject, Message, json_object, text_message, tool_message

T = TypeVar("T")


class Turn(NamedTuple):
    """A tool call that was made earlier in this conversation, and what came back."""

    tool: str
    arguments: JsonObject
    result: str


class Request:
    """A chat completion request addressed to a specialist."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        messages: Sequence[JsonObject] = request["messages"]
        self.messages = messages
        self.system = "\n".join(_text(m) for m in messages if m["role"] == "system")
        self.user = next((_text(m) for m in messages if m["role"] == "user"), "")
        self.tools = [t["function"]["name"] for t in request.get("tools") or ()]
        self._key = digest(self.system, self.user, request.get("seed", 0))

    def draw(self, *labels: object) -> float:
        """A number in [0, 1) that depends on the task as first put and the labels, not on the turn."""
        return int(digest(self._key, *labels, size=12), 16) / 16**12

    def pick(self, choices: Sequence[T], *labels: object) -> T:
        """One of the choices, by `draw`."""
        return choices[int(self.draw("pick", *labels) * len(choices))]

    def section(self, tag: str) -> str:
        """The text between <tag> and </tag> in the first user message."""
        match = re.search(rf"<{tag}>\n?(.*?)\n?</{tag}>", self.user, re.DOTALL)
        return match.group(1) if match else ""

    @property
    def turns(self) -> list[Turn]:
        """Answered tool calls, oldest first."""
        results = {m["tool_call_id"]: _text(m) for m in self.messages if m["role"] == "tool"}
        turns = []
        for message in self.messages:
            for call in message.get("tool_calls") or ():
                if call["id"] in results:
                    function = call["function"]
                    turns.append(Turn(function["name"], json_object(function["arguments"]), results[call["id"]]))
        return turns

    def call(self, name: str, arguments: Mapping[str, object]) -> Message:
        """An assistant message with one tool call; its id follows from the conversation."""
        raw = json.dumps(arguments, ensure_ascii=False)
        call_id = "call_" + digest(self._key, len(self.messages), name, raw, size=20)
        return tool_message(name, raw, call_id=call_id)

    def answer(self, arguments: Mapping[str, object]) -> Message:
        """The structured answer; now and then in plain text or cut off, as models do on a first try."""
        raw = json.dumps(arguments, ensure_ascii=False)
        form = self.draw("form") if len(self.messages) <= 2 else 1.0
        if form < 0.02:
            return text_message(raw[: int(len(raw) * 0.7)])
        if form < 0.05 or not self.tools:
            return text_message(f"Here is my answer:\n```json\n{raw}\n```")
        return self.call(self.tools[0], arguments)


def field(text: str, name: str) -> str:
    """The value of the first line `name: value` in a section."""
    match = re.search(rf"^[\s-]*{re.escape(name)}: *(.*)$", text, re.MULTILINE)
    return match.group(1).strip() if match else ""


def _text(message: JsonObject) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content)
    return str(content or "")
