"""What a miner looks for in telecom conversations."""

from __future__ import annotations

import re

from sigmaloop.simulation.specialists.conversation import Conversation, number
from sigmaloop.simulation.specialists.symptoms import Sighting, Symptom, unsaid

_RESTART = re.compile(r"restart|reboot|turn (it|the phone|your phone) off|switch (it|your phone) off|power")


def reboot_before_line_check(talk: Conversation) -> Sighting | None:
    checked = min((c.step for c in talk.of("check_line")), default=10**9)
    for event in talk.events:
        restarts = event.kind == "agent" and _RESTART.search(event.text.lower())
        resets = event.kind == "call" and event.tool == "reset_line" and not event.failed
        if (restarts or resets) and event.step < checked:
            return Sighting(0.92, event)
    return None


def data_limit_versus_roaming(talk: Conversation) -> Sighting | None:
    for call in talk.of("set_roaming", "add_data"):
        seen = talk.latest("check_line", "line_id", call.arguments.get("line_id"), before=call.step)
        asked = re.search(r"\d+ ?(gb|gig)", talk.opening)
        if not seen:
            if call.tool == "set_roaming" or not asked:
                return Sighting(0.78, call)
            continue
        used_up, roaming = float(seen.get("data_left_gb", 1)) <= 0, bool(seen.get("roaming"))
        if call.tool == "add_data" and not used_up and not roaming and not asked:
            return Sighting(0.9, call)
        if call.tool == "set_roaming" and used_up and (roaming or "abroad" not in talk.customer):
            return Sighting(0.86, call)
    return None


def ignores_overdue_bill(talk: Conversation) -> Sighting | None:
    for call in talk.of("resume_line"):
        if not any(c.step < call.step for c in talk.of("pay_bill")):
            return Sighting(0.85, call)
    return None


def wrong_line(talk: Conversation) -> Sighting | None:
    lines = talk.owned("line_ids")
    touched = [c for c in talk.writes if "line_id" in c.arguments]
    if len(lines) < 2 or not touched:
        return None
    opened = {c.arguments["line_id"] for c in talk.calls if "line_id" in c.arguments}
    if opened != {lines[0]}:
        return None
    digits = re.sub(r"\D", "", str(talk.latest("get_line", "line_id", lines[0]).get("number", "")))
    named = digits and digits[-4:] in re.sub(r"\D", " ", talk.customer)
    return None if named else Sighting(0.77, touched[0])


def plan_fee_unsaid(talk: Conversation) -> Sighting | None:
    for call in talk.of("change_plan", "end_contract"):
        fee = call.result.get("fee", call.result.get("monthly_fee"))
        if isinstance(fee, (int, float)) and not number(talk.agent, fee):
            return Sighting(0.86 if unsaid(talk) else 0.55, call)
    return None


def forgets_apn_reset(talk: Conversation) -> Sighting | None:
    unset = [c for c in talk.calls if re.search(r'"apn": ?"(not set|broken|wrong)', c.text)]
    unset += talk.of("replace_sim", "change_plan")
    if unset and not talk.of("reset_apn"):
        sure = any('"apn"' in c.text and "not set" in c.text for c in unset)
        return Sighting(0.9 if sure else 0.5, unset[-1])
    return None


def pays_wrong_bill(talk: Conversation) -> Sighting | None:
    bills = talk.owned("bill_ids")
    for call in talk.of("pay_bill", "credit_charge"):
        opened = {c.arguments.get("bill_id") for c in talk.calls if "bill_id" in c.arguments}
        if len(bills) > 1 and opened == {call.arguments.get("bill_id")} and call.arguments.get("bill_id") == bills[-1]:
            return Sighting(0.75, call)
    return None


def wrong_data_amount(talk: Conversation) -> Sighting | None:
    for call in talk.of("add_data"):
        asked = re.findall(r"(\d+) ?(?:gb|gig)", talk.customer)
        if asked and str(call.arguments.get("gb")) not in asked:
            return Sighting(0.95, call)
    return None


TELECOM: dict[str, Symptom] = {
    "reboot_before_line_check": reboot_before_line_check,
    "data_limit_versus_roaming": data_limit_versus_roaming,
    "ignores_overdue_bill": ignores_overdue_bill,
    "wrong_line": wrong_line,
    "plan_fee_unsaid": plan_fee_unsaid,
    "forgets_apn_reset": forgets_apn_reset,
    "pays_wrong_bill": pays_wrong_bill,
    "wrong_data_amount": wrong_data_amount,
}
