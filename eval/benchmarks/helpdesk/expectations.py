"""What a customer holds a proposal against: the payment method, the thing, the number that it has in mind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sigmaloop.eval.benchmarks.helpdesk.requests import Call, Case, Respect
from sigmaloop.eval.benchmarks.helpdesk.scene import pay_words
from sigmaloop.eval.benchmarks.helpdesk.things import Tables
from sigmaloop.eval.benchmarks.helpdesk.world import Row

COUNTS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def respects(tables: Tables, case: Case) -> tuple[Respect, ...]:
    """What can be wrong with a proposal for a case; what it does not say is not wrong."""
    found: list[Respect | None] = [_payment(tables, case)]
    for call in case.writes:
        found += [_items(tables, call), _number(call, "gb", GIGABYTES), _number(call, "bags", BAGS)]
        found += [_plan(tables, call), _leg(call), _cabin(call), _color(tables, call)]
    return tuple(respect for respect in found if respect)


GIGABYTES = r"(?:more |extra |additional )?(?:gb|gigabytes?|gigs?)\b"
BAGS = r"(?:more |extra |additional |checked )*(?:bags?|suitcases?)\b"


def _payment(tables: Tables, case: Case) -> Respect | None:
    methods: list[Row] = next(iter(tables["customers"].values()))["payment_methods"]
    chosen = {str(call.arguments.get("payment_method_id", "")) for call in case.writes}
    chosen |= {
        str(tables["orders"][str(call.arguments["order_id"])]["payment_method_id"])
        for call in case.writes
        if call.tool == "cancel_order"
    }
    mine = [method for method in methods if method["payment_method_id"] in chosen]
    others = [method for method in methods if method not in mine]
    if mine:
        words = " and ".join(map(pay_words, mine))
        return Respect(_any(map(_method, mine)), _any(map(_method, others)), f"No, please use {words}.")
    if "bill" in case.facts.get("payment", ""):
        return Respect(r"\bbill", _any(map(_method, others)), "No, put it on my bill, please.")
    return None


def _method(method: Row) -> str:
    """How a payment method is named: by its last digits, or by its kind."""
    label = str(method["label"]).casefold()
    digits = re.search(r"\d{4}$", label)
    if digits is None:
        return re.escape(label)
    return rf"\b{digits.group()}\b|\b{label.split(' ')[0]}\b"


def _items(tables: Tables, call: Call) -> Respect | None:
    chosen = call.arguments.get("item_ids")
    if not isinstance(chosen, Sequence):
        return None
    items: list[Row] = tables["orders"][str(call.arguments["order_id"])]["items"]
    mine = [str(item["name"]) for item in items if item["item_id"] in chosen]
    rest = [str(item["name"]) for item in items if item["item_id"] not in chosen]
    if not rest:
        return None
    return Respect(
        _any(map(re.escape, mine)), _any(map(re.escape, rest)), f"No, only the {' and the '.join(mine)}.", True
    )


def _number(call: Call, argument: str, unit: str) -> Respect | None:
    count = call.arguments.get(argument)
    if not isinstance(count, int):
        return None
    other = rf"\b(?:\d+|{'|'.join(COUNTS)}) ?{unit}"
    noun = "gigabytes" if argument == "gb" else "bags"
    return Respect(rf"\b(?:{count}|{COUNTS[min(count, 12)]}) ?{unit}", other, f"No, please make it {count} {noun}.")


def _plan(tables: Tables, call: Call) -> Respect | None:
    names = {key: str(row["name"]) for key, row in tables.get("plans", {}).items()}
    mine = names.pop(str(call.arguments.get("plan_id")), "")
    if not mine:
        return None
    plans = [rf"(?<!from )(?<!from the )(?<!from your )\b{name.casefold()}\b" for name in names.values()]
    return Respect(rf"\b{mine.casefold()}\b", _any(plans), f"No, please take the {mine} plan.")


def _leg(call: Call) -> Respect | None:
    legs = call.arguments.get("legs")
    if call.tool != "add_insurance" or legs not in ([1], [2]):
        return None
    out, back = r"\boutbound\b|\bleg 1\b", r"\breturn\b|\bleg 2\b"
    mine, other, name = (out, back, "outbound") if legs == [1] else (back, out, "return")
    return Respect(mine, other, f"No, please insure the {name} flight.")


def _cabin(call: Call) -> Respect | None:
    cabin = call.arguments.get("cabin")
    if not isinstance(cabin, str):
        return None
    other = "economy" if cabin == "business" else "business"
    return Respect(rf"\b{cabin}\b", rf"\b(?:to|in|into) {other}\b", f"No, {cabin}, please.")


def _color(tables: Tables, call: Call) -> Respect | None:
    skus = call.arguments.get("new_skus")
    if not isinstance(skus, Sequence):
        return None
    variants = [variant for row in tables["products"].values() for variant in row["variants"]]
    mine = {str(v["options"]["color"]) for v in variants if v["sku"] in skus}
    others = {str(v["options"]["color"]) for v in variants} - mine
    if not others:
        return None
    new = [rf"\b(?:for|to|into) (?:the |a |an? new )?{color}\b" for color in sorted(others)]
    return Respect(_any(sorted(mine)), _any(new), f"No, {' and '.join(sorted(mine))}, please.")


def _any(patterns: Iterable[str]) -> str:
    return "|".join(patterns)
