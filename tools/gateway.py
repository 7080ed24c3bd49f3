"""The one door for model calls: whoever may call holds a lease, and the gateway decides which model answers.

`complete(token, request)` pins the model and how it samples, drops or refuses what the caller may not choose,
answers from the call journal what was paid for before, meters the rest. Its HTTP face (`gateway_http`) serves
the same core on loopback.

Statuses of the UpstreamErrors that come out: **4xx is the caller's own doing** (400 refused field, 401
dead token, 402 calls used up, 413 too large), **5xx is not** (an infrastructure fault, no evidence about an
agent).
"""

from __future__ import annotations

import heapq
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, Protocol

from sigmaloop.errors import ModelUnavailable, UpstreamError
from sigmaloop.records import Usage
from sigmaloop.tools.gateway_meter import Latency, Meter, Prices, count_tokens
from sigmaloop.tools.gateway_requests import normalise_chat, normalise_embeddings, refuse, request_hash
from sigmaloop.tools.upstream import Upstream

if TYPE_CHECKING:
    from sigmaloop.tools.gateway_http import HttpFace

__all__ = ["ROLES", "CallJournal", "Gateway", "Latency", "Lease", "Role", "request_hash"]

Json = dict[str, Any]
Role = Literal["target", "failure_miner", "clusterer", "harness_engineer", "gate_judge"]
ROLES: tuple[Role, ...] = ("target", "failure_miner", "clusterer", "harness_engineer", "gate_judge")

REQUEST_BYTES = 4 * 2**20
SPECIALIST_TOKENS = 8192
"""Most output tokens of a specialist's call; it may ask for fewer."""
RETRY_PAUSE = 0.05
"""Seconds before the first repetition of a retryable call."""


class CallJournal(Protocol):
    """Remembers answers that were paid for, so that a resumed run does not pay again.

    Keyed by scope (one rollout or one specialist's task), index of the call within it, and request hash.
    An answer is never handed to another scope: a sample shared between trials would fake the gate.
    """

    def recall(self, scope: str, index: int, request_hash: str) -> Json | None: ...
    def remember(self, scope: str, index: int, request_hash: str, response: Json) -> None: ...


class Lease:
    """The right to call a model in one role and scope; a context manager, dead once closed."""

    def __init__(
        self,
        gateway: Gateway,
        role: str,
        *,
        scope: str,
        seed: int,
        max_calls: int | None = None,
        batch: int = 0,
    ) -> None:
        self.token = f"lease-{secrets.token_urlsafe(24)}"
        self.role = role
        self.scope = scope
        self.seed = seed
        self.max_calls = max_calls
        self.batch = batch
        self._gateway = gateway
        self._next = 0
        self._returned: list[int] = []

    @property
    def base_url(self) -> str:
        """Base URL for OpenAI clients, with the token as API key; the first reading starts the server."""
        return self._gateway.start()

    def complete(self, request: Json) -> Json:
        return self._gateway.complete(self.token, request)

    def usage(self) -> Usage:
        return self._gateway.usage(self.token)

    def close(self) -> None:
        self._gateway.close(self.token)

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def take_index(self) -> int:
        """The next call's index, counted from 0; the gateway holds its lock."""
        if self._returned:
            return heapq.heappop(self._returned)
        if self.max_calls is not None and self._next >= self.max_calls:
            raise refuse(f"all {self.max_calls} model calls of this lease are used up", status=402)
        self._next += 1
        return self._next - 1

    def return_index(self, index: int) -> None:
        """A call that failed leaves its index to the next one, so that a resumed scope counts alike."""
        heapq.heappush(self._returned, index)


class Gateway:
    """Model calls for everyone: fixed model, leases, call journal, metering. Thread-safe.

    Temperature and seed (the lease's) are pinned for every role; `max_tokens` is the target's, always; a
    specialist may ask for up to `specialist_tokens`. Prices are money for a million tokens. `redact` lists
    secrets that must appear in no error message. `tries` is for upstream errors that say they are retryable
    (HttpUpstream has done its own tries and says they are not). `embedding_model` None: embeddings are
    refused. It owns the upstream: `stop` closes it.
    """

    def __init__(
        self,
        upstream: Upstream,
        *,
        target_model: str,
        specialist_model: str,
        temperature: float = 0.0,
        max_tokens: int = 2048,
        tries: int = 1,
        price_input: float = 0.0,
        price_output: float = 0.0,
        call_journal: CallJournal | None = None,
        redact: Sequence[str] = (),
        specialist_tokens: int = SPECIALIST_TOKENS,
        embedding_model: str | None = None,
        max_bytes: int = REQUEST_BYTES,
    ) -> None:
        self.max_bytes = max_bytes
        self._upstream = upstream
        self.target_model = target_model
        self.specialist_model = specialist_model
        self._temperature = temperature
        self._max_tokens = max_tokens
        self._tries = tries
        self._specialist_tokens = specialist_tokens
        self._embedding_model = embedding_model
        self._prices = Prices(input=price_input, output=price_output)
        self._journal = call_journal
        self._secrets = tuple(sorted((s for s in redact if s), key=len, reverse=True))
        self._lock = threading.Lock()
        self._leases: dict[str, Lease] = {}
        self._by_token: defaultdict[str, Meter] = defaultdict(Meter)
        self._by_role: defaultdict[str, Meter] = defaultdict(Meter)
        self._upstream_by_role: defaultdict[str, Meter] = defaultdict(Meter)
        self._face: HttpFace | None = None
        self._face_lock = threading.Lock()
        self._stopped = False
        self._recalled = 0

    def check(self) -> None:
        """Raises ModelUnavailable, saying what to do, if one of the two models cannot be used."""
        with self._scrubbed():
            self._upstream.check([self.target_model, self.specialist_model])

    def lease(self, role: str, *, scope: str, seed: int, max_calls: int | None = None, batch: int = 0) -> Lease:
        """A lease for one rollout or one specialist's task; `max_calls` None: as many as it likes."""
        if role not in ROLES:
            raise ValueError(f"unknown role {role!r}; roles: {', '.join(ROLES)}")
        lease = Lease(self, role, scope=scope, seed=seed, max_calls=max_calls, batch=batch)
        with self._lock:
            self._leases[lease.token] = lease
        return lease

    def close(self, token: str) -> None:
        """The token is dead at once; its usage can still be read."""
        with self._lock:
            self._leases.pop(token, None)

    def model(self, token: str) -> str:
        """The model that answers this token."""
        return self.target_model if self._holder(token).role == "target" else self.specialist_model

    def complete(self, token: str, request: Json) -> Json:
        """The whole chat completion. Raises UpstreamError: 4xx the caller's doing, 5xx infrastructure."""
        lease = self._holder(token)
        given = normalise_chat(request, pins=self._pins(lease, request), max_bytes=self.max_bytes)
        return self._answer(lease, given, self._upstream.complete)

    def embed(self, token: str, request: Json) -> Json:
        """Embeddings of texts by the fixed embedding model; not for the target."""
        lease = self._holder(token)
        if self._embedding_model is None:
            raise refuse("no embedding model is set", status=404)
        if lease.role == "target":
            raise refuse("the target agent has no embeddings", status=403)
        given = normalise_embeddings(request, model=self._embedding_model, max_bytes=self.max_bytes)
        return self._answer(lease, given, self._upstream.embeddings)

    # What it cost

    def usage(self, token: str) -> Usage:
        """What the answers of this lease cost, whether paid now or, in an interrupted process, before."""
        with self._lock:
            return self._by_token.get(token, Meter()).usage(self._prices)

    def totals(self) -> dict[str, Usage]:
        """The same by role, over all leases."""
        with self._lock:
            return {role: meter.usage(self._prices) for role, meter in sorted(self._by_role.items())}

    def spent(self) -> dict[str, Usage]:
        """What went upstream, by role: `totals` without what the call journal answered."""
        with self._lock:
            return {role: meter.usage(self._prices) for role, meter in sorted(self._upstream_by_role.items())}

    def latency(self) -> dict[str, Latency]:
        """How long calls that went upstream took, by role."""
        with self._lock:
            return {role: meter.latency() for role, meter in sorted(self._upstream_by_role.items())}

    @property
    def paid(self) -> int:
        """Calls that the upstream answered."""
        with self._lock:
            return sum(meter.calls for meter in self._upstream_by_role.values())

    @property
    def recalled(self) -> int:
        """Calls that the call journal answered."""
        with self._lock:
            return self._recalled

    # The HTTP face

    def start(self) -> str:
        """Serve on a free loopback port unless it already does; returns the base URL, ending in /v1."""
        with self._face_lock:
            if self._stopped:
                raise UpstreamError("the gateway was stopped", status=503)
            if self._face is None:
                from sigmaloop.tools.gateway_http import HttpFace

                self._face = HttpFace(self)
            return self._face.base_url

    def stop(self) -> None:
        """Kill every lease, cancel calls under way, close upstream and server. May be called twice."""
        with self._lock:
            self._leases.clear()
        self._upstream.close()
        with self._face_lock:
            self._stopped = True
            if self._face is not None:
                self._face.stop()
                self._face = None

    def __enter__(self) -> Gateway:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # How a call is answered

    def _holder(self, token: str) -> Lease:
        with self._lock:
            lease = self._leases.get(token)
        if lease is None:
            raise refuse("this token is not, or no longer, valid", status=401)
        return lease

    def _pins(self, lease: Lease, request: object) -> Json:
        """What the gateway decides, whatever the request says."""
        target = lease.role == "target"
        most = (
            self._max_tokens
            if target
            else min(_asked_tokens(request) or self._specialist_tokens, self._specialist_tokens)
        )
        return {
            "model": self.target_model if target else self.specialist_model,
            "temperature": self._temperature,
            "n": 1,
            "max_tokens": most,
            "seed": lease.seed,
        }

    def _answer(self, lease: Lease, request: Json, ask: Callable[[Json], Json]) -> Json:
        key = request_hash(request)
        with self._index(lease) as index:
            known = self._journal.recall(lease.scope, index, key) if self._journal else None
            if known is not None:
                self._meter(lease, count_tokens(request, known), None)
                return known
            began = time.perf_counter()
            with self._scrubbed():
                response = self._insist(ask, request)
            self._meter(lease, count_tokens(request, response), time.perf_counter() - began)
            if self._journal:
                self._journal.remember(lease.scope, index, key, response)
            return response

    def _insist(self, ask: Callable[[Json], Json], request: Json) -> Json:
        for number in range(1, self._tries):
            try:
                return ask(request)
            except UpstreamError as error:
                if not error.retryable:
                    raise
                time.sleep(min(RETRY_PAUSE * 2 ** (number - 1), 1.0))
        return ask(request)

    @contextmanager
    def _index(self, lease: Lease) -> Iterator[int]:
        with self._lock:
            index = lease.take_index()
        try:
            yield index
        except BaseException:
            with self._lock:
                lease.return_index(index)
            raise

    def _meter(self, lease: Lease, tokens: tuple[int, int], seconds: float | None) -> None:
        with self._lock:
            for meter in (self._by_token[lease.token], self._by_role[lease.role]):
                meter.add(tokens, seconds or 0.0)
            if seconds is None:
                self._recalled += 1
            else:
                self._upstream_by_role[lease.role].add(tokens, seconds)

    @contextmanager
    def _scrubbed(self) -> Iterator[None]:
        try:
            yield
        except UpstreamError as error:
            text = str(error)
            for secret in self._secrets:
                text = text.replace(secret, "[secret]")
            kind = ModelUnavailable if isinstance(error, ModelUnavailable) else UpstreamError
            # Without the cause: a traceback would show the unscrubbed text.
            raise kind(text, status=error.status, retryable=error.retryable) from None


def _asked_tokens(request: object) -> int | None:
    if not isinstance(request, dict):
        return None
    for field in ("max_completion_tokens", "max_tokens"):
        value = request.get(field)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None
