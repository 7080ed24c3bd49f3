"""The Responses API in terms of chat completions: the same policy, pins, budgets and journal hold for both.

Nothing is stored and nothing refers to an earlier response: a conversation is its items, sent whole each time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from sigmaloop.tools.gateway.quoting import excerpt
from sigmaloop.tools.gateway.requests import members, refuse
from sigmaloop.tools.json_types import Json

IGNORED = (
    *("model", "temperature", "top_p", "reasoning", "user", "metadata", "safety_identifier", "prompt_cache_key"),
    *("service_tier", "stream", "stream_options", "truncation"),
)
"""Decided by the gateway, or harmless; what the caller says is not sent on."""
ITEMS = ("message", "function_call", "function_call_output")


def chat_request(request: object) -> Json:
    """The chat completion that is asked for. Raises UpstreamError 400, naming the field."""
    if not isinstance(request, dict):
        raise refuse("the request must be a JSON object")
    fields = {key: value for key, value in request.items() if value is not None and key not in IGNORED}
    if fields.get("store") is False:
        del fields["store"]
    if fields.get("include") == []:
        del fields["include"]
    unknown = sorted(fields.keys() - _FIELDS)
    if unknown:
        raise refuse(f"{excerpt(unknown[0])} is not allowed here; allowed: {', '.join(sorted(_FIELDS))}")
    chat: Json = {"messages": _messages(fields.get("instructions"), fields.get("input"))}
    if "tools" in fields:
        chat["tools"] = _tools(fields["tools"])
    if "tool_choice" in fields:
        chat["tool_choice"] = _tool_choice(fields["tool_choice"])
    if "parallel_tool_calls" in fields:
        chat["parallel_tool_calls"] = fields["parallel_tool_calls"]
    if "max_output_tokens" in fields:
        chat["max_tokens"] = fields["max_output_tokens"]
    form = _format(fields.get("text"))
    if form is not None:
        chat["response_format"] = form
    return chat


_FIELDS = {"input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "max_output_tokens", "text"}


def response(answer: Json) -> Json:
    """The response that a chat completion is."""
    choice = answer["choices"][0]
    message = choice["message"]
    number = answer.get("id") or "0"
    cut = choice.get("finish_reason") in ("length", "content_filter")
    output = []
    if message.get("content") or message.get("refusal") or not message.get("tool_calls"):
        output.append(_message_item(f"msg_{number}", message.get("content") or "", message.get("refusal")))
    for index, call in enumerate(message.get("tool_calls") or []):
        output.append(_call_item(f"fc_{number}_{index}", call))
    why = "max_output_tokens" if choice.get("finish_reason") == "length" else "content_filter"
    return {
        **_opening(number, answer),
        "status": "incomplete" if cut else "completed",
        "incomplete_details": {"reason": why} if cut else None,
        "output": output,
        "usage": _usage(answer.get("usage")),
    }


class Events:
    """The events of a response, out of the chunks of a chat completion as they come."""

    def __init__(self) -> None:
        self._number = 0
        self._name: str | None = None
        self._text: int | None = None
        self._calls: dict[int, int] = {}
        self._items: list[Json] = []

    def of(self, chunk: Json) -> Iterator[Json]:
        """What a chunk tells."""
        if self._name is None:
            self._name = chunk.get("id") or "0"
            opening = {**_opening(self._name, chunk), "status": "in_progress", "output": []}
            yield self._event("response.created", response=opening)
            yield self._event("response.in_progress", response=opening)
        for choice in chunk["choices"]:
            delta = choice.get("delta") or {}
            for kind in ("content", "refusal"):
                if delta.get(kind):
                    yield from self._text_delta(kind, delta[kind])
            for place, piece in enumerate(delta.get("tool_calls") or []):
                yield from self._call_delta(int(piece.get("index", place)), piece)

    def end(self, answer: Json) -> Iterator[Json]:
        """How a stream ends that added up to this answer."""
        whole = response({**answer, "id": self._name or answer.get("id")})
        for index, item in enumerate(self._items):
            if item["type"] == "message":
                part, kind = item["content"][0], "output_text" if "text" in item["content"][0] else "refusal"
                place = {"item_id": item["id"], "output_index": index, "content_index": 0}
                content = (
                    {"text": part["text"], "logprobs": []} if kind == "output_text" else {"refusal": part["refusal"]}
                )
                yield self._event(f"response.{kind}.done", **place, **content)
                yield self._event("response.content_part.done", **place, part=part)
            else:
                place = {"item_id": item["id"], "output_index": index}
                function = {"name": item["name"], "arguments": item["arguments"]}
                yield self._event("response.function_call_arguments.done", **place, **function)
            yield self._event("response.output_item.done", output_index=index, item={**item, "status": "completed"})
        # In the order in which they were announced, under the names that they were announced with.
        whole["output"] = [{**item, "status": "completed"} for item in self._items] or whole["output"]
        yield self._event(f"response.{whole['status']}", response=whole)

    def _text_delta(self, kind: str, text: str) -> Iterator[Json]:
        key, name = ("text", "output_text") if kind == "content" else ("refusal", "refusal")
        if self._text is None:
            item = _message_item(f"msg_{self._name}", *(("", None) if kind == "content" else (None, "")))
            self._text = len(self._items)
            self._items.append(item)
            bare = {**item, "status": "in_progress", "content": []}
            yield self._event("response.output_item.added", output_index=self._text, item=bare)
            place = {"item_id": item["id"], "output_index": self._text, "content_index": 0}
            yield self._event("response.content_part.added", **place, part=dict(item["content"][0]))
        item = self._items[self._text]
        part = item["content"][0]
        if key not in part:
            return  # a refusal in the middle of a text: it is in the whole answer
        part[key] += text
        place = {"item_id": item["id"], "output_index": self._text, "content_index": 0}
        more: Json = {"logprobs": []} if key == "text" else {}
        yield self._event(f"response.{name}.delta", **place, delta=text, **more)

    def _call_delta(self, number: int, piece: Json) -> Iterator[Json]:
        function = piece.get("function") or {}
        if number not in self._calls:
            self._calls[number] = len(self._items)
            empty = {"id": piece.get("id") or "", "function": {"name": "", "arguments": ""}}
            self._items.append(_call_item(f"fc_{self._name}_{number}", empty))
            item = self._items[-1]
            item["name"] = function.get("name") or ""
            bare = {**item, "status": "in_progress"}
            yield self._event("response.output_item.added", output_index=self._calls[number], item=bare)
        else:
            item = self._items[self._calls[number]]
            item["name"] += function.get("name") or ""
        if function.get("arguments"):
            item["arguments"] += function["arguments"]
            place = {"item_id": item["id"], "output_index": self._calls[number]}
            yield self._event("response.function_call_arguments.delta", **place, delta=function["arguments"])

    def _event(self, kind: str, **fields: object) -> Json:
        self._number += 1
        return {"type": kind, "sequence_number": self._number - 1, **fields}


def _opening(number: str, answer: Json) -> Json:
    return {
        "id": f"resp_{number}",
        "object": "response",
        "created_at": answer.get("created") or 0,
        "model": answer.get("model") or "",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "temperature": None,
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "previous_response_id": None,
        "store": False,
        "usage": None,
    }


def _message_item(name: str, text: str | None, refusal: str | None) -> Json:
    parts: list[Json] = []
    if text is not None:
        parts.append({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
    if refusal is not None:
        parts.append({"type": "refusal", "refusal": refusal})
    return {"type": "message", "id": name, "role": "assistant", "status": "completed", "content": parts}


def _call_item(name: str, call: Json) -> Json:
    function = call["function"]
    return {
        "type": "function_call",
        "id": name,
        "call_id": call.get("id") or name,
        "name": function["name"],
        "arguments": function["arguments"],
        "status": "completed",
    }


def _usage(usage: object) -> Json | None:
    if not isinstance(usage, dict):
        return None
    input_tokens, output_tokens = int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
    return {
        "input_tokens": input_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": input_tokens + output_tokens,
    }


# What comes in; what is left unchecked here is checked as a chat request


def _messages(instructions: object, items: object) -> list[Json]:
    messages: list[Json] = []
    if instructions is not None:
        messages.append({"role": "system", "content": instructions})
    if isinstance(items, str):
        return [*messages, {"role": "user", "content": items}]
    if not isinstance(items, list) or not items:
        raise refuse("input must be a text or a list of items")
    for index, item in enumerate(items):
        _add_item(messages, item, f"input[{index}]")
    return messages


def _add_item(messages: list[Json], value: object, where: str) -> None:
    item = members(value)
    kind = item.get("type", "message") if isinstance(value, dict) else None
    if kind == "message":
        message = {"role": item.get("role"), "content": _content(item.get("content"), where)}
        # A model's text and its calls are one message of a chat.
        messages.append(message)
    elif kind == "function_call":
        call = {
            "id": item.get("call_id"),
            "type": "function",
            "function": {"name": item.get("name"), "arguments": item.get("arguments")},
        }
        if not messages or messages[-1]["role"] != "assistant":
            messages.append({"role": "assistant", "content": None})
        messages[-1].setdefault("tool_calls", []).append(call)
    elif kind == "function_call_output":
        content = _content(item.get("output"), where)
        messages.append({"role": "tool", "tool_call_id": item.get("call_id"), "content": content})
    else:
        raise refuse(f"{where} must be an object whose type is one of {', '.join(ITEMS)}; nothing stored is used")


def _content(value: object, where: str) -> object:
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        raise refuse(f"{where}: the content must be a text or a list of parts")
    return [_part(part, f"{where}.content[{index}]") for index, part in enumerate(value)]


def _part(value: object, where: str) -> Json:
    part = members(value)
    kind = part.get("type")
    if kind in ("input_text", "output_text", "text") and isinstance(part.get("text"), str):
        return {"type": "text", "text": part["text"]}
    if kind == "refusal":
        return {"type": "refusal", "refusal": part.get("refusal")}
    if kind == "input_image" and isinstance(part.get("image_url"), str) and part.get("file_id") is None:
        image = {"url": part["image_url"]}
        return {"type": "image_url", "image_url": image | ({"detail": part["detail"]} if part.get("detail") else {})}
    raise refuse(f"{where}: only text and images as data: URLs are allowed")


def _tools(value: object) -> object:
    if not isinstance(value, list):
        return value
    return [
        {"type": "function", "function": {key: part for key, part in tool.items() if key != "type"}}
        if isinstance(tool, dict) and tool.get("type") == "function"
        else tool
        for tool in value
    ]


def _tool_choice(value: object) -> object:
    if isinstance(value, dict) and value.get("type") == "function" and "function" not in value:
        return {"type": "function", "function": {"name": value.get("name")}}
    return value


def _format(value: object) -> Json | None:
    if value is None:
        return None
    if not isinstance(value, dict) or set(value) - {"format"}:
        raise refuse("text may hold a format, and nothing else")
    form = value.get("format")
    if not isinstance(form, dict):
        return None
    if form.get("type") != "json_schema":
        return form
    return {"type": "json_schema", "json_schema": {key: part for key, part in form.items() if key != "type"}}


def event_line(event: Json) -> str:
    """An event as it goes over the wire."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
