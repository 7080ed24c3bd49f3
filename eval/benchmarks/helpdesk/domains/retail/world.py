"""Lays out a shop: products with variants, and orders of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product as combinations

from sigmaloop.eval.benchmarks.helpdesk.scene import Scene, days_from_today
from sigmaloop.eval.benchmarks.helpdesk.world import Row, money

PRODUCTS: dict[str, tuple[int, str, tuple[str, ...]]] = {
    "desk lamp": (28, "bulb", ("warm", "cool")),
    "running shoes": (74, "size", ("8", "9", "10")),
    "wool sweater": (52, "size", ("small", "medium", "large")),
    "backpack": (63, "capacity", ("20 liters", "30 liters")),
    "water bottle": (17, "volume", ("500 ml", "750 ml")),
    "headphones": (88, "connector", ("usb", "jack")),
    "office chair": (149, "height", ("standard", "tall")),
    "yoga mat": (24, "thickness", ("4 mm", "6 mm")),
    "coffee grinder": (46, "drive", ("manual", "electric")),
    "picture frame": (19, "size", ("small", "medium", "large")),
    "bed sheets": (58, "size", ("twin", "queen", "king")),
    "phone case": (14, "finish", ("matte", "glossy")),
    "rain jacket": (81, "size", ("small", "medium", "large")),
    "wall clock": (33, "size", ("small", "large")),
    "tea kettle": (39, "volume", ("1 liter", "2 liters")),
    "travel pillow": (22, "filling", ("foam", "down")),
}


COLORS = ("black", "white", "red", "blue", "green", "grey")


def place_product(scene: Scene, name: str, *, stock: bool = True) -> Row:
    base, option, values = PRODUCTS[name]
    colors = scene.dice.take(COLORS, 3)
    variants = []
    for step, (color, value) in enumerate(combinations(colors, values)):
        price = money(base + 3 * step + scene.dice.pick((0.25, 0.5, 0.75, 0.99)))
        options = {"color": color, option: value}
        variants.append({"sku": scene.new_id("sku"), "options": options, "price": price, "available": True})
    variants = scene.dice.shuffled(variants)
    if not stock:
        variants[scene.dice.number(0, len(variants) - 1)]["available"] = False
    return scene.add("products", {"product_id": scene.new_id("pr"), "name": name, "variants": variants})


def place_order(scene: Scene, status: str, names: Sequence[str]) -> Row:
    items = []
    for name in names:
        product = place_product(scene, name)
        variant = scene.dice.pick(product["variants"])
        items.append(
            {
                "item_id": scene.new_id("it"),
                "product_id": product["product_id"],
                "name": name,
                "sku": variant["sku"],
                "options": variant["options"],
                "price": variant["price"],
                "status": "ordered",
            }
        )
    when = {"pending": (-2, 6), "shipped": (-5, 3), "delivered": (-16, -6)}[status]
    row: Row = {
        "order_id": scene.new_id("or"),
        "customer_id": scene.customer_id,
        "status": status,
        "ordered_on": days_from_today(when[0] - scene.dice.number(0, 2)),
        "expected_on": days_from_today(when[1] + scene.dice.number(0, 3)),
        "carrier": scene.dice.pick(("UPS", "FedEx", "DHL")),
        "payment_method_id": scene.method()["payment_method_id"],
        "shipping_fee": scene.dice.pick((4.99, 6.5, 7.25, 9.9)),
        "discount": scene.dice.pick((2.0, 3.5, 5.0)),
        **{key: scene.customer[key] for key in ("line1", "line2", "city", "state", "zip")},
        "items": items,
    }
    return scene.add("orders", row)


def fresh_names(scene: Scene, count: int) -> list[str]:
    """Products that no order of this customer holds yet."""
    taken = {product["name"] for product in scene.tables.get("products", {}).values()}
    return scene.dice.take([name for name in PRODUCTS if name not in taken], count)


def target_order(scene: Scene, status: str, count: int) -> Row:
    """The order that is meant; where the task has several, others of the same status come first."""
    if scene.several:
        for _ in range(scene.dice.number(1, 2)):
            place_order(scene, status, fresh_names(scene, scene.dice.number(1, 2)))
    return place_order(scene, status, fresh_names(scene, count))
