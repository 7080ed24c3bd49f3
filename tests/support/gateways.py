"""Gateways for tests: settings by their own names, whatever group they lie in, and small models by default."""

from __future__ import annotations

from typing import Any

from sigmaloop.endpoints import SPECIALIST_TOKENS, RoleModel
from sigmaloop.tools.gateway.budget import Prices
from sigmaloop.tools.gateway.gateway import Gateway
from sigmaloop.tools.gateway.gateway_settings import (
    GatewayLimits,
    GatewaySettings,
    Models,
    RolePrices,
    SpendingLimit,
)
from sigmaloop.tools.upstream.scripted import ScriptedModel

COLLABORATORS = ("call_journal", "account", "traces", "names", "redact")


def gateway_settings(*, target: str = "t", specialist: str = "s", **options: Any) -> GatewaySettings:
    """`run_tokens`, `run_money`, `rollout_tokens`, `rollout_money`, `price_input`, `price_output` (the target's),
    `specialist_prices`, `embedding`, `own` (models by role), `temperature` (of both), `specialist_tokens`, and every
    field of `RoleModel` (the target's) and `GatewayLimits`; any other name is an error."""
    taken = dict(options)
    temperature = taken.pop("temperature", 0.0)
    fields = {name: taken.pop(name) for name in RoleModel.model_fields if name in taken and "price" not in name}
    models = Models(
        target=RoleModel(model=target, temperature=temperature, **fields),
        specialist=RoleModel(
            role="specialist",
            model=specialist,
            temperature=temperature,
            max_tokens=taken.pop("specialist_tokens", SPECIALIST_TOKENS),
        ),
        own=taken.pop("own", {}),
        embedding=taken.pop("embedding", None),
    )
    target_prices = Prices(input=taken.pop("price_input", 0.0), output=taken.pop("price_output", 0.0))
    prices = RolePrices(target=target_prices, specialist=taken.pop("specialist_prices", None))
    spending = {
        who: SpendingLimit(**{what: taken.pop(f"{who}_{what}", None) for what in ("tokens", "money", "calls", "hours")})
        for who in ("run", "rollout")
    }
    limits = GatewayLimits(**spending, **taken)
    return GatewaySettings(models=models, prices=prices, limits=limits)


def open_gateway(upstream: Any, **options: Any) -> Gateway:
    """A gateway to `upstream`, from collaborators and flat settings."""
    collaborators: dict[str, Any] = {name: options.pop(name) for name in COLLABORATORS if name in options}
    return Gateway(upstream, gateway_settings(**options), **collaborators)


def scripted_gateway(upstream: Any = None, **options: Any) -> Gateway:
    """A gateway whose model says "Hello." as often as it is asked, unless there is another upstream."""
    model = upstream or ScriptedModel(["Hello."], repeat=True)
    return open_gateway(model, **{"target": "the-target", "specialist": "the-specialist", "max_tokens": 100, **options})
