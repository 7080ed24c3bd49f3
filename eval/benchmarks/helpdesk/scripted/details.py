"""A change in words, with the details that matter: what an agent says before it asks for a yes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sigmaloop.eval.benchmarks.helpdesk.requests import Call, Case
from sigmaloop.eval.benchmarks.helpdesk.scene import spoken_day
from sigmaloop.eval.benchmarks.helpdesk.things import Tables

Arguments = Mapping[str, Any]


def proposal(tables: Tables, case: Case, *, method: str = "") -> str:
    """All changes of a case in one sentence, to stand behind "I would". `method`: label of another payment method.

    Where the customer is going to correct a detail, the detail is left out: only the corrected one is known here.
    """
    vague = bool(case.correction)
    steps = [_STEPS[write.tool](tables, case, write.arguments) for write in case.writes if write.tool in _STEPS]
    words = " and ".join(steps) or "end the contract of this line for a fee"
    words += _money(case) + ("" if vague and not method else _pay(tables, case, method))
    return words


def _money(case: Case) -> str:
    if case.correction:
        return ""
    sums = [f"${need.values[0]}" for need in case.said if need.kind == "amount"]
    return f", which makes {' and '.join(sums)}" if sums else ""


def _pay(tables: Tables, case: Case, method: str) -> str:
    chosen = [
        str(write.arguments["payment_method_id"]) for write in case.writes if "payment_method_id" in write.arguments
    ]
    labels = [method] if method else [label_of(tables, each) for each in dict.fromkeys(chosen)]
    return f", by way of your {' and your '.join(labels)}" if labels else ""


def label_of(tables: Tables, method: str) -> str:
    methods: list[dict[str, str]] = next(iter(tables["customers"].values()))["payment_methods"]
    return next(each["label"] for each in methods if each["payment_method_id"] == method)


def _order(arguments: Arguments) -> str:
    return f"order {str(arguments['order_id']).removeprefix('or_')}"


def _items(tables: Tables, arguments: Arguments) -> list[str]:
    items = tables["orders"][arguments["order_id"]]["items"]
    return [item["name"] for item in items if item["item_id"] in arguments["item_ids"]]


def _return(tables: Tables, case: Case, arguments: Arguments) -> str:
    everything = " and the ".join(item["name"] for item in tables["orders"][arguments["order_id"]]["items"])
    listed = " and the ".join(_items(tables, arguments))
    return f"return the {listed} from {_order(arguments)} (the order with the {everything})"


def _swap(tables: Tables, case: Case, arguments: Arguments) -> str:
    variants = [v for product in tables["products"].values() for v in product["variants"]]
    new = [next(v["options"] for v in variants if v["sku"] == sku) for sku in arguments["new_skus"]]
    listed = [
        f"the {item}"
        + ("" if case.correction else f" for the one with {', '.join(f'{k} {v}' for k, v in options.items())}")
        for item, options in zip(_items(tables, arguments), new, strict=True)
    ]
    return f"exchange {' and '.join(listed)} of {_order(arguments)}"


def _address(tables: Tables, case: Case, arguments: Arguments) -> str:
    where = "your profile" if "customer_id" in arguments else _order(arguments)
    place = "" if case.correction else f": {arguments['line1']}, {arguments['line2']}, {arguments['city']}"
    return f"save the new address for {where}{place}"


def _trip(arguments: Arguments) -> str:
    return f"reservation {str(arguments['reservation_id']).removeprefix('rs_')}"


def _flights(tables: Tables, case: Case, arguments: Arguments) -> str:
    flights = [tables["flights"][each] for each in arguments["flight_ids"]]
    return " and ".join(f"flight {flight['number']} on {spoken_day(flight['date'])}" for flight in flights)


def _insurance(tables: Tables, case: Case, arguments: Arguments) -> str:
    leg = "outbound" if arguments["legs"] == [1] else "return"
    return f"insure {'the flight you named' if case.correction else f'the {leg} flight'} of {_trip(arguments)}"


def _name(tables: Tables, case: Case, arguments: Arguments) -> str:
    people = tables["reservations"][arguments["reservation_id"]]["passengers"]
    old = next(person["name"] for person in people if person["passenger_id"] == arguments["passenger_id"])
    return f"correct the name {old} on {_trip(arguments)} to {arguments['name']}"


def _line(tables: Tables, arguments: Arguments) -> str:
    line = tables["lines"][arguments["line_id"]]
    return f"{line['user']}'s line {line['number']}"


def _bill(tables: Tables, arguments: Arguments) -> str:
    bill = tables["bills"][arguments["bill_id"]]
    return f"the bill of {bill['month']} for {_line(tables, bill)}"


def _plan(tables: Tables, case: Case, arguments: Arguments) -> str:
    line, plans = tables["lines"][arguments["line_id"]], tables["plans"]
    new = "the plan that you asked for" if case.correction else f"the {plans[arguments['plan_id']]['name']} plan"
    return f"put {_line(tables, arguments)} on {new} instead of the {plans[line['plan_id']]['name']} plan"


def _counted(case: Case, number: object, noun: str) -> str:
    return f"the {noun}" if case.correction else f"{number} {noun}"


_STEPS: Mapping[str, Callable[[Tables, Case, Arguments], str]] = {
    "cancel_order": lambda t, c, a: f"cancel {_order(a)} and refund it",
    "return_items": _return,
    "exchange_items": _swap,
    "modify_items": _swap,
    "change_order_address": _address,
    "update_profile_address": _address,
    "book_flight": lambda t, c, a: f"book {_flights(t, c, a)} in {a['cabin']} for {' and '.join(a['passengers'])}",
    "change_flights": lambda t, c, a: f"move {_trip(a)} to {_flights(t, c, a)}",
    "change_cabin": lambda t, c, a: f"put all flights of {_trip(a)} in {a['cabin']}",
    "refund_payment": lambda t, c, a: "refund the difference",
    "cancel_reservation": lambda t, c, a: f"cancel {_trip(a)} and refund it",
    "add_bags": lambda t, c, a: f"add {_counted(c, a['bags'], 'bags')} to {_trip(a)}",
    "add_insurance": _insurance,
    "rename_passenger": _name,
    "issue_voucher": lambda t, c, a: f"issue a voucher for the delay of {_trip(a)}",
    "pay_bill": lambda t, c, a: f"charge {_bill(t, a)}",
    "credit_charge": lambda t, c, a: f"credit the charge on {_bill(t, a)}",
    "resume_line": lambda t, c, a: "resume the line",
    "suspend_line": lambda t, c, a: f"block {_line(t, a)}",
    "replace_sim": lambda t, c, a: "order a new SIM",
    "reset_line": lambda t, c, a: f"restart {_line(t, a)} in the network",
    "reset_apn": lambda t, c, a: "send the new settings to the phone",
    "set_roaming": lambda t, c, a: f"switch on roaming for {_line(t, a)}",
    "add_data": lambda t, c, a: f"add {_counted(c, a['gb'], 'gigabytes')} to {_line(t, a)}",
    "change_plan": _plan,
    "end_contract": lambda t, c, a: f"end the contract of {_line(t, a)}",
}


def write_of(case: Case) -> Call | None:
    """The first change of a case that is no hand-over."""
    return next((write for write in case.writes if write.tool != "transfer_to_human"), None)
