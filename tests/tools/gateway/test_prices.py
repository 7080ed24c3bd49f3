"""What tokens cost: the user's word, else the table's, else unknown; never 0 for want of knowledge."""

from __future__ import annotations

from typing import Any

import pytest

from sigmaloop.errors import BadInput
from sigmaloop.settings import Settings, load_settings
from sigmaloop.tools.gateway.budget import Prices
from sigmaloop.tools.gateway.prices import check_prices, pinned_prices, prices_of, specialist_prices_of

ELSEWHERE = {"base_url": "http://127.0.0.1:1/v1"}


def settings(**given: Any) -> Settings:
    return load_settings(upstream="openai", **given)


def test_the_table_knows_the_default_models() -> None:
    assert prices_of(settings()) == Prices(input=0.4, output=1.6, cached=0.1)
    assert specialist_prices_of(settings()) == Prices(input=2.0, output=8.0, cached=0.5)


def test_the_address_decides_who_charges() -> None:
    there = settings(base_url="https://api.anthropic.com/v1", target_model="claude-sonnet-4-5")
    found = prices_of(there)
    assert found is not None
    assert (found.input, found.output) == (3.0, 15.0), "not that of its longest calls"


@pytest.mark.parametrize("given", [{"target_model": "our-own"}, ELSEWHERE, {"base_url": "https://router.test/v1"}])
def test_what_nobody_knows_is_unknown_and_not_free(given: dict[str, Any]) -> None:
    assert prices_of(settings(**given)) is None


def test_the_settings_beat_the_table() -> None:
    assert prices_of(settings(price_input=1.0, price_output=2.0)) == Prices(input=1.0, output=2.0)
    assert prices_of(settings(price_input=0, price_output=0, **ELSEWHERE)) == Prices(), "free is a price, too"
    assert prices_of(settings(price_input=1.0, **ELSEWHERE)) is None, "half a price is none"
    same = settings(price_input=1.0, price_output=2.0, specialist_model="gpt-4.1-mini")
    assert specialist_prices_of(same) == Prices(input=1.0, output=2.0)


def test_the_simulated_model_is_free_unless_a_price_is_given() -> None:
    assert prices_of(load_settings(upstream="simulated")) == Prices()
    priced = load_settings(upstream="simulated", price_input=1.0, price_output=2.0)
    assert prices_of(priced) == specialist_prices_of(priced) == Prices(input=1.0, output=2.0)
    assert pinned_prices(load_settings(upstream="simulated")) == {}


def test_a_limit_on_money_needs_prices_and_the_table_has_them() -> None:
    check_prices(settings(max_money=1.0))
    check_prices(settings(**ELSEWHERE))
    check_prices(load_settings(upstream="simulated", max_money=1.0))
    with pytest.raises(BadInput, match=r"prices of gpt-4.1-mini: set price_input and price_output"):
        check_prices(settings(max_money=1.0, **ELSEWHERE))
    with pytest.raises(BadInput, match=r"prices of our-own: set specialist_price_input"):
        check_prices(settings(max_money=1.0, specialist_model="our-own"))


def test_a_run_keeps_the_prices_that_it_began_with() -> None:
    pinned = settings().model_copy(update=pinned_prices(settings()))
    assert (pinned.price_input, pinned.specialist_price_output) == (0.4, 8.0)
    assert pinned_prices(settings(**ELSEWHERE)) == {}
