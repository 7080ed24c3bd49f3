"""A run with a budget stops cleanly when it is spent, and goes on when it is given more."""

from __future__ import annotations

from pathlib import Path

import pytest
from endpoint import serve
from gateways import open_gateway

from sigmaloop.agents.specialist import model_faults, specialist
from sigmaloop.errors import BadInput, BudgetSpent
from sigmaloop.graph.model_access import GatewayAccess
from sigmaloop.graph.run import Run
from sigmaloop.graph.services import make_gateway
from sigmaloop.graph.spending import JournalAccount, set_limits
from sigmaloop.memory.journal import Journal
from sigmaloop.settings import Settings, load_settings, secrets
from sigmaloop.tools.upstream.scripted import ScriptedModel

SMALL = {
    "benchmark": "small:TinyHelpdesk", "batches": 1, "batch_size": 4, "attempts": 1, "certify_trials": 1,
    "concurrency": 2, "model_tries": 1, "upstream": "openai", "price_input": 1.0, "price_output": 4.0,
}  # fmt: skip


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-loopback-0000")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("key")
def test_a_run_stops_when_its_money_is_spent_and_goes_on_with_more(home: Path) -> None:
    prices = {"specialist_price_input": 2.0, "specialist_price_output": 8.0}
    with serve() as endpoint:
        run = Run.start(load_settings(home=home, base_url=endpoint.url, **prices, **SMALL))
        for event in run.follow():
            if event.event == "baseline":
                run.drain()
        with Journal(run.paths.journal) as journal:
            began = JournalAccount(journal).load().money
        limit = round(began + 0.06, 4)
        run.limit(max_money=limit)
        with pytest.raises(BudgetSpent, match=rf"0\.\d+ of {limit} money are spent.*resume --max-money") as caught:
            list(run.follow())
        assert caught.value.exit_code == 3
        assert run.condition == "ready"
        with Journal(run.paths.journal) as journal:
            assert began < JournalAccount(journal).load().money <= limit
            assert all(rollout.status != "infra" for rollout in journal.rollouts())
            set_limits(journal, max_money=50.0)
        list(run.follow())
        assert run.condition == "finished"
        with Journal(run.paths.journal, readonly=True) as journal:
            charged = JournalAccount(journal).load().money
            assert limit < charged < 50
            assert charged == pytest.approx(sum(usage.cost for usage in journal.usage().values())), "nothing paid twice"


def test_a_specialist_over_http_stops_the_run_too() -> None:
    charged: list[str] = []
    with open_gateway(ScriptedModel([]), run_tokens=10) as gateway:
        door = GatewayAccess(
            gateway, model="s", seed=1, timeout=5, charge=lambda scope, role, usage: charged.append(scope)
        )
        with (
            pytest.raises(BudgetSpent, match="0 of 10 tokens"),
            specialist(door, "gate_judge", scope="judge:c1") as judge,
            model_faults(),
        ):
            judge._model.invoke("Hello")
    assert charged == []


@pytest.mark.usefixtures("key")
def test_a_limit_on_money_needs_the_prices_of_both_models(tmp_path: Path) -> None:
    def settings(**given: object) -> Settings:
        return load_settings(upstream="openai", base_url="http://127.0.0.1:1/v1", home=tmp_path, **given)

    with pytest.raises(BadInput, match=r"prices of gpt-4.1-mini: set price_input and price_output"):
        make_gateway(settings(max_money=1), journal=None)
    with pytest.raises(BadInput, match=r"prices of gpt-4.1: set specialist_price_input"):
        make_gateway(settings(max_rollout_money=1, price_input=0.4, price_output=1.6), journal=None)
    for given in (
        {"max_run_tokens": 5},
        {"max_money": 1, "price_input": 0, "price_output": 0, "specialist_model": "gpt-4.1-mini"},
        {"max_money": 1, "upstream": "simulated"},
    ):
        make_gateway(load_settings(**{"upstream": "openai", **given}), journal=None).stop()


def test_our_own_settings_are_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGMALOOP_MAX_RUN_TOKENS", "200000000")
    monkeypatch.setenv("HOUSE_API_KEY", "house-0000")
    assert "200000000" not in secrets()
    assert "house-0000" in secrets()
