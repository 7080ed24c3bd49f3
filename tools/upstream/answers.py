"""Reading what an endpoint says: is it an answer, how long does it ask to wait, what does a stream carry."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from email.utils import parsedate_to_datetime

from sigmaloop.records import digest
from sigmaloop.tools.gateway.quoting import excerpt
from sigmaloop.tools.json_types import Json

LINE_BYTES = 8 * 2**20
"""A line of a stream that is longer than this is none."""


def answer_fault(answer: object, wanted: str) -> str | None:
    """What keeps this from being a chat completion (`choices`) or embeddings (`data`); None: nothing."""
    if not isinstance(answer, dict):
        return "no JSON object"
    listed = answer.get(wanted)
    if not isinstance(listed, list) or not listed or not isinstance(listed[0], dict):
        return f"no {wanted}"
    if wanted == "data":
        return None
    message = listed[0].get("message")
    if not isinstance(message, dict):
        return "no message"
    if not isinstance(message.get("content"), str | None):
        return "content that is no text"
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list) or not all(_is_call(call) for call in calls):
        return "malformed tool calls"
    return None


def unfinished(answer: Json) -> str | None:
    """Why a chat completion is no answer of the model although it has the form of one; None: it is an answer.

    One that was cut off before its first word is an answer, and counted (`cut_off`).
    """
    choice = answer["choices"][0]
    error = choice.get("error")
    if error:
        words = error.get("message") if isinstance(error, dict) else error
        return f"the model ended in an error ({excerpt(str(words or error))})"
    if choice.get("finish_reason") == "error":
        return "the model ended in an error (finish_reason error)"
    return None


def withheld(answer: Json) -> bool:
    """Whether a content filter of the endpoint took the whole answer away."""
    choice = answer["choices"][0]
    return choice.get("finish_reason") == "content_filter" and not _says_something(choice["message"])


def cut_off(answer: Json) -> bool:
    """Whether the limit of output tokens ended it before its first word: thinking used them up."""
    choice = answer["choices"][0]
    return choice.get("finish_reason") == "length" and not _says_something(choice["message"])


def _says_something(message: Json) -> bool:
    return any(message.get(part) for part in ("content", "refusal", "tool_calls"))


def mend(answer: object, request: Json) -> None:
    """Bring a chat completion into the form that clients know, in place, where its meaning is plain.

    Content in parts becomes a text, arguments as an object or null become JSON, a call without an id gets one that
    follows from the request.
    """
    choices = answer.get("choices") if isinstance(answer, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        return
    if isinstance(message.get("content"), list):
        message["content"] = _joined(message["content"])
    calls = message.get("tool_calls")
    for index, call in enumerate(calls if isinstance(calls, list) else ()):
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            function["arguments"] = as_arguments(function.get("arguments"))
            call["id"] = call.get("id") or f"call_{digest(request)}_{index}"


def as_arguments(value: object) -> object:
    """A call's arguments as text; what is neither a text, an object nor nothing stays as it is."""
    if value is None:
        return "{}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value


def _joined(parts: list[object]) -> object:
    """The text of content parts; parts that are no text leave the content as it is, for the check to refuse."""
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    if not all(isinstance(text, str) for text in texts):
        return parts
    return "".join(str(text) for text in texts)


def _is_call(call: object) -> bool:
    function = call.get("function") if isinstance(call, dict) else None
    return isinstance(function, dict) and all(isinstance(function.get(key), str) for key in ("name", "arguments"))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the endpoint asks to wait, from Retry-After (a number or a date) or retry-after-ms."""
    for name, unit in (("retry-after-ms", 0.001), ("Retry-After", 1.0)):
        try:
            seconds = float(headers[name]) * unit
        except (KeyError, ValueError):
            continue
        return seconds if math.isfinite(seconds) and seconds >= 0 else None
    try:
        then, served = (parsedate_to_datetime(headers[name]) for name in ("Retry-After", "Date"))
        return max((then - served).total_seconds(), 0.0)
    except (KeyError, ValueError, TypeError):
        return None


async def server_events(pieces: AsyncIterable[bytes]) -> AsyncIterator[str]:
    """The data of each server-sent event, up to `[DONE]` or the end. Raises ValueError for an endless line."""
    buffer = bytearray()
    data: list[str] = []
    async for piece in pieces:
        buffer += piece
        while (end := buffer.find(b"\n")) >= 0:
            line = bytes(buffer[:end]).rstrip(b"\r").decode("utf-8", "replace")
            del buffer[: end + 1]
            if line.startswith("data:"):
                data.append(line[5:].removeprefix(" "))
            elif not line and data:
                yield "\n".join(data)
                data.clear()
        if len(buffer) > LINE_BYTES:
            raise ValueError(f"a line of more than {LINE_BYTES} bytes")
    if data:
        yield "\n".join(data)


def read_chunk(data: str) -> Json:
    """A chunk of a streamed completion. Raises ValueError with what is wrong, or what the endpoint says is."""
    chunk = json.loads(data)
    error = chunk.get("error") if isinstance(chunk, dict) else None
    if error:
        raise ValueError(excerpt(str(error.get("message") if isinstance(error, dict) else error)))
    if not isinstance(chunk, dict):
        raise ValueError("a chunk that is no object")
    return chunk
