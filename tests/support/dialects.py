"""Loopback endpoints that are as strict and as odd as well-known providers, around the simulated model.

Each one refuses what its provider refuses, in its words, and answers in its form. `Dialect.refused` lists what it
refused after the probe: a run must get through without any.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from loopback import Asked, serve_json

from sigmaloop.simulation.model import SimulatedModel
from sigmaloop.tools.gateway.streaming import chunks

Json = dict[str, Any]
Refuse = Callable[[Asked, Json], "tuple[int, Any] | None"]
Change = Callable[[Json], Any]


@dataclass
class Dialect:
    """A provider: its base URL's path, what it refuses and how its answers look."""

    path: str = "/v1"
    refuses: tuple[Refuse, ...] = ()
    changes: tuple[Change, ...] = ()
    settings: Json = field(default_factory=dict)
    """Of the role that asks it, beside its address and key."""
    found: tuple[str, ...] = ()
    """What the probe has to change, a word of each."""
    key: str = "sk-of-the-endpoint"
    url: str = ""
    asked: list[Json] = field(default_factory=list)
    headers: list[Any] = field(default_factory=list)
    refused: list[Any] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


def simulated(request: Json) -> Json:
    """The answer of the simulated model, or one that the probe can do something with."""
    tools = [tool["function"]["name"] for tool in request.get("tools", ())]
    if "find_order" not in tools or len(request["messages"]) > 2:
        names = {"max_completion_tokens": "max_tokens"}
        asked = {names.get(key, key): value for key, value in request.items()}
        if any(word in str(request["messages"][0]["content"]) for word in ("with the word: ok", "order A-17")):
            return said({"role": "assistant", "content": "ok"})
        return SimulatedModel().complete({"seed": 0, "temperature": 0, **asked})
    call = {"id": "call_1", "type": "function", "function": {"name": "find_order", "arguments": '{"number": "A-17"}'}}
    return said({"role": "assistant", "content": None, "tool_calls": [call]})


def said(message: Json) -> Json:
    """A whole chat completion."""
    reason = "tool_calls" if message.get("tool_calls") else "stop"
    choice = {"index": 0, "message": message, "finish_reason": reason}
    usage = {"prompt_tokens": 50, "completion_tokens": 5, "total_tokens": 55}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}


@contextmanager
def serve_dialect(dialect: Dialect) -> Iterator[Dialect]:
    """Serve it on a free loopback port until the block ends."""

    def answer(asked: Asked) -> tuple[int, Any]:
        request = json.loads(asked.body)
        dialect.asked.append(request)
        dialect.headers.append(asked.headers)
        dialect.paths.append(asked.path)
        if dialect.key not in (asked.headers.get("Authorization") or asked.headers.get("api-key") or ""):
            return 401, {"error": {"message": "no such key"}}
        for refuses in dialect.refuses:
            refusal = refuses(asked, request)
            if refusal is not None:
                dialect.refused.append(refusal)
                return refusal
        whole: Any = simulated({key: value for key, value in request.items() if "stream" not in key})
        for change in dialect.changes:
            whole = change(whole)
        return 200, streamed(whole) if request.get("stream") else whole

    with serve_json(answer) as address:
        dialect.url = address + dialect.path
        yield dialect


def streamed(answer: Json) -> str:
    events = [json.dumps({**chunk, "usage": chunk.get("usage")}) for chunk in chunks(answer)]
    return "".join(f"data: {event}\n\n" for event in [*events, "[DONE]"])


# What they refuse


def refuses(name: str, status: int, body: Callable[[str], Any], *, unless: Callable[[Any], bool] = bool) -> Refuse:
    """A field that may not be sent; `unless`: or whose value may not be so."""

    def refusal(_: Asked, request: Json) -> tuple[int, Any] | None:
        return (status, body(name)) if name in request and unless(request[name] is not None) else None

    return refusal


def openai_words(name: str) -> Json:
    message = f"Unsupported parameter: '{name}' is not supported with this model."
    return {
        "error": {"message": message, "type": "invalid_request_error", "param": name, "code": "unsupported_parameter"}
    }


def azure_words(name: str) -> Json:
    message = f"Unrecognized request argument supplied: {name}"
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}


def litellm_words(name: str) -> Json:
    message = f"litellm.UnsupportedParamsError: groq does not support parameters: ['{name}'], for model=x"
    return {"error": {"message": message, "type": "None", "param": None, "code": "400"}}


def gemini_words(name: str) -> Any:
    message = f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
    return [{"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}]


def pydantic_words(name: str) -> Json:
    return {"detail": [{"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted"}]}


def named_choice(words: str) -> Refuse:
    """Refuses a tool that is demanded by name."""

    def refusal(_: Asked, request: Json) -> tuple[int, Any] | None:
        return (400, {"error": {"message": words}}) if isinstance(request.get("tool_choice"), dict) else None

    return refusal


def any_choice(words: str) -> Refuse:
    """Refuses every demand for a tool."""

    def refusal(_: Asked, request: Json) -> tuple[int, Any] | None:
        demanded = request.get("tool_choice") not in (None, "auto", "none")
        return (400, {"error": {"message": words}}) if demanded else None

    return refusal


def only_streams(_: Asked, request: Json) -> tuple[int, Any] | None:
    words = "This model only support stream mode, please enable the stream parameter to access the model."
    return None if request.get("stream") else (400, {"error": {"message": words, "code": "invalid_parameter_error"}})


def wants_header(name: str) -> Refuse:
    def refusal(asked: Asked, _: Json) -> tuple[int, Any] | None:
        return None if asked.headers.get(name) else (401, {"error": {"message": f"{name} is missing"}})

    return refusal


def wants_path(path: str) -> Refuse:
    def refusal(asked: Asked, _: Json) -> tuple[int, Any] | None:
        return None if asked.path == path else (404, {"error": {"message": "Resource not found"}})

    return refusal


def wants_back(what: str, place: Callable[[Json], list[Any]], words: str) -> Refuse:
    """Refuses a conversation whose tool calls lack what was sent with them."""

    def refusal(_: Asked, request: Json) -> tuple[int, Any] | None:
        calling = [m for m in request["messages"] if m["role"] == "assistant" and m.get("tool_calls")]
        missing = any(found is None for message in calling for found in place(message))
        return (400, {"error": {"message": words}}) if missing else None

    refusal.__name__ = what
    return refusal


# How they answer


def with_signature(answer: Json) -> Json:
    """Gemini: each call carries a signature."""
    for call in answer["choices"][0]["message"].get("tool_calls") or []:
        call["extra_content"] = {"google": {"thought_signature": f"signed {call['id']}"}}
    return answer


def with_thoughts(answer: Json) -> Json:
    """DeepSeek: each message carries its reasoning; cached tokens in a field of its own."""
    answer["choices"][0]["message"]["reasoning_content"] = "First, the order."
    answer["usage"]["prompt_cache_hit_tokens"] = answer["usage"]["prompt_tokens"] // 2
    return answer


def with_details(answer: Json) -> Json:
    """OpenRouter: the reasoning as a list of blocks."""
    details = [{"type": "reasoning.encrypted", "data": "abc", "id": "r1"}]
    answer["choices"][0]["message"] |= {"reasoning": "hm", "reasoning_details": details}
    return answer


def with_cached(answer: Json) -> Json:
    answer["usage"]["prompt_tokens_details"] = {"cached_tokens": answer["usage"]["prompt_tokens"] // 2}
    return answer


def with_objects(answer: Json) -> Json:
    """Ollama, older: arguments as objects, null where there are none, no ids."""
    for call in answer["choices"][0]["message"].get("tool_calls") or []:
        call["id"] = ""
        call["function"]["arguments"] = json.loads(call["function"]["arguments"]) or None
    return answer


def in_parts(answer: Json) -> Json:
    message = answer["choices"][0]["message"]
    if message.get("content"):
        text = message["content"]
        message["content"] = [{"type": "text", "text": text[:3]}, {"type": "text", "text": text[3:]}]
    return answer


def without_usage(answer: Json) -> Json:
    return {key: value for key, value in answer.items() if key != "usage"}


def with_no_usage(answer: Json) -> Json:
    return {**answer, "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}}


def dialects() -> dict[str, Dialect]:
    """Fresh ones, by provider."""
    signature = wants_back(
        "signature",
        lambda message: [call.get("extra_content") for call in message["tool_calls"]],
        "Function call is missing a thought_signature in functionCall parts.",
    )
    thoughts = wants_back(
        "thoughts",
        lambda message: [message.get("reasoning_content")],
        "The reasoning_content in the thinking mode must be passed back to the API.",
    )
    details = wants_back("details", lambda message: [message.get("reasoning_details")], "reasoning_details are missing")
    deployment = "/openai/deployments/mini"
    return {
        "openai": Dialect(changes=(with_cached,)),
        "openai-reasoning": Dialect(
            refuses=(
                refuses("max_tokens", 400, openai_words),
                refuses("temperature", 400, openai_words),
                refuses("parallel_tool_calls", 400, openai_words),
            ),
            settings={"reasoning_effort": "low"},
            found=("max_completion_tokens", "temperature left out", "parallel_tool_calls"),
        ),
        "azure-classic": Dialect(
            path=f"{deployment}?api-version=2024-10-21",
            refuses=(
                wants_header("api-key"),
                wants_path(f"{deployment}/chat/completions?api-version=2024-10-21"),
                refuses("seed", 400, azure_words),
            ),
            found=("seed left out",),
        ),
        "azure-v1": Dialect(path="/openai/v1", refuses=(wants_path("/openai/v1/chat/completions"),)),
        "vllm": Dialect(changes=(with_thoughts,), settings={"extra": {"top_k": 20}, "model": "Qwen/Qwen3-8B"}),
        "ollama": Dialect(changes=(with_objects, with_no_usage), settings={"model": "qwen3:8b"}),
        "llama.cpp": Dialect(
            refuses=(named_choice("Unsupported tool_choice: only auto, none and required are supported"),),
            changes=(without_usage, in_parts),
            found=("some tool is",),
        ),
        "openrouter": Dialect(
            refuses=(details,), changes=(with_details, with_cached), settings={"model": "org/name:free"}
        ),
        "litellm": Dialect(
            refuses=(refuses("seed", 400, litellm_words), refuses("n", 422, pydantic_words)),
            found=("seed left out", "n left out"),
        ),
        "gemini": Dialect(
            path="/v1beta/openai",
            refuses=(refuses("seed", 400, gemini_words), signature),
            changes=(with_signature,),
            found=("seed left out",),
        ),
        "deepseek": Dialect(
            refuses=(any_choice("Thinking mode does not support this tool_choice"), thoughts),
            changes=(with_thoughts,),
            found=("some tool is", "no tool can be demanded"),
        ),
        "streams-only": Dialect(refuses=(only_streams,), found=("streamed",)),
    }
