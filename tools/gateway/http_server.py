"""The gateway on loopback: an OpenAI-compatible server for clients that speak HTTP, such as ChatOpenAI.

A token of a lease is the API key. A streamed answer goes out as it comes in from an endpoint; a failure before
its first piece still has its status, a later one is an error event. A caller that leaves cancels its call. Runs
uvicorn in a thread of its own, on a port that the system chooses.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Protocol

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sigmaloop.errors import BudgetSpent, ModelUnavailable, SigmaLoopError, UpstreamError
from sigmaloop.tools.gateway import responses_api as responses
from sigmaloop.tools.gateway.call import Call
from sigmaloop.tools.gateway.contracts import ModelCalls
from sigmaloop.tools.gateway.quoting import excerpt
from sigmaloop.tools.gateway.streaming import chunks, for_caller
from sigmaloop.tools.gateway.wire import hasty_protocol
from sigmaloop.tools.json_types import Json

EVENTS = "text/event-stream"
START_SECONDS = 10.0
CALLERS = 128
"""Calls that are answered at the same time at least; more wait."""
HEADER_SECONDS = 10.0
"""A connection that has not sent the head of a request by then is closed: half-open ones cost a descriptor each."""
KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "budget_spent",
    403: "permission_error",
    404: "not_found_error",
    413: "invalid_request_error",
}


class HttpServer:
    """Serves a gateway from its making until `stop`."""

    def __init__(self, gateway: ModelCalls, *, header_seconds: float = HEADER_SECONDS) -> None:
        """`header_seconds`: how long a connection may take to say what it wants."""
        self._gateway = gateway
        self._callers = ThreadPoolExecutor(max(CALLERS, gateway.under_way), thread_name_prefix="gateway-call")
        # With its protocol named: only then does asyncio turn Nagle's delay off, 40 ms for every answer.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(1024)
        port = self._socket.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{port}/v1"
        config = uvicorn.Config(
            _OnlyFromHere(self._app(), port),
            http=hasty_protocol(header_seconds),
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
                Route("/v1/responses", self._responses, methods=["POST"]),
                Route("/v1/embeddings", self._embeddings, methods=["POST"]),
                Route("/v1/models", self._models, methods=["GET"]),
            ],
            exception_handlers={SigmaLoopError: _error, HTTPException: _no_such_place},
        )
        app.router.redirect_slashes = False
        return app

    async def _chat(self, request: Request) -> Response:
        token, body = _token(request), await self._body(request)
        if not body.get("stream"):
            return JSONResponse(await self._call(request, self._gateway.complete, token, body))
        options = body.get("stream_options")
        with_usage = isinstance(options, dict) and bool(options.get("include_usage"))
        return await self._stream(request, token, body, _ChatEvents(with_usage=with_usage))

    async def _responses(self, request: Request) -> Response:
        token, body = _token(request), await self._body(request)
        chat = responses.chat_request(body)
        if not body.get("stream"):
            return JSONResponse(responses.response(await self._call(request, self._gateway.complete, token, chat)))
        return await self._stream(request, token, chat, _ResponseEvents())

    async def _embeddings(self, request: Request) -> Response:
        token, body = _token(request), await self._body(request)
        return JSONResponse(await self._call(request, self._gateway.embed, token, body))

    async def _models(self, request: Request) -> Response:
        name = self._gateway.model(_token(request))
        listed = {"id": name, "object": "model", "created": 0, "owned_by": "sigmaloop"}
        return JSONResponse({"object": "list", "data": [listed]})

    async def _call(self, request: Request, answer: Callable[..., Json], token: str, body: Json) -> Json:
        call = Call()
        with _cancelled_when_gone(request, call):
            return await self._work(partial(answer, token, body, call=call))

    def _work(self, answer: Callable[[], Json]) -> asyncio.Future[Json]:
        work = asyncio.get_running_loop().run_in_executor(self._callers, answer)
        work.add_done_callback(lambda done: done.cancelled() or done.exception())  # its caller may have left
        return work

    async def _stream(self, request: Request, token: str, body: Json, events: _Events) -> Response:
        """The answer piece by piece; whole from the start, it is split up (a model in this process, the journal)."""
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[Json | None] = asyncio.Queue()
        call = Call(on_chunk=lambda chunk: _tell(loop, pieces, chunk))
        work = self._work(partial(self._gateway.complete, token, body, call=call))
        work.add_done_callback(lambda _: pieces.put_nowait(None))
        with _cancelled_when_gone(request, call):
            first = await pieces.get()
            if first is None:  # whole, or failed: with its status
                answer = await work
                text = "".join([*(line for chunk in chunks(answer) for line in events.of(chunk)), *events.end(answer)])
                return Response(text, media_type=EVENTS)

        async def lines() -> AsyncIterator[str]:
            piece: Json | None = first
            try:
                with _cancelled_when_gone(request, call):
                    while piece is not None:
                        for line in events.of(piece):
                            yield line
                        piece = await pieces.get()
                    answer = await work
            except SigmaLoopError as error:  # too late for a status
                yield f"data: {json.dumps({'error': _error_body(error)})}\n\n"
                return
            finally:
                call.cancel()
            for line in events.end(answer):
                yield line

        return StreamingResponse(lines(), media_type=EVENTS)

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
            body = orjson.loads(data)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise UpstreamError("the request body is no JSON object", status=400)
        return body


class _OnlyFromHere:
    """Turns away what a browser was led to send: another Host (a name rebound to loopback) or Origin (a web page)."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self._fault(Headers(scope=scope)) if scope["type"] == "http" else None
        if fault is None:
            await self._app(scope, receive, send)
        else:
            await _refusal(403, _body(fault, KINDS[403]), again=False)(scope, receive, send)

    def _fault(self, headers: Headers) -> str | None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return f"this server is {' or '.join(sorted(self._hosts))}, not {excerpt(', '.join(hosts)) or 'nameless'}"
        for origin in headers.getlist("origin"):
            if origin.lower().removeprefix("http://") not in self._hosts:
                return f"requests of web pages are not served (Origin {excerpt(origin)})"
        return None


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


@contextmanager
def _cancelled_when_gone(request: Request, call: Call) -> Iterator[None]:
    """In the block, a caller that hangs up cancels its call."""

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        call.cancel()

    watch = asyncio.get_running_loop().create_task(gone())
    try:
        yield
    finally:
        watch.cancel()


def _tell(loop: asyncio.AbstractEventLoop, pieces: asyncio.Queue[Json | None], chunk: Json) -> None:
    loop.call_soon_threadsafe(pieces.put_nowait, chunk)


class _Events(Protocol):
    """How an answer in pieces is put into server-sent events."""

    def of(self, chunk: Json) -> Iterator[str]: ...
    def end(self, answer: Json) -> Iterator[str]: ...


class _ChatEvents:
    def __init__(self, *, with_usage: bool) -> None:
        self._with_usage = with_usage

    def of(self, chunk: Json) -> Iterator[str]:
        visible = for_caller(chunk, with_usage=self._with_usage)
        if visible is not None:
            yield f"data: {json.dumps(visible)}\n\n"

    def end(self, answer: Json) -> Iterator[str]:
        yield "data: [DONE]\n\n"


class _ResponseEvents:
    def __init__(self) -> None:
        self._events = responses.Events()

    def of(self, chunk: Json) -> Iterator[str]:
        return map(responses.event_line, self._events.of(chunk))

    def end(self, answer: Json) -> Iterator[str]:
        return map(responses.event_line, self._events.end(answer))


# Both are coroutines, or Starlette would start worker threads for them.
async def _error(_: Request, error: Exception) -> Response:
    again = isinstance(error, UpstreamError) and error.retryable
    return _refusal(_status(error), _error_body(error), again=again)


async def _no_such_place(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    refusal = f"{excerpt(request.method)} {excerpt(request.url.path)} is not served here"
    served = "only chat/completions, responses, embeddings and models are"
    return _refusal(status, _body(f"{refusal}; {served}", KINDS[404]), again=False)


def _status(error: Exception) -> int:
    if isinstance(error, BudgetSpent):
        return 402
    return error.status if isinstance(error, UpstreamError) else 500


def _error_body(error: Exception) -> Json:
    kind = KINDS.get(_status(error), "upstream_error")
    if isinstance(error, BudgetSpent):
        kind = "run_budget_spent"
    if isinstance(error, ModelUnavailable):
        kind = "model_unavailable"
    return _body(str(error), kind)


def _body(message: str, kind: str) -> Json:
    return {"message": message, "type": kind, "param": None, "code": kind}


def _refusal(status: int, error: Json, *, again: bool) -> Response:
    headers = {"x-should-retry": "true" if again else "false"}
    return JSONResponse({"error": error}, status_code=status, headers=headers)
