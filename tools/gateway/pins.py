"""What the gateway decides of every request, in the words that the role's endpoint understands."""

from __future__ import annotations

from sigmaloop.endpoints import RoleModel
from sigmaloop.tools.json_types import Json

TOKEN_FIELDS = ("max_completion_tokens", "max_tokens")


def pins(model: RoleModel, *, seed: int, most: int | None = None) -> Json:
    """Model, sampling and output limit, whatever the request says; `most`: a caller's own lower limit of tokens."""
    pinned: Json = {**model.extra, "model": model.model}
    if model.temperature is not None:
        pinned["temperature"] = model.temperature
    if model.n:
        pinned["n"] = 1
    pinned[model.token_field] = min(most or model.max_tokens, model.max_tokens)
    if model.seed:
        pinned["seed"] = seed
    if model.reasoning_effort is not None:
        pinned["reasoning_effort"] = model.reasoning_effort
    if model.stream != "off":
        pinned["stream"] = True
    if model.stream == "on":
        pinned["stream_options"] = {"include_usage": True}
    return pinned


def worded(request: Json, model: RoleModel) -> Json:
    """The caller's part as this endpoint takes it: how a tool is demanded, whether calls may be parallel.

    A tool that is demanded by name becomes the only one that is required, or is left to the prompt.
    """
    choice = request.get("tool_choice")
    if not model.parallel_tool_calls:
        request.pop("parallel_tool_calls", None)
    if model.tool_choice == "named" or choice in (None, "auto", "none"):
        return request
    if model.tool_choice == "free":
        del request["tool_choice"]
    elif isinstance(choice, dict):
        name = choice["function"]["name"]
        request["tools"] = [tool for tool in request["tools"] if tool["function"]["name"] == name] or request["tools"]
        request["tool_choice"] = "required"
    return request


def requested_tokens(request: object) -> int | None:
    """The limit of output tokens that a caller asks for."""
    if not isinstance(request, dict):
        return None
    for field in TOKEN_FIELDS:
        value = request.get(field)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None


def output_limit(request: Json) -> int:
    """The most output tokens of a pinned request; 0 where it names none."""
    return max((int(request.get(field) or 0) for field in TOKEN_FIELDS), default=0)
