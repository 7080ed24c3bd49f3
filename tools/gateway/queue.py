"""Who may go upstream now: a cap on calls under way, and two budgets that must hold the call's worst case.

A call that does not fit beside those under way waits for them to be settled; only one that does not fit by
itself is refused. So what is refused does not depend on how many calls happen to run at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from sigmaloop.errors import BudgetSpent, UpstreamError
from sigmaloop.tools.gateway.budget import NOTHING, Amount, Budget

RAISE = (
    "resume with more: `sigmaloop resume --max-money N`, `--max-run-tokens N`, `--max-run-calls N` or `--max-hours N`"
)


class Account(Protocol):
    """Where a run's spending survives the process. `save` gets the most that can have been spent so far.

    `seconds`: how long its processes have worked on it.
    """

    def load(self) -> Amount: ...
    def seconds(self) -> float: ...
    def save(self, charged: Amount, seconds: float) -> None: ...


class Admission:
    """The run's budget and the calls under way. Thread-safe."""

    def __init__(
        self, run: Budget, *, most: int, account: Account | None = None, max_hours: float | None = None
    ) -> None:
        """`run`: the run's budget, before what its account says was spent. `most`: calls under way at once."""
        self._account = account
        self._max_hours = max_hours
        self._began = time.monotonic() - (account.seconds() if account else 0.0)
        self._run = run
        if account is not None:
            run.charge(account.load())
        self._most = most
        self._under_way = 0
        self._turn = threading.Condition()

    @property
    def spent(self) -> Amount:
        """What the run has spent, lost tries included."""
        with self._turn:
            return self._run.spent

    def admit(self, worst: Amount, own: Budget, *, wanted: Callable[[], None]) -> Ticket:
        """Wait for a place and set `worst` aside in the lease's own budget and the run's.

        `wanted` raises when nobody waits for the call any more. Raises UpstreamError 402 when the lease's own
        budget is too small, BudgetSpent when the run's is.
        """
        with self._turn:
            while True:
                wanted()
                if self._max_hours is not None and time.monotonic() - self._began >= 3600 * self._max_hours:
                    raise BudgetSpent(f"all {self._max_hours:g} hours of this run are spent; nothing is lost, {RAISE}")
                for budget in (own, self._run):
                    if not budget.fits(worst) and budget.reserved == NOTHING:
                        self._refuse(budget, worst)
                if self._under_way < self._most and own.fits(worst) and self._run.fits(worst):
                    break
                self._turn.wait()
            own.reserve(worst)
            self._run.reserve(worst)
            self._under_way += 1
            self._save()
        return Ticket(self, worst, own)

    def charge(self, own: Budget, real: Amount) -> None:
        """Count for a lease what was paid earlier: the run's budget holds it already."""
        with self._turn:
            own.charge(real)

    def wake(self) -> None:
        """Let those who wait look whether they are still wanted."""
        with self._turn:
            self._turn.notify_all()

    def close(self) -> None:
        """Write down what was really spent."""
        with self._turn:
            self._save()

    def _refuse(self, budget: Budget, worst: Amount) -> None:
        shortage = budget.shortage(worst)
        if budget is self._run:
            raise BudgetSpent(f"the run's budget is spent: {shortage}; nothing is lost, {RAISE}")
        raise UpstreamError(f"the budget of this lease is spent: {shortage}", status=402)

    def _save(self) -> None:
        # Before each call, with its worst case: a process that is killed now has spent no more than this.
        if self._account is not None:
            # Only where hours are limited: no other journal shall depend on the clock.
            seconds = 0.0 if self._max_hours is None else round(time.monotonic() - self._began, 1)
            self._account.save(self._run.charged, seconds)

    def settle(self, ticket: Ticket, *, real: Amount, own: Amount) -> None:
        with self._turn:
            if not ticket.over:
                ticket.over = True
                ticket.own.settle(ticket.worst, own)
                self._run.settle(ticket.held, real)
                self._under_way -= 1
                self._turn.notify_all()

    def lose(self, ticket: Ticket) -> bool:
        with self._turn:
            if ticket.over or ticket.held == NOTHING:
                return False
            self._run.settle(ticket.worst, ticket.worst)
            ticket.lost = ticket.lost.plus(ticket.worst)
            again = self._run.fits(ticket.worst)
            ticket.held = ticket.worst if again else NOTHING
            if again:
                self._run.reserve(ticket.worst)
            self._save()
            return again


class Ticket:
    """The place of one call under way, from `admit` to its settling."""

    def __init__(self, admission: Admission, worst: Amount, own: Budget) -> None:
        self._admission = admission
        self.worst = worst
        self.own = own
        self.held = worst
        """What is still set aside in the run's budget."""
        self.lost = NOTHING
        """What was charged for tries without a whole answer."""
        self.over = False

    def answered(self, real: Amount) -> None:
        """The answer is here and cost `real`."""
        self._admission.settle(self, real=real, own=real)

    def failed(self) -> None:
        """There is no answer, and what tries cost was charged as they were lost."""
        self._admission.settle(self, real=NOTHING, own=NOTHING)

    def abandoned(self) -> None:
        """Nobody waited for the answer, which may come and be billed all the same: the worst case is charged."""
        self.lose()
        self.failed()

    def lose(self) -> bool:
        """Charge a lost try to the run (the lease is not to blame); whether another one may be made."""
        return self._admission.lose(self)
