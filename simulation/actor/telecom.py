"""How the simulated model serves customers of the telephone company."""

from __future__ import annotations

import re
from typing import Any

from sigmaloop.simulation.actor import understanding as read
from sigmaloop.simulation.actor.desk import Desk, Request, dollars
from sigmaloop.simulation.actor.dialogue import Refusal, Unclear
from sigmaloop.simulation.messages import JsonObject

PAY = "Which payment method should I use for the bill?"
MONTHLY_END_FEE, ROAMING_A_DAY, CREDIT_LIMIT = 15.0, 8.0, 50.0
GIGABYTES = "gigabytes?|gb"


class Telecom:
    """Procedures of the telephone company, one per kind of request."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.d = desk, desk.d

    def handle(self, request: Request) -> None:
        text = request.texts[-1]
        for pattern, topic, procedure in (
            (r"dispute|never ordered", "the disputed charge", self.dispute),
            (r"end the contract|terminate", "the contract", self.end_contract),
            (r"overdue|no service|no signal|suspended", "the bill", self.pay_and_resume),
            (r"\blost\b|stolen", "the new SIM", self.lost),
            (r"picture|mms", "the picture messages", self.pictures),
            (r"\bplan\b|switch", "the plan", self.change_plan),
            (r"add .*(data|gigabytes|gb)", "the data", self.add_data),
            (
                r"we are in|\bin [A-Z]\w+ .*(there is no|no internet|no mobile)|no mobile data in|abroad",
                "the data abroad",
                self.abroad,
            ),
            (r"internet|data|slow", "the slow internet", self.slow),
        ):
            if re.search(pattern, text, re.I):
                request.topic = topic
                return procedure(request)
        raise Unclear("I am sorry, I did not understand what I can do for you.")

    # finding

    def find(self, request: Request) -> JsonObject:
        """The line that is meant."""
        line = self._seen(request) or self._find(request, self.lines())
        if request.number > 1 and self.desk.before and self.d.strikes("loses_state_across_orders"):
            return self.desk.before
        self.desk.before = self.desk.before or line
        return line

    def lines(self) -> list[str]:
        return [str(row) for row in self.desk.customer.get("line_ids") or []]

    def _seen(self, request: Request) -> JsonObject | None:
        def fits(line: JsonObject) -> bool:
            return str(line["number"]) in request.text or bool(re.search(rf"\b{line.get('user')}\b", request.text))

        return self.desk.seen("number", request, fits)

    def _find(self, request: Request, ids: list[str]) -> JsonObject:
        if not ids:
            raise Refusal("I am sorry, there is no line on your account.")
        if len(ids) > 1 and self.d.strikes("wrong_line"):
            return self.get(ids[0])
        for attempt in range(2):
            number = re.search(r"\b\d{3}-\d{3}-\d{4}\b", request.text)
            if number and self.d.strikes("malformed_arguments"):
                self.d.look_up("get_line", line_id=number.group())
                raise Refusal(f"I am sorry, I cannot find a line {number.group()}.")
            if len(ids) == 1:
                return self.get(ids[0])
            lines = [self.get(line_id) for line_id in ids]
            for line in lines:
                if number and line["number"] == number.group():
                    return line
                if not number and re.search(rf"\b{line['user']}\b", request.text):
                    return line
            if attempt == 0 and re.search(r"\bmy (phone|line)\b", request.text, re.I):
                own = str(self.desk.customer.get("name", "")).split(" ")[0]
                return next((line for line in lines if line["user"] == own), lines[0])
            if attempt == 0:
                self.desk.ask(request, "which", "Which line is it? Please tell me its phone number or who uses it.")
        return self.get(ids[0])

    def get(self, line_id: str) -> JsonObject:
        return self.d.look_up("get_line", line_id=line_id) or {}

    def check(self, line: JsonObject) -> JsonObject:
        return self.d.look_up("check_line", line_id=line["line_id"]) or {}

    def bills(self, line: JsonObject) -> list[JsonObject]:
        """The bills of a line, oldest first."""
        ids = self.desk.customer.get("bill_ids") or []
        found = [self.d.look_up("get_bill", bill_id=bill_id) or {} for bill_id in ids]
        return sorted((b for b in found if b.get("line_id") == line["line_id"]), key=lambda b: b["month"])

    def reboot_first(self, request: Request, line: JsonObject) -> None:
        """The habit: restart first, look later."""
        if self.d.strikes("reboot_before_line_check"):
            self._on(request, "reset_line", line)

    def _on(self, request: Request, tool: str, line: JsonObject, summary: str = "", **rest: Any) -> JsonObject:
        return self.desk.commit(request, tool, lambda: (tool, {"line_id": line["line_id"], **rest}), summary=summary)

    def money(self, words: str) -> str:
        """The words, or fewer that leave the amount out when the habit strikes."""
        return "This is done." if self.d.strikes("omits_amount") else words

    # procedures

    def pay_and_resume(self, request: Request) -> None:
        line = self.find(request)
        if not re.search("overdue|due", request.texts[-1], re.I):
            self.reboot_first(request, line)
        self.check(line)
        if self.d.strikes("ignores_overdue_bill"):
            self._on(request, "resume_line", line, "I would resume the line.")
            return self.desk.tell(lambda: "The line is active again.")
        bills = [bill for bill in self.bills(line) if bill["status"] != "paid"]
        if not bills:
            raise Refusal("I am sorry, I found no open bill of this line.")
        bill = next((b for b in bills if b["status"] == "overdue"), bills[0])
        if self.d.strikes("pays_wrong_bill"):
            bill = bills[-1]
        self.desk.ask(request, "payment", PAY)

        def build() -> tuple[str, JsonObject]:
            method = self.desk.method(request, ask=PAY)
            return "pay_bill", {"bill_id": bill["bill_id"], "payment_method_id": method}

        summary = f"I would charge the bill of {bill['month']} and resume the line."
        self.desk.commit(request, "pay", build, summary=summary)
        self._on(request, "resume_line", line)
        amount = bill["amount"]
        return self.desk.tell(lambda: self.money(f"The bill of {dollars(amount)} is paid; the line is active again."))

    def slow(self, request: Request) -> None:
        line = self.find(request)
        self.reboot_first(request, line)
        found = self.check(line)
        if float(found.get("data_left_gb", 1)) > 0:
            self._on(request, "reset_line", line, "There is a network fault; I would reset the line.")
            return self.desk.tell(lambda: "The line is reset and should work again.")
        if self.d.strikes("data_limit_versus_roaming"):
            return self.roam(request, line)
        return self.more_data(request, line)

    def abroad(self, request: Request) -> None:
        line = self.find(request)
        self.reboot_first(request, line)
        found = self.check(line)
        roaming = not found.get("roaming")
        if self.d.strikes("data_limit_versus_roaming"):
            roaming = not roaming
        return self.roam(request, line) if roaming else self.more_data(request, line)

    def roam(self, request: Request, line: JsonObject) -> None:
        self._on(request, "set_roaming", line, "Roaming is off; I would switch it on.", enabled=True)
        self.desk.tell(lambda: self.money(f"Roaming is on now; it costs ${ROAMING_A_DAY:.0f} a day."))

    def more_data(self, request: Request, line: JsonObject) -> None:
        if not read.count_before(request.text, GIGABYTES):
            self.desk.ask(request, "amount", "How many gigabytes would you like to add?")

        def wanted() -> int:
            if self.d.strikes("wrong_data_amount"):
                return 1
            return next((n for n in (read.count_before(t, GIGABYTES) for t in request.texts) if n), 1)

        def build() -> tuple[str, JsonObject]:
            return "add_data", {"line_id": line["line_id"], "gb": wanted()}

        result = self.desk.commit(request, "data", build, summary="I would add the data that you asked for.")
        charged = result.get("charged", 0.0)
        self.desk.tell(lambda: self.money(f"{wanted()} gigabytes are added for {dollars(charged)}."))

    def add_data(self, request: Request) -> None:
        self.more_data(request, self.find(request))

    def dispute(self, request: Request) -> None:
        line = self.find(request)
        bills = self.bills(line)
        month = next((i for i, name in enumerate(read.MONTHS, 1) if re.search(name, request.text, re.I)), 0)
        named = [b for b in bills if b["month"].endswith(f"-{month:02d}")] or bills
        if self.d.strikes("pays_wrong_bill"):
            named = bills[::-1]
        pairs = [(bill, charge) for bill in named for charge in bill["charges"] if charge["what"] in request.text]
        if not pairs:
            raise Refusal("I am sorry, I cannot find this charge.")
        bill, charge = pairs[0]

        def credit() -> None:
            arguments = {"bill_id": bill["bill_id"], "charge_id": charge["charge_id"]}
            summary = f"I would credit the charge for {charge['what']}."
            self.desk.commit(request, "credit", lambda: ("credit_charge", arguments), summary=summary)

        if charge["valid"]:
            why = f"the charge of {dollars(charge['amount'])} is valid according to our records and cannot be credited."
            return self.desk.refuse(request, why, credit)
        if charge["amount"] > CREDIT_LIMIT and not self.d.strikes("ignores_policy_limit"):
            self.desk.transfer("A dispute above the limit.")
        credit()
        return self.desk.tell(lambda: self.money(f"{dollars(charge['amount'])} is credited."))

    def change_plan(self, request: Request) -> None:
        line = self.find(request)
        plans = {p["plan_id"]: p for p in (self.d.look_up("list_plans") or {}).get("plans") or []}

        def wanted() -> JsonObject:
            for text in request.texts:
                named = [p for p in plans.values() if re.search(rf"\b{p['name']}\b(?! line)", text)]
                if named:
                    return dict(named[0])
                least = read.count_before(text, GIGABYTES)
                fitting = [p for p in plans.values() if p["data_gb"] >= least > 0]
                if fitting:
                    return dict(min(fitting, key=lambda p: p["monthly_fee"]))
            raise Refusal("I am sorry, I do not know that plan.")

        self.desk.commit(
            request,
            "plan",
            lambda: ("change_plan", {"line_id": line["line_id"], "plan_id": wanted()["plan_id"]}),
            summary=lambda: f"I would put the line on the {wanted()['name']} plan.",
        )
        other = wanted()["network"] != plans.get(line["plan_id"], {}).get("network")
        if other and not self.d.strikes("forgets_apn_reset"):
            self._on(request, "reset_apn", line)
        fee = wanted()["monthly_fee"]

        def words() -> str:
            silent = self.d.strikes("plan_fee_unsaid")
            return "The plan is changed." if silent else f"The plan is changed; it costs {dollars(fee)} a month."

        self.desk.tell(words)

    def lost(self, request: Request) -> None:
        line = self.find(request)

        def build() -> tuple[str, JsonObject]:
            reason = next((r for t in request.texts for r in ("stolen", "lost") if r in t.lower()), "lost")
            return "suspend_line", {"line_id": line["line_id"], "reason": reason}

        summary = "I would block the line and order a new SIM."
        self.desk.commit(request, "suspend", build, summary=summary)
        self._on(request, "replace_sim", line)
        if not self.d.strikes("forgets_apn_reset"):
            self._on(request, "reset_apn", line)
        self.desk.tell(lambda: "The line is suspended and a new SIM is on its way.")

    def pictures(self, request: Request) -> None:
        line = self.find(request)
        self.reboot_first(request, line)
        self.check(line)
        self._on(request, "reset_apn", line, "The settings are wrong; I would send new ones.")
        self.desk.tell(lambda: "New settings are on their way to the phone.")

    def end_contract(self, request: Request) -> None:
        line = self.find(request)
        fee = MONTHLY_END_FEE * months_left(str(line.get("contract_until")), self.desk.today)

        def priced(words: str, plain: str) -> str:
            return plain if self.d.strikes("plan_fee_unsaid") else f"{words} {dollars(fee)}."

        self._end(
            request, line, lambda: priced("Ending the contract now costs a fee of", "I would end the contract now.")
        )
        if request.declined:
            return self.desk.tell(lambda: "I have left the contract as it is.")
        return self.desk.tell(lambda: priced("The contract is ended; the fee is", "The contract is ended."))

    def _end(self, request: Request, line: JsonObject, summary: Any) -> None:
        build = ("end_contract", {"line_id": line["line_id"]})
        self.desk.commit(request, "end", lambda: build, summary=summary)


def months_left(until: str, today: str) -> int:
    """Whole or begun months up to the end of a contract."""
    year, month, day = (int(part) for part in until.split("-"))
    this_year, this_month, this_day = (int(part) for part in today.split("-"))
    return max(0, (year - this_year) * 12 + month - this_month + (day > this_day))
