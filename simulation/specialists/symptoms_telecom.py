"""What a miner looks for in telecom conversations."""

from __future__ import annotations

import re

from sigmaloop.simulation.messages import JsonObject
from sigmaloop.simulation.specialists.conversation import Conversation, Event, number
from sigmaloop.simulation.specialists.symptoms import Sighting, Symptom, first_taken

_RESTART = re.compile(r"restart|reboot|turn (it|the phone|your phone) off|switch (it|your phone) off|power")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_NUMBERS = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "eight": "8", "ten": "10"}


def reboot_before_line_check(talk: Conversation) -> Sighting | None:
    checked = min((c.step for c in talk.of("check_line")), default=10**9)
    for event in talk.events:
        restarts = event.kind == "agent" and _RESTART.search(event.text.lower())
        resets = event.kind == "call" and event.tool == "reset_line" and not event.failed
        if (restarts or resets) and event.step < checked:
            return Sighting(0.94, event)
    return None


def data_limit_versus_roaming(talk: Conversation) -> Sighting | None:
    for call in talk.of("set_roaming", "add_data"):
        status = _checked(talk, call)
        asked_for_data = re.search(r"\badd\b|\d+ ?(gb|gig)", talk.opening)
        if not status:
            if call.tool == "set_roaming":
                return Sighting(0.6, call)
            continue
        used_up = float(status.get("data_left_gb", 1)) <= 0
        if call.tool == "add_data" and not used_up and not status.get("roaming") and not asked_for_data:
            return Sighting(0.94, call)
        if call.tool == "set_roaming" and (used_up or status.get("roaming")):
            return Sighting(0.94, call)
    return None


def ignores_overdue_bill(talk: Conversation) -> Sighting | None:
    for call in talk.of("resume_line"):
        if not any(c.step < call.step for c in talk.of("pay_bill")):
            return Sighting(0.92, call)
    return None


def wrong_line(talk: Conversation) -> Sighting | None:
    return first_taken(talk, talk.owned("line_ids"))


def plan_fee_unsaid(talk: Conversation) -> Sighting | None:
    for call in talk.of("change_plan", "end_contract"):
        fee = call.result.get("fee", call.result.get("monthly_fee"))
        if isinstance(fee, (int, float)) and not number(talk.agent, fee):
            return Sighting(0.88, call)
    return None


def forgets_apn_reset(talk: Conversation) -> Sighting | None:
    plans = {p.get("plan_id"): p for c in talk.of("list_plans") for p in c.result.get("plans", ())}
    for call in talk.of("replace_sim", "change_plan"):
        old = plans.get(talk.thing(call)[1].get("plan_id"), {}).get("network")
        lost = call.tool == "replace_sim" or (old and call.result.get("network") != old)
        if lost and not any(c.step > call.step for c in talk.of("reset_apn")):
            return Sighting(0.94, call)
    wrong = [c for c in talk.of("check_line") if c.result.get("apn") not in (None, "ok")]
    return Sighting(0.8, wrong[-1]) if wrong and not talk.of("reset_apn") else None


def pays_wrong_bill(talk: Conversation) -> Sighting | None:
    bills = {c.arguments.get("bill_id"): c.result for c in talk.of("get_bill")}
    for call in talk.of("pay_bill", "credit_charge"):
        bill = bills.get(call.arguments.get("bill_id"), {})
        due = [b for b in bills.values() if b.get("line_id") == bill.get("line_id") and b.get("status") == "overdue"]
        if call.tool == "pay_bill" and due and bill.get("status") != "overdue":
            return Sighting(0.95, call)
        months = [i for i, month in enumerate(_MONTHS, 1) if re.search(rf"\b{month}\b", talk.customer)]
        month = int(str(bill.get("month", "0-0")).partition("-")[2] or 0)
        if call.tool == "credit_charge" and months and month and month not in months:
            return Sighting(0.95, call)
    return None


def wrong_data_amount(talk: Conversation) -> Sighting | None:
    for call in talk.of("add_data"):
        words = re.findall(r"(\w+) ?(?:more |extra |additional )?(?:gb|gig)", talk.customer)
        amounts = {_NUMBERS.get(word, word) for word in words}
        amounts = {word for word in amounts if word.isdigit()}
        if amounts and str(call.arguments.get("gb")) not in amounts:
            return Sighting(0.95, call)
    return None


def _checked(talk: Conversation, call: Event) -> JsonObject:
    """What the last check of a call's line showed."""
    same = [c for c in talk.of("check_line") if c.arguments == {"line_id": call.arguments.get("line_id")}]
    return next((c.result for c in reversed(same) if c.step < call.step), {})


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
