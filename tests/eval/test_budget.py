"""A run's spent budget stops the engine, and is nobody's result; a rollout's own is the agent's error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gateways import open_gateway

from sigmaloop.errors import BudgetSpent
from sigmaloop.eval.rollouts import RolloutEngine
from sigmaloop.memory.journal import Journal
from sigmaloop.tools.gateway.gateway import Gateway
from sigmaloop.tools.sandbox.supervisor import Supervisor
from sigmaloop.tools.upstream.scripted import ScriptedModel

ASKING = """
def run(session):
    for _ in range(3):
        said = session.complete([{"role": "user", "content": session.opening}])["choices"][0]["message"]["content"]
    session.say(said)
"""
CATCHING = """
def run(session):
    try:
        while True:
            session.complete([{"role": "user", "content": session.opening}])
    except BaseException:
        session.say("It is 5.")
"""


def answer(tokens: int = 100) -> dict[str, Any]:
    message = {"role": "assistant", "content": "It is 5."}
    return {"choices": [{"message": message}], "usage": {"prompt_tokens": tokens, "completion_tokens": 0}}


def door(model: ScriptedModel, journal: Journal, **limits: Any) -> Gateway:
    return open_gateway(model, max_tokens=10, call_journal=journal, price_input=1.0, **limits)


@pytest.mark.parametrize("source", [ASKING, CATCHING], ids=["asking", "catching"])
@pytest.mark.parametrize("limit", [{"run_tokens": 2000}, {"run_money": 0.002}], ids=["tokens", "money"])
def test_a_spent_run_stops_and_a_resumed_one_pays_nothing_twice(
    sums: Any, supervisor: Supervisor, tmp_path: Path, source: str, limit: Any
) -> None:
    pairs = [(f"train-{i}", 0) for i in range(10)]
    asked = 30 if source == ASKING else 10 * 5
    with Journal(tmp_path / "journal.sqlite") as journal:
        first = ScriptedModel([answer()], repeat=True)
        with (
            door(first, journal, **limit) as gateway,
            RolloutEngine(sums, supervisor, gateway, journal, run_seed=7, concurrency=4, max_calls=5) as engine,
        ):
            with pytest.raises(BudgetSpent, match="the run's budget is spent"):
                engine.run(source, pairs)
            assert gateway.charged.tokens == 100 * gateway.paid <= 2000
        assert 0 < len(first.requests) < asked
        stored = journal.rollouts()
        assert all(rollout.status != "infra" for rollout in stored), "an unpaid call is no fault"
        if source == ASKING:
            assert all((rollout.status, rollout.reward) == ("ok", 1.0) for rollout in stored)
        else:  # it ran into max_calls, which is its own error; none ended before that
            assert all(rollout.usage.calls == 5 for rollout in stored)
        assert len(stored) < 10
        second = ScriptedModel([answer()], repeat=True)
        with (
            door(second, journal) as gateway,
            RolloutEngine(sums, supervisor, gateway, journal, run_seed=7, concurrency=4, max_calls=5) as engine,
        ):
            rollouts = engine.run(source, pairs)
        assert len(rollouts) == 10
        assert len(first.requests) + len(second.requests) == asked
        assert {rollout.status for rollout in rollouts} == {"ok" if source == ASKING else "agent_error"}


def test_a_rollouts_own_budget_is_the_agents_error(sums: Any, supervisor: Supervisor, tmp_path: Path) -> None:
    with (
        Journal(tmp_path / "journal.sqlite") as journal,
        door(ScriptedModel([answer(400)], repeat=True), journal, rollout_tokens=1000) as gateway,
        RolloutEngine(sums, supervisor, gateway, journal, run_seed=7, concurrency=2, max_calls=50) as engine,
    ):
        first, second = engine.run(CATCHING, [("train-0", 0), ("train-1", 0)])
    for rollout in (first, second):
        assert (rollout.status, rollout.reward) == ("agent_error", 0.0)
        assert "the budget of this lease is spent" in rollout.detail
        assert 0 < rollout.usage.tokens <= 1000
