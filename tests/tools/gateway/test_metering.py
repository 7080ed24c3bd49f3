"""Every token of every thread is counted, for its lease and its role."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from chat_requests import ASK, refused, user
from gateways import scripted_gateway

from sigmaloop.errors import UpstreamError
from sigmaloop.records import Usage
from sigmaloop.tools.gateway.roles import ROLES
from sigmaloop.tools.upstream.scripted import ScriptedModel
from sigmaloop.tools.upstream.upstream import InProcessUpstream


def test_usage_is_counted_by_token_and_role_with_its_price(answered: Any) -> None:
    model = ScriptedModel([answered("x", tokens=(1000, 100))], repeat=True)
    gateway = scripted_gateway(model, price_input=2.0, price_output=8.0)
    target, judge = gateway.lease("target", scope="a", seed=1), gateway.lease("gate_judge", scope="b", seed=1)
    for lease in (target, target, judge):
        lease.complete(ASK)
    expected = Usage(calls=2, input_tokens=2000, output_tokens=200, cost=(2000 * 2 + 200 * 8) / 1e6)
    assert gateway.usage(target.token) == target.usage() == expected
    assert set(gateway.totals()) == {"target", "gate_judge"}
    assert gateway.totals()["target"] == gateway.spent()["target"] == expected
    assert gateway.paid == 3
    latency = gateway.latency()["target"]
    assert latency.calls == 2
    assert latency.seconds >= latency.slowest >= latency.mean > 0
    assert gateway.usage("made-up") == Usage()


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": -4, "completion_tokens": "many"}, "none"])
def test_missing_usage_is_estimated_not_taken_as_free(answered: Any, usage: Any) -> None:
    gateway = scripted_gateway(ScriptedModel([{**answered("x" * 400), "usage": usage}]))
    lease = gateway.lease("target", scope="s", seed=1)
    lease.complete(user("y" * 4000))
    assert 1000 < lease.usage().input_tokens < 1200
    assert lease.usage().output_tokens == 100, "estimated at more, but no more than that was allowed"


def test_forty_threads_are_metered_to_the_last_token(call_journal: Any) -> None:
    class Sized:
        """Costs as many tokens as the request says; slow enough that calls overlap."""

        def complete(self, request: dict[str, Any]) -> dict[str, Any]:
            size = int(request["messages"][0]["content"])
            time.sleep(0.0005)
            message = {"role": "assistant", "content": "x"}
            return {
                "choices": [{"message": message}],
                "usage": {"prompt_tokens": size, "completion_tokens": 1},
            }

    gateway = scripted_gateway(InProcessUpstream(Sized()), call_journal=call_journal, price_input=0.1, price_output=0.3)
    ready = threading.Barrier(40)

    def rollout(number: int) -> Usage:
        role = ROLES[number % len(ROLES)]
        ready.wait()
        with gateway.lease(role, scope=f"r{number}", seed=number, max_calls=10) as lease:
            for call in range(10):
                lease.complete(user(str(number * 10 + call)))
            assert refused(lambda: lease.complete(ASK)).status == 402
            return lease.usage()

    with ThreadPoolExecutor(40) as pool:
        usages = list(pool.map(rollout, range(40)))
    for number, usage in enumerate(usages):
        assert (usage.calls, usage.input_tokens, usage.output_tokens) == (10, number * 100 + 45, 10)
    totals = gateway.totals()
    for place, role in enumerate(ROLES):
        mine = usages[place :: len(ROLES)]
        assert totals[role].calls == 50
        assert totals[role].input_tokens == sum(u.input_tokens for u in mine)
        assert totals[role].cost == (totals[role].input_tokens * 0.1 + 50 * 0.3) / 1e6
    assert gateway.paid == 400
    assert len(call_journal.rows) == 400


def test_threads_of_one_lease_never_exceed_its_calls() -> None:
    model = ScriptedModel(["x"], repeat=True)
    lease = scripted_gateway(model).lease("target", scope="s", seed=1, max_calls=25)

    def ask(_: int) -> int:
        try:
            lease.complete(ASK)
        except UpstreamError as error:
            return error.status
        return 200

    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(ask, range(100)))
    assert (statuses.count(200), statuses.count(402)) == (25, 75)
    assert len(model.requests) == lease.usage().calls == 25
