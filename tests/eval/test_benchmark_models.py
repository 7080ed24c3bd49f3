"""A benchmark's own models: journaled, counted apart, and never the agent's fault."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from asking import HELLO, Asking, Swallowing
from gateways import open_gateway

from sigmaloop.errors import BadInput, BudgetSpent, ModelUnavailable, UpstreamError
from sigmaloop.eval.benchmark import BenchmarkRunner, open_episode, takes_models
from sigmaloop.eval.benchmark_models import rollout_models
from sigmaloop.eval.rollouts import RolloutEngine
from sigmaloop.memory.journal import Journal
from sigmaloop.records import Rollout
from sigmaloop.settings import load_settings
from sigmaloop.simulation.model import SimulatedModel
from sigmaloop.tools.sandbox.supervisor import Supervisor
from sigmaloop.tools.upstream.by_role import Upstreams
from sigmaloop.tools.upstream.scripted import ScriptedModel
from sigmaloop.tools.upstream.upstream import InProcessUpstream

AGENT = "def run(session):\n    session.say('Hello.')\n"


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    from sigmaloop.graph.services import make_supervisor

    made = make_supervisor(load_settings())
    yield made
    made.stop()


def played(
    journal: Journal, supervisor: Supervisor, benchmark: BenchmarkRunner, user: Any, judge: Any = None, **limits: Any
) -> Rollout:
    """One rollout with these models of the benchmark's."""
    judge = judge or ScriptedModel(["fine"], repeat=True)
    upstreams = Upstreams(InProcessUpstream(SimulatedModel()), {"user": user, "judge": judge})
    with (
        open_gateway(upstreams, call_journal=journal, **limits) as gateway,
        RolloutEngine(benchmark, supervisor, gateway, journal, run_seed=0) as engine,
    ):
        (found,) = engine.run(AGENT, [(benchmark.tasks("train")[0].id, 0)])
    return found


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.sqlite") as journal:
        yield journal


def test_their_calls_are_counted_under_their_own_roles(journal: Journal, supervisor: Supervisor) -> None:
    found = played(journal, supervisor, Asking(), ScriptedModel(["hi"]))
    assert found.valid
    assert {role: usage.calls for role, usage in journal.usage().items()} == {"target": 0, "user": 1, "judge": 1}
    assert found.usage.calls == 0, "what the benchmark spends is not the agent's"


@pytest.mark.parametrize("benchmark", [Asking(), Swallowing()], ids=["raised on", "swallowed"])
def test_a_fault_of_theirs_keeps_its_type(journal: Journal, supervisor: Supervisor, benchmark: Asking) -> None:
    model = ScriptedModel([ModelUnavailable("the key is refused", status=503)], repeat=True)
    found = played(journal, supervisor, benchmark, model)
    assert (found.status, found.reward) == ("infra", None)
    assert "the key is refused" in found.detail
    assert len(model.requests) == 1, "what cannot be used is not tried again"


@pytest.mark.parametrize("benchmark", [Asking(), Swallowing()], ids=["raised on", "swallowed"])
def test_a_spent_budget_stops_the_run(journal: Journal, supervisor: Supervisor, benchmark: Asking) -> None:
    with pytest.raises(BudgetSpent, match="all 1 model calls are used up"):
        played(journal, supervisor, benchmark, ScriptedModel(["hi"]), run_calls=1)


def test_a_fault_that_an_answer_came_after_is_none(journal: Journal, supervisor: Supervisor) -> None:
    passing = [UpstreamError("a moment", status=503), "hi", "hi"]
    assert played(journal, supervisor, Asking(), ScriptedModel(passing)).valid, "the try after it plays it again"


def test_a_resumed_rollout_does_not_pay_them_again_and_a_kept_one_forgets(
    journal: Journal, supervisor: Supervisor
) -> None:
    user = ScriptedModel(["hi"])
    down = ScriptedModel([ModelUnavailable("down", status=503)], repeat=True)
    assert played(journal, supervisor, Asking(), user, down).status == "infra"
    assert played(journal, supervisor, Asking(), user).valid
    assert len(user.requests) == 1
    rollout = journal.rollouts()[0]
    assert journal.recall(f"rollout:{rollout.id}:user", 0, "any") is None
    assert journal._db.execute("SELECT count(*) FROM calls")[0][0] == 0


def test_a_library_may_speak_http_to_them_until_the_rollout_ends() -> None:
    with open_gateway(ScriptedModel(["one", "two"])) as gateway:
        with rollout_models(gateway, "rollout:1", seed=1, batch=0) as models:
            url, key = models.base_url("judge"), models.key("judge")
            ask = {"headers": {"Authorization": f"Bearer {key}"}, "json": {**HELLO, "model": "another"}}
            answer = httpx.post(f"{url}/chat/completions", **ask).json()  # type: ignore[arg-type]
            assert answer["choices"][0]["message"]["content"] == "one"
            assert answer["model"] == "t", "the judge's, not the one that was asked for"
            assert models.key("user") != key
            assert [*models.usage()] == ["judge"]
        assert httpx.post(f"{url}/chat/completions", **ask).status_code == 401  # type: ignore[arg-type]


def test_outside_a_rollout_there_are_none() -> None:
    benchmark = Asking()
    assert takes_models(benchmark)
    task = benchmark.tasks("train")[0].id
    assert benchmark.briefing(task).opening, "what is shown first needs no model"
    with pytest.raises(ValueError, match="the library's own error") as caught:
        open_episode(benchmark, task, seed=0).say("Hello")
    assert isinstance(caught.value.__cause__, BadInput)
