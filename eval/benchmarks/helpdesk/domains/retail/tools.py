"""Retail: read orders and products; cancel, return, exchange, modify; change addresses."""

from __future__ import annotations

from sigmaloop.eval.benchmarks.helpdesk.domains.shared_tools import ADDRESS, CUSTOMER, PAYMENT, SHARED, payment_method
from sigmaloop.eval.benchmarks.helpdesk.tools import Param, Tool
from sigmaloop.eval.benchmarks.helpdesk.world import Refused, Row, World, money
from sigmaloop.records import JsonObject

REASONS = ("no_longer_needed", "ordered_by_mistake", "found_cheaper", "arrives_too_late")

ORDER = Param("Order id, such as or_48213.", like="or_48213")
ITEMS = Param("Item ids, such as it_4821.", kind="strings", like="it_4821")
SKUS = Param("The new variant (sku) for each item, in the same order.", kind="strings", like="sku_48213")


def order_total(order: Row) -> float:
    """What was paid for an order: items plus shipping minus discount."""
    return money(sum(item["price"] for item in order["items"]) + order["shipping_fee"] - order["discount"])


def get_order(world: World, order_id: str) -> JsonObject:
    return world.find("orders", order_id)


def list_variants(world: World, product_id: str) -> JsonObject:
    return world.find("products", product_id)


def cancel_order(world: World, order_id: str, reason: str) -> JsonObject:
    order = world.find("orders", order_id)
    if order["status"] in ("delivered", "cancelled"):
        raise Refused(f"order {order_id} is already {order['status']}")
    order["status"], order["cancel_reason"] = "cancelled", reason
    return {
        "order_id": order_id,
        "status": "cancelled",
        "refund": order_total(order),
        "refund_to": order["payment_method_id"],
    }


def return_items(world: World, order_id: str, item_ids: list[str], payment_method_id: str) -> JsonObject:
    order = _order_in(world, order_id, "delivered", "returned")
    payment_method(world, order["customer_id"], payment_method_id)
    items = _items(order, item_ids)
    for item in items:
        item["status"], item["refund_to"] = "return_requested", payment_method_id
    refund = money(sum(item["price"] for item in items))
    return {"order_id": order_id, "returned": item_ids, "refund": refund, "refund_to": payment_method_id}


def exchange_items(
    world: World, order_id: str, item_ids: list[str], new_skus: list[str], payment_method_id: str
) -> JsonObject:
    order = _order_in(world, order_id, "delivered", "exchanged")
    if order.get("exchanged"):
        raise Refused(f"order {order_id} was exchanged already; an order can be exchanged only once")
    payment_method(world, order["customer_id"], payment_method_id)
    pairs = _pairs(world, order, item_ids, new_skus)
    for item, variant in pairs:
        item["status"], item["new_sku"] = "exchange_requested", variant["sku"]
    order["exchanged"], order["difference_with"] = True, payment_method_id
    return _difference(order_id, pairs, payment_method_id)


def modify_items(
    world: World, order_id: str, item_ids: list[str], new_skus: list[str], payment_method_id: str
) -> JsonObject:
    order = _order_in(world, order_id, "pending", "modified")
    if order.get("modified"):
        raise Refused(f"order {order_id} was modified already; an order can be modified only once")
    payment_method(world, order["customer_id"], payment_method_id)
    pairs = _pairs(world, order, item_ids, new_skus)
    result = _difference(order_id, pairs, payment_method_id)
    for item, variant in pairs:
        item["sku"], item["options"], item["price"] = variant["sku"], variant["options"], variant["price"]
    order["modified"], order["difference_with"] = True, payment_method_id
    return result


def change_order_address(world: World, order_id: str, **address: str) -> JsonObject:
    order = _order_in(world, order_id, "pending", "sent elsewhere")
    order.update({"line2": "", **address})
    return {key: order[key] for key in ("order_id", *ADDRESS)}


def update_profile_address(world: World, customer_id: str, **address: str) -> JsonObject:
    customer = world.find("customers", customer_id)
    customer.update({"line2": "", **address})
    return {key: customer[key] for key in ("customer_id", *ADDRESS)}


def _order_in(world: World, order_id: str, status: str, done: str) -> Row:
    order = world.find("orders", order_id)
    if order["status"] != status:
        raise Refused(f"order {order_id} is {order['status']}; only a {status} order can be {done}")
    return order


def _items(order: Row, item_ids: list[str]) -> list[Row]:
    known = {item["item_id"]: item for item in order["items"]}
    for item_id in item_ids:
        if item_id not in known:
            raise Refused(f"order {order['order_id']} has no item {item_id}")
        if known[item_id]["status"] != "ordered":
            raise Refused(f"item {item_id} is already in state {known[item_id]['status']}")
    if len(set(item_ids)) != len(item_ids):
        raise Refused("an item is named twice")
    return [known[item_id] for item_id in item_ids]


def _pairs(world: World, order: Row, item_ids: list[str], new_skus: list[str]) -> list[tuple[Row, Row]]:
    if len(item_ids) != len(new_skus):
        raise Refused("item_ids and new_skus must have the same length")
    pairs = []
    for item, sku in zip(_items(order, item_ids), new_skus, strict=True):
        variants = world.find("products", item["product_id"])["variants"]
        matches = [variant for variant in variants if variant["sku"] == sku]
        if not matches:
            raise Refused(f"{sku} is not a variant of product {item['product_id']} ({item['name']})")
        pairs.append((item, matches[0]))
    return pairs


def _difference(order_id: str, pairs: list[tuple[Row, Row]], payment_method_id: str) -> JsonObject:
    return {
        "order_id": order_id,
        "new_skus": [variant["sku"] for _, variant in pairs],
        "price_difference": money(sum(variant["price"] - item["price"] for item, variant in pairs)),
        "payment_method_id": payment_method_id,
    }


_SWAP = {
    "order_id": ORDER,
    "item_ids": ITEMS,
    "new_skus": SKUS,
    "payment_method_id": PAYMENT,
}

RETAIL_TOOLS: dict[str, Tool] = {
    tool.name: tool
    for tool in (
        *SHARED,
        Tool("get_order", "An order with its items, fees, address and status.", {"order_id": ORDER}, get_order),
        Tool(
            "list_variants",
            "All variants of a product with options, price and whether they are in stock.",
            {"product_id": Param("Product id, such as pr_4821.", like="pr_4821")},
            list_variants,
        ),
        Tool(
            "cancel_order",
            "Cancel an order; the money goes back to the payment method of the order.",
            {"order_id": ORDER, "reason": Param("The customer's reason.", choices=REASONS)},
            cancel_order,
            writes=True,
        ),
        Tool(
            "return_items",
            "Start the return of items of a delivered order.",
            {"order_id": ORDER, "item_ids": ITEMS, "payment_method_id": PAYMENT},
            return_items,
            writes=True,
        ),
        Tool(
            "exchange_items",
            "Exchange items of a delivered order for other variants of the same products. Stock is not checked.",
            _SWAP,
            exchange_items,
            writes=True,
        ),
        Tool(
            "modify_items",
            "Change items of a pending order to other variants of the same products. Stock is not checked.",
            _SWAP,
            modify_items,
            writes=True,
        ),
        Tool(
            "change_order_address",
            "Change the delivery address of a pending order.",
            {"order_id": ORDER, **ADDRESS},
            change_order_address,
            writes=True,
        ),
        Tool(
            "update_profile_address",
            "Change the address in the customer's profile; orders keep theirs.",
            {"customer_id": CUSTOMER, **ADDRESS},
            update_profile_address,
            writes=True,
        ),
    )
}
