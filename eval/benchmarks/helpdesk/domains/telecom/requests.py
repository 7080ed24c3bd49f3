"""Telecom: lines that do not work, bills that are disputed or unpaid, plans, data, lost phones, contracts."""

from __future__ import annotations

from typing import Any

from sigmaloop.eval.benchmarks.helpdesk.domains.telecom.tools import END_FEE, months_left
from sigmaloop.eval.benchmarks.helpdesk.domains.telecom.world import all_plans, place_bill, target_line
from sigmaloop.eval.benchmarks.helpdesk.people import MONTHS
from sigmaloop.eval.benchmarks.helpdesk.requests import Call, Case, RequestType, amount
from sigmaloop.eval.benchmarks.helpdesk.scene import Scene, pay_words
from sigmaloop.eval.benchmarks.helpdesk.world import Row, money
from sigmaloop.records import JsonObject

ROAMING_FEE = "8"
"""Dollars a day."""
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


NUMBERED = ("It's the number {number}.", "The phone number of the line is {number}.", "It's about {number}.")
NAMED = ("It's {user}'s line.", "The one that {user} uses.", "{user}'s phone.")


def _which(scene: Scene, line: Row) -> tuple[str, str]:
    """How the customer calls a line in passing, and what it answers when asked which one."""
    own = line["user"] == scene.customer["name"].split(" ")[0]
    user = line["user"]
    answer = scene.pick_text(NUMBERED if own or scene.dice.chance(0.5) else NAMED, number=line["number"], user=user)
    if own:
        return scene.dice.pick(("my phone", "my line", f"my line {line['number']}")), answer
    return scene.dice.pick(
        (f"{user}'s phone", f"{user}'s line", f"the line {line['number']}", f"{user}'s phone")
    ), answer


def _paid(scene: Scene) -> tuple[Row, str]:
    method = scene.method()
    words = ("Please charge {pay}.", "Please use {pay}.", "I'd like to pay with {pay}.")
    return method, scene.pick_text(words, pay=pay_words(method))


def _on(tool: str, line: Row, **rest: Any) -> Call:
    return Call(tool, {"line_id": line["line_id"], **rest})


def _checks(line: Row) -> tuple[Call, ...]:
    return (_on("get_line", line), _on("check_line", line))


def _case(scene: Scene, openings: tuple[str, ...], which: str, **rest: Any) -> Case:
    """Openings hold {w}, which starts a sentence in some of them."""
    text = scene.pick_text(openings, w=which)
    return Case(opening=text[0].upper() + text[1:], **rest)


def _overdue(scene: Scene) -> tuple[Row, Row]:
    """A line suspended for an unpaid bill, with a paid one and a newer open one that is not due yet."""
    line = target_line(scene, status="suspended", suspended_for="unpaid bill")
    place_bill(scene, line, 3, "paid")
    bills = [("open", 5), ("overdue", 4)] if scene.dice.chance(0.7) else [("overdue", 4), ("open", 5)]
    bill = {
        status: place_bill(scene, line, month, status, (("calls", scene.dice.price(2, 20), True),))
        for status, month in bills
    }
    return line, bill["overdue"]


def _pay_and_resume(scene: Scene, openings: tuple[str, ...], later: str) -> Case:
    line, bill = _overdue(scene)
    which, answer = _which(scene, line)
    method, pay = _paid(scene)
    correction = ""
    if scene.corrects:
        method = scene.method(besides=method)
        correction = f"Yes, but please use {pay_words(method)} instead."
    arguments = {"bill_id": bill["bill_id"], "payment_method_id": method["payment_method_id"]}
    return _case(
        scene, openings, which, later=later.format(w=which), topic="bill|suspend|service|resum",
        facts={"which": answer, "payment": pay, "bill": "Only the overdue one, please.",
               "symptom": "It shows no service at all, no calls, nothing.", "abroad": "No, I'm at home.",
               "tried": "Yes, I have restarted the phone, it didn't help."},
        reads=(*_checks(line), Call("get_bill", {"bill_id": bill["bill_id"]})),
        writes=(Call("pay_bill", arguments), _on("resume_line", line)),
        said=(amount(bill["amount"]),),
        confirm=f"The overdue bill is ${bill['amount']:.2f}. Shall I charge it and resume the line?",
        tell=f"The bill of ${bill['amount']:.2f} is paid and the line is active again.",
        correction=correction,
    )  # fmt: skip


def no_service_suspended(scene: Scene, variant: str) -> Case:
    openings = ("{w} has no service since this morning.", "There is no signal at all on {w}, please fix it.")
    return _pay_and_resume(scene, openings, "I have no service on {w}.")


def pay_and_resume(scene: Scene, variant: str) -> Case:
    openings = (
        "I want to pay my overdue bill so that {w} works again.",
        "{w} was suspended, I'd like to pay what is due.",
    )
    return _pay_and_resume(scene, openings, "I'd like to pay the overdue bill for {w} and have it resumed.")


def _more_data(scene: Scene, line: Row, gb: int) -> tuple[dict[str, str], float, str]:
    """Facts about an amount of data, its price and the words for it."""
    price = money(scene.tables["plans"][line["plan_id"]]["gb_price"] * gb)
    words = f"{gb if scene.dice.chance(0.5) else WORDS[gb]} gigabytes"
    return {"amount": f"{words.capitalize()}, please."}, price, words


def slow_data(scene: Scene, variant: str) -> Case:
    line = target_line(scene)
    which, answer = _which(scene, line)
    openings = ("The internet on {w} is terribly slow.", "Mobile data on {w} hardly works since yesterday.")
    facts = {
        "which": answer, "symptom": "Pages take forever to load.", "abroad": "No, I'm at home.",
        "tried": "Yes, I have restarted the phone already.", "payment": "Put it on my next bill, please.",
    }  # fmt: skip
    common: JsonObject = {"topic": "data|internet|slow", "later": f"I have terribly slow internet on {which}."}
    if variant == "fault":
        line["radio"] = "stuck"
        return _case(
            scene, openings, which, **common, facts=facts, reads=_checks(line), writes=(_on("reset_line", line),),
            confirm="There is a network fault; I would reset the line. Shall I go ahead?",
            tell="The line is reset and should work again.",
        )  # fmt: skip
    line["data_used_gb"] = float(line["data_limit_gb"])
    gb = scene.dice.number(2, 8)
    more, price, words = _more_data(scene, line, gb)
    correction = ""
    if scene.corrects:
        gb += scene.dice.number(1, 2)
        price = _more_data(scene, line, gb)[1]
        correction = f"Yes, but please make it {gb} gigabytes."
    return _case(
        scene, openings, which, **common, facts={**facts, **more},
        reads=(*_checks(line), Call("list_plans", {})), writes=(_on("add_data", line, gb=gb),), said=(amount(price),),
        confirm=f"The data is used up. I would add {words}. Shall I go ahead?",
        tell=f"{gb} gigabytes are added for ${price:.2f}.", correction=correction,
    )  # fmt: skip


def abroad_no_data(scene: Scene, variant: str) -> Case:
    limit = variant == "limit"
    line = target_line(scene, roaming=limit, others={"roaming": limit})
    which, answer = _which(scene, line)
    country = scene.dice.pick(("Portugal", "Spain", "Canada", "Italy", "Mexico"))
    facts = {
        "which": answer, "abroad": f"Yes, in {country}.", "symptom": "There is no mobile data at all.",
        "tried": "Yes, I have restarted the phone already.", "payment": "Put it on my next bill, please.",
    }  # fmt: skip
    openings = (f"We are in {country} and {{w}} has no internet.", f"In {country} there is no mobile data on {{w}}.")
    common: JsonObject = {
        "topic": "data|internet|roam|abroad",
        "later": f"I have no mobile data in {country} on {which}.",
    }
    if not limit:
        return _case(
            scene, openings, which, **common, facts=facts, reads=_checks(line),
            writes=(_on("set_roaming", line, enabled=True),), said=(amount(float(ROAMING_FEE)),),
            confirm="Roaming is off; I would switch it on for $8 a day. Shall I go ahead?",
            tell="Roaming is on now; it costs $8 a day.",
        )  # fmt: skip
    line["data_used_gb"] = float(line["data_limit_gb"])
    gb = scene.dice.number(2, 6)
    more, price, words = _more_data(scene, line, gb)
    return _case(
        scene, openings, which, **common, facts={**facts, **more},
        reads=(*_checks(line), Call("list_plans", {})), writes=(_on("add_data", line, gb=gb),), said=(amount(price),),
        confirm=f"The data is used up. I would add {words}. Shall I go ahead?",
        tell=f"{gb} gigabytes are added for ${price:.2f}.",
    )  # fmt: skip


def bill_dispute(scene: Scene, variant: str) -> Case:
    line = target_line(scene)
    cost = scene.dice.price(55, 90) if variant == "over_limit" else scene.dice.price(6, 40)
    what = scene.dice.pick(("premium messages", "ringtone subscription", "game service", "hotline call"))
    place_bill(scene, line, 5, "open", ((what, scene.dice.price(3, 30), variant != "wrong"),))
    bill = place_bill(scene, line, 4, "open", ((what, cost, variant == "valid"),))
    month = MONTHS[3]
    charge = bill["charges"][-1]
    which, answer = _which(scene, line)
    facts = {
        "which": answer, "bill": f"The bill of {month}.", "item": f"The charge for {what}.",
        "amount": f"It's the charge for {what} on the bill of {month}.", "reason": "I never ordered that.",
    }  # fmt: skip
    common: JsonObject = {
        "topic": "charge|bill|credit", "facts": facts,
        "later": f"I'd like to dispute a charge for {what} on the {month} bill of {which}.",
        "reads": (_on("get_line", line), Call("get_bill", {"bill_id": bill["bill_id"]})),
    }  # fmt: skip
    openings = (
        f"There is a charge for {what} on the {month} bill of {{w}} that I never ordered.",
        f"I want to dispute the {what} on my {month} bill for {{w}}.",
    )
    if variant == "over_limit":
        writes = (Call("transfer_to_human", {"summary": "A dispute above the limit."}),)
        return _case(scene, openings, which, **common, writes=writes, tell="")
    if variant == "valid":
        return _case(
            scene, openings, which, **common, said=(amount(cost),),
            tell=f"I am sorry, the charge of ${cost:.2f} is valid and cannot be credited.",
            insists=("But I never ordered that! Can't you make an exception?",),
        )  # fmt: skip
    arguments = {"bill_id": bill["bill_id"], "charge_id": charge["charge_id"]}
    return _case(
        scene, openings, which, **common, writes=(Call("credit_charge", arguments),), said=(amount(charge["amount"]),),
        confirm=f"I would credit ${charge['amount']:.2f}. Shall I go ahead?",
        tell=f"${charge['amount']:.2f} is credited.",
    )  # fmt: skip


def change_plan(scene: Scene, variant: str) -> Case:
    plans = all_plans(scene)
    fourth = variant == "same_network"
    old, new = (plans[0], plans[scene.dice.number(1, 2)]) if fourth else (plans[scene.dice.number(0, 2)], plans[3])
    line = target_line(scene, plan=old, others={"plan": old})
    which, answer = _which(scene, line)
    least = new["data_gb"] - scene.dice.number(0, 4)
    by_need = variant == "by_need"
    goal = f"the cheapest plan with at least {least} gigabytes" if by_need else f"the {new['name']} plan"
    correction = ""
    if scene.corrects and not by_need:
        new = plans[4] if new is plans[3] else plans[3 - plans.index(new)]
        correction = f"Yes, but let's take the {new['name']} plan instead."
    renew = (_on("reset_apn", line),) if new["network"] != old["network"] else ()
    return _case(
        scene, (f"I'd like to switch {{w}} to {goal}.", f"Please put {{w}} on {goal}."), which,
        later=f"I'd like to switch {which} to {goal}.", topic="plan|tariff",
        facts={"which": answer, "plan": f"{goal[0].upper()}{goal[1:]}, please.",
               "amount": f"At least {least} gigabytes.", "reason": "I need more data.",
               "payment": "Put it on my bill, please."},
        reads=(_on("get_line", line), Call("list_plans", {})),
        writes=(_on("change_plan", line, plan_id=new["plan_id"]), *renew),
        said=(amount(new["monthly_fee"]),),
        confirm=f"The plan costs ${new['monthly_fee']:.2f} a month. Shall I go ahead?",
        tell=f"The plan is changed; it costs ${new['monthly_fee']:.2f} a month.", correction=correction,
    )  # fmt: skip


def add_data(scene: Scene, variant: str) -> Case:
    line = target_line(scene)
    which, answer = _which(scene, line)
    gb = scene.dice.number(2, 9)
    more, price, words = _more_data(scene, line, gb)
    data = words if scene.dice.chance(0.5) else "some data"
    correction = ""
    if scene.corrects:
        gb += scene.dice.number(1, 3)
        price = _more_data(scene, line, gb)[1]
        correction = f"Yes, but please make it {gb} gigabytes."
    return _case(
        scene, (f"I'd like to add {data} to {{w}}.", f"Please add {data} to {{w}} for this month."), which,
        later=f"I'd like to add {data} to {which}.", topic="data|gigabyte",
        facts={"which": answer, **more, "payment": "Put it on my next bill, please.", "abroad": "No, I'm at home."},
        reads=(_on("get_line", line), Call("list_plans", {})), writes=(_on("add_data", line, gb=gb),),
        said=(amount(price),), confirm=f"I would add {words}. Shall I go ahead?",
        tell=f"{gb} gigabytes are added for ${price:.2f}.", correction=correction,
    )  # fmt: skip


def lost_phone(scene: Scene, variant: str) -> Case:
    line = target_line(scene)
    which, answer = _which(scene, line)
    reason = "stolen" if variant == "stolen" else "lost"
    correction = ""
    verb = "was stolen" if reason == "stolen" else "is lost"
    if scene.corrects:
        reason = "lost" if reason == "stolen" else "stolen"
        correction = f"Yes, but put down that it was {reason}, that is what happened after all."
    return _case(
        scene, (f"{{w}} {verb}, please block it and send a new SIM.",), which,
        later=f"I need {which} blocked because it {verb}, and a new SIM for it.", topic="block|suspend|sim|lost|stolen",
        facts={"which": answer, "reason": f"It {verb}.", "symptom": f"It {verb}.",
               "address": "To the address in my profile, please."},
        reads=(_on("get_line", line),),
        writes=(_on("suspend_line", line, reason=reason), _on("replace_sim", line), _on("reset_apn", line)),
        confirm="I would suspend the line and send a new SIM. Shall I go ahead?",
        tell="The line is suspended and a new SIM with its settings is on its way.", correction=correction,
    )  # fmt: skip


def picture_messages(scene: Scene, variant: str) -> Case:
    line = target_line(scene, apn="wrong")
    which, answer = _which(scene, line)
    return _case(
        scene, ("I can't send pictures from {w}.", "Picture messages don't work on {w}, texts do."), which,
        later=f"I can't send picture messages from {which}.", topic="picture|message|mms|setting",
        facts={"which": answer, "symptom": "Texts work, but pictures are never sent.", "abroad": "No, I'm at home.",
               "tried": "Yes, I have restarted the phone already."},
        reads=_checks(line), writes=(_on("reset_apn", line),),
        confirm="The settings are wrong; I would send new ones. Shall I go ahead?",
        tell="New settings are on their way to the phone.",
    )  # fmt: skip


def end_contract_fee(scene: Scene, variant: str) -> Case:
    line = target_line(scene)
    which, answer = _which(scene, line)
    fee = money(END_FEE * months_left(line["contract_until"]))
    declines = variant == "declines"
    return _case(
        scene, ("I'd like to end the contract of {w}.", "Please end the contract for {w} now."), which,
        later=f"I'd like to end the contract of {which}.", topic="contract|end|cancel|terminat",
        facts={"which": answer, "reason": "I don't use it any more.", "date": "Now, please.",
               "payment": "Put it on my last bill, please."},
        reads=(_on("get_line", line),), writes=() if declines else (_on("end_contract", line),),
        said=(amount(fee),), confirm=f"Ending it now costs a fee of ${fee:.2f}. Shall I go ahead?",
        tell=f"I have left the contract as it is; the fee would have been ${fee:.2f}."
        if declines else f"The contract is ended; the fee is ${fee:.2f}.",
        correction="No, that is too expensive. Please leave the contract as it is." if declines else "",
    )  # fmt: skip


_LINE = ("wrong_line",)

TELECOM_TYPES: tuple[RequestType, ...] = (
    RequestType(
        "no_service_suspended", "telecom", 6.5, no_service_suspended,
        called="the line without service", corrects=True, write="pay_bill",
        habits={
            "": (
                "ignores_overdue_bill", "reboot_before_line_check", "pays_wrong_bill", "wrong_payment_method", *_LINE,
            ),
        },
    ),
    RequestType(
        "slow_data", "telecom", 5.0, slow_data, ("limit", "limit", "fault"),
        called="the slow internet", corrects=True, write="add_data",
        habits={
            "": _LINE,
            "limit": ("reboot_before_line_check", "data_limit_versus_roaming", "wrong_data_amount", "omits_amount"),
        },
    ),
    RequestType(
        "change_plan", "telecom", 4.0, change_plan, ("other_network", "same_network", "by_need"), called="the plan",
        corrects=True, write="change_plan",
        habits={
            "": ("plan_fee_unsaid", *_LINE), "other_network": ("forgets_apn_reset",), "by_need": ("forgets_apn_reset",),
        },
    ),
    RequestType(
        "add_data", "telecom", 3.2, add_data, called="the data", corrects=True, write="add_data",
        habits={"": ("wrong_data_amount", "repeats_write", "omits_amount", *_LINE)},
    ),
    RequestType(
        "bill_dispute", "telecom", 2.6, bill_dispute, ("wrong", "wrong", "valid", "over_limit"), called="the charge",
        write="credit_charge", second=False,
        habits={
            "wrong": ("pays_wrong_bill", "omits_amount"), "valid": ("ignores_policy_limit",),
            "over_limit": ("ignores_policy_limit",),
        },
    ),
    RequestType(
        "abroad_no_data", "telecom", 2.3, abroad_no_data, ("roaming_off", "limit"),
        called="the data abroad", write="set_roaming",
        habits={"": ("data_limit_versus_roaming", "reboot_before_line_check", "omits_amount", *_LINE)},
    ),
    RequestType(
        "pay_and_resume", "telecom", 2.0, pay_and_resume, called="the overdue bill", corrects=True, write="pay_bill",
        habits={"": ("pays_wrong_bill", "wrong_payment_method", "omits_amount", *_LINE)},
    ),
    RequestType(
        "lost_phone", "telecom", 1.8, lost_phone, ("lost", "stolen"),
        called="the lost phone", corrects=True, write="suspend_line",
        habits={"": ("forgets_apn_reset", *_LINE)},
    ),
    RequestType(
        "picture_messages", "telecom", 1.5, picture_messages, called="the picture messages", write="reset_apn",
        habits={"": ("reboot_before_line_check", *_LINE)},
    ),
    RequestType(
        "end_contract_fee", "telecom", 1.3, end_contract_fee, ("ends", "declines"), called="the contract",
        write="end_contract", second=False,
        habits={"ends": ("omits_amount", *_LINE), "declines": ("omits_amount", "skips_confirmation")},
    ),
)  # fmt: skip
