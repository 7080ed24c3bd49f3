"""Most rollouts refused alike are an outage of the endpoint; a few are what their agents asked for."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sigmaloop.errors import UpstreamError
from sigmaloop.eval.refusals import FEWEST, as_infra, blanket_refusal, suspicious
from sigmaloop.eval.store import MemoryStore
from sigmaloop.records import Rollout, RolloutKey
from sigmaloop.tools.upstream.scripted import ScriptedModel

ASKING = """
def run(session):
    session.complete([{"role": "user", "content": session.opening}])
    session.say("It is 5")
"""
FORGIVING = """
def run(session):
    try:
        session.complete([{"role": "user", "content": session.opening}])
    except Exception:
        session.say("Sorry.")
"""
TASKS = [(f"train-{number}", 0) for number in range(4)]
OVERFLOW = UpstreamError("maximum context length", status=400, code="context_length_exceeded")
REFUSALS = ("400 context_length_exceeded", "400 content_filter", "413")


def ended(number: int, refusal: str, *, passed: bool = False, infra: bool = False) -> Rollout:
    return Rollout(
        key=RolloutKey(agent="agent", task_id=f"t{number}", trial=0), seed=0, refusal=refusal,
        status="infra" if infra else "ok", reward=None if infra else float(passed),
    )  # fmt: skip


@given(
    alike=st.lists(st.integers(0, 6), min_size=3, max_size=3),
    others=st.lists(st.sampled_from(["passed", "infra", "unrefused", "unseen"]), max_size=8),
)
def test_more_than_half_of_what_was_asked_and_at_least_three(alike: list[int], others: list[str]) -> None:
    refused = [refusal for refusal, count in zip(REFUSALS, alike, strict=True) for _ in range(count)]
    kinds: dict[str, dict[str, Any]] = {
        "passed": {"refusal": REFUSALS[0], "passed": True},
        "infra": {"refusal": REFUSALS[0], "infra": True},
        "unrefused": {"refusal": ""},
    }
    told = [{"refusal": refusal} for refusal in refused] + [kinds[kind] for kind in others if kind != "unseen"]
    asked = len(refused) + len(others)
    found = blanket_refusal([ended(number, **fields) for number, fields in enumerate(told)], asked=asked)
    expected = [
        refusal for refusal, count in zip(REFUSALS, alike, strict=True) if count >= FEWEST and count > asked - count
    ]
    assert found == (expected[0] if expected else None)


def test_a_fault_out_of_a_refusal_says_what_was_refused() -> None:
    fault = as_infra(ended(1, "400").model_copy(update={"detail": "ModelError: no"}))
    assert (fault.status, fault.reward, fault.valid) == ("infra", None, False)
    assert "refuses most requests alike (400): ModelError: no" in fault.detail
    assert not suspicious(fault)


def test_an_endpoint_that_refuses_all_alike_is_an_outage_whatever_the_agent_makes_of_it(make_engine: Any) -> None:
    for agent in (ASKING, FORGIVING):
        found = make_engine(model=ScriptedModel([OVERFLOW], repeat=True)).run(agent, TASKS)
        assert {r.status for r in found} == {"infra"}
        assert {r.refusal for r in found} == {"400 context_length_exceeded"}


def test_a_refusal_here_and_there_is_the_agents_own_doing(make_engine: Any) -> None:
    found = make_engine(model=ScriptedModel([OVERFLOW, OVERFLOW, "5", "5"])).run(ASKING, TASKS)
    assert sorted(r.status for r in found) == ["agent_error", "agent_error", "ok", "ok"]
    assert sorted(r.refusal for r in found) == ["", "", *["400 context_length_exceeded"] * 2]


def test_once_the_endpoint_takes_them_again_the_rollouts_are_run_again(make_engine: Any) -> None:
    store = MemoryStore()
    make_engine(store=store, model=ScriptedModel([OVERFLOW], repeat=True)).run(ASKING, TASKS)
    found = make_engine(store=store, model=ScriptedModel(["5"], repeat=True)).run(ASKING, TASKS)
    assert {(r.status, r.refusal) for r in found} == {("ok", "")}
