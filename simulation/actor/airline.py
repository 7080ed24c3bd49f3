"""How the simulated model serves customers of the airline."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

from sigmaloop.simulation.actor import understanding as read
from sigmaloop.simulation.actor.desk import Desk, Request, dollars
from sigmaloop.simulation.actor.dialogue import Refusal, Unclear
from sigmaloop.simulation.messages import JsonObject

FREE_BAGS = {"economy": 1, "business": 2}
VOUCHER, LONG_DELAY, INSURANCE = 50.0, 180, 30.0
PAY = "Which payment method should I use?"


class Airline:
    """Procedures of the airline, one per kind of request."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.d = desk, desk.d

    def handle(self, request: Request) -> None:
        text = request.texts[-1]
        for pattern, topic, procedure in (
            (r"compensat|voucher", "the compensation", self.compensate),
            (r"\bbags?\b|baggage|luggage", "the bags", self.add_bags),
            (r"insur", "the insurance", self.insure),
            (r"misspelled|spelling|the name|a name|will fly on", "the name", self.rename),
            (r"downgrade|in economy", "the downgrade", self.downgrade),
            (r"upgrade|business class|in business", "the upgrade", self.upgrade),
            (r"\bbook\b.*flight from|new flight", "the new flight", self.book),
            (r"cancel", "the cancellation", self.cancel),
            (r"\bmove\b|change|rebook|cheapest", "the flight change", self.change),
        ):
            if re.search(pattern, text, re.I):
                request.topic = topic
                return procedure(request)
        raise Unclear("I am sorry, I did not understand what I can do for you.")

    # finding

    def find(self, request: Request) -> JsonObject:
        """The reservation that is meant."""
        row = self._seen(request) or self._find(request, self.reservations())
        if request.number > 1 and self.desk.before and self.d.strikes("loses_state_across_orders"):
            return self.desk.before
        self.desk.before = self.desk.before or row
        return row

    def reservations(self) -> list[str]:
        return [str(row) for row in self.desk.customer.get("reservation_ids") or []]

    def _seen(self, request: Request) -> JsonObject | None:
        def fits(row: JsonObject) -> bool:
            ends = [str(row["segments"][0][end]) for end in ("origin", "destination")]
            return str(row.get("reservation_id"))[3:] in request.text or " to ".join(ends) in request.text

        return self.desk.seen("segments", request, fits)

    def _find(self, request: Request, ids: list[str]) -> JsonObject:
        if not ids:
            raise Refusal("I am sorry, there is no reservation on your account.")
        for attempt in range(2):
            number = re.search(r"\b(\d{4}[A-Z]{2})\b", request.text)
            if number:
                return self.by_number(number.group(1))
            if len(ids) > 1 and self.d.strikes("acts_on_first_order"):
                return self.get(ids[0])
            trip = re.search(r"from ([A-Z]\w+) to ([A-Z]\w+)", request.text)
            if len(ids) == 1:
                return self.get(ids[0])
            for row in map(self.get, ids) if trip else ():
                ends = (row["segments"][0]["origin"], row["segments"][0]["destination"])
                if trip and ends == trip.groups():
                    return row
            if attempt == 0:
                question = "Which reservation is it? Please tell me its number, or from where to where you fly."
                self.desk.ask(request, "which", question)
        return self.get(ids[0])

    def get(self, reservation_id: str) -> JsonObject:
        return self.d.look_up("get_reservation", reservation_id=reservation_id) or {}

    def by_number(self, number: str) -> JsonObject:
        """A reservation by its number; the habit omits the prefix and does not correct it."""
        if self.d.strikes("malformed_arguments"):
            self.d.look_up("get_reservation", reservation_id=number)
            raise Refusal(f"I am sorry, I cannot find a reservation {number}.")
        return self.get(f"rs_{number}")

    def flight(self, flight_id: str) -> JsonObject:
        return self.d.look_up("get_flight", flight_id=flight_id) or {}

    def money(self, words: str) -> str:
        """The words, or fewer that leave the amount out when the habit strikes."""
        return "This is done." if self.d.strikes("omits_amount") else words

    # procedures

    def cancel(self, request: Request) -> None:
        row = self.find(request)

        def build() -> tuple[str, JsonObject]:
            method = self.desk.method(request, original=row["payment_method_id"])
            return "cancel_reservation", {"reservation_id": row["reservation_id"], "payment_method_id": method}

        if not self._refundable(row):
            why = "a trip like this can be cancelled only within 24 hours of booking."
            return self.desk.refuse(request, why, lambda: self._drop(request, build))
        self.desk.commit(request, "cancel", build, summary="I would cancel the whole reservation and refund it.")
        refund = sum(s["fare"] for s in row["segments"]) * len(row["passengers"])
        self.desk.tell(lambda: self.money(f"The reservation is cancelled and {dollars(refund)} will be refunded."))
        return None

    def _drop(self, request: Request, build: Any) -> None:
        self.desk.commit(request, "forbidden", build)

    def _refundable(self, row: JsonObject) -> bool:
        yesterday = (date.fromisoformat(self.desk.today) - timedelta(days=1)).isoformat()
        insured = len(row["insured_legs"]) == len(row["segments"])
        if row["booked_on"] >= yesterday or row["cabin"] == "business" or insured:
            return True
        return any(self.flight(s["flight_id"]).get("status") == "cancelled" for s in row["segments"])

    def change(self, request: Request) -> None:
        row = self.find(request)
        if not read.dates(request.text, self.desk.today):
            self.desk.ask(request, "date", "On which day would you like to fly?")
        self.desk.ask(request, "payment", PAY)

        def flights() -> list[JsonObject]:
            days = next((d for d in map(self._days, reversed(request.texts)) if d), [])
            return [self.cheapest(leg, day, row["cabin"], len(row["passengers"]))
                    for leg, day in zip(row["segments"], days, strict=False)]  # fmt: skip

        def build() -> tuple[str, JsonObject]:
            new = [flight["flight_id"] for flight in flights()]
            if self.d.strikes("changes_one_leg_only"):
                new = new[:1]
            ids = new + [s["flight_id"] for s in row["segments"][len(new) :]]
            method = self.desk.method(request, ask=PAY)
            return "change_flights", {
                "reservation_id": row["reservation_id"], "flight_ids": ids, "payment_method_id": method,
            }  # fmt: skip

        numbers = ", ".join(str(flight.get("number")) for flight in flights())
        result = self.desk.commit(request, "change", build, summary=f"I would move your trip to flight {numbers}.")
        difference = result.get("price_difference", 0.0)
        self.desk.tell(lambda: self.money(f"The flight is changed; the price difference is {dollars(difference)}."))

    def _days(self, text: str) -> list[str]:
        days = read.dates(text, self.desk.today)
        if days and read.names_weekday(text) and self.d.strikes("wrong_travel_date"):
            return [(date.fromisoformat(day) + timedelta(days=7)).isoformat() for day in days]
        return days

    def cheapest(self, leg: JsonObject, day: str, cabin: str, people: int) -> JsonObject:
        """The cheapest flight of a day with enough seats; habits take the first one or forget the seats."""
        query = {"origin": leg["origin"], "destination": leg["destination"], "date": day}
        flights = (self.d.look_up("search_flights", **query) or {}).get("flights") or []
        if not flights:
            raise Refusal(f"I am sorry, I found no flight from {leg['origin']} to {leg['destination']} on {day}.")
        if people > 1 and self.d.strikes("ignores_passenger_count"):
            people = 1
        fitting = [f for f in flights if f[f"{cabin}_seats"] >= people] or flights
        if self.d.strikes("not_cheapest_flight"):
            return dict(fitting[0])
        return dict(min(fitting, key=lambda f: f[f"{cabin}_price"]))

    def _cabin(self, request: Request, row: JsonObject, cabin: str, *, original: bool) -> JsonObject:
        legs = [s["leg"] for s in row["segments"]]

        def build() -> tuple[str, JsonObject]:
            chosen = legs[:1] if self.d.strikes("changes_one_leg_only") else legs
            method = self.desk.method(request, original=row["payment_method_id"] if original else "", ask=PAY)
            return "change_cabin", {
                "reservation_id": row["reservation_id"], "cabin": cabin, "legs": chosen, "payment_method_id": method,
            }  # fmt: skip

        return self.desk.commit(request, "cabin", build, summary=f"I would put your whole trip in {cabin}.")

    def downgrade(self, request: Request) -> None:
        row = self.find(request)
        result = self._cabin(request, row, "economy", original=True)
        back = -float(result.get("price_difference", 0.0))
        if not result or self.d.strikes("downgrade_without_refund"):
            return self.desk.tell(lambda: "Your trip is in economy now.")

        def due() -> float:
            short = len(row["passengers"]) > 1 and self.d.strikes("ignores_passenger_count")
            return round(back / len(row["passengers"]) if short else back, 2)

        def build() -> tuple[str, JsonObject]:
            method = self.desk.method(request, original=row["payment_method_id"])
            arguments = {"reservation_id": row["reservation_id"], "amount": due()}
            return "refund_payment", {**arguments, "payment_method_id": method}

        self.desk.commit(request, "refund", build)
        return self.desk.tell(lambda: self.money(f"Your trip is in economy now; {dollars(due())} will be refunded."))

    def upgrade(self, request: Request) -> None:
        row = self.find(request)
        self.desk.ask(request, "payment", PAY)
        result = self._cabin(request, row, "business", original=False)
        price = result.get("price_difference", 0.0)
        self.desk.tell(lambda: self.money(f"Your trip is in business now; {dollars(price)} was charged."))

    def add_bags(self, request: Request) -> None:
        row = self.find(request)
        if not read.count_before(request.text, "bags?"):
            self.desk.ask(request, "bags", "How many bags would you like to add?")
        self.desk.ask(request, "payment", PAY)

        def build() -> tuple[str, JsonObject]:
            bags = next((n for n in (read.count_before(t, "bags?") for t in request.texts) if n), 1)
            people = len(row["passengers"])
            if people > 1 and self.d.strikes("ignores_passenger_count"):
                people = 1
            free = max(0, FREE_BAGS[row["cabin"]] * people - row["bags"])
            paid = bags if self.d.strikes("charges_free_bags") else max(0, bags - free)
            return "add_bags", {
                "reservation_id": row["reservation_id"], "bags": bags, "paid_bags": paid,
                "payment_method_id": self.desk.method(request, ask=PAY),
            }  # fmt: skip

        self.desk.commit(request, "bags", build, summary="I would add the bags to your trip.")
        paid = build()[1]["paid_bags"]
        words = (
            f"The bags are added; the fee is {dollars(50 * paid)}." if paid else "The bags are added, free of charge."
        )
        self.desk.tell(lambda: self.money(words))

    def insure(self, request: Request) -> None:
        row = self.find(request)
        self.desk.ask(request, "payment", PAY)

        def build() -> tuple[str, JsonObject]:
            leg = next((n for n in map(_leg, request.texts) if n), 1)
            if self.d.strikes("insurance_wrong_leg"):
                leg = 1 if leg > 1 else len(row["segments"])
            return "add_insurance", {
                "reservation_id": row["reservation_id"], "legs": [leg],
                "payment_method_id": self.desk.method(request, ask=PAY),
            }  # fmt: skip

        self.desk.commit(request, "insurance", build, summary="I would add the insurance to the flight you named.")

        def words() -> str:
            short = self.d.strikes("ignores_passenger_count")
            return self.money(
                f"The insurance is added for {dollars(INSURANCE * (1 if short else len(row['passengers'])))}."
            )

        self.desk.tell(words)

    def rename(self, request: Request) -> None:
        row = self.find(request)
        text = request.text
        match = re.search(
            r"it says (\w+ \w+), but it must be (\w+ \w+)|[Ii]nstead of (\w+ \w+),? (?:it is )?(\w+ \w+)", text
        )
        if not match:
            answer = self.desk.ask(request, "passenger", "What does the name say now, and how is it spelled correctly?")
            names = read.names(answer)
            old, new = (names[0], names[-1]) if names else ("", "")
        else:
            old, new = [name for name in match.groups() if name]
        who = next((p for p in row["passengers"] if p["name"] == old), row["passengers"][-1])

        def build() -> tuple[str, JsonObject]:
            ids = {"reservation_id": row["reservation_id"], "passenger_id": who["passenger_id"]}
            return "rename_passenger", {**ids, "name": new}

        if _letters(old, new) > 3:
            why = "at most three letters of a name may be corrected; another person needs a new booking."
            return self.desk.refuse(request, why, lambda: self._drop(request, build))
        self.desk.commit(request, "name", build, summary=f"I would change the name {old} to {new}.")
        return self.desk.tell(lambda: f"The name is now {new}.")

    def book(self, request: Request) -> None:
        trip = re.search(r"from ([A-Z]\w+) to ([A-Z]\w+)", request.text)
        if not trip:
            raise Refusal("I am sorry, I did not understand where you want to fly.")
        cabin = "business" if re.search("business", request.text, re.I) else "economy"
        if not read.dates(request.text, self.desk.today):
            self.desk.ask(request, "date", "On which day would you like to fly?")
        answer = self.desk.ask(request, "passenger", "What are the full names of all passengers?")
        passengers = read.names(answer) or [str(self.desk.customer.get("name"))]
        self.desk.ask(request, "payment", PAY)

        def chosen() -> JsonObject:
            day = next((d[0] for d in map(self._days, reversed(request.texts)) if d), self.desk.today)
            leg = {"origin": trip.group(1), "destination": trip.group(2)}
            return self.cheapest(leg, day, cabin, len(passengers))

        def build() -> tuple[str, JsonObject]:
            return "book_flight", {
                "customer_id": self.desk.customer["customer_id"], "flight_ids": [chosen()["flight_id"]],
                "cabin": cabin, "passengers": passengers, "payment_method_id": self.desk.method(request, ask=PAY),
            }  # fmt: skip

        number = chosen().get("number")
        self.desk.commit(request, "book", build, summary=f"I would book flight {number} in {cabin}.")
        total = chosen()[f"{cabin}_price"] * len(passengers)
        self.desk.tell(lambda: self.money(f"The flight is booked; {dollars(total)} was charged."))

    def compensate(self, request: Request) -> None:
        row = self.find(request)

        def value() -> float:
            short = len(row["passengers"]) > 1 and self.d.strikes("ignores_passenger_count")
            return VOUCHER * (1 if short else len(row["passengers"]))

        def build() -> tuple[str, JsonObject]:
            ids = {"customer_id": self.desk.customer["customer_id"], "reservation_id": row["reservation_id"]}
            return "issue_voucher", {**ids, "amount": value()}

        if not self.d.strikes("compensation_unchecked"):
            delay = max(int(self.flight(s["flight_id"]).get("delay_minutes", 0)) for s in row["segments"])
            if delay < LONG_DELAY:
                why = f"the delay was {delay} minutes; only delays from {LONG_DELAY} minutes are compensated."
                return self.desk.refuse(request, why, lambda: self._drop(request, build))
        self.desk.commit(request, "voucher", build, summary="I would issue a voucher for the delay.")
        return self.desk.tell(lambda: self.money(f"You have a voucher of {dollars(value())} now."))


def _leg(text: str) -> int:
    """1 for the outbound, 2 for the return flight; 0 when the text names none."""
    match = re.search(r"\b(outbound|return|flight back|leg (\d))\b", text, re.I)
    if not match:
        return 0
    return int(match.group(2) or (1 if match.group(1).lower() == "outbound" else 2))


def _letters(old: str, new: str) -> int:
    """How many letters change from one name to another (edit distance)."""
    row = list(range(len(new) + 1))
    for i, a in enumerate(old, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(new, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]
