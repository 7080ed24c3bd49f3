"""Telecom: read lines, plans and bills; check and repair a line; pay, credit, change plans, end contracts."""

from __future__ import annotations

from collections.abc import Callable

from sigmaloop.eval.benchmarks.helpdesk.domains.shared_tools import PAYMENT, SHARED, payment_method
from sigmaloop.eval.benchmarks.helpdesk.tools import Param, Tool
from sigmaloop.eval.benchmarks.helpdesk.world import TODAY, Refused, World, money
from sigmaloop.records import JsonObject

END_FEE = 15.0
"""Dollars for every month that is left of a contract."""

LINE = Param("Line id, such as ln_4821.", like="ln_4821")
BILL = Param("Bill id, such as bi_48213.", like="bi_48213")


def get_line(world: World, line_id: str) -> JsonObject:
    hidden = ("apn", "radio")
    return {key: value for key, value in world.find("lines", line_id).items() if key not in hidden}


def check_line(world: World, line_id: str) -> JsonObject:
    line = world.find("lines", line_id)
    return {
        "line_id": line_id,
        "status": line["status"],
        "suspended_for": line["suspended_for"],
        "network": "fault, needs a reset" if line["radio"] == "stuck" else "ok",
        "apn": line["apn"],
        "roaming": line["roaming"],
        "data_left_gb": money(line["data_limit_gb"] - line["data_used_gb"]),
    }


def get_bill(world: World, bill_id: str) -> JsonObject:
    return world.find("bills", bill_id)


def list_plans(world: World) -> JsonObject:
    return {"plans": list(world.table("plans").values())}


def pay_bill(world: World, bill_id: str, payment_method_id: str) -> JsonObject:
    bill = world.find("bills", bill_id)
    payment_method(world, bill["customer_id"], payment_method_id)
    if bill["status"] == "paid":
        raise Refused(f"bill {bill_id} is paid already")
    bill["status"], bill["paid_with"] = "paid", payment_method_id
    return {"bill_id": bill_id, "paid": bill["amount"], "payment_method_id": payment_method_id}


def credit_charge(world: World, bill_id: str, charge_id: str) -> JsonObject:
    for charge in world.find("bills", bill_id)["charges"]:
        if charge["charge_id"] == charge_id:
            if charge["credited"]:
                raise Refused(f"charge {charge_id} is credited already")
            charge["credited"] = True
            return {"bill_id": bill_id, "charge_id": charge_id, "credited": charge["amount"]}
    raise Refused(f"bill {bill_id} has no charge {charge_id}")


def resume_line(world: World, line_id: str) -> JsonObject:
    line = world.find("lines", line_id)
    if line["status"] != "suspended":
        raise Refused(f"line {line_id} is {line['status']}")
    line["status"], line["suspended_for"] = "active", ""
    return {"line_id": line_id, "status": "active"}


def suspend_line(world: World, line_id: str, reason: str) -> JsonObject:
    line = world.find("lines", line_id)
    line["status"], line["suspended_for"] = "suspended", reason
    return {"line_id": line_id, "status": "suspended", "suspended_for": reason}


def reset_line(world: World, line_id: str) -> JsonObject:
    line = world.find("lines", line_id)
    line["resets"] += 1
    line["radio"] = "ok"
    return {"line_id": line_id, "reset": True}


def reset_apn(world: World, line_id: str) -> JsonObject:
    line = world.find("lines", line_id)
    line["apn_resets"] += 1
    line["apn"] = "ok"
    return {"line_id": line_id, "apn": "ok"}


def replace_sim(world: World, line_id: str) -> JsonObject:
    line = world.find("lines", line_id)
    line["sim_replacements"] += 1
    line["apn"] = "not set"
    return {"line_id": line_id, "new_sim": True, "apn": "not set"}


def set_roaming(world: World, line_id: str, enabled: bool) -> JsonObject:
    world.find("lines", line_id)["roaming"] = enabled
    return {"line_id": line_id, "roaming": enabled}


def add_data(world: World, line_id: str, gb: int) -> JsonObject:
    line = world.find("lines", line_id)
    if not 0 < gb <= 50:
        raise Refused("gb must be 1 to 50")
    line["data_limit_gb"] += gb
    price = money(world.find("plans", line["plan_id"])["gb_price"] * gb)
    return {"line_id": line_id, "added_gb": gb, "data_limit_gb": line["data_limit_gb"], "charged": price}


def change_plan(world: World, line_id: str, plan_id: str) -> JsonObject:
    line, plan = world.find("lines", line_id), world.find("plans", plan_id)
    if line["plan_id"] == plan_id:
        raise Refused(f"line {line_id} has this plan already")
    network = world.find("plans", line["plan_id"])["network"]
    line["plan_id"], line["data_limit_gb"] = plan_id, plan["data_gb"]
    if plan["network"] != network:
        line["apn"] = "not set"
    return {
        "line_id": line_id,
        "plan_id": plan_id,
        "network": plan["network"],
        "monthly_fee": plan["monthly_fee"],
    }


def end_contract(world: World, line_id: str) -> JsonObject:
    line = world.find("lines", line_id)
    if line["status"] == "ended":
        raise Refused(f"the contract of line {line_id} has ended already")
    line["status"] = "ended"
    return {
        "line_id": line_id,
        "status": "ended",
        "fee": money(END_FEE * months_left(line["contract_until"])),
    }


def months_left(until: str) -> int:
    """Whole or begun months from today to the end of a contract, never below 0."""
    year, month, day = (int(part) for part in until.split("-"))
    this_year, this_month, today = (int(part) for part in TODAY.split("-"))
    return max(0, (year - this_year) * 12 + month - this_month + (day > today))


def _line_tool(name: str, description: str, run: Callable[..., JsonObject]) -> Tool:
    return Tool(name, description, {"line_id": LINE}, run, writes=True)


TELECOM_TOOLS: dict[str, Tool] = {
    tool.name: tool
    for tool in (
        *SHARED,
        Tool("get_line", "A line: user, number, plan, status, data, contract.", {"line_id": LINE}, get_line),
        Tool(
            "check_line",
            "Run a remote check of a line: status, network, settings, data left.",
            {"line_id": LINE},
            check_line,
        ),
        Tool("get_bill", "A bill with its charges.", {"bill_id": BILL}, get_bill),
        Tool(
            "list_plans",
            "All plans with network, monthly fee, data and the price of a further gigabyte.",
            {},
            list_plans,
        ),
        Tool(
            "pay_bill",
            "Pay a bill with a payment method of the customer.",
            {"bill_id": BILL, "payment_method_id": PAYMENT},
            pay_bill,
            writes=True,
        ),
        Tool(
            "credit_charge",
            "Credit a charge of a bill. Whether it was wrong is not checked.",
            {"bill_id": BILL, "charge_id": Param("Charge id, such as ch_4821.", like="ch_4821")},
            credit_charge,
            writes=True,
        ),
        _line_tool("resume_line", "Resume a suspended line. Open bills are not checked.", resume_line),
        Tool(
            "suspend_line",
            "Suspend a line.",
            {"line_id": LINE, "reason": Param("Why.", choices=("lost", "stolen", "on_request"))},
            suspend_line,
            writes=True,
        ),
        _line_tool("reset_line", "Restart a line in the network; the phone is offline meanwhile.", reset_line),
        _line_tool("reset_apn", "Send the internet and picture message settings to the phone.", reset_apn),
        _line_tool("replace_sim", "Send a new SIM for a line.", replace_sim),
        Tool(
            "set_roaming",
            "Switch data roaming on or off.",
            {"line_id": LINE, "enabled": Param("On or off.", kind="boolean")},
            set_roaming,
            writes=True,
        ),
        Tool(
            "add_data",
            "Add gigabytes to this month's data; charged at the plan's price per gigabyte.",
            {"line_id": LINE, "gb": Param("Whole gigabytes.", kind="integer")},
            add_data,
            writes=True,
        ),
        Tool(
            "change_plan",
            "Put a line on another plan.",
            {"line_id": LINE, "plan_id": Param("Plan id, such as pl_482.", like="pl_482")},
            change_plan,
            writes=True,
        ),
        _line_tool("end_contract", "End the contract of a line now; the fee is charged.", end_contract),
    )
}
