"""What a model's tokens cost: as the user says, else as a kept price table says, else it is not known.

The table comes with the package `genai-prices`: nothing is fetched. It is asked by the endpoint's address, because
a name alone does not say who charges for it.
"""

from __future__ import annotations

from sigmaloop.errors import BadInput
from sigmaloop.settings import Settings
from sigmaloop.tools.gateway.budget import Prices

OPENAI = "https://api.openai.com/v1"
"""The endpoint when none is named."""
LOOKUP_TOKENS = 1_000
"""Size of the call whose price is looked up; that some models are dearer beyond 200,000 tokens is not counted."""


def prices_of(settings: Settings) -> Prices | None:
    """Money for a million tokens of the target's model; None: unknown. 0 only where it is free, or simulated."""
    own_prices = _set_by_user(settings.price_input, settings.price_output)
    if own_prices or settings.simulated:
        return own_prices or Prices()
    return _listed(settings, settings.target_model)


def specialist_prices_of(settings: Settings) -> Prices | None:
    """The same of the specialists' model; one that is the target's own costs the same."""
    own_prices = _set_by_user(settings.specialist_price_input, settings.specialist_price_output)
    if own_prices or settings.simulated or settings.specialist_model == settings.target_model:
        return own_prices or prices_of(settings)
    return _listed(settings, settings.specialist_model)


def check_prices(settings: Settings) -> None:
    """Raises BadInput when money is limited and what a real model costs is not known."""
    if settings.max_money is None and settings.max_rollout_money is None:
        return
    for prices, model, prefix in (
        (prices_of(settings), settings.target_model, ""),
        (specialist_prices_of(settings), settings.specialist_model, "specialist_"),
    ):
        if prices is None:
            raise BadInput(
                f"a limit on money needs the prices of {model}: set {prefix}price_input and {prefix}price_output "
                f"(for a million tokens; 0 if it is free), which no price table knows for this endpoint"
            )


def pinned_prices(settings: Settings) -> dict[str, float]:
    """The settings' price fields as they are known now: a run keeps its prices though a table changes."""
    target, specialist = prices_of(settings), specialist_prices_of(settings)
    fields: dict[str, float] = {}
    if not settings.simulated and target:
        fields |= {"price_input": target.input, "price_output": target.output}
    if not settings.simulated and specialist:
        fields |= {"specialist_price_input": specialist.input, "specialist_price_output": specialist.output}
    return fields


def _set_by_user(input_price: float | None, output_price: float | None) -> Prices | None:
    return None if input_price is None or output_price is None else Prices(input=input_price, output=output_price)


def _listed(settings: Settings, model: str) -> Prices | None:
    from genai_prices import Usage, calc_price  # a fifth of a second: only where a price is wanted

    try:
        price = calc_price(
            Usage(input_tokens=LOOKUP_TOKENS, output_tokens=LOOKUP_TOKENS),
            model,
            provider_api_url=settings.endpoint or OPENAI,
        )
    except LookupError:
        return None
    calls = 1_000_000 // LOOKUP_TOKENS  # in decimal numbers: .4 stays .4
    prices = Prices(input=float(price.input_price * calls), output=float(price.output_price * calls))
    # A model without token prices in the table (priced by the request, say) would look free.
    return prices if prices.input and prices.output else None
