"""The gateway on loopback: an OpenAI-compatible server for clients that speak HTTP, such as ChatOpenAI.

A token of a lease is the API key. Streaming is honest in form only: the whole answer is there before the
first event goes out, so every failure still has its status. Runs uvicorn in a thread of its own, on a port
that the system chooses.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sigmaloop.errors import ModelUnavailable, SigmaLoopError, UpstreamError

if TYPE_CHECKING:
    from sigmaloop.tools.gateway import Gateway

Json = dict[str, Any]
START_SECONDS = 10.0
CALLERS = 128
"""Calls that are answered at the same time; more wait."""
KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "calls_used_up",
    403: "permission_error",
    404: "not_found_error",
    413: "invalid_request_error",
}


class HttpFace:
    """Serves a gateway from its making until `stop`."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._callers = ThreadPoolExecutor(CALLERS, thread_name_prefix="gateway-call")
        # With its protocol named: only then does asyncio turn Nagle's delay off, 40 ms for every answer.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(1024)
        self.base_url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"
        config = uvicorn.Config(
            self._app(),
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        sockets = [self._socket]
        self._thread = threading.Thread(target=self._server.run, args=(sockets,), name="gateway-http", daemon=True)
        self._thread.start()
        end = time.monotonic() + START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > end:
                raise UpstreamError("the gateway's HTTP server did not start", status=500)
            time.sleep(0.002)

    def stop(self) -> None:
        """Refuse new calls, let those under way end, close every connection, end the threads."""
        self._server.should_exit = True
        self._thread.join()
        self._callers.shutdown(wait=True, cancel_futures=True)

    def _app(self) -> Starlette:
        app = Starlette(
            routes=[
                Route("/v1/chat/completions", self._chat, methods=["POST"]),
                Route("/v1/embeddings", self._embeddings, methods=["POST"]),
                Route("/v1/models", self._models, methods=["GET"]),
            ],
            exception_handlers={SigmaLoopError: _error, HTTPException: _no_such_place},
        )
        app.router.redirect_slashes = False
        return app

    async def _chat(self, request: Request) -> Response:
        token, body = _token(request), await self._body(request)
        answer = await self._call(self._gateway.complete, token, body)
        if not body.get("stream"):
            return JSONResponse(answer)
        options = body.get("stream_options")
        with_usage = isinstance(options, dict) and bool(options.get("include_usage"))
        stream = "".join(f"data: {line}\n\n" for line in _events(answer, with_usage=with_usage))
        return Response(stream, media_type="text/event-stream")

    async def _embeddings(self, request: Request) -> Response:
        token, body = _token(request), await self._body(request)
        return JSONResponse(await self._call(self._gateway.embed, token, body))

    async def _models(self, request: Request) -> Response:
        name = self._gateway.model(_token(request))
        listed = {"id": name, "object": "model", "created": 0, "owned_by": "sigmaloop"}
        return JSONResponse({"object": "list", "data": [listed]})

    async def _call(self, answer: Callable[[str, Json], Json], token: str, body: Json) -> Json:
        return await asyncio.get_running_loop().run_in_executor(self._callers, answer, token, body)

    async def _body(self, request: Request) -> Json:
        # A dead token is turned away before its body is read.
        self._gateway.model(_token(request))
        data = bytearray()
        try:
            async for piece in request.stream():
                data += piece
                if len(data) > self._gateway.max_bytes:
                    raise UpstreamError(f"the request is longer than {self._gateway.max_bytes} bytes", status=413)
        except ClientDisconnect:
            raise UpstreamError("the caller left before its request was whole", status=400) from None
        try:
            body = json.loads(data)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise UpstreamError("the request body is no JSON object", status=400)
        return body


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


# Both are coroutines, or Starlette would start worker threads for them.
async def _error(_: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, UpstreamError) else 500
    kind = "model_unavailable" if isinstance(error, ModelUnavailable) else KINDS.get(status, "upstream_error")
    again = isinstance(error, UpstreamError) and error.retryable
    return _refusal(status, str(error), kind, again=again)


async def _no_such_place(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    said = f"{request.method} {request.url.path} is not served here"
    return _refusal(status, f"{said}; only chat/completions, embeddings and models are", KINDS[404], again=False)


def _refusal(status: int, message: str, kind: str, *, again: bool) -> Response:
    body = {"error": {"message": message, "type": kind, "param": None, "code": kind}}
    return JSONResponse(body, status_code=status, headers={"x-should-retry": "true" if again else "false"})


def _events(answer: Json, *, with_usage: bool) -> Iterator[str]:
    """The chunks of a stream that adds up to this answer."""
    head = {
        "id": answer.get("id", "chatcmpl-0"),
        "object": "chat.completion.chunk",
        "created": answer.get("created", 0),
        "model": answer.get("model", ""),
    }
    if with_usage:
        head["usage"] = None
    choice = answer["choices"][0]
    message = choice["message"]
    deltas: list[Json] = [{"role": "assistant", "content": "" if message.get("content") is not None else None}]
    if message.get("content"):
        deltas.append({"content": message["content"]})
    if message.get("refusal"):
        deltas.append({"refusal": message["refusal"]})
    for index, call in enumerate(message.get("tool_calls") or []):
        deltas.append({"tool_calls": [{**call, "index": index}]})
    for delta in deltas:
        yield json.dumps({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    reason = choice.get("finish_reason") or "stop"
    yield json.dumps({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    if with_usage:
        yield json.dumps({**head, "choices": [], "usage": answer.get("usage")})
    yield "[DONE]"
