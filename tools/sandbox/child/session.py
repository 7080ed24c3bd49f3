"""What the target agent is handed: the session, and nothing else of ours.

It runs in the child process, inside the sandbox. Everything that it can do is a frame to the parent: call a
tool, speak, submit an answer, ask the model. The official OpenAI client and ChatOpenAI travel over the same
frames. Standard library only; site-packages are touched when the agent asks for such a client.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sigmaloop.tools.sandbox.child import frames
else:
    import frames  # found by worker.py beside itself: the package is not importable in here

_BASE_URL = "http://session.invalid/v1"


class ModelError(Exception):
    """The model call was refused because of what was asked; `status` is the HTTP status."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class Channel:
    """The child's end of the socket: one question at a time, one answer each, from any thread."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._reader = frames.Reader()
        self._sending = threading.Lock()
        self._turn = threading.Lock()
        self._last = 0

    def ask(self, op: str, **fields: Any) -> frames.Json:
        """Send a frame and wait for the reply to it."""
        with self._turn:
            self._last += 1
            self.send({"op": op, "id": self._last, **fields})
            return self.receive()

    def send(self, message: frames.Json) -> None:
        data = frames.encode(message)
        try:
            with self._sending:
                self._connection.sendall(data)
        except OSError:
            os._exit(1)  # the parent is gone, and nobody is left to tell

    def receive(self) -> frames.Json:
        while (message := self._reader.pop()) is None:
            try:
                data = self._connection.recv(65536)
            except OSError:
                data = b""
            if not data:
                os._exit(1)
            self._reader.feed(data)
        return message


class Session:
    """One conversation or task, as the agent sees it."""

    def __init__(
        self,
        channel: Channel,
        *,
        instructions: str,
        tools: list[frames.Json],
        opening: str,
        files: Mapping[str, str] | None = None,
    ) -> None:
        self._channel = channel
        self.instructions = instructions
        """The policy: what the agent must keep to."""
        self.tools = tools
        """OpenAI tool schemas: `{"type": "function", "function": {"name", "description", "parameters"}}`."""
        self.opening = opening
        """The first message of the user, or the task."""
        self.files: Mapping[str, str] = files or {}
        """Texts of the agent's package by path; the one that changes as it is in this rollout."""

    def file(self, name: str) -> str:
        """Text of a file of the agent's package. Raises FileNotFoundError that names those there are."""
        try:
            return self.files[name]
        except KeyError:
            known = ", ".join(list(self.files)[:20]) or "none"
            raise FileNotFoundError(f"the agent's package has no file {name!r}; there are: {known}") from None

    def call(self, name: str, arguments: frames.Json) -> str:
        """Call a tool of the environment; what is refused or impossible gives a text `Error: ...`."""
        if not isinstance(name, str) or not isinstance(arguments, dict):
            return "Error: a call takes the tool's name and an object of arguments"
        try:
            reply = self._channel.ask("act", tool=name, args=arguments)
        except frames.FrameError as error:
            # Models write NaN and worse; that is a bad call, not the end of the agent.
            return f"Error: the arguments cannot be sent ({error})"
        return str(reply["result"])

    def say(self, text: str) -> str | None:
        """Say something to the user and wait for the answer; None: the conversation is over."""
        if not isinstance(text, str):
            raise TypeError(f"say() takes a text, not {type(text).__name__}")
        answer: str | None = self._channel.ask("say", text=text)["result"]
        return answer

    def submit(self, answer: object) -> None:
        """Hand in the answer of a one-shot task: anything that JSON can hold."""
        self._channel.ask("submit", answer=answer)

    def complete(
        self, messages: list[frames.Json], tools: list[frames.Json] | None = None, **options: Any
    ) -> frames.Json:
        """A chat completion: OpenAI's request fields in, OpenAI's response as a dict out.

        The model, its temperature and its limits are fixed outside. Raises ModelError when the request is
        refused.
        """
        request: frames.Json = {"messages": messages, **options}
        if tools:
            request["tools"] = tools
        return self._complete(request)

    def openai(self, **options: Any) -> Any:
        """The official `openai.OpenAI` client, for chat completions."""
        import openai

        client, _ = self._http_clients(openai)
        return openai.OpenAI(base_url=_BASE_URL, api_key="session", max_retries=0, http_client=client, **options)

    def async_openai(self, **options: Any) -> Any:
        """The official `openai.AsyncOpenAI` client, for frameworks that want one."""
        import openai

        _, client = self._http_clients(openai)
        return openai.AsyncOpenAI(base_url=_BASE_URL, api_key="session", max_retries=0, http_client=client, **options)

    def chat_model(self, **options: Any) -> Any:
        """A `langchain_openai.ChatOpenAI`, for LangChain and LangGraph agents."""
        import openai
        from langchain_openai import ChatOpenAI

        client, async_client = self._http_clients(openai)
        settings: frames.Json = {
            "model": "target",
            "use_responses_api": False,
            "stream_usage": True,
            **options,
        }
        return ChatOpenAI(
            base_url=_BASE_URL,
            api_key="session",  # type: ignore[arg-type]
            max_retries=0,
            http_client=client,
            http_async_client=async_client,
            **settings,
        )

    def _complete(self, request: frames.Json) -> frames.Json:
        reply = self._channel.ask("llm", request=request)
        if "error" in reply:
            raise ModelError(reply["error"], status=reply["status"])
        response: frames.Json = reply["result"]
        return response

    def _http_clients(self, openai: Any) -> tuple[Any, Any]:
        """A sync and an async client of the HTTP library that the installed openai is built on."""
        bases = (base.__module__.partition(".")[0] for base in openai.DefaultHttpxClient.__mro__)
        library = sys.modules[next(name for name in bases if name.startswith("httpx"))]
        client, async_client = _transports(library, self._complete)
        return (
            library.Client(transport=client, trust_env=False, verify=False),
            library.AsyncClient(transport=async_client, trust_env=False, verify=False),
        )


def _transports(library: Any, complete: Any) -> tuple[Any, Any]:
    """Transports that carry HTTP requests as frames instead of over a network."""

    class Frames(library.BaseTransport):  # type: ignore[misc]
        def handle_request(self, request: Any) -> Any:
            return _respond(library, request.url.path, request.read(), complete)

    class AsyncFrames(library.AsyncBaseTransport):  # type: ignore[misc]
        async def handle_async_request(self, request: Any) -> Any:
            # Blocks the loop: the parent answers one frame at a time anyway.
            return _respond(library, request.url.path, await request.aread(), complete)

    return Frames(), AsyncFrames()


def _respond(library: Any, path: str, body: bytes, complete: Any) -> Any:
    if not path.endswith("/chat/completions"):
        return library.Response(404, json={"error": {"message": f"{path}: only chat completions are served here"}})
    request = json.loads(body)
    streaming = request.pop("stream", False)
    request.pop("stream_options", None)
    try:
        response = complete(request)
    except (ModelError, frames.FrameError) as error:
        status = error.status if isinstance(error, ModelError) else 400
        return library.Response(status, json={"error": {"message": str(error)}})
    if not streaming:
        return library.Response(200, json=response)
    events = b"".join(_events(response))

    class Stream(library.SyncByteStream, library.AsyncByteStream):  # type: ignore[misc]
        def __iter__(self) -> Iterator[bytes]:
            yield events

        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield events

    return library.Response(200, headers={"content-type": "text/event-stream"}, stream=Stream())


def _events(response: frames.Json) -> Iterator[bytes]:
    """A whole response as the events of a stream: one piece for each choice, then the usage."""
    chunk = {**response, "object": "chat.completion.chunk", "usage": None}
    for choice in response["choices"]:
        delta = dict(choice["message"])
        if delta.get("tool_calls"):
            delta["tool_calls"] = [{**call, "index": index} for index, call in enumerate(delta["tool_calls"])]
        piece = {
            "index": choice.get("index", 0),
            "delta": delta,
            "finish_reason": choice.get("finish_reason"),
        }
        yield _event({**chunk, "choices": [piece]})
    yield _event({**chunk, "choices": [], "usage": response.get("usage")})
    yield b"data: [DONE]\n\n"


def _event(value: frames.Json) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


class _NoChannel(Channel):
    """Answers a model call with nothing said, so that the clients can be tried without anybody there."""

    def __init__(self) -> None: ...

    def ask(self, op: str, **fields: Any) -> frames.Json:
        message = {"role": "assistant", "content": ""}
        usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        return {"result": {
            "id": "", "object": "chat.completion", "created": 0, "model": "", "choices": [choice], "usage": usage,
        }}  # fmt: skip


def preload(names: list[str]) -> None:
    """Load clients before any fork and call them once, since they load half of themselves on the first call."""
    session = Session(_NoChannel(), instructions="", tools=[], opening="")
    with contextlib.suppress(Exception):  # only saves time: what is missing or broken fails in the agent, with its name
        if "openai" in names:
            session.openai().chat.completions.create(model="any", messages=[{"role": "user", "content": ""}])
        if "langchain" in names:
            session.chat_model().invoke("")
            importlib.import_module("langgraph.graph")
            importlib.import_module("langchain.agents")
