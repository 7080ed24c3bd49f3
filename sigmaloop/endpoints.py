"""Which endpoint and model answer each role, and how their requests are worded: the tables `[models.ROLE]`.

A table holds what a person set (or a probe found); `RoleModel` is what it comes to once the gaps are filled: from the
role's parent, then from the general settings. A key is handed on to another role only for the same host.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, JsonValue

from sigmaloop.records import Record

RoleName = Literal[
    "target",
    "specialist",
    "failure_miner",
    "clusterer",
    "harness_engineer",
    "gate_judge",
    "user",
    "judge",
    "embedding",
]
TABLES: tuple[RoleName, ...] = (
    *("target", "specialist", "failure_miner", "clusterer", "harness_engineer", "gate_judge"),
    *("user", "judge", "embedding"),
)
PARENT: dict[RoleName, RoleName] = {
    "failure_miner": "specialist",
    "clusterer": "specialist",
    "harness_engineer": "specialist",
    "gate_judge": "specialist",
    "user": "target",
    "judge": "target",
}
"""Whose table fills the gaps of a role's own."""
SPECIALISTS: tuple[RoleName, ...] = ("failure_miner", "clusterer", "harness_engineer", "gate_judge")
OPENAI = "https://api.openai.com/v1"
"""The endpoint when none is named."""
OPENAI_KEY = "OPENAI_API_KEY"
"""Variable with the general endpoint's key."""
SPECIALIST_TOKENS = 8192

TokenField = Literal["max_tokens", "max_completion_tokens"]
ToolChoice = Literal["named", "required", "free"]
Streaming = Literal["off", "on", "plain"]
Auth = Literal["bearer", "api-key", "none"]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]
Temperature = Annotated[float, Field(ge=0, le=2)] | Literal["default"]


def _object(value: object) -> object:
    """A flag or a variable holds an object as JSON text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError("must be a JSON object") from None


class TableField(NamedTuple):
    """One key of a table."""

    type: Any
    text: str
    bounds: dict[str, Any] = {}


_WHOLE = Annotated[int, Field(ge=1)]
_SENT = Literal["sent", "default"]
_PRICE = Annotated[float, Field(ge=0)]
FIELDS: dict[str, TableField] = {
    "base_url": TableField(str, "Base URL of the role's endpoint. Without it, the parent's, else `base_url`."),
    "key_env": TableField(
        str, "Name of the variable that holds the key. Without it, the parent's for the same host; empty: no key."
    ),
    "auth": TableField(
        Literal["auto", "bearer", "api-key", "none"],
        "How the key is sent. `auto`: in an `api-key` header where the path has `/deployments/`, else as bearer.",
    ),
    "model": TableField(str, "Model of the role, sent as it is written."),
    "temperature": TableField(Temperature, "Sampling temperature; `default` leaves it to the endpoint."),
    "seed": TableField(_SENT, "Whether a seed is sent; `default` leaves it out, which makes results noisier."),
    "n": TableField(_SENT, "Whether `n` is sent (always 1); `default` leaves it out."),
    "parallel_tool_calls": TableField(_SENT, "Whether `parallel_tool_calls` is passed on; `default` leaves it out."),
    "max_tokens": TableField(_WHOLE, "Maximum number of output tokens in one call."),
    "token_field": TableField(
        Literal["auto", "max_tokens", "max_completion_tokens"],
        "Field that carries `max_tokens`. `auto`: as the probe finds.",
    ),
    "reasoning_effort": TableField(Effort, "Reasoning effort. Without it, none is sent."),
    "extra": TableField(
        Annotated[dict[str, JsonValue], BeforeValidator(_object)],
        "More fields of every request, as a table (JSON in a flag), such as `provider` or `top_k`.",
    ),
    "stream": TableField(
        Literal["auto", "off", "on", "plain"],
        "Whether answers are asked for in pieces. `auto`: only where a refusal says so; `plain`: without usage.",
    ),
    "timeout": TableField(
        Annotated[float, Field(gt=0)], "Seconds before one try of a call is given up. Without it, `model_timeout`."
    ),
    "tool_choice": TableField(
        Literal["auto", "named", "required", "free"],
        "How one certain tool is asked for: by name, by requiring some tool, or by the prompt alone.",
    ),
    "price_input": TableField(_PRICE, "Price of a million input tokens. Without it, the built-in table."),
    "price_cached": TableField(_PRICE, "Price of a million cached input tokens. Without it, that of input tokens."),
    "price_output": TableField(_PRICE, "Price of a million output tokens. Without it, the built-in table."),
}
"""Every key of a table."""
ALIASES: dict[tuple[RoleName, str], str] = {
    ("target", "model"): "target_model",
    ("target", "temperature"): "temperature",
    ("target", "max_tokens"): "max_tokens",
    ("target", "reasoning_effort"): "reasoning_effort",
    ("target", "price_input"): "price_input",
    ("target", "price_output"): "price_output",
    ("specialist", "model"): "specialist_model",
    ("specialist", "price_input"): "specialist_price_input",
    ("specialist", "price_output"): "specialist_price_output",
    ("embedding", "model"): "embedding_model",
}
"""Keys of a table that are settings of their own, by an older name."""
FIXED = frozenset(
    {
        *("model", "messages", "tools", "tool_choice", "parallel_tool_calls", "response_format", "stop", "store"),
        *("temperature", "seed", "n", "max_tokens", "max_completion_tokens", "reasoning_effort"),
        *("stream", "stream_options", "user", "metadata", "functions", "function_call", "previous_response_id"),
    }
)
"""Fields of a request that `extra` may not set: they have settings of their own, or are the conversation's."""


def setting_name(role: RoleName, field: str) -> str:
    """The setting that a table's key is."""
    return ALIASES.get((role, field), f"{role}_{field}")


class RoleModel(Record):
    """Where a role's calls go and how they are worded, with nothing left open."""

    role: RoleName = "target"
    base_url: str = OPENAI
    key_env: str = ""
    """Variable that holds the key; empty: none is sent."""
    auth: Auth = "none"
    model: str
    temperature: float | None = 0.0
    """None: left to the endpoint, as are `seed`, `n` and `parallel_tool_calls` where they are False."""
    seed: bool = True
    n: bool = True
    parallel_tool_calls: bool = True
    max_tokens: int = 2048
    token_field: TokenField = "max_tokens"
    reasoning_effort: Effort | None = None
    extra: dict[str, JsonValue] = {}
    stream: Streaming = "off"
    timeout: float = 60.0
    tool_choice: ToolChoice = "named"
    price_input: float | None = None
    price_cached: float | None = None
    price_output: float | None = None

    @property
    def left_out(self) -> tuple[str, ...]:
        """What makes results repeatable and is not sent."""
        return tuple(
            name for name, sent in (("temperature", self.temperature is not None), ("seed", self.seed)) if not sent
        )

    def table(self) -> dict[str, Any]:
        """The settings that say the same, by the names of settings."""
        sent = {True: "sent", False: "default"}
        values: dict[str, Any] = {name: getattr(self, name) for name in FIELDS}
        values["temperature"] = "default" if self.temperature is None else self.temperature
        values |= {name: sent[values[name]] for name in ("seed", "n", "parallel_tool_calls")}
        return {setting_name(self.role, name): value for name, value in values.items()}


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port: what a key belongs to."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
        return parts.scheme.lower(), (parts.hostname or "").lower(), port
    except ValueError:
        return "", url, None


def chain(role: RoleName) -> tuple[RoleName, ...]:
    """The role, and whose tables fill its gaps."""
    parent = PARENT.get(role)
    return (role,) if parent is None else (role, *chain(parent))
