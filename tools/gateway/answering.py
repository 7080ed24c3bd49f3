"""How a call that may be made is answered: from the call journal, or upstream within the budgets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from sigmaloop.endpoints import SPECIALISTS
from sigmaloop.errors import BudgetSpent, ModelChanged, ModelUnavailable, UpstreamError
from sigmaloop.records import ModelCall
from sigmaloop.tools.gateway.budget import ONE_CALL, Amount, Tokens, worst_case
from sigmaloop.tools.gateway.call import Call
from sigmaloop.tools.gateway.call_log import TraceStore
from sigmaloop.tools.gateway.contracts import CallJournal, ModelNames
from sigmaloop.tools.gateway.gateway_settings import GatewaySettings
from sigmaloop.tools.gateway.lease import Lease
from sigmaloop.tools.gateway.meter import count_tokens
from sigmaloop.tools.gateway.metering import Metering
from sigmaloop.tools.gateway.queue import Account, Admission, Ticket
from sigmaloop.tools.gateway.quoting import excerpt
from sigmaloop.tools.gateway.requests import hash_and_size, refuse
from sigmaloop.tools.json_types import Json
from sigmaloop.tools.redaction import Redactor
from sigmaloop.tools.upstream.answers import cut_off
from sigmaloop.tools.upstream.by_role import Upstreams
from sigmaloop.tools.upstream.refusals import CONTENT_FILTER

CHAT, EMBEDDINGS = "chat/completions", "embeddings"
RETRY_PAUSE = 0.05
"""Seconds before the first repetition of a retryable call."""


class Answering:
    """Answers requests that are normalised already, and meters them. Thread-safe."""

    def __init__(
        self,
        upstreams: Upstreams,
        settings: GatewaySettings,
        metering: Metering,
        *,
        call_journal: CallJournal | None,
        account: Account | None,
        traces: TraceStore | None,
        names: ModelNames | None,
        redactor: Redactor,
    ) -> None:
        limits = settings.limits
        self._upstreams = upstreams
        self._prices = settings.prices
        self._tries = limits.tries
        self._metering = metering
        self._journal = call_journal
        self._traces = traces
        self._names = names
        self._redactor = redactor
        self._admission = Admission(
            limits.run.budget(), most=limits.under_way, account=account, max_hours=limits.run.hours
        )
        self._stopped = False

    @property
    def charged(self) -> Amount:
        """What counts against the run's budget."""
        return self._admission.spent

    def stop(self) -> None:
        """From now on a call that is cancelled was cancelled by the gateway's end."""
        self._stopped = True

    def close_upstream(self) -> None:
        self._upstreams.close()

    def close(self) -> None:
        """Write down what was really spent, and close the traces."""
        self._admission.close()
        if self._traces:
            self._traces.close()

    def answer(self, lease: Lease, path: str, request: Json, call: Call) -> Json:
        """The whole answer of a chat completion or of embeddings."""
        key, size = hash_and_size(request)
        worst = worst_case(request, size=size)
        # An embedding is no draw: asked again it is the same, and its vector is kept elsewhere.
        journal = self._journal if path == CHAT else None
        with lease.index() as index:
            known = journal.recall(lease.scope, index, key) if journal else None
            if known is not None:
                lease.fault = None
                tokens = count_tokens(request, known, at_most=worst)
                self._count_recalled(lease, tokens, known)
                lease.calls.append(_made(key, known, tokens, None))
                return known
            with lease.open(call):
                response = self._followed(lease, path, request, call, worst, key)
            if path == CHAT:
                self._recognise(lease, response)
            if self._traces:
                clean = self._redactor.tree(request)
                self._traces.keep(scope=lease.scope, index=index, role=lease.role, request=clean, answer=response)
            if journal:
                journal.remember(lease.scope, index, key, response)
            return response

    def _count_recalled(self, lease: Lease, tokens: Tokens, known: Json) -> None:
        self._admission.charge(lease.budget, self._prices.of(lease.role).amount(tokens))
        self._metering.recalled(lease.role, lease.meter, tokens, cut_off=cut_off(known))

    def _followed(self, lease: Lease, path: str, request: Json, call: Call, worst: Tokens, key: str) -> Json:
        """The lease knows afterwards whether the call failed, and that it was not its holder's doing."""
        try:
            response = self._pay(lease, path, request, call, worst, key)
        except (BudgetSpent, ModelChanged, UpstreamError) as error:
            ours = not isinstance(error, UpstreamError) or error.status >= 500
            lease.fault = error if ours else None
            raise
        lease.fault = None
        return response

    def _pay(self, lease: Lease, path: str, request: Json, call: Call, worst: Tokens, key: str) -> Json:
        """The upstream's answer, metered and without secrets; `key`: the request's hash."""
        role = "embedding" if path == EMBEDDINGS else lease.role
        ticket = self._admit(lease, call, worst)
        started = time.perf_counter()
        try:
            response = self._ask(role, path, request, call)
        except BaseException as error:
            lease.refusal = _refusal(error)
            self._give_up(ticket, call, error, counted=self._upstreams.endpoint(role) is not None)
            raise
        lease.refusal = ""
        response = self._redactor.tree(response)
        tokens = count_tokens(request, response, at_most=worst)
        ticket.answered(self._prices.of(lease.role).amount(tokens).plus(ONE_CALL))
        cut, seconds = path == CHAT and cut_off(response), time.perf_counter() - started
        self._metering.paid(lease.role, lease.meter, tokens, seconds, cut_off=cut)
        lease.calls.append(_made(key, response, tokens, seconds))
        if call.cancelled:  # of a model in this process, whose calls cannot be broken off
            raise self._unwanted()
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

    def _admit(self, lease: Lease, call: Call, worst: Tokens) -> Ticket:
        def wanted() -> None:
            if call.cancelled or lease.closed:
                raise self._unwanted()

        call.watch(self._admission.wake)
        try:
            ticket = self._admission.admit(
                self._prices.of(lease.role).amount(worst).plus(ONE_CALL), lease.budget, wanted=wanted
            )
        except BudgetSpent as error:
            lease.run_spent = error
            raise
        call.when_lost(ticket.lose)
        return ticket

    def _ask(self, role: str, path: str, request: Json, call: Call) -> Json:
        with self._scrubbed(role):
            endpoint = self._upstreams.endpoint(role)
            if endpoint is not None:
                return self._insist(partial(endpoint.ask, path, request, call))
            upstream = self._upstreams.of(role)
            call.watch(lambda: None)
            return self._insist(partial(upstream.embeddings if path == EMBEDDINGS else upstream.complete, request))

    def _insist(self, ask: Callable[[], Json]) -> Json:
        for number in range(1, self._tries):
            try:
                return ask()
            except UpstreamError as error:
                if not error.retryable:
                    raise
                time.sleep(min(RETRY_PAUSE * 2 ** (number - 1), 1.0))
        return ask()

    def _give_up(self, ticket: Ticket, call: Call, error: BaseException, *, counted: bool) -> None:
        """`counted`: the upstream told of every lost try itself."""
        if not call.cancelled and isinstance(error, UpstreamError):
            ticket.failed()  # every lost try was charged already
            return
        # Its caller is gone, or this thread was interrupted: the answer may be billed all the same.
        ticket.abandoned() if counted else ticket.failed()
        if call.cancelled and isinstance(error, UpstreamError):
            raise self._unwanted() from None

    def _unwanted(self) -> UpstreamError:
        if self._stopped:
            return UpstreamError("the gateway was stopped during the call", status=503)
        return refuse("the lease was closed, or its caller left, during the call", status=401)

    @contextmanager
    def _scrubbed(self, role: str) -> Iterator[None]:
        try:
            yield
        except UpstreamError as error:
            text = self._redactor.text(str(error))
            kind = ModelUnavailable if isinstance(error, ModelUnavailable) else UpstreamError
            # A specialist can do without this one answer; what it was to read would be filtered again.
            status = 400 if error.code == CONTENT_FILTER and role in SPECIALISTS else error.status
            # Without the cause: a traceback would show the unscrubbed text.
            raise kind(
                text, status=status, retryable=error.retryable, code=error.code, parameter=error.parameter
            ) from None


def _made(key: str, response: Json, tokens: Tokens, seconds: float | None) -> ModelCall:
    name = response.get("model")
    return ModelCall(
        step=0,  # whoever holds the conversation knows
        model=excerpt(name) if isinstance(name, str) else "",
        prompt=key[:16],
        input_tokens=tokens.input,
        output_tokens=tokens.output,
        seconds=seconds,
    )


def _refusal(error: BaseException) -> str:
    """How the endpoint refused a request, such as `400 context_length_exceeded`; empty for any other fault."""
    if isinstance(error, UpstreamError) and 400 <= error.status < 500:
        return f"{error.status} {error.code}".strip()
    return ""
