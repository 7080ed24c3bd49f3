"""An agent in a sandbox, the handlers that it talks to, and frames as it would write them by hand."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable
from typing import Any

from sigmaloop.tools.sandbox.supervisor import SandboxResult, Supervisor

TOOLS = [{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}]


class Table:
    """Handlers that write down what arrives; answers can be replaced."""

    def __init__(self, **answers: Callable[..., Any]) -> None:
        self.seen: list[Any] = []
        self.answers = answers

    def init(self) -> dict[str, Any]:
        return {"instructions": "Be kind.", "tools": TOOLS, "opening": "Hello, é 🙂"}

    def act(self, name: str, arguments: dict[str, Any]) -> str:
        self.seen.append(("act", name, arguments))
        return str(arguments) if "act" not in self.answers else self.answers["act"](name, arguments)

    def say(self, text: str) -> str | None:
        self.seen.append(("say", text))
        return self.answers["say"](text) if "say" in self.answers else None

    def submit(self, answer: Any) -> None:
        self.seen.append(("submit", answer))

    def llm(self, request: dict[str, Any]) -> dict[str, Any]:
        self.seen.append(("llm", request))
        return self.answers["llm"](request) if "llm" in self.answers else completion("Good day.")


def completion(text: str | None, **message: Any) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text, **message}}
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    return {
        "id": "c1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage,
    }  # fmt: skip


def run(supervisor: Supervisor, body: str, table: Table | None = None, *, before: str = "") -> SandboxResult:
    lines = "\n".join("    " + line for line in body.strip("\n").splitlines())
    return supervisor.run(f"{before}\ndef run(session):\n{lines}\n", table or Table())


def framed(message: dict[str, Any]) -> bytes:
    payload = json.dumps(message).encode()
    return struct.pack(">I", len(payload)) + payload


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any) -> Any:
        raise error

    return fail


def assert_matches(pattern: str, text: str) -> None:
    assert re.search(pattern, text), f"{text!r} does not match {pattern!r}"
