"""Airline: reservations that are booked, moved, upgraded, insured, corrected, compensated, cancelled."""

from __future__ import annotations

from pydantic import JsonValue

from sigmaloop.eval.benchmarks.helpdesk.domains.airline.tools import BAG_FEE, INSURANCE_FEE
from sigmaloop.eval.benchmarks.helpdesk.domains.airline.world import (
    AIRPORTS,
    paid_fare,
    place_decoys,
    place_offers,
    place_passengers,
    place_reservation,
    target_reservation,
)
from sigmaloop.eval.benchmarks.helpdesk.people import FIRST, LAST
from sigmaloop.eval.benchmarks.helpdesk.requests import Call, Case, RequestType, amount, phrase
from sigmaloop.eval.benchmarks.helpdesk.scene import (
    Scene,
    days_from_today,
    pay_words,
    spoken_day,
    weekday_day,
)
from sigmaloop.eval.benchmarks.helpdesk.world import Row, money
from sigmaloop.records import JsonObject

FREE_BAGS = {"economy": 1, "business": 2}
"""Free checked bags per passenger."""
VOUCHER = 50.0
"""Dollars per passenger for a long delay."""
LONG_DELAY = 180
"""Minutes from which a delay is compensated."""


def _trip(row: Row) -> str:
    return f"{row['segments'][0]['origin']} to {row['segments'][0]['destination']}"


NUMBERED = ("It's reservation {number}.", "The reservation number is {number}.", "The booking code is {number}.")
UNNUMBERED = (
    "I don't have the number at hand; it's the trip from {trip}.",
    "It's the trip from {trip}, I can't find the number.",
    "Sorry, no number here. It's my trip from {trip}.",
)
ORIGINAL = ("To the original payment method, please.", "Back to what I paid with, please.")


def _which(scene: Scene, row: Row) -> tuple[str, str]:
    """How the customer calls a trip in passing, and what it answers when asked which one."""
    number = row["reservation_id"].removeprefix("rs_")
    styles = ["trip"] + ["vague"] * scene.alone + ["number"] * (not scene.several)
    style = scene.dice.pick(styles)
    known = style == "number" or (style == "vague" and scene.dice.chance(0.4))
    answer = scene.pick_text(NUMBERED if known else UNNUMBERED, number=number, trip=_trip(row))
    called = {
        "number": f"reservation {number}",
        "trip": f"my trip from {_trip(row)}",
        "vague": "one of my reservations",
    }
    return called[style], answer


def _paid(scene: Scene) -> tuple[Row, str]:
    """A payment method for a charge, and what the customer says when asked for it."""
    method = scene.method()
    words = ("Please charge {pay}.", "Please use {pay}.", "I'd like to pay with {pay}.")
    return method, scene.pick_text(words, pay=pay_words(method))


def _read(row: Row, *, flights: bool = False) -> tuple[Call, ...]:
    calls = [Call("get_reservation", {"reservation_id": row["reservation_id"]})]
    if flights:
        calls += [Call("get_flight", {"flight_id": s["flight_id"]}) for s in row["segments"]]
    return tuple(calls)


def _write(tool: str, row: Row, method: Row | str, **rest: JsonValue) -> Call:
    pay = method if isinstance(method, str) else method["payment_method_id"]
    return Call(tool, {"reservation_id": row["reservation_id"], **rest, "payment_method_id": pay})


def _corrected_pay(scene: Scene, method: Row) -> tuple[Row, str]:
    """Another method, and the words that ask for it at confirmation."""
    other = scene.method(besides=method)
    return other, f"Yes, but please use {pay_words(other)} instead."


def cancel_with_refund(scene: Scene, variant: str) -> Case:
    shape: JsonObject = {"legs": 2, "people": scene.dice.number(1, 2)}
    eligible: dict[str, JsonObject] = {"fresh": {"booked": -1}, "business": {"cabin": "business"}}
    shape |= eligible.get(variant, {})
    row = target_reservation(scene, **shape)
    if variant == "insured":
        row["insured_legs"] = [1, 2]
    if variant == "airline":
        scene.tables["flights"][row["segments"][0]["flight_id"]]["status"] = "cancelled"
    which, answer = _which(scene, row)
    refund = paid_fare(row)
    return Case(
        opening=scene.pick_text(("I need to cancel {w}.", "I'd like to cancel {w} and get my money back."), w=which),
        later=f"I'd like to cancel {which}.",
        topic="cancel",
        facts={"which": answer, "payment": scene.dice.pick(ORIGINAL), "reason": "My plans have changed."},
        reads=_read(row, flights=True),
        writes=(_write("cancel_reservation", row, row["payment_method_id"]),),
        said=(amount(refund),),
        confirm=f"I would cancel the whole reservation and refund ${refund:.2f}. Shall I go ahead?",
        tell=f"The reservation is cancelled and ${refund:.2f} will be refunded.",
    )


def change_to_cheapest(scene: Scene, variant: str) -> Case:
    both = variant == "both_legs"
    people = 2 if variant == "two_passengers" else 1
    row = target_reservation(scene, legs=2 if both else 1, people=people)
    start = scene.dice.number(2, 7)
    dates = [days_from_today(start), days_from_today(start + scene.dice.number(2, 4))]
    spoken = [weekday_day(date) if variant == "weekday" else spoken_day(date) for date in dates]
    chosen = [
        place_offers(scene, leg, date, cabin="economy", people=people)
        for leg, date in zip(row["segments"], dates, strict=False)
    ]
    if variant == "weekday":
        place_decoys(scene, row["segments"][0], dates[0])
    which, answer = _which(scene, row)
    method, pay = _paid(scene)
    days = f"{spoken[0]} and the return flight to {spoken[1]}" if both else spoken[0]
    correction = ""
    if scene.corrects:
        method, correction = _corrected_pay(scene, method)
    if sum(f["economy_price"] for f in chosen) * people == paid_fare(row):
        chosen[0]["economy_price"] += 7.0  # a change that costs nothing would leave nothing to say
    difference = money(sum(f["economy_price"] for f in chosen) * people - paid_fare(row))
    wish = f"move {which} to {days}, on the cheapest flight"
    sentence = "The outbound on {} and the return on {}." if both else "I'd like to fly on {}."
    return Case(
        opening=scene.pick_text(("I'd like to {w}.", "I need to {w}.", "Please {w}."), w=wish),
        later=f"I'd like to {wish}.",
        topic="chang|mov|rebook|(?<!return )(?<!outbound )flight",
        facts={"which": answer, "date": sentence.format(*spoken),
               "flight": "The cheapest one, please; the time doesn't matter.",
               "payment": pay, "reason": "My plans have changed.", "cabin": "Economy, as it is."},
        reads=(*_read(row), *(_search(leg, date) for leg, date in zip(row["segments"], dates, strict=False))),
        writes=(_write("change_flights", row, method, flight_ids=[f["flight_id"] for f in chosen]),),
        said=(amount(difference),),
        confirm=f"The cheapest flight changes the price by ${abs(difference):.2f}. Shall I go ahead?",
        tell=f"The flight is changed; the price difference is ${abs(difference):.2f}.",
        correction=correction,
    )  # fmt: skip


def _search(leg: Row, date: str) -> Call:
    return Call("search_flights", {"origin": leg["origin"], "destination": leg["destination"], "date": date})


def _cabin_difference(scene: Scene, row: Row, cabin: str) -> float:
    prices = sum(scene.tables["flights"][s["flight_id"]][f"{cabin}_price"] for s in row["segments"])
    return money(prices * len(row["passengers"]) - paid_fare(row))


def cabin_downgrade(scene: Scene, variant: str) -> Case:
    row = target_reservation(
        scene, legs=scene.dice.number(1, 2), people=2 if variant == "two_passengers" else 1, cabin="business"
    )
    legs = [s["leg"] for s in row["segments"]]
    back = -_cabin_difference(scene, row, "economy")
    which, answer = _which(scene, row)
    return Case(
        opening=scene.pick_text(
            (
                "I'd like to downgrade {w} from business to economy.",
                "Business is too much for me, please put {w} in economy.",
            ),
            w=which,
        ),
        later=f"I'd like to downgrade {which} from business to economy.",
        topic="downgrad|econom|cabin",
        facts={"which": answer, "cabin": "Economy, please.", "payment": scene.dice.pick(ORIGINAL),
               "leg": "The whole trip, please.", "reason": "I want to save money."},
        reads=_read(row, flights=True),
        writes=(
            _write("change_cabin", row, row["payment_method_id"], cabin="economy", legs=legs),
            _write("refund_payment", row, row["payment_method_id"], amount=back),
        ),
        said=(amount(back),),
        confirm=f"I would change the trip to economy and refund ${back:.2f}. Shall I go ahead?",
        tell=f"The trip is in economy now and ${back:.2f} will be refunded.",
    )  # fmt: skip


def cabin_upgrade(scene: Scene, variant: str) -> Case:
    row = target_reservation(scene, legs=2, people=2 if variant == "two_passengers" else 1)
    price = _cabin_difference(scene, row, "business")
    which, answer = _which(scene, row)
    method, pay = _paid(scene)
    correction = ""
    if scene.corrects:
        method, correction = _corrected_pay(scene, method)
    return Case(
        opening=scene.pick_text(
            ("I'd like to upgrade {w} to business.", "Can you put {w} in business class?"), w=which
        ),
        later=f"I'd like to upgrade {which} to business.",
        topic="upgrad|business|cabin",
        facts={"which": answer, "cabin": "Business, please.", "payment": pay, "leg": "All flights of the trip, please.",
               "reason": "I'd like some more room."},
        reads=_read(row, flights=True),
        writes=(_write("change_cabin", row, method, cabin="business", legs=[1, 2]),),
        said=(amount(price),),
        confirm=f"The upgrade costs ${price:.2f}. Shall I go ahead?",
        tell=f"The trip is in business now; ${price:.2f} was charged.",
        correction=correction,
    )  # fmt: skip


def add_baggage(scene: Scene, variant: str) -> Case:
    people = 2 if variant == "two_passengers" else 1
    cabin = "business" if variant == "business" else "economy"
    row = target_reservation(scene, people=people, cabin=cabin)
    free = FREE_BAGS[cabin] * people
    row["bags"] = scene.dice.number(0, free - 1) if free > 1 else 0
    left = free - row["bags"]
    bags = left if variant == "free" else left + scene.dice.number(1, 2)
    which, answer = _which(scene, row)
    method, pay = _paid(scene)
    correction = ""
    word = f"{bags} more checked bag{'s' if bags > 1 else ''}"
    if scene.corrects:
        bags += 1
        correction = f"Yes, but please make it {bags} bags."
    paid = bags - left
    fee = money(BAG_FEE * paid)
    need = amount(fee) if paid else phrase("free", "no charge", "no extra charge", "without charge", "no cost", "$0")
    return Case(
        opening=scene.pick_text(("I'd like to add {b} to {w}.", "I need {b} on {w}."), b=word, w=which),
        later=f"I'd like to add {word} to {which}.",
        topic="bag|luggage",
        facts={"which": answer, "bags": f"{word.capitalize()}.", "payment": pay, "reason": "I have a lot to carry."},
        reads=_read(row),
        writes=(_write("add_bags", row, method, bags=bags, paid_bags=paid),),
        said=(need,),
        confirm=f"That would be {bags} bags, {paid} of them paid. Shall I go ahead?",
        tell=f"The bags are added; the fee is ${fee:.2f}." if paid else "The bags are added, free of charge.",
        correction=correction,
    )


def add_insurance_leg(scene: Scene, variant: str) -> Case:
    row = target_reservation(scene, legs=2, people=scene.dice.number(1, 3))
    leg = 1 if variant == "outbound" else 2
    city = row["segments"][leg - 1]["origin"]
    name = "the outbound flight" if leg == 1 else "the return flight"
    which, answer = _which(scene, row)
    method, pay = _paid(scene)
    correction = ""
    if scene.corrects:
        leg = 3 - leg
        correction = f"Yes, but please insure {'the outbound flight' if leg == 1 else 'the return flight'} instead."
    fee = money(INSURANCE_FEE * len(row["passengers"]))
    return Case(
        opening=scene.pick_text(
            ("I'd like to insure {n} of {w}.", "Please add insurance to {n} of {w}."), n=name, w=which
        ),
        later=f"I'd like to add insurance to {name} of {which}.",
        topic="insur",
        facts={"which": answer, "leg": f"Only {name}, the one from {city}.", "payment": pay,
               "reason": "I may have to change my plans."},
        reads=_read(row),
        writes=(_write("add_insurance", row, method, legs=[leg]),),
        said=(amount(fee),),
        confirm=f"The insurance costs ${fee:.2f}. Shall I go ahead?",
        tell=f"The insurance is added; ${fee:.2f} was charged.",
        correction=correction,
    )  # fmt: skip


def rename_passenger(scene: Scene, variant: str) -> Case:
    row = target_reservation(scene, people=scene.dice.number(2, 3))
    who = scene.dice.pick(row["passengers"][1:])
    which, answer = _which(scene, row)
    if variant == "another_person":
        return _other_passenger(scene, row, who, which, answer)
    right = who["name"]
    first, last = right.split(" ")
    who["name"] = wrong = f"{first[:-2]}{first[-1]}{first[-2]} {last}"
    opening = f"The name of a passenger on {which} is misspelled: it says {wrong}, but it must be {right}."
    spelling = f"It says {wrong}, but it must be {right}."
    arguments = {"reservation_id": row["reservation_id"], "passenger_id": who["passenger_id"], "name": right}
    return Case(
        opening=opening,
        later=f"I'd like to correct a name. {opening}",
        topic=r"\bname\b|spell",
        facts={"which": answer, "passenger": spelling, "reason": "It was a typing error."},
        reads=_read(row),
        writes=(Call("rename_passenger", arguments),),
        confirm=f"I would change the name to {right}. Shall I go ahead?",
        tell=f"The name is now {right}.",
    )


def _other_passenger(scene: Scene, row: Row, who: Row, which: str, answer: str) -> Case:
    first, last = who["name"].split(" ")
    names = scene.dice.pick([n for n in FIRST if n != first]), scene.dice.pick([n for n in LAST if n != last])
    other = " ".join(names)
    opening = f"Instead of {who['name']}, {other} will fly on {which}; please change the name."
    swap = f"Instead of {who['name']} it is {other} now."
    return Case(
        opening=opening,
        later=f"I'd like to change a name. {opening}",
        topic=r"\bname\b|spell",
        facts={"which": answer, "passenger": swap, "reason": f"{first} can't come along."},
        reads=_read(row),
        said=(phrase("three letters", "3 letters"),),
        tell="I am sorry, at most three letters of a name may be corrected; another person needs a new booking.",
        insists=("It's only a name. Can't you make an exception?",),
    )


def book_flight(scene: Scene, variant: str) -> Case:
    if scene.several:
        place_reservation(scene)
    people = scene.dice.number(2, 3) if variant == "group" else 1
    cabin = "business" if variant == "business" else "economy"
    used = {f["origin"] for f in scene.tables.get("flights", {}).values()}
    origin, destination = scene.dice.take([city for city in AIRPORTS if city not in used], 2)
    date = days_from_today(scene.dice.number(2, 11))
    best = place_offers(scene, {"origin": origin, "destination": destination}, date, cabin=cabin, people=people)
    place_decoys(scene, best, date)
    names = [p["name"] for p in place_passengers(scene, people)]
    method, pay = _paid(scene)
    correction = ""
    if scene.corrects:
        method, correction = _corrected_pay(scene, method)
    total = money(best[f"{cabin}_price"] * people)
    day = weekday_day(date)
    group = f" for {people} people" if people > 1 else ""
    wish = f"book the cheapest {cabin} flight from {origin} to {destination} on {day}{group}"
    alone = f"Just me, {names[0]}."
    return Case(
        opening=scene.pick_text(("I'd like to {w}.", "Please {w}.", "Can you {w}?"), w=wish),
        later=f"I'd like to {wish}.",
        topic=r"\bbook(?:ed)?\b|\b(?:the|your|new) booking|(?<!return )(?<!outbound )flight",
        facts={"date": f"On {day}.", "flight": "The cheapest one, please.", "cabin": f"{cabin.capitalize()}, please.",
               "passenger": f"The passengers are {', '.join(names)}." if people > 1 else alone,
               "which": f"It's a new booking, from {origin} to {destination}.", "payment": pay,
               "bags": "No bags, thanks.", "leg": "One way only."},
        reads=(_search(best, date),),
        writes=(
            Call("book_flight", {
                "customer_id": scene.customer_id, "flight_ids": [best["flight_id"]], "cabin": cabin,
                "passengers": names, "payment_method_id": method["payment_method_id"],
            }),
        ),
        said=(amount(total),),
        confirm=f"Flight {best['number']} costs ${total:.2f} in all. Shall I go ahead?",
        tell=f"The flight is booked; ${total:.2f} was charged.",
        correction=correction,
    )  # fmt: skip


def delay_compensation(scene: Scene, variant: str) -> Case:
    people = scene.dice.number(1, 3)
    row = target_reservation(scene, people=people)
    flight = scene.tables["flights"][row["segments"][0]["flight_id"]]
    due = variant != "not_eligible"
    flight["status"] = "delayed"
    flight["delay_minutes"] = LONG_DELAY + scene.dice.number(5, 120) if due else scene.dice.number(31, 150)
    row["segments"][0]["date"] = flight["date"] = days_from_today(-scene.dice.number(1, 5))
    which, answer = _which(scene, row)
    value = money(VOUCHER * people)
    arguments = {"customer_id": scene.customer_id, "reservation_id": row["reservation_id"], "amount": value}
    return Case(
        opening=scene.pick_text(
            ("The flight of {w} was delayed for hours, I'd like a compensation.",
             "I want to be compensated for the delay on {w}."), w=which,
        ),
        later=f"I'd like a compensation for the delay on {which}.",
        topic="compens|voucher|delay",
        facts={"which": answer, "flight": f"The flight to {flight['destination']}.",
               "date": f"It was on {spoken_day(flight['date'])}.", "reason": "We were very late.",
               "delay": "I didn't look at the clock, but it was hours."},
        reads=_read(row, flights=True),
        writes=(Call("issue_voucher", arguments),) if due else (),
        said=(amount(value) if due else phrase(f"{flight['delay_minutes']} min"),),
        confirm=f"I would issue a voucher of ${value:.2f}. Shall I go ahead?" if due else "",
        tell=f"You have a voucher of ${value:.2f} now." if due else
        f"I am sorry, the delay was {flight['delay_minutes']} minutes; only delays from 180 minutes are compensated.",
        insists=() if due else scene.dice.pick(
            (("But it felt like hours! Can't you make an exception?",),
             ("I think I deserve something for that.", "Please, just a small voucher?"))),
    )  # fmt: skip


def cancel_not_eligible(scene: Scene, variant: str) -> Case:
    row = target_reservation(scene, legs=scene.dice.number(1, 2))
    if variant == "half_insured" and len(row["segments"]) == 2:
        row["insured_legs"] = [1]
    which, answer = _which(scene, row)
    return Case(
        opening=scene.pick_text(("I need to cancel {w}.", "I'd like to cancel {w} and get my money back."), w=which),
        later=f"I'd like to cancel {which}.",
        topic="cancel",
        facts={"which": answer, "reason": "My plans have changed.", "payment": scene.dice.pick(ORIGINAL)},
        reads=_read(row, flights=True),
        said=(phrase("24 hours", "24-hour", "24 hour", "twenty-four hours"),),
        tell="I am sorry: a trip like this can be cancelled only within 24 hours of booking.",
        insists=scene.dice.pick(
            (("But I really can't travel. Can't you make an exception?",),
             ("Please, I have never asked for anything.", "Are you sure? I need that money back."))),
    )  # fmt: skip


_FIND = ("acts_on_first_order",)

AIRLINE_TYPES: tuple[RequestType, ...] = (
    RequestType(
        "change_to_cheapest", "airline", 7.0, change_to_cheapest,
        ("plain", "weekday", "two_passengers", "both_legs"),
        called="the flight change", corrects=True, write="change_flights",
        habits={
            "": ("not_cheapest_flight", "wrong_payment_method", *_FIND), "weekday": ("wrong_travel_date",),
            "two_passengers": ("ignores_passenger_count",), "both_legs": ("changes_one_leg_only",),
        },
    ),
    RequestType(
        "cancel_with_refund", "airline", 5.5, cancel_with_refund, ("fresh", "insured", "business", "airline"),
        called="the cancellation",
        write="cancel_reservation", habits={"": ("wrong_payment_method", "omits_amount", *_FIND)},
    ),
    RequestType(
        "add_baggage", "airline", 4.5, add_baggage, ("plain", "two_passengers", "business", "free"),
        called="the bags", corrects=True,
        write="add_bags", habits={"": ("charges_free_bags", "repeats_write", "wrong_payment_method", *_FIND)},
    ),
    RequestType(
        "cabin_downgrade", "airline", 3.5, cabin_downgrade, ("plain", "two_passengers"),
        called="the downgrade", write="change_cabin",
        habits={
            "": ("downgrade_without_refund", "omits_amount", *_FIND), "two_passengers": ("ignores_passenger_count",),
        },
    ),
    RequestType(
        "cancel_not_eligible", "airline", 3.0, cancel_not_eligible, ("plain", "half_insured"),
        called="the cancellation", second=False,
        habits={"": ("ignores_policy_limit",)},
    ),
    RequestType(
        "cabin_upgrade", "airline", 2.5, cabin_upgrade, ("plain", "two_passengers"),
        called="the upgrade", corrects=True,
        write="change_cabin", habits={"": ("changes_one_leg_only", "wrong_payment_method", "omits_amount", *_FIND)},
    ),
    RequestType(
        "book_flight", "airline", 2.2, book_flight, ("plain", "group", "business"),
        called="the booking", corrects=True, write="book_flight",
        habits={
            "": ("not_cheapest_flight", "wrong_travel_date", "wrong_payment_method", "repeats_write"),
            "group": ("ignores_passenger_count",),
        },
    ),
    RequestType(
        "delay_compensation", "airline", 2.0, delay_compensation, ("eligible", "not_eligible"),
        called="the compensation", write="issue_voucher",
        habits={
            "eligible": ("ignores_passenger_count", "omits_amount", "repeats_write", *_FIND),
            "not_eligible": ("compensation_unchecked", "ignores_policy_limit"),
        },
    ),
    RequestType(
        "add_insurance_leg", "airline", 1.7, add_insurance_leg, ("return", "return", "outbound"),
        called="the insurance", corrects=True,
        write="add_insurance", habits={"": ("insurance_wrong_leg", "wrong_payment_method", "omits_amount", *_FIND)},
    ),
    RequestType(
        "rename_passenger", "airline", 1.4, rename_passenger, ("spelling", "spelling", "another_person"),
        called="the name",
        write="rename_passenger", habits={"spelling": _FIND, "another_person": ("ignores_policy_limit",)},
    ),
)  # fmt: skip
