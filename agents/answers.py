"""Reads a model's answer, in whatever form it came: a validated record, or a fault that can be quoted back.

Models asked for one tool call answer with JSON in prose, in a fence, with arguments that are not JSON, with
two calls or with none. Nothing is guessed here: a text that is cut off or does not fit stays unusable.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Annotated, Any, TypeVar

from langchain_core.messages import AIMessage
from pydantic import BaseModel, StringConstraints, ValidationError

from sigmaloop.clean_text import clean, clean_json

JsonObject = dict[str, Any]
"""A JSON object as a model wrote it, before anything is known of its shape."""
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
"""A text that is not blank."""
Answer = TypeVar("Answer", bound=BaseModel)
_DECODER = json.JSONDecoder(strict=False)


CUT_OFF = "the answer was cut off before it was complete; be shorter"


class UnusableError(ValueError):
    """Why an answer could not be used, in words that its author can act on."""


def read_answer(message: AIMessage, schema: type[Answer], *, check: Callable[[Answer], None] | None = None) -> Answer:
    """The first form of the answer that fits `schema` and passes `check` (which raises ValueError).

    Tool calls come first, then tool calls whose arguments are only nearly JSON, then JSON in the text.
    Raises UnusableError with the first form's fault. What the token limit cut off is no answer, even if it fits.
    """
    if cut_off(message):
        raise UnusableError(CUT_OFF)
    fault = ""
    for data in _forms(message):
        try:
            answer = schema.model_validate(data)
            if check is not None:
                check(answer)
            return answer
        except ValidationError as error:
            fault = fault or "\n".join(_lines(error))
        except ValueError as error:
            fault = fault or str(error)
    raise UnusableError(fault or _nothing(message))


def cut_off(message: AIMessage) -> bool:
    """Whether the token limit ended the message before the model did."""
    return message.response_metadata.get("finish_reason") == "length"


def clean_answer(message: AIMessage, *, keep: str = "") -> AIMessage:
    """The answer with every text in it cleaned, and a name for each call: what is read, stored and sent back.

    Unseen characters in `keep` stay. Raises ValueError for arguments that are nested too deeply.
    """

    by = partial(clean, keep=keep)

    def named(call: Mapping[str, Any], at: int) -> JsonObject:
        args = call["args"] or ("" if call["type"] == "invalid_tool_call" else {})
        call_id = clean(call["id"] or "") or f"call_{at}"
        return {**call, "id": call_id, "name": clean(call["name"] or ""), "args": clean_json(args, by)}

    calls = [named(call, at) for at, call in enumerate(message.tool_calls)]
    broken = [named(call, at) for at, call in enumerate(message.invalid_tool_calls, len(calls))]
    return message.model_copy(
        update={
            "content": clean_json(message.content, by),
            "additional_kwargs": clean_json(message.additional_kwargs),
            "tool_calls": calls,
            "invalid_tool_calls": broken,
        }
    )


def objects(text: str) -> Iterator[JsonObject]:
    """Every outermost JSON object in a text, in order; prose and fences around them are passed over."""
    at = text.find("{")
    while at >= 0:
        try:
            data, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            if isinstance(data, dict):
                yield data
        at = text.find("{", end)


def text_of(message: AIMessage) -> str:
    """The message's text, whatever kind of content it has."""
    return str(message.text)


def _forms(message: AIMessage) -> Iterator[JsonObject]:
    for call in message.tool_calls:
        yield _unwrapped(call["args"])
    for broken in message.invalid_tool_calls:
        yield from map(_unwrapped, _complete(broken["args"] or ""))
    yield from map(_unwrapped, _complete(text_of(message)))


def _complete(text: str) -> Iterator[JsonObject]:
    """The objects of a text, unless the outermost is cut off: what is inside it is not the answer."""
    start = text.find("{")
    if start >= 0 and text.count("{", start) > text.count("}", start):
        return
    yield from objects(text)


def _unwrapped(data: JsonObject) -> JsonObject:
    """The arguments alone, when a model writes the whole call as JSON."""
    inner = data.get("arguments", data.get("parameters"))
    if isinstance(inner, str):
        inner = next(objects(inner), None)
    return inner if isinstance(inner, dict) and "name" in data and len(data) <= 3 else data


def _lines(error: ValidationError) -> list[str]:
    return [f"{'.'.join(map(str, e['loc'])) or 'answer'}: {e['msg']}" for e in error.errors()]


def _nothing(message: AIMessage) -> str:
    refusal = message.additional_kwargs.get("refusal")
    if refusal:
        return f"the answer was a refusal: {str(refusal)[:300]}"
    if message.invalid_tool_calls:
        return f"the arguments are not valid JSON: {str(message.invalid_tool_calls[0]['args'])[:300]}"
    if not text_of(message).strip():
        return "the answer was empty"
    return "the answer holds no complete JSON object"
