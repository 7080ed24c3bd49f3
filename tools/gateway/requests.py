"""What a caller may ask of a model: everything else is dropped or refused before it goes upstream.

The harness may shape the conversation and its tools. It may not choose the model or how it samples, store
anything at the provider, use tools that the provider runs, or make the provider fetch an address: that would
be another model, a memory from one rollout to the next, or a way out of the sandbox.
"""

from __future__ import annotations

import hashlib
import re

import orjson

from sigmaloop.errors import UpstreamError
from sigmaloop.tools.gateway.quoting import excerpt
from sigmaloop.tools.json_types import Json

PINNED = (
    *("model", "seed", "n", "temperature", "top_p", "frequency_penalty", "presence_penalty"),
    *("max_tokens", "max_completion_tokens", "reasoning_effort"),
)
"""Set by the gateway or left out; what the caller says is ignored."""
STRIPPED = (
    *("stream", "stream_options", "user", "metadata"),
    *("safety_identifier", "prompt_cache_key", "service_tier"),
)
"""Harmless to the answer; never sent on."""
IMAGE = re.compile(r"data:image/(png|jpe?g|gif|webp);base64,[a-z0-9+/]*={0,2}", re.IGNORECASE | re.ASCII)
DETAILS = ("low", "high", "auto")
MOST_STOPS = 4
FORMATS = ("text", "json_object", "json_schema")
CHOICES = ("none", "auto", "required")
ROLES = ("system", "developer", "user", "assistant", "tool")
TEXT_FIELDS = ("role", "name", "tool_call_id", "refusal")
"""What is sent on of a message, next to its content and tool calls; an agent may append a reply as it came,
with the provider's additions."""
_JSON_TYPES_ONLY = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS
FUNCTION_FIELDS = {"name": str, "description": str, "parameters": dict, "strict": bool}


def request_hash(request: Json) -> str:
    """32 hex digits over a normalised request: model, messages, tools, parameters and seed."""
    return hash_and_size(request)[0]


def hash_and_size(request: Json) -> tuple[str, int]:
    """The request's hash, and its length in bytes as JSON in UTF-8: no tokenizer makes more tokens of it."""
    text = orjson.dumps(request, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()[:32], len(text)


def normalise_chat(request: object, *, max_bytes: int) -> Json:
    """What of a chat request goes upstream, without what the gateway pins.

    Raises UpstreamError 400 or 413, naming the field.
    """
    plain = _plain(request, max_bytes)
    fields = {key: value for key, value in plain.items() if value is not None and key not in PINNED + STRIPPED}
    if fields.get("store") is False:
        del fields["store"]
    unknown = sorted(fields.keys() - _CHECKS.keys())
    if unknown:
        raise refuse(f"{excerpt(unknown[0])} is not allowed here; allowed: {', '.join(_CHECKS)}")
    if "messages" not in fields:
        raise refuse("messages is missing")
    sent = {key: check(fields[key]) for key, check in _CHECKS.items() if key in fields}
    if not sent.get("tools"):  # endpoints refuse an empty list, and what refers to it
        for key in ("tools", "tool_choice", "parallel_tool_calls"):
            sent.pop(key, None)
    return sent


def normalise_embeddings(request: object, *, model: str, max_bytes: int) -> Json:
    """The embeddings request that goes upstream: texts only. Raises UpstreamError 400 or 413."""
    plain = _plain(request, max_bytes)
    texts = plain.get("input")
    if not isinstance(texts, str) and not _texts(texts):
        raise refuse("input must be a text or a list of texts")
    sent: Json = {"input": texts, "model": model}
    if plain.get("encoding_format") in ("float", "base64"):
        sent["encoding_format"] = plain["encoding_format"]
    if isinstance(plain.get("dimensions"), int):
        sent["dimensions"] = plain["dimensions"]
    return sent


def refuse(message: str, *, status: int = 400) -> UpstreamError:
    """A refusal that is the caller's own doing."""
    return UpstreamError(message, status=status, retryable=False)


def members(value: object) -> Json:
    """The members of a JSON object; of anything else there are none."""
    return value if isinstance(value, dict) else {}


def _plain(request: object, max_bytes: int) -> Json:
    """A deep copy as plain JSON, so that nothing in it can be odd or change later.

    NaN becomes null: neither the sandbox nor the HTTP server lets one through.
    """
    try:
        data = orjson.dumps(request, option=_JSON_TYPES_ONLY)
        plain = orjson.loads(data)
    except (TypeError, ValueError, RecursionError) as error:
        raise refuse(f"the request is not plain JSON: {type(error).__name__}: {excerpt(str(error))}") from None
    if len(data) > max_bytes:
        raise refuse(f"the request has {len(data)} bytes, {max_bytes} are allowed", status=413)
    if not isinstance(plain, dict):
        raise refuse("the request must be a JSON object")
    return plain


def _messages(value: object) -> list[Json]:
    if not isinstance(value, list) or not value:
        raise refuse("messages must be a list with at least one message")
    return [_message(message, f"messages[{index}]") for index, message in enumerate(value)]


def _message(value: object, where: str) -> Json:
    if not isinstance(value, dict) or value.get("role") not in ROLES:
        raise refuse(f"{where} must be an object whose role is one of {', '.join(ROLES)}")
    message = {key: value[key] for key in TEXT_FIELDS if value.get(key) is not None}
    if not all(isinstance(text, str) for text in message.values()):
        raise refuse(f"{where}: {', '.join(TEXT_FIELDS)} must be texts")
    content, calls = value.get("content"), value.get("tool_calls") or []
    if isinstance(content, list) and content:
        message["content"] = [_part(part, f"{where}.content[{index}]") for index, part in enumerate(content)]
    elif isinstance(content, str) or (content is None and value["role"] == "assistant"):
        message["content"] = content
    elif content is None and value["role"] == "tool":
        message["content"] = ""  # a tool that gave nothing back
    else:
        raise refuse(f"{where}.content must be a text or a list of parts")
    if not isinstance(calls, list):
        raise refuse(f"{where}.tool_calls must be a list")
    if calls:
        message["tool_calls"] = [_call(call, f"{where}.tool_calls[{index}]") for index, call in enumerate(calls)]
    return message


def _call(value: object, where: str) -> Json:
    call = members(value)
    function = call.get("function")
    if not isinstance(function, dict) or not all(isinstance(function.get(key), str) for key in ("name", "arguments")):
        raise refuse(f"{where} must have a function with a name and arguments, both texts")
    called = {"name": function["name"], "arguments": function["arguments"]}
    return {"id": str(call.get("id", "")), "type": "function", "function": called}


def _part(value: object, where: str) -> Json:
    part = members(value)
    kind = part.get("type")
    if kind in ("text", "refusal") and isinstance(part.get(kind), str):
        return {"type": kind, kind: part[kind]}
    if kind == "image_url" and isinstance(part.get("image_url"), dict):
        image = part["image_url"]
        url, detail = image.get("url"), image.get("detail")
        if not isinstance(url, str) or not IMAGE.fullmatch(url):
            raise refuse(f"{where}: an image must be a data: URL in base64; addresses are not fetched")
        if detail not in (None, *DETAILS):
            raise refuse(f"{where}: detail must be one of {', '.join(DETAILS)}")
        return {"type": "image_url", "image_url": {"url": url} | ({"detail": detail} if detail else {})}
    raise refuse(f"{where}: only text and images as data: URLs are allowed")


def _tools(value: object) -> list[Json]:
    if not isinstance(value, list):
        raise refuse("tools must be a list")
    return [_tool(tool, f"tools[{index}]") for index, tool in enumerate(value)]


def _tool(value: object, where: str) -> Json:
    function = value.get("function") if isinstance(value, dict) else None
    if not isinstance(value, dict) or value.get("type") != "function":
        raise refuse(f"{where}: only tools of type function are allowed; the provider's own tools are not")
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise refuse(f"{where}.function must be an object with a name")
    sent = {key: function[key] for key in FUNCTION_FIELDS if function.get(key) is not None}
    for key, part in sent.items():
        if not isinstance(part, FUNCTION_FIELDS[key]):
            raise refuse(f"{where}.function.{key} must be a {FUNCTION_FIELDS[key].__name__}")
    return {"type": "function", "function": sent}


def _tool_choice(value: object) -> object:
    choice = members(value)
    function = choice.get("function")
    if isinstance(function, dict) and choice.get("type") == "function" and isinstance(function.get("name"), str):
        return {"type": "function", "function": {"name": function["name"]}}
    if value not in CHOICES:
        raise refuse(f"tool_choice must be one of {', '.join(CHOICES)} or name a function")
    return value


def _response_format(value: object) -> Json:
    if not isinstance(value, dict) or value.get("type") not in FORMATS:
        raise refuse(f"response_format must be an object whose type is one of {', '.join(FORMATS)}")
    return {key: value[key] for key in ("type", "json_schema") if key in value}


def _parallel(value: object) -> bool:
    if not isinstance(value, bool):
        raise refuse("parallel_tool_calls must be true or false")
    return value


def _stop(value: object) -> object:
    texts = value if isinstance(value, list) else [value]
    if not _texts(texts) or not all(texts) or len(texts) > MOST_STOPS:
        raise refuse(f"stop must be a text or a list of up to {MOST_STOPS} texts, none of them empty")
    return value


def _texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)


_CHECKS = {
    "messages": _messages,
    "tools": _tools,
    "tool_choice": _tool_choice,
    "parallel_tool_calls": _parallel,
    "response_format": _response_format,
    "stop": _stop,
}
"""The allow-list: field to the function that checks it and returns what is sent on."""
