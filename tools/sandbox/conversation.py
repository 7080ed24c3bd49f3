"""One rollout's conversation with its agent: which frames may come, how often, and who answers them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from pydantic import JsonValue

from sigmaloop.errors import SigmaLoopError, UpstreamError
from sigmaloop.tools.json_types import Json
from sigmaloop.tools.sandbox.child import frames
from sigmaloop.tools.sandbox.child_link import ChildLink
from sigmaloop.tools.sandbox.rollout_end import EndedError, bad_frame

STEP_BYTES = 4 * 1024 * 1024
"""Most bytes of all actions and messages of one rollout together: they are kept in its trace."""
MODEL_BYTES = 256 * 1024 * 1024
"""Most bytes of all its model requests together."""
TEXT_CHARACTERS = 500_000
"""Most characters of what a tool or the user answers: more is cut, and so fits into a frame however it is written."""
NAME_CHARACTERS = 200
"""Longest name of a tool that is looked for."""
QUOTED_CHARACTERS = 100
"""Most characters of a long refusal that the child is shown: it may repeat what the child sent."""
OVER = "Error: the conversation is over"
_REFUSAL_CHARACTERS = 500

T = TypeVar("T")


class Handlers(Protocol):
    """The parent's side of one rollout. What they raise is an infra fault, never the agent's."""

    def init(self) -> Mapping[str, object]:
        """`instructions`, `tools` and `opening`: always these three, no id, split or trial."""
        ...

    def act(self, name: str, arguments: Json) -> str: ...
    def say(self, text: str) -> str | None: ...
    def submit(self, answer: JsonValue) -> None: ...
    def llm(self, request: Json) -> Json:
        """A chat completion. Raises UpstreamError: 402 (calls used up) ends the agent, of another 4xx that
        its request deserved the agent hears and may go on, everything else is an infra fault.
        """
        ...


class Conversation:
    """One rollout, served in the calling thread."""

    def __init__(self, link: ChildLink, handlers: Handlers, *, max_steps: int) -> None:
        self._link = link
        self._handlers = handlers
        self._max_steps = max_steps
        self._steps = 0
        self._bytes = {"step": 0, "llm": 0}
        self._over = False

    def hold(self, source: str) -> str:
        """What it printed, when the agent's run() has returned; raises EndedError for every other end."""
        self._link.await_sandbox()
        init = _ours("opening the episode", self._handlers.init)
        if len(source.encode("utf-8", "replace")) > frames.MAX_BYTES // 2:
            raise EndedError("agent_error", f"agent.py is larger than {frames.MAX_BYTES // 2} bytes")
        self._link.send({"op": "init", "source": source, **init})
        while True:
            frame = self._link.receive()
            match frame:
                case {"op": "done", "printed": str(printed), **rest} if not rest:
                    return printed
                case {"op": "failed", "error": str(error), **rest} if not rest:
                    raise EndedError("agent_error", error)
                case {"op": "llm", "id": int(number), "request": dict(request), **rest} if not rest:
                    self._count_bytes("llm", MODEL_BYTES)
                    self._link.send({"id": number, **self._llm(request)})
                case {"op": "act" | "say" | "submit", "id": int(number), **rest}:
                    self._count_bytes("step", STEP_BYTES)
                    self._count_step()
                    self._link.send({"id": number, "result": self._step(frame["op"], rest)})
                case _:
                    raise bad_frame(f"{str(frame)[:100]}")

    def _step(self, op: str, fields: Json) -> str | None:
        match op, fields:
            case "act", {"tool": str(tool), "args": dict(arguments), **rest} if not rest:
                if self._over:
                    return OVER
                if len(tool) > NAME_CHARACTERS:
                    return f"Error: no tool has a name of {len(tool)} characters"
                result = _ours(f"tool {tool[:80]}", lambda: self._handlers.act(tool, arguments))
                return _text(result, f"tool {tool[:80]}")
            case "say", {"text": str(text), **rest} if not rest:
                if self._over:
                    return None
                answer = _ours("user", lambda: self._handlers.say(text))
                self._over = answer is None
                return None if answer is None else _text(answer, "user")
            case "submit", {"answer": answer, **rest} if not rest:
                _ours("submit", lambda: self._handlers.submit(answer))
                return None
        raise bad_frame(f"{op} with {str(fields)[:100]}")

    def _llm(self, request: Json) -> Json:
        try:
            return {"result": _ours("model call", lambda: self._handlers.llm(request))}
        except UpstreamError as error:
            if error.status == 402:
                raise EndedError("agent_error", f"refused by the model gateway: {error}") from error
            if 400 <= error.status < 500 and error.status not in (401, 429):
                return {"error": _brief(str(error)), "status": error.status}
            raise EndedError("infra", f"model call: {error}") from error

    def _count_step(self) -> None:
        self._steps += 1
        if self._steps > self._max_steps:
            raise EndedError("agent_error", f"more than {self._max_steps} steps (tool calls and messages)")

    def _count_bytes(self, kind: str, most: int) -> None:
        self._bytes[kind] += self._link.last_bytes
        if self._bytes[kind] > most:
            what = "model requests" if kind == "llm" else "tool calls and messages"
            raise EndedError("agent_error", f"more than {most} bytes of {what}")


def _brief(refusal: str) -> str:
    """A refusal for the child: whole if it is short, else no more of it than may be a quotation."""
    if len(refusal) <= _REFUSAL_CHARACTERS:
        return refusal
    return f"{refusal[:QUOTED_CHARACTERS]}... ({len(refusal)} characters)"


def _ours(what: str, call: Callable[[], T]) -> T:
    """Call into the environment, the user or the model; a fault in there is ours."""
    try:
        return call()
    except UpstreamError as error:
        if what == "model call":
            raise
        raise EndedError("infra", f"{what}: {error}") from error
    except SigmaLoopError:
        raise
    except Exception as error:  # the boundary of the environment: a benchmark may raise anything
        raise EndedError("infra", f"{what}: {type(error).__name__}: {error}") from error


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise EndedError("infra", f"{what}: the environment returned {type(value).__name__}, not a text")
    if len(value) > TEXT_CHARACTERS:
        return f"{value[:TEXT_CHARACTERS]}... (cut: {len(value)} characters)"
    return value
