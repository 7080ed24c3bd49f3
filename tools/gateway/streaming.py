"""Chat completions in pieces: adding the chunks of a stream up to the whole answer, and splitting one into chunks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

from sigmaloop.tools.json_types import Json


class Sum:
    """What the chunks so far add up to. `add` raises ValueError for what is no chunk of a chat completion."""

    def __init__(self) -> None:
        self._head: Json = {}
        self._message: Json = {"role": "assistant", "content": None}
        self._calls: dict[int, Json] = {}
        self._reason: str | None = None
        self._usage: Json | None = None

    @property
    def finished(self) -> bool:
        """Whether the model said that it has ended; without it a stream broke off."""
        return self._reason is not None

    def add(self, chunk: object, *, name: Callable[[], str] = lambda: "0") -> None:
        """`name` tells calls apart to which the endpoint gave no id. Odd calls are mended in the chunk, too."""
        if not isinstance(chunk, dict) or not isinstance(chunk.get("choices"), list):
            raise ValueError("a chunk without choices")
        for key in ("id", "created", "model"):
            self._head.setdefault(key, chunk.get(key))
        if isinstance(chunk.get("usage"), dict):
            self._usage = chunk["usage"]
        for choice in chunk["choices"]:
            if not isinstance(choice, dict) or not isinstance(choice.get("delta") or {}, dict):
                raise ValueError("a choice that is no object")
            if choice.get("index", 0) == 0:
                self._grow(choice.get("delta") or {}, name)
                self._reason = choice.get("finish_reason") or self._reason

    def answer(self) -> Json:
        """The whole answer, as it would have come without streaming."""
        message = dict(self._message)
        if self._calls:
            message["tool_calls"] = [self._calls[index] for index in sorted(self._calls)]
            for call in message["tool_calls"]:
                if call["function"]["arguments"] is None:
                    call["function"]["arguments"] = "{}"
        choice = {"index": 0, "message": message, "finish_reason": self._reason or "stop"}
        whole = {**self._head, "object": "chat.completion", "choices": [choice]}
        return whole if self._usage is None else {**whole, "usage": self._usage}

    def _grow(self, delta: Json, name: Callable[[], str]) -> None:
        for key, value in delta.items():
            if key == "tool_calls":
                self._grow_calls(value or [], name)
            elif key != "role":
                _grow_field(self._message, key, value)

    def _grow_calls(self, pieces: Iterable[object], name: Callable[[], str]) -> None:
        for place, piece in enumerate(pieces):
            function = piece.get("function") if isinstance(piece, dict) else None
            if not isinstance(piece, dict) or not isinstance(function, dict):
                raise ValueError("a tool call without a function")
            if isinstance(function.get("arguments"), dict):
                function["arguments"] = json.dumps(function["arguments"], ensure_ascii=False)
            number = int(piece.get("index", place))
            if number not in self._calls:
                piece["id"] = piece.get("id") or f"call_{name()}_{number}"
                self._calls[number] = {"id": "", "type": "function", "function": {"name": "", "arguments": None}}
            call = self._calls[number]
            call["id"] = piece.get("id") or call["id"]
            call["function"]["name"] += function.get("name") or ""
            if function.get("arguments") is not None:
                call["function"]["arguments"] = (call["function"]["arguments"] or "") + function["arguments"]
            for key in piece.keys() - {"id", "index", "type", "function"}:
                _grow_field(call, key, piece[key])


def _grow_field(whole: Json, key: str, value: object) -> None:
    """What a provider adds comes in pieces as well: texts and lists are joined, objects united."""
    known = whole.get(key)
    if isinstance(value, str):
        whole[key] = (known or "") + value if isinstance(known, str | None) else value
    elif isinstance(value, list):
        parts = "".join(str(part.get("text") or "") for part in value if isinstance(part, dict))
        whole[key] = (known or "") + parts if key == "content" else [*(known or []), *value]
    elif isinstance(value, dict):
        whole[key] = {**known, **value} if isinstance(known, dict) else value


def chunks(answer: Json) -> Iterator[Json]:
    """The chunks of a stream that adds up to this answer, its usage in the last one."""
    head = {
        "id": answer.get("id", "chatcmpl-0"),
        "object": "chat.completion.chunk",
        "created": answer.get("created", 0),
        "model": answer.get("model", ""),
    }
    choice = answer["choices"][0]
    message = choice["message"]
    deltas: list[Json] = [{"role": "assistant", "content": "" if message.get("content") is not None else None}]
    if message.get("content"):
        deltas.append({"content": message["content"]})
    if message.get("refusal"):
        deltas.append({"refusal": message["refusal"]})
    for index, call in enumerate(message.get("tool_calls") or []):
        deltas.append({"tool_calls": [{**call, "index": index}]})
    for delta in deltas:
        yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": choice.get("finish_reason") or "stop"}]}
    yield {**head, "choices": [], "usage": answer.get("usage")}


def for_caller(chunk: Json, *, with_usage: bool) -> Json | None:
    """The chunk as a caller sees it who asked for the usage, or did not; None: it gets none of it."""
    if with_usage:
        return {"usage": None, **chunk}
    return {key: value for key, value in chunk.items() if key != "usage"} if chunk["choices"] else None
