"""Requests of a chat completion for tests, what went upstream, and how one was refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sigmaloop.errors import UpstreamError
from sigmaloop.tools.upstream.scripted import ScriptedModel


def tool(**function: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "f", **function}}


def user(content: Any, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": content, **more}]}


def calling(calls: Any) -> dict[str, Any]:
    return {"messages": [{"role": "assistant", "content": None, "tool_calls": calls}]}


ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello"}]}
TOOL = {"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}


def last_request(model: ScriptedModel) -> dict[str, Any]:
    return model.requests[-1]


def refused(call: Callable[[], object]) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        call()
    return caught.value
