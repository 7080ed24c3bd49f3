"""What a model's tokens cost: as the user says, else as a kept price table says, else it is not known.

The table comes with the package `genai-prices`: nothing is fetched. It is asked by the endpoint's address, because
a name alone does not say who charges for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sigmaloop.endpoints import PARENT, RoleModel, RoleName, setting_name
from sigmaloop.errors import BadInput
from sigmaloop.settings import Settings
from sigmaloop.tools.gateway.budget import Prices

LOOKUP_TOKENS = 1_000
"""Size of the call whose price is looked up; that some models are dearer beyond 200,000 tokens is not counted."""


def prices_of(settings: Settings, role: RoleName = "target") -> Prices | None:
    """Money for a million tokens of a role's model; None: unknown. 0 only where it is free, or simulated."""
    model = settings.role(role)
    own_prices = _set_by_user(model)
    if own_prices or settings.simulated:
        free = settings.role("target") if settings.simulated else model
        return own_prices or _set_by_user(free) or Prices()
    others: tuple[RoleName, ...] = ("target", *((PARENT[role],) if role in PARENT else ()))
    for other in others:  # one that is another role's own costs the same
        theirs = settings.role(other)
        same = (theirs.model, theirs.base_url) == (model.model, model.base_url)
        if same and (known := _set_by_user(theirs)) is not None:
            return known
    return _listed(model)


def specialist_prices_of(settings: Settings) -> Prices | None:
    """The same of the specialists' model; one that is the target's own costs the same."""
    return prices_of(settings, "specialist")


def check_prices(settings: Settings, roles: Sequence[RoleName] = ("target", "specialist")) -> None:
    """Raises BadInput when money is limited and what a real model costs is not known. `roles`: those that are asked."""
    if settings.max_money is None and settings.max_rollout_money is None:
        return
    for role in roles:
        if prices_of(settings, role) is None:
            names = " and ".join(setting_name(role, name) for name in ("price_input", "price_output"))
            raise BadInput(
                f"a limit on money needs the prices of {settings.role(role).model}: set {names} "
                f"(for a million tokens; 0 if it is free), which no price table knows for this endpoint"
            )


def pinned_prices(settings: Settings, roles: Sequence[RoleName] = ("target", "specialist")) -> dict[str, float]:
    """The settings' price fields as they are known now: a run keeps its prices though a table changes."""
    fields: dict[str, float] = {}
    for role in () if settings.simulated else roles:
        prices = prices_of(settings, role)
        if prices is not None:
            fields |= {
                setting_name(role, "price_input"): prices.input,
                setting_name(role, "price_cached"): prices.of_cached,
                setting_name(role, "price_output"): prices.output,
            }
    return fields


def _set_by_user(model: RoleModel) -> Prices | None:
    if model.price_input is None or model.price_output is None:
        return None
    return Prices(input=model.price_input, output=model.price_output, cached=model.price_cached)


def _listed(model: RoleModel) -> Prices | None:
    from genai_prices import Usage, calc_price  # a fifth of a second: only where a price is wanted

    try:
        fresh, cached = (
            calc_price(
                Usage(input_tokens=LOOKUP_TOKENS, output_tokens=LOOKUP_TOKENS, cache_read_tokens=read),
                model.model,
                provider_api_url=model.base_url,
            )
            for read in (0, LOOKUP_TOKENS)
        )
    except LookupError:
        return None
    calls = 1_000_000 // LOOKUP_TOKENS  # in decimal numbers: .4 stays .4
    prices = Prices(
        input=float(fresh.input_price * calls),
        output=float(fresh.output_price * calls),
        cached=float(cached.input_price * calls),
    )
    # A model without token prices in the table (priced by the request, say) would look free.
    return prices if prices.input and (prices.output or model.role == "embedding") else None
