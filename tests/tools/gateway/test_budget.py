"""Budgets: the worst case first, the real cost after, and never a unit more than was allowed."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from gateways import open_gateway
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule
from waiting import wait_for

from sigmaloop.errors import BudgetSpent, UpstreamError
from sigmaloop.tools.gateway.budget import (
    HIDDEN_TOKENS,
    IMAGE_TOKENS,
    NOTHING,
    ONE_CALL,
    Amount,
    Budget,
    Prices,
    Tokens,
    worst_case,
)
from sigmaloop.tools.gateway.gateway import Gateway
from sigmaloop.tools.gateway.lease import Lease
from sigmaloop.tools.gateway.requests import hash_and_size
from sigmaloop.tools.upstream.scripted import ScriptedModel
from sigmaloop.tools.upstream.upstream import HttpUpstream, InProcessUpstream

ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello"}]}
PRICES = Prices(input=2.0, output=8.0)


def answer(asked: int, said: int) -> dict[str, Any]:
    message = {"role": "assistant", "content": "x"}
    return {"choices": [{"message": message}], "usage": {"prompt_tokens": asked, "completion_tokens": said}}


def priced_gateway(upstream: Any = None, **options: Any) -> Gateway:
    upstream = upstream or ScriptedModel([answer(10, 5)], repeat=True)
    options = {"max_tokens": 100, "price_input": 2.0, "price_output": 8.0, **options}
    return open_gateway(upstream, **options)


def worst(gateway: Gateway, request: dict[str, Any] = ASK, *, role: str = "target") -> Amount:
    """What the gateway sets aside for a request."""
    model = ScriptedModel([answer(1, 1)])
    probe = open_gateway(model, max_tokens=100)
    probe.lease(role, scope="s", seed=1).complete(request)
    (sent,) = model.requests
    return PRICES.amount(worst_case(sent, size=hash_and_size(sent)[1])).plus(ONE_CALL)


# The rule


amounts = st.builds(Amount, st.integers(0, 60), st.integers(0, 60), st.integers(0, 3))


class Spending(RuleBasedStateMachine):
    """Any calls in any order, however they end."""

    under_way = Bundle("under_way")

    def __init__(self) -> None:
        super().__init__()
        self.budget = Budget(max_tokens=100, max_money=100 / 10**12, max_calls=5)
        self.paid = NOTHING
        self.held: list[Amount] = []

    @rule(target=under_way, worst=amounts)
    def begin(self, worst: Amount) -> Any:
        taken = self.paid
        for one in self.held:
            taken = taken.plus(one)
        room = taken.plus(worst).within(Amount(100, 100, 5))
        assert self.budget.fits(worst) == room, "it refuses what does not fit, and nothing else"
        if not room:
            with pytest.raises(ValueError, match="does not fit"):
                self.budget.reserve(worst)
            return None
        self.budget.reserve(worst)
        self.held.append(worst)
        return worst

    @rule(worst=consumes(under_way), share=st.floats(0, 1))
    def end(self, worst: Amount | None, share: float) -> None:
        if worst is not None:
            real = Amount(int(worst.tokens * share), int(worst.units * share), worst.calls)
            self.budget.settle(worst, real)
            self.held.remove(worst)
            self.paid = self.paid.plus(real)

    @invariant()
    def never_exceeded(self) -> None:
        assert self.paid.within(Amount(100, 100, 5))
        assert self.budget.spent == self.paid
        assert self.budget.charged.within(Amount(100, 100, 5))


TestSpending = Spending.TestCase


@given(st.text(max_size=200), st.integers(0, 3))
def test_the_worst_case_is_more_than_any_tokenizer_makes_of_a_text(text: str, images: int) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    parts = [{"type": "text", "text": text}, *[picture] * images]
    request = {"messages": [{"role": "user", "content": parts}], "max_tokens": 9}
    asked, said, _ = worst_case(request, size=hash_and_size(request)[1])
    assert asked >= len(text.encode("utf-8", "surrogatepass")) + HIDDEN_TOKENS + images * IMAGE_TOKENS
    assert said == 9


def test_prices_are_whole_units_rounded_up() -> None:
    assert Prices(input=2.0, output=8.0).amount(Tokens(1000, 100)) == Amount(1100, (1000 * 2 + 100 * 8) * 10**6)
    assert Prices(input=0.0000001).amount(Tokens(1, 0)).units == 1
    assert Prices().amount(Tokens(5, 5)) == Amount(10, 0)


# The run's budget


def test_forty_callers_on_a_small_budget_never_exceed_it_and_use_it_up() -> None:
    class Costly:
        """Costs all that it may; slow enough that calls overlap. Adds up what it was really asked to spend."""

        def __init__(self) -> None:
            self.lock = threading.Lock()
            self.spent = NOTHING

        def complete(self, request: dict[str, Any]) -> dict[str, Any]:
            tokens = worst_case(request, size=hash_and_size(request)[1])
            time.sleep(0.001)
            with self.lock:
                self.spent = self.spent.plus(PRICES.amount(tokens)).plus(ONE_CALL)
            return answer(*tokens[:2])

    one = worst(priced_gateway())
    model = Costly()
    gateway = priced_gateway(InProcessUpstream(model), run_money=25.5 * one.money)

    def rollout(number: int) -> tuple[int, int]:
        done = refused = 0
        with gateway.lease("target", scope=f"r{number}", seed=1) as lease:
            for _ in range(4):
                try:
                    lease.complete(ASK)
                    done += 1
                except BudgetSpent:
                    refused += 1
        return done, refused

    with ThreadPoolExecutor(40) as pool:
        ends = list(pool.map(rollout, range(40)))
    assert sum(done for done, _ in ends) == 25, "no call too many, and none too few"
    assert sum(refused for _, refused in ends) == 135
    assert model.spent == gateway.charged
    assert gateway.charged.money == pytest.approx(25 * one.money)


def test_a_call_waits_for_those_under_way_instead_of_being_refused() -> None:
    """Worst case: one at a time. Real cost: next to nothing. So all of them get through."""
    seen: list[int] = []
    now = [0]
    lock = threading.Lock()

    class Cheap:
        def complete(self, request: dict[str, Any]) -> dict[str, Any]:
            with lock:
                now[0] += 1
                seen.append(now[0])
            time.sleep(0.002)
            with lock:
                now[0] -= 1
            return answer(1, 1)

    gateway = priced_gateway(InProcessUpstream(Cheap()))
    gateway = priced_gateway(InProcessUpstream(Cheap()), run_tokens=worst(gateway).tokens + 100)

    def ask(number: int) -> None:
        gateway.lease("target", scope=f"r{number}", seed=1).complete(ASK)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(ask, range(40)))
    assert max(seen) == 1
    assert gateway.charged.tokens == 80


def test_a_spent_budget_says_how_much_and_what_to_do() -> None:
    gateway = priced_gateway(run_tokens=10)
    with pytest.raises(BudgetSpent, match=r"0 of 10 tokens are spent, and the next call .*resume") as caught:
        gateway.lease("target", scope="s", seed=1).complete(ASK)
    assert caught.value.exit_code == 3
    with pytest.raises(BudgetSpent, match=r"0 of 1e-06 money are spent"):
        priced_gateway(run_money=0.000001).lease("gate_judge", scope="s", seed=1).complete(ASK)


def test_each_models_calls_cost_what_it_costs() -> None:
    gateway = priced_gateway(specialist_prices=Prices(input=20.0, output=80.0))
    gateway.lease("target", scope="a", seed=1).complete(ASK)
    gateway.lease("gate_judge", scope="b", seed=1).complete(ASK)
    cheap, dear = gateway.totals()["target"].cost, gateway.totals()["gate_judge"].cost
    assert dear == pytest.approx(10 * cheap) == pytest.approx((10 * 20 + 5 * 80) / 1e6)
    assert gateway.charged.money == pytest.approx(cheap + dear)


class Kept:
    """An account in memory."""

    def __init__(self) -> None:
        self.charged = NOTHING

    def load(self) -> Amount:
        return self.charged

    def seconds(self) -> float:
        return 0.0

    def save(self, charged: Amount, seconds: float) -> None:
        self.charged = charged


def test_what_was_spent_survives_the_process_and_a_killed_call_counts_at_its_worst(call_journal: Any) -> None:
    account = Kept()
    during: list[Amount] = []

    class Watching:
        def complete(self, request: dict[str, Any]) -> dict[str, Any]:
            during.append(account.charged)
            return answer(10, 5)

    gateway = priced_gateway(InProcessUpstream(Watching()), account=account, call_journal=call_journal)
    one = worst(gateway)
    lease = gateway.lease("target", scope="s", seed=1)
    lease.complete(ASK)
    lease.complete(ASK)
    real = PRICES.amount(Tokens(10, 5)).plus(ONE_CALL)
    assert during == [one, real.plus(one)], "written down before each call, for the worst"
    gateway.stop()
    assert account.charged == real.plus(real)
    resumed = priced_gateway(account=account, call_journal=call_journal, run_tokens=30 + one.tokens)
    again = resumed.lease("target", scope="s", seed=1)
    for _ in range(2):
        again.complete(ASK)
    assert resumed.charged.tokens == 30, "an answer of the journal was paid for before"
    again.complete(ASK)
    with pytest.raises(BudgetSpent):
        again.complete(ASK)


# The lease's own budget


def until_refused(lease: Lease) -> tuple[int, UpstreamError]:
    for done in range(100):
        try:
            lease.complete(ASK)
        except UpstreamError as error:
            return done, error
    raise AssertionError("never refused")


@pytest.mark.parametrize("limit", ["tokens", "money"])
def test_a_rollouts_own_budget_is_its_own_doing_and_leaves_the_others_alone(limit: str) -> None:
    one = worst(priced_gateway())
    most = {"rollout_tokens": one.tokens + 20} if limit == "tokens" else {"rollout_money": one.money + 1e-4}
    model = ScriptedModel([answer(10, 5)], repeat=True)
    gateway = priced_gateway(model, **most)
    lease, other = (gateway.lease("target", scope=scope, seed=1) for scope in "ab")
    judge = gateway.lease("gate_judge", scope="c", seed=1)

    done, error = until_refused(lease)
    assert (error.status, error.retryable) == (402, False)
    assert f"{limit} are spent" in str(error)
    assert done == 2, "what is left does not hold another call's worst case"
    assert until_refused(other)[0] == done
    for _ in range(20):
        judge.complete(ASK)
    assert lease.run_spent is None


def test_a_resumed_rollout_is_refused_where_it_was_before(call_journal: Any) -> None:
    limit = worst(priced_gateway()).tokens + 20
    refused = []
    for _ in range(2):
        gateway = priced_gateway(call_journal=call_journal, rollout_tokens=limit)
        lease = gateway.lease("target", scope="s", seed=1)
        done, error = until_refused(lease)
        assert "the budget of this lease is spent" in str(error)
        refused.append((done, gateway.recalled, lease.usage()))
    assert [done for done, _, _ in refused] == [2, 2]
    assert [recalled for _, recalled, _ in refused] == [0, 2]
    assert refused[0][2] == refused[1][2]


# Tries and calls without an answer


@pytest.mark.parametrize("fault", ["hang", "half", "reset", (200, '{"choices": []}', {})])
def test_a_try_that_may_have_been_billed_is_charged_to_the_run_and_not_to_the_rollout(
    stub: Any, answered: Any, fault: Any
) -> None:
    stub.script = [fault, fault, answered(tokens=(10, 5))]
    upstream = HttpUpstream(stub.url, "k", timeout=0.2, tries=3, total=5, backoff=0.01)
    with priced_gateway(upstream, rollout_tokens=1000) as gateway:
        one = worst(gateway)
        lease = gateway.lease("target", scope="s", seed=1)
        lease.complete(ASK)
        assert gateway.charged == one.plus(one).plus(PRICES.amount(Tokens(10, 5)).plus(ONE_CALL))
        assert lease.usage().tokens == 15
        assert lease.budget.spent.tokens == 15


@pytest.mark.parametrize("fault", [(500, "", {}), (429, "", {}), (400, "", {}), (401, "", {})])
def test_a_refusal_costs_nothing(stub: Any, fault: Any) -> None:
    stub.script = [fault]
    with priced_gateway(HttpUpstream(stub.url, "k", timeout=1, tries=2, backoff=0.01)) as gateway:
        lease = gateway.lease("target", scope="s", seed=1)
        with pytest.raises(UpstreamError):
            lease.complete(ASK)
        assert gateway.charged == lease.budget.charged == NOTHING


def test_no_try_is_made_that_the_budget_does_not_hold(stub: Any) -> None:
    stub.script = ["reset"]
    one = worst(priced_gateway())
    upstream = HttpUpstream(stub.url, "k", timeout=1, tries=5, backoff=0.01)
    with priced_gateway(upstream, run_tokens=2 * one.tokens + 1) as gateway:
        lease = gateway.lease("target", scope="s", seed=1)
        with pytest.raises(UpstreamError, match="the budget holds no other try") as caught:
            lease.complete(ASK)
        assert caught.value.status == 503
        assert len(stub.seen) == 2
        assert gateway.charged.tokens == 2 * one.tokens
        with pytest.raises(BudgetSpent):
            lease.complete(ASK)
        assert len(stub.seen) == 2


@pytest.mark.usefixtures("no_leaks")
def test_closing_a_lease_cancels_its_call_which_is_charged_at_its_worst(stub: Any, answered: Any) -> None:
    stub.script = ["hang", answered(tokens=(10, 5))]
    with priced_gateway(HttpUpstream(stub.url, "k", timeout=30, tries=1)) as gateway, ThreadPoolExecutor(1) as pool:
        lease, other = (gateway.lease("target", scope=scope, seed=1) for scope in "ab")
        call = pool.submit(lease.complete, ASK)
        wait_for(lambda: stub.hanging)
        lease.close()
        with pytest.raises(UpstreamError, match="the lease was closed") as caught:
            call.result(timeout=30)
        assert stub.hanging, "it waited until the endpoint gave up"
        assert caught.value.status == 401
        assert gateway.charged == worst(gateway)
        other.complete(ASK)
        stub.released.set()


@pytest.mark.usefixtures("no_leaks")
def test_closing_a_lease_ends_its_wait_for_a_place_and_a_cap_holds() -> None:
    hold, most, now = threading.Event(), [0], [0]
    lock = threading.Lock()

    class Slow:
        def complete(self, request: dict[str, Any]) -> dict[str, Any]:
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            hold.wait(60)
            with lock:
                now[0] -= 1
            return answer(1, 1)

    gateway = priced_gateway(InProcessUpstream(Slow()), under_way=3)
    leases = [gateway.lease("target", scope=f"r{n}", seed=1) for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(lease.complete, ASK) for lease in leases]
        wait_for(lambda: now[0] == 3)
        time.sleep(0.02)
        assert now[0] == 3
        waiting = next(lease for lease, call in zip(leases, calls, strict=True) if lease.budget.reserved == NOTHING)
        waiting.close()
        with pytest.raises(UpstreamError, match="closed"):
            calls[leases.index(waiting)].result(timeout=30)
        hold.set()
        assert sum(call.exception() is None for call in calls) == 7
    assert most[0] == 3


def test_an_error_of_a_model_in_this_process_gives_everything_back() -> None:
    gateway = priced_gateway(ScriptedModel([ZeroDivisionError("x"), answer(1, 1)]), run_tokens=1000)
    lease = gateway.lease("target", scope="s", seed=1)
    with pytest.raises(ZeroDivisionError):
        lease.complete(ASK)
    assert gateway.charged == lease.budget.charged == NOTHING
    lease.complete(ASK)
    assert gateway.charged.tokens == 2


# Calls and hours


def test_a_runs_calls_are_counted_and_no_call_goes_over(call_journal: Any) -> None:
    account = Kept()
    gateway = priced_gateway(account=account, run_calls=2, call_journal=call_journal)
    lease = gateway.lease("target", scope="s", seed=1)
    for _ in range(2):
        lease.complete(ASK)
    with pytest.raises(BudgetSpent, match=r"all 2 model calls are used up.*--max-run-calls"):
        lease.complete(ASK)
    gateway.stop()
    assert account.charged.calls == 2
    with pytest.raises(BudgetSpent, match="all 2 model calls"):
        priced_gateway(account=account, run_calls=2).lease("target", scope="t", seed=1).complete(ASK)


def test_hours_are_those_of_all_processes_together() -> None:
    class Tired(Kept):
        def seconds(self) -> float:
            return 7200.0

    with pytest.raises(BudgetSpent, match=r"all 2 hours of this run are spent.*--max-hours"):
        priced_gateway(account=Tired(), run_hours=2.0).lease("target", scope="s", seed=1).complete(ASK)
    priced_gateway(account=Tired(), run_hours=2.5).lease("target", scope="s", seed=1).complete(ASK)
