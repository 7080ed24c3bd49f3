"""An OpenAI-compatible endpoint over HTTP: bounded tries, a bounded clock, and streams that are passed on.

aiohttp runs on an event loop in a thread of its own, because one pooled session then serves every rollout thread
and a hung call can be cancelled from outside.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from typing import NamedTuple

import aiohttp
from pydantic import SecretStr
from yarl import URL

from sigmaloop.endpoints import OPENAI_KEY, Auth
from sigmaloop.errors import BadInput, ModelUnavailable, UpstreamError
from sigmaloop.records import digest
from sigmaloop.tools.gateway.call import Call
from sigmaloop.tools.gateway.quoting import MOST_QUOTED, excerpt
from sigmaloop.tools.gateway.streaming import Sum
from sigmaloop.tools.json_types import Json
from sigmaloop.tools.upstream.answers import (
    answer_fault,
    mend,
    read_chunk,
    retry_after,
    server_events,
    unfinished,
    withheld,
)
from sigmaloop.tools.upstream.loop_thread import LoopThread
from sigmaloop.tools.upstream.refusals import CONTENT_FILTER, UNSUPPORTED, read_refusal

MESSAGE_CHARACTERS = 200
"""Characters of what an endpoint says of itself that a message repeats."""
ANSWER_BYTES = 32 * 2**20
"""An answer longer than this is not an answer."""
LONGEST_PAUSE = 8.0
"""Seconds between two tries at most, unless the endpoint asks for more."""
LAST_PACKET_SECONDS = 0.05
PASSING = frozenset({408, 409, 425, 429})
"""Client statuses that mean: the same request may work in a moment. So does every 5xx."""
REQUEST_FAULTS = frozenset({400, 413, 422})
"""What an endpoint answers when this one request is at fault, not the endpoint or its settings."""


class _PassingError(Exception):
    """A fault that may be gone in a moment; `wait` is what the endpoint asked for, in seconds.

    `lost`: the request went out whole and no answer came whole, so the try may have been billed.
    """

    def __init__(self, message: str, *, wait: float | None = None, lost: bool = False) -> None:
        super().__init__(message)
        self.wait = wait
        self.lost = lost


class _Reply(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes
    answer: Json | None = None
    """What a stream added up to."""


class _Clock(NamedTuple):
    tries: int
    one: float
    """Seconds for one try."""
    total: float
    """Seconds for all tries and the pauses between them."""


class HttpUpstream:
    """An OpenAI-compatible endpoint, with pooled connections, bounded retries and a bounded clock.

    `timeout` is for one try, `total` for all `tries` with their pauses (default: timeout x tries), both in
    seconds; `backoff` is the first pause, doubled each time. Retried: 408, 409, 425, 429 (Retry-After is
    obeyed if it fits the clock), 5xx, resets, timeouts and answers that are no chat completion. A key or a
    model that is refused, an account without credit and a field that the endpoint does not take raise
    ModelUnavailable at once; what a content filter took away is a 502 with that code, not tried again. A stream
    that broke off is tried again as long as nothing of it was delivered. The key appears in no message.
    """

    def __init__(
        self,
        base_url: str,
        api_key: SecretStr | str | None,
        *,
        timeout: float = 60.0,
        tries: int = 5,
        total: float | None = None,
        backoff: float = 0.5,
        connections: int = 256,
        auth: Auth = "bearer",
        key_name: str = OPENAI_KEY,
    ) -> None:
        """`auth`: how the key is sent. `key_name`: the variable that holds it, as messages name it."""
        key = api_key.get_secret_value() if isinstance(api_key, SecretStr) else api_key or ""
        self._key_name = key_name or "key_env"
        self._key = _plain_key(key, self._key_name) if auth != "none" else ""
        self._auth = auth
        self._base = _endpoint(base_url)
        self._clock = _Clock(tries, timeout, total if total is not None else timeout * tries)
        self._backoff = backoff
        self._connections = connections
        self._loop = LoopThread(self.url, at_end=self._close_session)
        self._session: aiohttp.ClientSession | None = None

    @property
    def url(self) -> str:
        """The endpoint's base URL, as messages name it."""
        return str(self._base)

    def complete(self, request: Json) -> Json:
        return self.ask("chat/completions", request, Call())

    def embeddings(self, request: Json) -> Json:
        return self.ask("embeddings", request, Call())

    def ask(self, path: str, request: Json, call: Call) -> Json:
        return self._loop.wait_for(self._ask(path, request, self._clock, call), call)

    def close(self) -> None:
        """Cancel what is under way, close every connection, end the thread. May be called twice."""
        self._loop.close()

    def __enter__(self) -> HttpUpstream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # One call: tries, pauses, clock

    async def _ask(self, path: str, request: Json, clock: _Clock, call: Call) -> Json:
        now = asyncio.get_running_loop().time
        end = now() + clock.total
        for number in range(1, clock.tries + 1):
            try:
                answer = await self._try(path, request, min(clock.one, max(end - now(), 0.01)), call)
                fault = None if path == "embeddings" else unfinished(answer)
                if fault is None:
                    if path != "embeddings" and withheld(answer):
                        raise self._filtered("finish_reason content_filter")
                    return answer
                raise _PassingError(f"the endpoint at {self.url} gave no answer: {fault}", lost=True)
            except _PassingError as passing:
                paid = not passing.lost or call.lose()
                pause = self._pause(request, number, passing.wait)
                last = number == clock.tries or now() + pause >= end or call.delivered
                if last or not paid:
                    tried = f" (tried {number} times)" if number > 1 else ""
                    note = f"; it asks to wait {passing.wait:g} s" if passing.wait and number < clock.tries else ""
                    note += "" if paid else "; the budget holds no other try"
                    raise UpstreamError(f"{passing}{tried}{note}", status=503) from None
            await asyncio.sleep(pause)
        raise AssertionError("unreachable: the last try returns or raises")

    def _pause(self, request: Json, number: int, wait: float | None) -> float:
        if wait is not None:
            return wait
        # Spread by request and try, so that rollouts that failed together do not return together.
        spread = 0.5 + int(digest(request, number, size=4), 16) / 0xFFFF
        return min(self._backoff * 2.0 ** (number - 1), LONGEST_PAUSE) * spread

    async def _try(self, path: str, request: Json, seconds: float, call: Call) -> Json:
        try:
            async with asyncio.timeout(seconds):
                reply = await self._post(path, request, call)
        except TimeoutError:
            raise _PassingError(
                f"the endpoint at {self.url} did not answer within {seconds:.3g} s: "
                "is it up, is the base URL right? A slow model needs a larger model_timeout",
                lost=True,
            ) from None
        except aiohttp.ClientConnectorError as error:
            reason = self._clean(str(getattr(error, "os_error", None) or error))
            raise _PassingError(
                f"the endpoint at {self.url} cannot be reached ({reason}): is it up, is the base URL right?"
            ) from None
        except (aiohttp.ClientError, OSError) as error:
            reason = self._clean(f"{type(error).__name__}: {error}".rstrip(": "))
            raise _PassingError(
                f"the endpoint at {self.url} broke off the answer ({reason}); try again later", lost=True
            ) from None
        if reply.answer is not None:
            return reply.answer
        if 200 <= reply.status < 300:
            return self._answer(reply.body, "data" if path == "embeddings" else "choices", request)
        raise self._refusal(reply.status, reply.headers, reply.body, request)

    async def _post(self, path: str, request: Json, call: Call) -> _Reply:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections),
                headers=self._credentials(),
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if call.streaming and not request.get("stream"):
            request = {**request, "stream": True, "stream_options": {"include_usage": True}}
        if request.get("stream"):
            headers["Accept"] = "text/event-stream"
        async with self._session.post(
            self._base.joinpath(path).with_query(self._base.query),
            data=json.dumps(request, ensure_ascii=False).encode(),
            headers=headers,
            allow_redirects=False,
        ) as response:
            # An endpoint that cannot stream may answer as it always does.
            if response.status == 200 and response.content_type == "text/event-stream":
                return _Reply(response.status, response.headers, b"", await self._stream(response, call, request))
            body = bytearray()
            async for piece in response.content.iter_any():
                body += piece
                if len(body) > ANSWER_BYTES:
                    raise aiohttp.ClientPayloadError(f"longer than {ANSWER_BYTES} bytes")
            return _Reply(response.status, response.headers, bytes(body))

    async def _stream(self, response: aiohttp.ClientResponse, call: Call, request: Json) -> Json:
        """Deliver the chunks as they come; returns what they add up to."""
        whole, size = Sum(), 0
        try:
            async for data in server_events(response.content.iter_any()):
                if data == "[DONE]":
                    break
                size += len(data)
                if size > ANSWER_BYTES:
                    raise aiohttp.ClientPayloadError(f"longer than {ANSWER_BYTES} bytes")
                chunk = read_chunk(data)
                whole.add(chunk, name=lambda: digest(request))
                call.deliver(chunk)
            # The rest is the end of the answer: read, so that the connection can be used again.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_PACKET_SECONDS):
                    await response.content.readany()
        except (ValueError, RecursionError) as error:
            raise aiohttp.ClientPayloadError(f"in the stream: {error}") from None
        if not whole.finished:
            raise aiohttp.ClientPayloadError("the stream ended before the model had")
        return whole.answer()

    async def _close_session(self) -> None:
        if self._session is not None:
            await self._session.close()

    # What the endpoint said

    def _answer(self, body: bytes, wanted: str, request: Json) -> Json:
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            answer = None
        if wanted == "choices":
            mend(answer, request)
        fault = answer_fault(answer, wanted)
        if fault:
            raise _PassingError(
                f"the endpoint at {self.url} does not answer like an OpenAI-compatible API ({fault}: "
                f"{self._excerpt(read_refusal(body, request).message)}): check the base URL, which usually ends in /v1",
                lost=True,
            )
        return dict(answer)

    def _refusal(self, status: int, headers: Mapping[str, str], body: bytes, request: Json) -> Exception:
        model = str(request.get("model"))
        said = read_refusal(body, request)
        words = self._excerpt(said.message)
        if said.code == CONTENT_FILTER and status in (*REQUEST_FAULTS, 403):
            return self._filtered(words)
        if said.parameter and status in (*REQUEST_FAULTS, 404, 501):
            return ModelUnavailable(
                f"the endpoint at {self.url} does not take {said.parameter} for {model!r} ({status}): {words}",
                status=503,
                code=UNSUPPORTED,
                parameter=said.parameter,
            )
        if status in (401, 403):
            complaint = "refused the key" if self._key else "wants a key, and none is set"
            advice = f"set {self._key_name} to a key that this endpoint accepts"
            return ModelUnavailable(
                f"the endpoint at {self.url} {complaint} ({status}): {advice}. It said: {words}",
                status=503,
            )
        if status == 404:
            advice = f"check the model's name and the base URL, which usually ends in /v1. It said: {words}"
            return ModelUnavailable(
                f"the endpoint at {self.url} does not know the model {model!r} (404): {advice}",
                status=503,
            )
        if status == 402 or (status == 429 and b"insufficient_quota" in body):
            return ModelUnavailable(f"the account at {self.url} is out of credit ({status}): {words}", status=503)
        if status in PASSING:
            message = f"the endpoint at {self.url} asks for patience ({status}): {words}; lower the concurrency"
            return _PassingError(message, wait=retry_after(headers))
        if status >= 500:
            message = f"the endpoint at {self.url} failed ({status}): {words}; try again later"
            return _PassingError(message, wait=retry_after(headers))
        if status in REQUEST_FAULTS:
            # It may quote the request: no more of it than any other refusal does.
            quoted = self._excerpt(said.message, MOST_QUOTED)
            message = f"the endpoint at {self.url} refused the request ({status}): {quoted}"
            return UpstreamError(message, status=status, code=excerpt(said.code, most=40))
        if 300 <= status < 400:
            address = excerpt(self._clean(headers.get("Location", "nowhere")), most=MESSAGE_CHARACTERS)
            words = f"it points to {address}; set the base URL to the final place"
        return UpstreamError(f"the endpoint at {self.url} answered {status}: {words}", status=502)

    def _filtered(self, words: str) -> UpstreamError:
        """The endpoint's own filter: no evidence about an agent, and the same request is filtered again."""
        message = f"the content filter of the endpoint at {self.url} took the answer away: {words}"
        return UpstreamError(message, status=502, code=CONTENT_FILTER)

    def _credentials(self) -> dict[str, str]:
        if not self._key:
            return {}
        return {"api-key": self._key} if self._auth == "api-key" else {"Authorization": f"Bearer {self._key}"}

    def _excerpt(self, text: str, most: int = MESSAGE_CHARACTERS) -> str:
        """The beginning of what the endpoint said; one line, without the key."""
        # The key goes before the cut: half of it must not stay.
        return excerpt(self._clean(text), most=most) or "nothing"

    def _clean(self, text: str) -> str:
        return text.replace(self._key, "[key]") if self._key else text


def _endpoint(base_url: str) -> URL:
    advice = "give an address such as https://api.openai.com/v1"
    try:
        url = URL(base_url.strip().rstrip("/"))
    except ValueError:
        raise BadInput(f"the base URL is no address: {advice}") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise BadInput(f"the base URL {base_url!r} is no http(s) address: {advice}")
    if url.user or url.password:
        raise BadInput(f"the base URL holds a user name or password: put the key into {OPENAI_KEY} instead")
    return url


def _plain_key(key: str, name: str) -> str:
    key = key.strip()
    if not key.isascii() or not key.isprintable():
        raise BadInput(f"{name} holds characters that no key has (line break, not ASCII): set it again")
    return key
