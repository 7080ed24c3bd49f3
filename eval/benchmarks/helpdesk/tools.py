"""Typed tools: a declaration, its OpenAI schema, and a guard that turns any bad call into `Error: ...` text."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from sigmaloop.eval.benchmarks.helpdesk.world import Refused, World
from sigmaloop.records import JsonObject

ParamKind = Literal["string", "integer", "number", "boolean", "strings", "integers"]

_JSON_TYPES: dict[ParamKind, JsonObject] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "strings": {"type": "array", "items": {"type": "string"}},
    "integers": {"type": "array", "items": {"type": "integer"}},
}
_LONGEST = 300
"""Characters of a text argument; longer ones are refused, so that no call can blow up the world."""


@dataclass(frozen=True)
class Param:
    """One argument of a tool."""

    description: str
    kind: ParamKind = "string"
    required: bool = True
    like: str = ""
    """An example id such as or_48213: the value (or every element) must have the same prefix."""
    choices: tuple[str, ...] = ()
    pattern: str = ""
    """Full-match regular expression for texts that are not ids, named in `form`."""
    form: str = ""

    def schema(self) -> JsonObject:
        schema: JsonObject = {**_JSON_TYPES[self.kind], "description": self.description}
        if self.choices:
            schema["enum"] = list(self.choices)
        return schema


@dataclass(frozen=True)
class Tool:
    """What an agent may call: name, description, arguments and the function that does it."""

    name: str
    description: str
    params: Mapping[str, Param]
    run: Callable[..., JsonObject]
    """Called with the world and the checked arguments; returns the JSON result or raises Refused."""
    writes: bool = False

    def schema(self) -> JsonObject:
        required = [name for name, param in self.params.items() if param.required]
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": {
                    "type": "object",
                    "properties": {name: param.schema() for name, param in self.params.items()},
                    "required": required,
                    "additionalProperties": False,
                },
            },
        }


def call(tools: Mapping[str, Tool], world: World, name: str, arguments: object) -> str:
    """Make a call and return the text that the agent reads: JSON, or `Error: ...`. Never raises."""
    tool = tools.get(name) if isinstance(name, str) else None
    try:
        if tool is None:
            raise Refused(f"there is no tool {_short(name)}; there are: {', '.join(tools)}")
        return json.dumps(tool.run(world, **check(tool, arguments)))
    except Refused as refusal:
        return f"Error: {refusal}"


def check(tool: Tool, arguments: object) -> JsonObject:
    """The arguments as the tool's function takes them, or Refused that says what is wrong."""
    if not isinstance(arguments, Mapping):
        raise Refused(f"the arguments of {tool.name} must be an object, not {_short(arguments)}")
    unknown = [key for key in arguments if key not in tool.params]
    if unknown:
        raise Refused(f"{tool.name} has no argument {_short(unknown[0])}; it takes: {', '.join(tool.params)}")
    missing = [key for key, param in tool.params.items() if param.required and arguments.get(key) is None]
    if missing:
        raise Refused(f"{tool.name} needs the argument {missing[0]} ({tool.params[missing[0]].description})")
    given = {key: value for key, value in arguments.items() if value is not None}
    return {key: _value(key, tool.params[key], value) for key, value in given.items()}


def _value(name: str, param: Param, value: object) -> JsonValue:
    if param.kind in ("strings", "integers"):
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            raise Refused(f"{name} must be a list, not {_short(value)}")
        if not 0 < len(value) <= 20:
            raise Refused(f"{name} must hold 1 to 20 elements, not {len(value)}")
        single: ParamKind = "string" if param.kind == "strings" else "integer"
        return [_scalar(f"every element of {name}", param, single, element) for element in value]
    return _scalar(name, param, param.kind, value)


def _scalar(name: str, param: Param, kind: ParamKind, value: object) -> JsonValue:
    if kind == "boolean":
        if not isinstance(value, bool):
            raise Refused(f"{name} must be true or false, not {_short(value)}")
        return value
    if kind in ("integer", "number"):
        return _number(name, kind, value)
    if not isinstance(value, str):
        raise Refused(f"{name} must be a text, not {_short(value)}")
    text = value.strip()
    if len(text) > _LONGEST:
        raise Refused(f"{name} is too long ({len(text)} characters)")
    if param.choices and text not in param.choices:
        raise Refused(f"{name} must be one of {', '.join(param.choices)}, not {_short(text)}")
    if param.like and not re.fullmatch(rf"{param.like.split('_')[0]}_\w+", text):
        raise Refused(f"{name} must be an id like {param.like}, not {_short(text)}")
    if param.pattern and not re.fullmatch(param.pattern, text):
        raise Refused(f"{name} must be {param.form}, not {_short(text)}")
    return text


def _number(name: str, kind: ParamKind, value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused(f"{name} must be a number, not {_short(value)}")
    if abs(value) > 1_000_000 or not math.isfinite(value):
        raise Refused(f"{name} must be a reasonable number, not {_short(value)}")
    if kind == "integer":
        if value != int(value):
            raise Refused(f"{name} must be a whole number, not {_short(value)}")
        return int(value)
    return round(float(value), 2)


def _short(value: object) -> str:
    """A value for an error message, never longer than a few words."""
    if isinstance(value, str):
        return repr(value[:40] + ("..." if len(value) > 40 else ""))
    if isinstance(value, bool | float) or value is None or (isinstance(value, int) and abs(value) < 10**12):
        return str(value)
    return f"something of type {type(value).__name__}"
