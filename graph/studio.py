"""What stands before `langgraph dev`: it refuses at once what no run can be begun or gone on with, and lists every run.

The server itself drops unknown fields of form, input and state without a word, and knows the threads that it made.
langgraph.json names `app`, whose middleware every request goes through.
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from langgraph_sdk import get_client
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sigmaloop.errors import BadInput, SigmaLoopError
from sigmaloop.graph.entries import check_form, check_input, check_values
from sigmaloop.graph.history import started_of
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.runs import RunPaths, run_ids
from sigmaloop.settings import load_settings

Check = Callable[[dict[str, Any]], dict[str, Any]]
"""Takes the body of a request, and gives it back as the server should read it."""
GRAPH = "sigmaloop"
"""Name of the graph in langgraph.json."""


class FrontDoor:
    """Reads a request before the server does."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._listed: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/threads/"):
            await self._list_runs()
        check = _check_of(scope)
        if check is None:
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        try:
            body = json.dumps(check(json.loads(body))).encode()
        except BadInput as problem:
            await JSONResponse({"detail": str(problem)}, status_code=422)(scope, receive, send)
            return
        except (ValueError, TypeError, AttributeError):
            pass  # no request of this kind: the server says what is wrong with it
        await self._app(_sized(scope, len(body)), _replay(body, receive), send)

    async def _list_runs(self) -> None:
        """Make a thread for every run of the home that the server has not heard of."""
        for run_id in await asyncio.to_thread(_thread_ids):
            if run_id in self._listed:
                continue
            self._listed.add(run_id)
            facts = await asyncio.to_thread(_facts, run_id)
            await get_client().threads.create(
                thread_id=run_id, graph_id=GRAPH, metadata=dict(facts), if_exists="do_nothing"
            )


def _check_of(scope: Scope) -> Check | None:
    """What a request is checked with; None for one that carries nothing of ours."""
    if scope["type"] != "http" or scope["method"] not in ("POST", "PATCH"):
        return None
    path = scope["path"]
    return next((check for pattern, check in _CHECKS.items() if pattern.fullmatch(path)), None)


def _check_assistant(asked: dict[str, Any]) -> dict[str, Any]:
    """The request that keeps a form under a name. Raises BadInput as for a run."""
    check_form(asked.get("context") or {})
    return asked


def _check_run(asked: dict[str, Any]) -> dict[str, Any]:
    """The request that begins or continues a run; its form is put into the input, so that stepping keeps it.

    Raises BadInput for an unknown or unfit field of form, input or update.
    """
    form = check_form(asked.get("context") or {})
    given = asked.get("input")
    if given is not None:
        given = check_input(given)
        asked = {**asked, "input": {**given, "form": {**given.get("form", {}), **form}} if form else given}
    check_values((asked.get("command") or {}).get("update"))
    return asked


def _check_edit(asked: dict[str, Any]) -> dict[str, Any]:
    """The request that edits a state. Raises BadInput for an unknown field or one of a wrong type."""
    check_values(asked.get("values"))
    return asked


def _thread_ids() -> list[str]:
    """Runs that can be threads: those made here have a UUID for a name."""
    return [run_id for run_id in run_ids(load_settings().home) if _is_uuid(run_id)]


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _facts(run_id: str) -> Mapping[str, Any]:
    """What the list of threads tells of a run that was begun elsewhere."""
    paths = RunPaths(load_settings().home, run_id)
    try:
        with Journal(paths.journal, readonly=True) as journal:
            started = started_of(journal)
    except SigmaLoopError as problem:
        return {"problem": str(problem)}
    shown = {name: started.settings.get(name) for name in ("benchmark", "agent", "seed", "batches")}
    return {"run": run_id[:8], **{name: value for name, value in shown.items() if value is not None}}


async def _read(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


def _replay(body: bytes, receive: Receive) -> Receive:
    """The body once, then whatever else comes, such as the end of the connection."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def read() -> Message:
        return waiting.pop() if waiting else await receive()

    return read


def _sized(scope: Scope, length: int) -> Scope:
    kept = [(name, value) for name, value in scope["headers"] if name.lower() != b"content-length"]
    return {**scope, "headers": [*kept, (b"content-length", str(length).encode())]}


_CHECKS: Mapping[re.Pattern[str], Check] = {
    re.compile(r"(/threads/[^/]+)?/runs(/stream|/wait)?"): _check_run,
    re.compile(r"/threads/[^/]+/state"): _check_edit,
    re.compile(r"/assistants(/[^/]+)?"): _check_assistant,
}
app = Starlette(middleware=[Middleware(FrontDoor)])
