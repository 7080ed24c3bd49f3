"""What an endpoint means by refusing a request: the caller's doing, a field that we sent, or its content filter.

Providers agree on no form. Read are the codes and fields that say it plainly, then the words of the message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any, NamedTuple

from sigmaloop.tools.json_types import Json

CONTENT_FILTER = "content_filter"
CONTEXT = "context_length_exceeded"
UNSUPPORTED = "unsupported_parameter"
CALLERS = frozenset({"messages", "tools", "response_format", "stop", "model"})
"""Fields of a request that are its caller's, or in every message: a complaint about them is no matter of dialect."""
SHARED = frozenset({"tool_choice", "parallel_tool_calls"})
"""The caller may have set these wrongly, too: only words that say the endpoint takes none of them count."""
_CONTEXT = re.compile(
    r"context.?(length|window|size)|maximum context|too many (input )?tokens|prompt is too long|input is too long",
    re.IGNORECASE,
)
_FILTER = re.compile(
    r"content.?filter|content management policy|ResponsibleAI|responsible ai|content.?policy|data_inspection_failed|"
    r"safety (system|policy)|PROHIBITED_CONTENT|moderation",
    re.IGNORECASE,
)
_NOT_TAKEN = re.compile(
    r"unsupported|unrecogni[sz]ed|unknown (name|parameter|field|argument)|extra_forbidden|extra inputs|"
    r"not (supported|permitted|allowed|available|implemented)|does ?n[o']t (support|allow|accept)|do not support|"
    r"only .{0,60}(is|are) (supported|allowed|permitted)|unexpected (keyword|field|argument)|is deprecated|"
    r"invalid temperature|may not be|incompatible with|requires --",
    re.IGNORECASE,
)
_STREAM_ONLY = re.compile(
    r"only supports? stream|stream(ing)? (mode )?(is )?(required|only)|non.?stream\w* .{0,40}not|"
    r"(enable|set) (the )?`?stream|stream`? (parameter )?(must|has to|should) be (set to )?true|must be streamed",
    re.IGNORECASE,
)


class Refusal(NamedTuple):
    """What a 4xx says, in the endpoint's words and in ours."""

    message: str
    code: str = ""
    """`content_filter`, `context_length_exceeded`, `unsupported_parameter`, or the endpoint's own; may be empty."""
    parameter: str = ""
    """The field of the request that it does not take."""


def read_refusal(body: bytes, request: Json) -> Refusal:
    """`request`: as it was sent."""
    text = body.decode("utf-8", "replace")
    error = _error(text)
    message = _message(error) or text
    code = error.get("code") or error.get("type")
    code = code if isinstance(code, str) else ""
    told = f"{code} {message} {json.dumps(error.get('innererror') or '')}"
    if code == CONTEXT or _CONTEXT.search(told):
        return Refusal(message, CONTEXT)
    if _FILTER.search(told):
        return Refusal(message, CONTENT_FILTER)
    parameter = _parameter(error, told, request)
    return Refusal(message, UNSUPPORTED if parameter else _own_code(error), parameter)


def _parameter(error: Json, told: str, request: Json) -> str:
    """The field that is not taken; empty for a complaint about what the caller wrote."""
    if not request.get("stream") and _STREAM_ONLY.search(told):
        return "stream"
    ours = request.keys() - CALLERS
    not_taken = bool(_NOT_TAKEN.search(told))
    named = re.split(r"[.\[]", str(error.get("param") or ""))[0]
    for name in (named, *_places(error)):
        if name in ours and (not_taken or name not in SHARED):
            return name
        if name in request:
            return ""  # it names what is the caller's
    return _first_named(told, ours) if not_taken else ""


def _places(error: Json) -> list[str]:
    """Names of fields as pydantic reports them: `{"detail": [{"loc": ["body", "seed"], ...}]}`."""
    details = error.get("detail")
    found = [item.get("loc") for item in details if isinstance(item, dict)] if isinstance(details, list) else []
    return [str(part) for place in found if isinstance(place, list) for part in place if part != "body"]


def _first_named(text: str, names: Collection[str]) -> str:
    """The earliest of the names in a text; short ones count only where they are quoted or called a parameter."""
    at: dict[int, str] = {}
    for name in names:
        word = re.escape(name)
        quoted = rf"['\"`\[]{word}['\"`\]]|(?:argument|parameter|field|name)s?(?: supplied)?:? {word}\b"
        spaced = rf"\b{word.replace('_', '[_ ]')}\b"
        match = re.search(quoted if len(name) < 4 else spaced, text, re.IGNORECASE)
        if match:
            at[match.start()] = name
    return at[min(at)] if at else ""


def _own_code(error: Json) -> str:
    code = error.get("code")
    return code if isinstance(code, str) else ""


def _error(text: str) -> Json:
    """The object that describes the error, wherever it lies."""
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if isinstance(found, list):
        found = found[0] if found else {}
    if not isinstance(found, dict):
        return {}
    for key in ("error", "message"):
        inner = found.get(key)
        if isinstance(inner, dict):
            return inner
    if isinstance(found.get("error"), str):
        return {**found, "message": found["error"]}
    return found


def _message(error: Json) -> str:
    message = error.get("message")
    if isinstance(message, str):
        return message
    detail = error.get("detail")
    return detail if isinstance(detail, str) else json.dumps(detail) if detail else ""
