"""The one door for model calls: whoever may call holds a lease, and the gateway decides which model answers.

`complete(token, request)` pins the model and how it samples, drops or refuses what the caller may not choose,
answers from the call journal what was paid for before, meters the rest (`answering`). The HTTP server
(`http_server`) serves the same on loopback.

Statuses of the UpstreamErrors that come out: **4xx is the caller's own doing** (400 refused field, 401
dead token, 402 the lease's calls or budget used up, 413 too large), **5xx is not** (an infrastructure fault, no
evidence about an agent). BudgetSpent and ModelChanged are neither: the run's own budget does not hold the call, or
another model answers than at first, and the run stops.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sigmaloop.errors import UpstreamError
from sigmaloop.records import Usage
from sigmaloop.tools.gateway.answering import CHAT, EMBEDDINGS, Answering
from sigmaloop.tools.gateway.budget import Amount
from sigmaloop.tools.gateway.call import Call
from sigmaloop.tools.gateway.call_log import TraceStore
from sigmaloop.tools.gateway.contracts import CallJournal, ModelNames
from sigmaloop.tools.gateway.gateway_settings import GatewaySettings
from sigmaloop.tools.gateway.lease import Lease
from sigmaloop.tools.gateway.meter import Latency, Meter
from sigmaloop.tools.gateway.metering import Metering
from sigmaloop.tools.gateway.pins import pins, requested_tokens, worded
from sigmaloop.tools.gateway.queue import Account
from sigmaloop.tools.gateway.requests import normalise_chat, normalise_embeddings, refuse
from sigmaloop.tools.gateway.roles import ROLES, Role
from sigmaloop.tools.json_types import Json
from sigmaloop.tools.redaction import Redactor
from sigmaloop.tools.upstream.by_role import Upstreams
from sigmaloop.tools.upstream.upstream import Upstream

if TYPE_CHECKING:
    from sigmaloop.tools.gateway.http_server import HttpServer


class Gateway:
    """Model calls for everyone: fixed models, leases, budgets, call journal, metering. Thread-safe.

    It owns upstream and traces: `stop` closes them.
    """

    def __init__(
        self,
        upstream: Upstream | Upstreams,
        settings: GatewaySettings,
        *,
        call_journal: CallJournal | None = None,
        account: Account | None = None,
        traces: TraceStore | None = None,
        names: ModelNames | None = None,
        redact: Sequence[str] = (),
    ) -> None:
        """`upstream`: one for all roles, or one for each. `account` keeps what the run has spent, `traces` every call
        that was paid; `names` is told who answers.

        `redact`: secrets that must appear in no answer and no error.
        """
        self._settings = settings
        self._metering = Metering(settings.prices)
        self._answering = Answering(
            upstream if isinstance(upstream, Upstreams) else Upstreams(upstream),
            settings,
            self._metering,
            call_journal=call_journal,
            account=account,
            traces=traces,
            names=names,
            redactor=Redactor(redact),
        )
        self._lock = threading.Lock()
        self._leases: dict[str, Lease] = {}
        self._server: HttpServer | None = None
        self._server_lock = threading.Lock()
        self._stopped = False

    @property
    def max_bytes(self) -> int:
        """Longest request."""
        return self._settings.limits.request_bytes

    @property
    def under_way(self) -> int:
        """Calls that may be upstream at the same time."""
        return self._settings.limits.under_way

    def lease(self, role: Role, *, scope: str, seed: int, max_calls: int | None = None, batch: int = 0) -> Lease:
        """A lease for one rollout or one specialist's task; `max_calls` None: as many as it likes."""
        if role not in ROLES:
            raise ValueError(f"unknown role {role!r}; roles: {', '.join(ROLES)}")
        budget = self._settings.limits.rollout.budget() if role == "target" else None
        lease = Lease(self, role, scope=scope, seed=seed, max_calls=max_calls, batch=batch, budget=budget)
        with self._lock:
            self._leases[lease.token] = lease
        return lease

    def close(self, token: str) -> None:
        """The token is dead at once, its calls under way are cancelled; the lease still tells its usage."""
        with self._lock:
            lease = self._leases.pop(token, None)
        if lease:
            lease.end()

    def model(self, token: str) -> str:
        """The model that answers this token."""
        return self._settings.models.of(self._holder(token).role).model

    def complete(self, token: str, request: Json, *, call: Call | None = None) -> Json:
        """The whole chat completion; through `call` it can be cancelled, and followed while it is made.

        Raises UpstreamError: 4xx the caller's doing, 5xx infrastructure; BudgetSpent when the run has to stop.
        """
        lease = self._holder(token)
        model = self._settings.models.of(lease.role)
        # The target's limit is fixed: part of what is measured.
        most = None if lease.role == "target" else requested_tokens(request)
        checked = worded(normalise_chat(request, max_bytes=self.max_bytes), model)
        lease.added.put_back(checked)
        checked |= pins(model, seed=lease.seed, most=most)
        answer = self._answering.answer(lease, CHAT, checked, call or Call())
        lease.added.keep(answer)
        return answer

    def embed(self, token: str, request: Json, *, call: Call | None = None) -> Json:
        """Embeddings of texts by the fixed embedding model; not for the target."""
        lease = self._holder(token)
        model = self._settings.models.embedding
        if model is None:
            raise refuse("no embedding model is set", status=404)
        if lease.role in ("target", "user", "judge"):
            raise refuse(f"the {lease.role} has no embeddings", status=403)
        checked = normalise_embeddings(request, model=model, max_bytes=self.max_bytes)
        return self._answering.answer(lease, EMBEDDINGS, checked, call or Call())

    # What it cost

    def usage(self, token: str) -> Usage:
        """What the answers of an open lease cost, whether paid now or, in an interrupted process, before."""
        with self._lock:
            lease = self._leases.get(token)
        return lease.usage() if lease else Usage()

    def usage_of(self, role: str, meter: Meter) -> Usage:
        """The same of any lease, closed or not: what its meter has counted."""
        return self._metering.usage(role, meter)

    def totals(self) -> dict[str, Usage]:
        """The same by role, over all leases."""
        return self._metering.totals()

    def spent(self) -> dict[str, Usage]:
        """What went upstream, by role: `totals` without what the call journal answered."""
        return self._metering.spent()

    @property
    def charged(self) -> Amount:
        """What counts against the run's budget: `spent`, and tries without a whole answer at their worst."""
        return self._answering.charged

    def latency(self) -> dict[str, Latency]:
        """How long calls that went upstream took, by role."""
        return self._metering.latency()

    def cut_off(self) -> dict[str, tuple[int, int]]:
        """By role: answers that the limit of output tokens ended before their first word, and all of them."""
        return self._metering.cut_off()

    @property
    def paid(self) -> int:
        """Calls that the upstream answered."""
        return self._metering.paid_calls

    @property
    def recalled(self) -> int:
        """Calls that the call journal answered."""
        return self._metering.recalled_calls

    # The HTTP server, and the end

    def start(self) -> str:
        """Serve on a free loopback port unless it already does; returns the base URL, ending in /v1."""
        with self._server_lock:
            if self._stopped:
                raise UpstreamError("the gateway was stopped", status=503)
            if self._server is None:
                from sigmaloop.tools.gateway.http_server import HttpServer  # a server's libraries: only if it serves

                self._server = HttpServer(self)
            return self._server.base_url

    def stop(self) -> None:
        """Kill every lease, cancel calls under way, close upstream and server. May be called twice."""
        self._stopped = True
        self._answering.stop()
        with self._lock:
            tokens = list(self._leases)
        for token in tokens:
            self.close(token)
        self._answering.close_upstream()
        with self._server_lock:
            if self._server is not None:
                self._server.stop()
                self._server = None
        self._answering.close()

    def __enter__(self) -> Gateway:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _holder(self, token: str) -> Lease:
        with self._lock:
            lease = self._leases.get(token)
        if lease is None:
            raise refuse("this token is not, or no longer, valid", status=401)
        return lease
