"""The one door for model calls: whoever may call holds a lease, and the gateway decides which model answers.

`complete(token, request)` pins the model and how it samples, drops or refuses what the caller may not choose,
answers from the call journal what was paid for before, meters the rest. Its HTTP face (`gateway_http`) serves
the same core on loopback.

Statuses of the UpstreamErrors that come out: **4xx is the caller's own doing** (400 refused field, 401
dead token, 402 the lease's calls or budget used up, 413 too large), **5xx is not** (an infrastructure fault, no
evidence about an agent). BudgetSpent and ModelChanged are neither: the run's own budget does not hold the call, or
another model answers than at first, and the run stops.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol

from sigmaloop.errors import BudgetSpent, ModelChanged, ModelUnavailable, UpstreamError
from sigmaloop.records import Usage
from sigmaloop.tools.gateway.budget import Amount, Prices, worst_case
from sigmaloop.tools.gateway.call import Call
from sigmaloop.tools.gateway.call_log import TraceStore
from sigmaloop.tools.gateway.lease import Lease
from sigmaloop.tools.gateway.meter import Latency, Meter, count_tokens
from sigmaloop.tools.gateway.queue import Account, Admission, Ticket
from sigmaloop.tools.gateway.quoting import excerpt
from sigmaloop.tools.gateway.requests import hash_and_size, normalise_chat, normalise_embeddings, refuse, request_hash
from sigmaloop.tools.redaction import Redactor
from sigmaloop.tools.upstream.upstream import Endpoint, Upstream

if TYPE_CHECKING:
    from sigmaloop.tools.gateway.http_server import HttpFace

__all__ = ["ROLES", "Account", "Call", "CallJournal", "Gateway", "Latency", "Lease", "Names", "Role", "request_hash"]

Json = dict[str, Any]
Role = Literal["target", "failure_miner", "clusterer", "harness_engineer", "gate_judge"]
ROLES: tuple[Role, ...] = ("target", "failure_miner", "clusterer", "harness_engineer", "gate_judge")

REQUEST_BYTES = 4 * 2**20
SPECIALIST_TOKENS = 8192
"""Most output tokens of a specialist's call; it may ask for fewer."""
UNDER_WAY = 256
"""Calls that are upstream at the same time unless told otherwise; more wait."""
RETRY_PAUSE = 0.05
"""Seconds before the first repetition of a retryable call."""


class CallJournal(Protocol):
    """Remembers answers that were paid for, so that a resumed run does not pay again.

    Keyed by scope (one rollout or one specialist's task), index of the call within it, and request hash.
    An answer is never handed to another scope: a sample shared between trials would fake the gate.
    """

    def recall(self, scope: str, index: int, request_hash: str) -> Json | None: ...
    def remember(self, scope: str, index: int, request_hash: str, response: Json) -> None: ...


class Names(Protocol):
    """Remembers by which name a role's model answers: the first one that a run meets is the one that it keeps.

    What was asked for may be an alias, and the answer name a dated snapshot. Raises ModelChanged for another name.
    """

    def meet(self, role: str, name: str) -> None: ...


class Gateway:
    """Model calls for everyone: fixed model, leases, budgets, call journal, metering. Thread-safe.

    Temperature and seed (the lease's) are pinned for every role; `max_tokens` is the target's, always; a
    specialist may ask for up to `specialist_tokens`. `reasoning_effort` is the target's, sent only when set.
    Prices are money for a million tokens. `redact` lists
    secrets that must appear in no answer and no error. `tries` is for upstream errors that say they are retryable
    (HttpUpstream has done its own tries and says they are not). `embedding_model` None: embeddings are
    refused. It owns upstream and traces: `stop` closes them.
    """

    def __init__(
        self,
        upstream: Upstream,
        *,
        target_model: str,
        specialist_model: str,
        temperature: float = 0.0,
        max_tokens: int = 2048,
        reasoning_effort: str | None = None,
        tries: int = 1,
        price_input: float = 0.0,
        price_output: float = 0.0,
        specialist_prices: Prices | None = None,
        call_journal: CallJournal | None = None,
        redact: Sequence[str] = (),
        specialist_tokens: int = SPECIALIST_TOKENS,
        embedding_model: str | None = None,
        max_bytes: int = REQUEST_BYTES,
        max_run_tokens: int | None = None,
        max_run_money: float | None = None,
        max_rollout_tokens: int | None = None,
        max_rollout_money: float | None = None,
        account: Account | None = None,
        traces: TraceStore | None = None,
        under_way: int = UNDER_WAY,
        names: Names | None = None,
    ) -> None:
        """`max_run_*`: what all calls together may cost; `max_rollout_*`: those of one lease of the target.

        `specialist_prices` None: the target's. `account` keeps what the run has spent, `traces` every call that
        was paid. `under_way`: calls that are upstream at the same time. `names` is told who answers.
        """
        self.max_bytes = max_bytes
        self._upstream = upstream
        self.target_model = target_model
        self.specialist_model = specialist_model
        self._temperature = temperature
        self._reasoning_effort = reasoning_effort
        self._max_tokens = max_tokens
        self._tries = tries
        self._specialist_tokens = specialist_tokens
        self._embedding_model = embedding_model
        target_prices = Prices(input=price_input, output=price_output)
        self._prices: dict[str, Prices] = dict.fromkeys(ROLES, specialist_prices or target_prices)
        self._prices["target"] = target_prices
        self._journal = call_journal
        self._traces = traces
        self._names = names
        self._redactor = Redactor(redact)
        self._rollout_limits = {"max_tokens": max_rollout_tokens, "max_money": max_rollout_money}
        self._admission = Admission(max_tokens=max_run_tokens, max_money=max_run_money, most=under_way, account=account)
        self.under_way = under_way
        self._lock = threading.Lock()
        self._leases: dict[str, Lease] = {}
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
        limits: Any = self._rollout_limits if role == "target" else {}
        lease = Lease(self, role, scope=scope, seed=seed, max_calls=max_calls, batch=batch, **limits)
        with self._lock:
            self._leases[lease.token] = lease
        return lease

    def close(self, token: str) -> None:
        """The token is dead at once, its calls under way are cancelled; the lease still tells its usage."""
        with self._lock:
            lease = self._leases.pop(token, None)
            calls = list(lease.open_calls) if lease else []
        for call in calls:
            call.cancel()

    def model(self, token: str) -> str:
        """The model that answers this token."""
        return self.target_model if self._holder(token).role == "target" else self.specialist_model

    def complete(self, token: str, request: Json, *, call: Call | None = None) -> Json:
        """The whole chat completion; through `call` it can be cancelled, and followed while it is made.

        Raises UpstreamError: 4xx the caller's doing, 5xx infrastructure; BudgetSpent when the run has to stop.
        """
        lease = self._holder(token)
        given = normalise_chat(request, pins=self._pins(lease, request), max_bytes=self.max_bytes)
        return self._answer(lease, "chat/completions", given, call or Call())

    def embed(self, token: str, request: Json, *, call: Call | None = None) -> Json:
        """Embeddings of texts by the fixed embedding model; not for the target."""
        lease = self._holder(token)
        if self._embedding_model is None:
            raise refuse("no embedding model is set", status=404)
        if lease.role == "target":
            raise refuse("the target agent has no embeddings", status=403)
        given = normalise_embeddings(request, model=self._embedding_model, max_bytes=self.max_bytes)
        return self._answer(lease, "embeddings", given, call or Call())

    # What it cost

    def usage(self, token: str) -> Usage:
        """What the answers of an open lease cost, whether paid now or, in an interrupted process, before."""
        with self._lock:
            lease = self._leases.get(token)
        return self.usage_of(lease) if lease else Usage()

    def usage_of(self, lease: Lease) -> Usage:
        """The same of any lease of this gateway, closed or not."""
        with self._lock:
            return lease.meter.usage(self._prices[lease.role])

    def totals(self) -> dict[str, Usage]:
        """The same by role, over all leases."""
        with self._lock:
            return {role: meter.usage(self._prices[role]) for role, meter in sorted(self._by_role.items())}

    def spent(self) -> dict[str, Usage]:
        """What went upstream, by role: `totals` without what the call journal answered."""
        with self._lock:
            return {role: meter.usage(self._prices[role]) for role, meter in sorted(self._upstream_by_role.items())}

    @property
    def charged(self) -> Amount:
        """What counts against the run's budget: `spent`, and tries without a whole answer at their worst."""
        return self._admission.spent

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
                from sigmaloop.tools.gateway.http_server import HttpFace

                self._face = HttpFace(self)
            return self._face.base_url

    def stop(self) -> None:
        """Kill every lease, cancel calls under way, close upstream and server. May be called twice."""
        self._stopped = True
        with self._lock:
            tokens = list(self._leases)
        for token in tokens:
            self.close(token)
        self._upstream.close()
        with self._face_lock:
            if self._face is not None:
                self._face.stop()
                self._face = None
        self._admission.close()
        if self._traces:
            self._traces.close()

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
        pins = {
            "model": self.target_model if target else self.specialist_model,
            "temperature": self._temperature,
            "n": 1,
            "max_tokens": most,
            "seed": lease.seed,
        }
        if target and self._reasoning_effort is not None:
            pins["reasoning_effort"] = self._reasoning_effort
        return pins

    def _answer(self, lease: Lease, path: str, request: Json, call: Call) -> Json:
        key, size = hash_and_size(request)
        worst = worst_case(request, size=size)
        # An embedding is no draw: asked again it is the same, and its vector is kept elsewhere.
        journal = self._journal if path == "chat/completions" else None
        with self._index(lease) as index:
            known = journal.recall(lease.scope, index, key) if journal else None
            if known is not None:
                self._meter(lease, count_tokens(request, known, at_most=worst), None)
                return known
            with self._open(lease, call):
                ticket = self._admit(lease, call, worst)
                began = time.perf_counter()
                try:
                    response = self._ask(path, request, call)
                except BaseException as error:
                    lease.refusal = _refusal(error)
                    self._give_up(ticket, call, error)
                    raise
                lease.refusal = ""
                response = self._redactor.tree(response)
                tokens = count_tokens(request, response, at_most=worst)
                ticket.answered(self._prices[lease.role].amount(tokens))
                self._meter(lease, tokens, time.perf_counter() - began)
                if call.cancelled:  # of a model in this process, whose calls cannot be broken off
                    raise self._unwanted()
            if path == "chat/completions":
                self._recognise(lease, response)
            if self._traces:
                told = self._redactor.tree(request)
                self._traces.keep(scope=lease.scope, index=index, role=lease.role, request=told, answer=response)
            if journal:
                journal.remember(lease.scope, index, key, response)
            return response

    def _recognise(self, lease: Lease, response: Json) -> None:
        name = response.get("model")
        if self._names is None or not isinstance(name, str) or not name:
            return
        try:
            self._names.meet(lease.role, excerpt(name))
        except ModelChanged as error:
            lease.run_spent = error
            raise

    @contextmanager
    def _open(self, lease: Lease, call: Call) -> Iterator[None]:
        """While it is open, closing the lease cancels the call."""
        with self._lock:
            lease.open_calls.add(call)
        try:
            yield
        finally:
            with self._lock:
                lease.open_calls.discard(call)

    def _admit(self, lease: Lease, call: Call, worst: tuple[int, int]) -> Ticket:
        def wanted() -> None:
            if call.cancelled or lease.token not in self._leases:
                raise self._unwanted()

        call.watch(self._admission.wake)
        try:
            ticket = self._admission.admit(self._prices[lease.role].amount(worst), lease.budget, wanted=wanted)
        except BudgetSpent as error:
            lease.run_spent = error
            raise
        call.when_lost(ticket.lose)
        return ticket

    def _ask(self, path: str, request: Json, call: Call) -> Json:
        with self._scrubbed():
            upstream = self._upstream
            if isinstance(upstream, Endpoint):
                return self._insist(partial(upstream.ask, path, request, call))
            call.watch(lambda: None)
            return self._insist(partial(upstream.embeddings if path == "embeddings" else upstream.complete, request))

    def _give_up(self, ticket: Ticket, call: Call, error: BaseException) -> None:
        if not call.cancelled and isinstance(error, UpstreamError):
            ticket.failed()  # every lost try was charged already
            return
        # Its caller is gone, or this thread was interrupted: the answer may be billed all the same.
        ticket.abandoned() if isinstance(self._upstream, Endpoint) else ticket.failed()
        if call.cancelled and isinstance(error, UpstreamError):
            raise self._unwanted() from None

    def _unwanted(self) -> UpstreamError:
        if self._stopped:
            return UpstreamError("the gateway was stopped during the call", status=503)
        return refuse("the lease was closed, or its caller left, during the call", status=401)

    def _insist(self, ask: Callable[[], Json]) -> Json:
        for number in range(1, self._tries):
            try:
                return ask()
            except UpstreamError as error:
                if not error.retryable:
                    raise
                time.sleep(min(RETRY_PAUSE * 2 ** (number - 1), 1.0))
        return ask()

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
            if seconds is None:
                lease.budget.charge(self._prices[lease.role].amount(tokens))
            for meter in (lease.meter, self._by_role[lease.role]):
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
            text = self._redactor.text(str(error))
            kind = ModelUnavailable if isinstance(error, ModelUnavailable) else UpstreamError
            # Without the cause: a traceback would show the unscrubbed text.
            raise kind(text, status=error.status, retryable=error.retryable, code=error.code) from None


def _refusal(error: BaseException) -> str:
    """How the endpoint refused a request, such as `400 context_length_exceeded`; empty for any other fault."""
    if isinstance(error, UpstreamError) and 400 <= error.status < 500:
        return f"{error.status} {error.code}".strip()
    return ""


def _asked_tokens(request: object) -> int | None:
    if not isinstance(request, dict):
        return None
    for field in ("max_completion_tokens", "max_tokens"):
        value = request.get(field)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None
