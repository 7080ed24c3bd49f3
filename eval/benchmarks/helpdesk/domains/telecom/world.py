"""Lays out a phone company: plans, lines and bills."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sigmaloop.eval.benchmarks.helpdesk.people import FIRST
from sigmaloop.eval.benchmarks.helpdesk.scene import Scene, days_from_today
from sigmaloop.eval.benchmarks.helpdesk.world import Row, money
from sigmaloop.records import JsonObject

PLANS = (
    ("Basic", "4G", 15.0, 3, 4.0),
    ("Smart", "4G", 24.0, 10, 3.0),
    ("Family", "4G", 32.0, 20, 2.5),
    ("Turbo", "5G", 39.0, 30, 2.0),
    ("Ultra", "5G", 55.0, 60, 1.5),
)


def all_plans(scene: Scene) -> list[Row]:
    if "plans" not in scene.tables:
        extra = scene.dice.number(0, 4)
        for name, network, fee, data, price in PLANS:
            scene.add(
                "plans",
                {
                    "plan_id": scene.new_id("pl"),
                    "name": name,
                    "network": network,
                    "monthly_fee": fee + extra,
                    "data_gb": data,
                    "gb_price": price,
                },
            )
    return list(scene.tables["plans"].values())


def place_line(scene: Scene, **given: Any) -> Row:
    plan = given.pop("plan", None) or scene.dice.pick(all_plans(scene)[:4])
    users = {row["user"] for row in scene.tables.get("lines", {}).values()}
    own = scene.customer["name"].split(" ")[0]
    user = own if not users else scene.dice.pick([n for n in FIRST if n not in (*users, own)])
    row: Row = {
        "line_id": scene.new_id("ln"),
        "customer_id": scene.customer_id,
        "number": f"555-{scene.dice.number(200, 989)}-{scene.dice.number(1000, 9999)}",
        "user": user,
        "plan_id": plan["plan_id"],
        "status": "active",
        "suspended_for": "",
        "data_used_gb": money(plan["data_gb"] * scene.dice.pick((0.25, 0.5, 0.75))),
        "data_limit_gb": plan["data_gb"],
        "roaming": False,
        "apn": "ok",
        "radio": "ok",
        "resets": 0,
        "apn_resets": 0,
        "sim_replacements": 0,
        "contract_until": days_from_today(scene.dice.number(70, 500)),
    }
    return scene.add("lines", {**row, **given})


def place_bill(
    scene: Scene, line: Row, month: int, status: str, charges: Sequence[tuple[str, float, bool]] = ()
) -> Row:
    fee = scene.tables["plans"][line["plan_id"]]["monthly_fee"]
    rows: list[tuple[str, float, bool]] = [("plan fee", fee, True), ("taxes", scene.dice.price(1, 4), True), *charges]
    listed: list[Row] = [
        {"charge_id": scene.new_id("ch"), "what": what, "amount": money(cost), "valid": valid, "credited": False}
        for what, cost, valid in rows
    ]
    return scene.add(
        "bills",
        {
            "bill_id": scene.new_id("bi"),
            "customer_id": scene.customer_id,
            "line_id": line["line_id"],
            "month": f"2025-{month:02d}",
            "amount": money(sum(row["amount"] for row in listed)),
            "status": status,
            "paid_with": "",
            "charges": listed,
        },
    )


def target_line(scene: Scene, *, others: JsonObject | None = None, **given: Any) -> Row:
    """The line that is meant; the customer's own is the first, so another one is meant where there are several."""
    if scene.several:
        for _ in range(scene.dice.number(1, 2)):
            place_line(scene, **(others or {}))
    return place_line(scene, **given)
