"""Answers that were paid for: never paid twice, never shared between rollouts."""

from __future__ import annotations

from typing import Any

import pytest
from chat_requests import ASK, refused, user
from gateways import scripted_gateway
from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaloop.errors import ModelChanged, UpstreamError
from sigmaloop.tools.upstream.scripted import ScriptedModel
from sigmaloop.tools.upstream.upstream import InProcessUpstream


class FirstName:
    """Knows the first name of each role, in memory."""

    def __init__(self) -> None:
        self.first: dict[str, str] = {}

    def meet(self, role: str, name: str) -> None:
        if self.first.setdefault(role, name) != name:
            raise ModelChanged(role, first=self.first[role], now=name)


def test_another_model_than_the_first_stops_the_run_and_its_answer_is_not_kept(
    answered: Any, call_journal: Any
) -> None:
    names = FirstName()
    dated, other = ({**answered("x"), "model": name} for name in ("the-target-2026-01-01", "another"))
    nameless = {key: value for key, value in dated.items() if key != "model"}
    model = ScriptedModel([dated, nameless, {**dated, "model": None}, dated, other])
    gateway = scripted_gateway(model, names=names, call_journal=call_journal)
    lease = gateway.lease("target", scope="s", seed=1)
    for _ in range(4):
        lease.complete(ASK)
    with pytest.raises(ModelChanged, match=r"'another'.*'the-target-2026-01-01'.*sigmaloop resume"):
        lease.complete(ASK)
    assert isinstance(lease.run_spent, ModelChanged)
    assert lease.usage().calls == 5, "it was paid"
    assert len(call_journal.rows) == 4


def test_a_resumed_scope_is_answered_from_the_journal_and_pays_nothing(call_journal: Any) -> None:
    first = scripted_gateway(ScriptedModel(["one", "two", "three"]), call_journal=call_journal, price_input=1e6)
    lease = first.lease("target", scope="rollout", seed=1)
    paid = [lease.complete(ASK) for _ in range(2)]
    later = ScriptedModel(["new"])
    second = scripted_gateway(later, call_journal=call_journal, price_input=1e6)
    resumed = second.lease("target", scope="rollout", seed=1)
    assert [resumed.complete(ASK) for _ in range(2)] == paid
    assert (second.paid, second.recalled, later.requests) == (0, 2, [])
    assert resumed.complete(ASK)["choices"][0]["message"]["content"] == "new"
    assert (second.paid, second.recalled, first.paid) == (1, 2, 2)
    assert resumed.usage().calls == 3
    assert resumed.usage().cost > lease.usage().cost > 0, "the rollout cost what both processes paid for it"
    assert second.spent()["target"].calls == 1
    assert second.latency()["target"].calls == 1


def test_an_answer_is_never_shared_between_scopes_indices_seeds_or_requests(call_journal: Any) -> None:
    model = ScriptedModel([str(n) for n in range(9)])
    gateway = scripted_gateway(model, call_journal=call_journal)
    lease = gateway.lease("target", scope="a", seed=1)
    lease.complete(ASK)
    lease.complete(ASK)
    gateway.lease("target", scope="b", seed=1).complete(ASK)
    gateway.lease("target", scope="a", seed=2).complete(ASK)
    gateway.lease("gate_judge", scope="a", seed=1).complete(ASK)
    gateway.lease("target", scope="a", seed=1).complete({**ASK, "stop": "END"})
    assert (gateway.paid, gateway.recalled, len(model.requests)) == (6, 0, 6)
    gateway.lease("target", scope="a", seed=1).complete({**ASK, "user": "me", "stream": True})
    assert gateway.recalled == 1, "what is dropped does not count"


@settings(max_examples=60, deadline=None)
@given(
    order=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y"])), min_size=1, max_size=12),
    kept=st.integers(0, 12),
)
def test_trials_never_share_an_answer_and_a_resumed_one_gets_its_own_back(
    order: list[tuple[str, str]], kept: int
) -> None:
    """Three trials ask the same two questions in any order; after `kept` calls the process is killed."""
    rows: dict[tuple[str, int, str], Any] = {}

    class Rows:
        def recall(self, scope: str, index: int, request_hash: str) -> Any:
            return rows.get((scope, index, request_hash))

        def remember(self, scope: str, index: int, request_hash: str, response: Any) -> None:
            rows[scope, index, request_hash] = response

    asked = iter(range(1000))

    class Counting:
        """No two answers are the same."""

        def complete(self, request: dict[str, Any]) -> dict[str, Any]:
            return {"choices": [{"message": {"role": "assistant", "content": str(next(asked))}}]}

    def play(calls: list[tuple[str, str]]) -> list[tuple[str, str]]:
        gateway = scripted_gateway(InProcessUpstream(Counting()), call_journal=Rows())
        # The same seed, as a careless caller would have it: the scope alone keeps them apart.
        leases = {scope: gateway.lease("target", scope=scope, seed=1) for scope in "abc"}
        return [(s, leases[s].complete(user(text))["choices"][0]["message"]["content"]) for s, text in calls]

    before = play(order[:kept])
    after = play(order)
    assert after[: len(before)] == before, "nothing is paid twice"
    assert len({said for _, said in after}) == len(after), "no answer twice, not even to the same question"


def test_an_answer_is_remembered_before_it_is_returned_and_a_failure_is_not(call_journal: Any) -> None:
    gateway = scripted_gateway(ScriptedModel([UpstreamError("down", status=503), "one"]), call_journal=call_journal)
    lease = gateway.lease("target", scope="s", seed=1)
    assert refused(lambda: lease.complete(ASK)).status == 503
    assert call_journal.rows == {}
    answer = lease.complete(ASK)
    ((scope, index, key),) = call_journal.rows
    assert (scope, index) == ("s", 0), "the failed call left its index to the next one"
    assert call_journal.rows[scope, index, key] == answer
    assert (gateway.paid, lease.usage().calls) == (1, 1)


def test_failed_calls_under_way_together_leave_their_indices_in_order(call_journal: Any) -> None:
    model = ScriptedModel([*[UpstreamError("down", status=503)] * 5, *["fine"] * 5])
    lease = scripted_gateway(model, call_journal=call_journal).lease("target", scope="s", seed=1, max_calls=5)
    for _ in range(5):
        refused(lambda: lease.complete(ASK))
    for _ in range(5):
        lease.complete(ASK)
    assert sorted(index for _, index, _ in call_journal.rows) == [0, 1, 2, 3, 4]
    assert refused(lambda: lease.complete(ASK)).status == 402
