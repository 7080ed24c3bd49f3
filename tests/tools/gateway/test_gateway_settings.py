"""The gateway's settings: whose prices count, and what has no limit."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from sigmaloop.tools.gateway.budget import Amount, Prices
from sigmaloop.tools.gateway.gateway_settings import GatewaySettings, Models, RolePrices, SpendingLimit


def test_a_specialist_costs_what_the_target_costs_unless_it_has_prices_of_its_own() -> None:
    target, own = Prices(input=1.0), Prices(input=9.0)
    assert RolePrices(target=target).of("gate_judge") == target
    assert RolePrices(target=target, specialist=own).of("gate_judge") == own
    assert RolePrices(target=target, specialist=own).of("target") == target


def test_a_free_specialist_is_free() -> None:
    assert RolePrices(target=Prices(input=1.0), specialist=Prices()).of("clusterer") == Prices()


def test_every_budget_of_a_limit_begins_empty() -> None:
    limit = SpendingLimit(tokens=10)
    limit.budget().reserve(Amount(tokens=10))
    assert limit.budget().fits(Amount(tokens=10, units=10**30))
    assert not limit.budget().fits(Amount(tokens=11))


def test_settings_cannot_change_while_a_gateway_runs_and_refuse_names_that_they_do_not_know() -> None:
    settings = GatewaySettings(models=Models.named("t", "s"))
    with pytest.raises(ValidationError):
        settings.limits.tries = 9  # type: ignore[misc]
    with pytest.raises(ValidationError):
        GatewaySettings.model_validate({"models": Models.named("t", "s").model_dump(), "max_tokens": 5})
