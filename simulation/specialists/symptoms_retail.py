"""What a miner looks for in retail conversations."""

from __future__ import annotations

import re

from sigmaloop.simulation.messages import JsonObject
from sigmaloop.simulation.specialists.conversation import Conversation, Event, number
from sigmaloop.simulation.specialists.symptoms import Sighting, Symptom, unsaid

_SWAPS = ("exchange_items", "modify_items")
_UNIT = re.compile(r"\b(apt|apartment|suite|unit|floor|flat|ste)\b\.?|#\s?\d")
_REASON = re.compile(
    r"no longer|don't need|do not need|mistake|accident|cheaper|better price|late|changed my mind|because|wrong"
)


def wrong_variant(talk: Conversation) -> Sighting | None:
    for call in talk.of(*_SWAPS):
        for old, new in _swapped(talk, call):
            words = talk.customer
            for option, value in new.get("options", {}).items():
                kept = old.get("options", {}).get(option)
                rivals = [v for v in _values(talk, option) if v != value and _names(words, v)]
                if value != kept and not _names(words, value):
                    return Sighting(0.76, call)
                if value == kept and rivals and not _names(words, value):
                    return Sighting(0.74, call)
    return None


def picks_unavailable_variant(talk: Conversation) -> Sighting | None:
    for call in [c for c in talk.calls if c.tool in _SWAPS]:
        if call.failed and re.search(r"stock|available", call.text.lower()):
            return Sighting(0.95, call)
        for _, new in _swapped(talk, call):
            stock = new.get("in_stock", new.get("available", True))
            if stock in (False, 0):
                return Sighting(0.93, call)
    return None


def returns_whole_order(talk: Conversation) -> Sighting | None:
    for call in talk.of("return_items"):
        order = talk.thing(call)[1]
        items = order.get("items", [])
        whole = re.search(r"whole|entire|everything|all (of )?(the|my|it|them)|complete order", talk.customer)
        if len(items) > 1 and len(call.arguments.get("item_ids", ())) == len(items) and not whole:
            mentioned = [i for i in items if str(i.get("name", "?")).lower() in talk.customer]
            return Sighting(0.4 if len(mentioned) == len(items) else 0.93, call)
    return None


def guesses_cancel_reason(talk: Conversation) -> Sighting | None:
    for call in talk.of("cancel_order"):
        asked = re.search(r"reason|why\b", talk.said("agent", before=call.step))
        given = _REASON.search(talk.said("customer", before=call.step))
        if not asked and not given:
            return Sighting(0.82, call)
    return None


def splits_exchange(talk: Conversation) -> Sighting | None:
    for call in talk.calls:
        if call.failed and call.tool in _SWAPS and re.search(r"already|only once", call.text.lower()):
            return Sighting(0.98, call)
    return None


def drops_address_line(talk: Conversation) -> Sighting | None:
    for call in talk.of("change_order_address", "update_profile_address"):
        entered = " ".join(str(call.arguments.get(line, "")) for line in ("line1", "line2")).lower()
        if _UNIT.search(talk.customer) and not call.arguments.get("line2") and not _UNIT.search(entered):
            return Sighting(0.95, call)
    return None


def omits_refund_timing(talk: Conversation) -> Sighting | None:
    refunds = talk.of("return_items")
    if refunds and not re.search(r"\bdays?\b|\bweeks?\b|immediately|at once|right away|instantly", talk.agent):
        return Sighting(0.84 if unsaid(talk) else 0.4, refunds[-1])
    return None


def sums_wrong(talk: Conversation) -> Sighting | None:
    if not re.search(r"how much|total|altogether|did i pay|i paid|together", talk.customer):
        return None
    for call in talk.of("get_order"):
        order = call.result
        fee, discount = float(order.get("shipping_fee", 0)), float(order.get("discount", 0))
        items = sum(float(item.get("price", 0)) for item in order.get("items", ()))
        if not items or number(talk.agent, round(items + fee - discount, 2)):
            continue
        for partial in (items, items + fee, items - discount):
            if number(talk.agent, round(partial, 2)) and (fee or discount):
                return Sighting(0.94, call)
    return None


def _swapped(talk: Conversation, call: Event) -> list[tuple[JsonObject, JsonObject]]:
    """Old item and new variant for each pair of an exchange, as far as the trace shows them."""
    order = talk.thing(call)[1]
    items = {item.get("item_id"): item for item in order.get("items", ())}
    variants = {v.get("sku"): v for c in talk.of("list_variants") for v in c.result.get("variants", ())}
    pairs = zip(call.arguments.get("item_ids", ()), call.arguments.get("new_skus", ()), strict=False)
    return [(items[i], variants[s]) for i, s in pairs if i in items and s in variants]


def _values(talk: Conversation, option: str) -> set[str]:
    listed = [v for c in talk.of("list_variants") for v in c.result.get("variants", ())]
    return {str(v.get("options", {}).get(option, "")) for v in listed} - {""}


def _names(text: str, value: object) -> bool:
    return re.search(rf"\b{re.escape(str(value).lower())}\b", text) is not None


RETAIL: dict[str, Symptom] = {
    "wrong_variant": wrong_variant,
    "picks_unavailable_variant": picks_unavailable_variant,
    "returns_whole_order": returns_whole_order,
    "guesses_cancel_reason": guesses_cancel_reason,
    "splits_exchange": splits_exchange,
    "drops_address_line": drops_address_line,
    "omits_refund_timing": omits_refund_timing,
    "sums_wrong": sums_wrong,
}
