"""What a customer service agent does in every domain: identify, ask, confirm, write, refuse, report, close."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from sigmaloop.simulation.actor import understanding as read
from sigmaloop.simulation.actor.dialogue import Dialogue, Emit, Redo, Refusal, Unclear, parsed
from sigmaloop.simulation.actor.transcript import objects
from sigmaloop.simulation.messages import JsonObject

ANYTHING_ELSE = "Is there anything else I can help you with?"
FAREWELL = "Thank you for contacting us. Have a nice day, goodbye!"
Words = Callable[[], str]
Build = Callable[[], tuple[str, JsonObject]]


class Request:
    """One thing that the customer wants, with everything that was said about it."""

    def __init__(self, text: str, *, number: int) -> None:
        self.texts = [text]
        """Newest first: what is said later counts more."""
        self.number = number
        self.facts: dict[str, str] = {}
        self.done: JsonObject = {}
        """Results of the writes made so far, by what they were for."""
        self.confirmed = self.declined = False
        self.topic = ""
        """What the agent calls this matter when it asks about it."""

    @property
    def text(self) -> str:
        return "\n".join(self.texts)

    def hear(self, answer: str) -> None:
        self.texts.insert(0, answer)


class Desk:
    """The agent at work: the dialogue, the customer's record, and what it has yet to say."""

    def __init__(self, dialogue: Dialogue, *, policy: str) -> None:
        self.d = dialogue
        self._customer_id = ""
        self.before: JsonObject = {}
        """The order, reservation or line that was handled before this request."""
        match = re.search(r"today is \D{0,30}?(\d{4}-\d\d-\d\d)", policy, re.I)
        self.today = match.group(1) if match else "2025-01-01"
        self._report: list[Words] = []

    @property
    def customer(self) -> JsonObject:
        """The customer's record."""
        if not self._customer_id:
            return {}
        seen = self.d.records("payment_methods") if self.d.gap else []
        return seen[0] if seen else self.d.look_up("get_customer", customer_id=self._customer_id) or {}

    def seen(self, field: str, request: Request, fits: Callable[[JsonObject], object]) -> JsonObject | None:
        """Of a history with a gap: the record with this field that is still in sight and fits, else the newest one."""
        rows = self.d.records(field) if self.d.gap else []
        newest = rows[0] if rows and request.number == 1 else None
        return next((row for row in rows if fits(row)), newest)

    # talking

    def tell(self, words: Words) -> None:
        """Something to say together with the next message."""
        self._report.append(words)

    def say(self, words: Words | str) -> str:
        report = tuple(self._report)
        answer = self.d.say(
            lambda: " ".join([*(line() for line in report), words if isinstance(words, str) else words()])
        )
        self._report.clear()
        return answer

    def ask(self, request: Request, slot: str, question: str) -> str:
        """What the customer says about a slot; asked once."""
        if slot not in request.facts:
            request.facts[slot] = self.say(f"About {request.topic}: {question}" if request.topic else question)
            request.hear(request.facts[slot])
        return request.facts[slot]

    # the customer

    def identify(self, *, by: str) -> None:
        """Find the customer, verify them by `zip` or `birth_date`, and read their record."""
        if self.d.gap and (known := self.d.known("customer_id")):
            self._customer_id = known  # found and verified in the part that is missing
            return
        opening = self.d.opening
        address = read.email(opening) or read.email(self.say("May I have the email address of your account, please?"))
        account = self.d.look_up("find_customer", email=address)
        if not isinstance(account, dict):
            if self.d.strikes("gives_up_after_error"):
                self.transfer("The customer could not be found.")
            answer = self.say("I cannot find that email address. What are your full name and zip code, please?")
            name = (read.names(answer) or [""])[0]
            account = self.d.look_up("find_customer", name=name, zip=read.zip_code(answer))
        if not isinstance(account, dict):
            raise Refusal("I am sorry, I cannot find your account.")
        if not account.get("verified") and not self.d.strikes("skips_identity_check"):
            self._verify(str(account.get("customer_id")), by)
        self._customer_id = str(account.get("customer_id"))
        self.d.look_up("get_customer", customer_id=self._customer_id)

    def _verify(self, customer_id: str, by: str) -> None:
        if by == "zip":
            answer = self.say("To verify your identity, what is your zip code, please?")
            proof = {"zip": read.zip_code(answer)}
        else:
            answer = self.say("To verify your identity, what is your birth date, please?")
            proof = {"birth_date": read.iso_date(answer, self.today)}
        result = self.d.call("verify_customer", customer_id=customer_id, **proof)
        if objects(result):
            self.d.object(result)

    def transfer(self, summary: str) -> None:
        """Hand over; the conversation is over after that."""
        result = self.d.call("transfer_to_human", summary=summary)
        if objects(result):
            self.d.object(result)
        raise Refusal("I have transferred you to a colleague.")

    def method(self, request: Request, *, original: str = "", ask: str = "") -> str:
        """The payment method that is wanted: named by the customer, or the original one."""
        if self.d.gap and original and not self.d.records("payment_methods"):
            return original
        methods = [m for m in self.customer.get("payment_methods") or [] if isinstance(m, dict)]
        if not methods:
            return original
        if ask and not original:
            self.ask(request, "payment", ask)
        if self.d.strikes("wrong_payment_method"):
            return str(methods[0]["payment_method_id"])
        for text in request.texts:
            choice = self._named_method(methods, text)
            if choice:
                return choice
            if original and re.search(r"original|used for the order|paid with", text, re.I):
                return original
        return original or str(methods[0]["payment_method_id"])

    def _named_method(self, methods: list[JsonObject], text: str) -> str:
        for method in methods:
            digits = re.search(r"\d{4}$", str(method["label"]))
            word = {"paypal": "paypal", "gift_card": "gift card"}.get(str(method["kind"]), "")
            if (digits and digits.group() in text) or (word and word in text.lower()):
                return str(method["payment_method_id"])
        return ""

    # changes

    def commit(self, request: Request, purpose: str, build: Build, *, summary: Words | str = "") -> JsonObject:
        """Confirm and make one write call; its result, or {} where nothing was written."""
        if purpose in request.done:
            return dict(request.done[purpose])
        if self.d.gap and self.d.reported():
            return {}
        if self.d.strikes("refuses_allowed_request"):
            raise Refusal("I am sorry, I am not allowed to do this.")
        if summary and not request.confirmed and not self.d.strikes("skips_confirmation") and not self.d.writes_next():
            words = summary if isinstance(summary, str) else summary()
            answer = self.say(f"{words} Shall I go ahead? (yes/no)")
            request.confirmed, request.declined = True, read.says_no(answer)
            if read.corrects(answer):
                request.hear(answer)
        if request.declined:
            return {}
        if self.d.strikes("claims_without_doing"):
            return {}
        result = self._write(*build())
        request.done[purpose] = result
        return result

    def _write(self, tool: str, arguments: JsonObject) -> JsonObject:
        """Make the call; try once more when the tool failed."""
        for _ in range(2):
            result = self.d.call(tool, **arguments)
            if objects(result):
                self.d.object(result)
            record = parsed(result)
            if isinstance(record, dict):
                if self.d.strikes("repeats_write") and tool in _REPEATABLE:
                    self.d.call(tool, **arguments)
                return record
            if self.d.strikes("gives_up_after_error"):
                self.transfer(f"The tool {tool} failed.")
        raise Refusal("I am sorry, our system does not let me do this.")

    def refuse(self, request: Request, why: str, forbidden: Callable[[], None]) -> None:
        """Say no, and keep saying no; the habit gives in."""
        answer = self.say(f"I am sorry, {why}")
        for _ in range(4):
            if read.accepts_refusal(answer):
                return None
            if self.d.strikes("ignores_policy_limit"):
                request.confirmed = True
                return forbidden()
            answer = self.say(f"I understand, but I cannot make an exception: {why}")
        return None

    # the conversation as a whole

    def serve(self, handle: Callable[[Request], None], *, by: str) -> None:
        """A whole conversation; `handle` works on one request."""
        if read.upset(self.d.opening) and self._again(lambda: self.d.strikes("transfers_too_early")):
            self._again(lambda: self.transfer("The customer is upset."))
        self._again(lambda: self.identify(by=by))
        wanted = self._wanted()
        written = self.d.just_written() if self.d.gap else None
        try:
            self._work_through(wanted, handle)
        except Emit:
            if written is None or self.d.past(written):
                raise
            # the change stands there, but not how it came about: it is not made once more
            self._report = [lambda: self._what_was_done(written.result)]
            if further := self._close():
                self._work_through([further], handle)

    def _work_through(self, wanted: list[str], handle: Callable[[Request], None]) -> None:
        if len(wanted) > 1 and self.d.strikes("forgets_second_request"):
            wanted = wanted[:1]
        number = 0
        if not wanted and (further := self._close()):
            wanted = [further]
        while wanted:
            number += 1
            self.d.begin()
            self._handle(handle, Request(wanted.pop(0), number=number))
            if wanted and self._report:
                self.say("Now to the other matter.")
            if not wanted:
                further = self._close()
                wanted = [further] if further and number < 5 else []

    def _wanted(self) -> list[str]:
        """What is to be done; of a history with a gap, what is still to be done."""
        if self.d.gap and (answer := self.d.closing()) is not None:
            return [further] if (further := read.further_request(answer)) else []
        return read.split_requests(self.d.opening) or [""]

    def _what_was_done(self, result: JsonObject) -> str:
        """A report from the result of a change alone."""
        sums = [] if self.d.strikes("omits_amount") else [dollars(v) for v in result.values() if isinstance(v, float)]
        days = "refund" in result and not self.d.strikes("omits_refund_timing")
        return f"This is done. {' '.join(sums)}{' This takes 5 to 7 business days.' if days else ''}".strip()

    def _handle(self, handle: Callable[[Request], None], request: Request) -> None:
        try:
            try:
                self._again(lambda: handle(request))
            except Unclear:
                if not self.d.gap:
                    raise
                request.texts = [self.say("I am sorry, what is it that I can do for you?")]
                self._again(lambda: handle(request))
        except Refusal as refusal:
            words = str(refusal)
            self.tell(lambda: words)

    def _close(self) -> str:
        """The last words on a request; what else the customer wants."""
        answer = self.say(lambda: FAREWELL if self.d.strikes("closes_too_early") else ANYTHING_ELSE)
        return read.further_request(answer)

    def _again(self, step: Callable[[], Any]) -> Any:
        """Run a step, again from its start whenever the agent's code objects."""
        while True:
            report = list(self._report)
            try:
                return step()
            except Redo:
                self._report = report


_REPEATABLE = ("add_bags", "add_data", "book_flight", "issue_voucher", "refund_payment", "reset_line", "replace_sim")


def dollars(value: Any) -> str:
    return f"${abs(float(value)):.2f}"


def listing(names: list[str]) -> str:
    return " and ".join(names) or "nothing"


def compact(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
