"""Airline: read reservations and flights; book, change, cancel; cabins, bags, insurance, names, vouchers, refunds."""

from __future__ import annotations

from sigmaloop.eval.benchmarks.helpdesk.domains.shared_tools import CUSTOMER, DAY, PAYMENT, SHARED, payment_method
from sigmaloop.eval.benchmarks.helpdesk.tools import Param, Tool
from sigmaloop.eval.benchmarks.helpdesk.world import TODAY, Refused, Row, World, money
from sigmaloop.records import JsonObject

CABINS = ("economy", "business")
BAG_FEE = 50.0
"""Dollars for a bag beyond the free ones."""
INSURANCE_FEE = 30.0
"""Dollars per passenger and leg."""

RESERVATION = Param("Reservation id, such as rs_4821KX.", like="rs_4821KX")
FLIGHTS = Param("Flight ids, one for every leg of the trip, in order.", kind="strings", like="fl_4821")
CABIN = Param("Cabin.", choices=CABINS)


def get_reservation(world: World, reservation_id: str) -> JsonObject:
    return world.find("reservations", reservation_id)


def search_flights(world: World, origin: str, destination: str, date: str) -> JsonObject:
    wanted = (origin.lower(), destination.lower(), date)
    rows = world.table("flights").values()
    flights = [f for f in rows if (f["origin"].lower(), f["destination"].lower(), f["date"]) == wanted]
    return {"flights": flights}


def get_flight(world: World, flight_id: str) -> JsonObject:
    return world.find("flights", flight_id)


def book_flight(
    world: World, customer_id: str, flight_ids: list[str], cabin: str, passengers: list[str], payment_method_id: str
) -> JsonObject:
    payment_method(world, customer_id, payment_method_id)
    number = f"rs_NEW{len(world.table('reservations')) + 1}"
    segments = _segments(world, flight_ids, cabin)
    row = {
        "reservation_id": number,
        "customer_id": customer_id,
        "status": "confirmed",
        "booked_on": TODAY,
        "cabin": cabin,
        "passengers": [{"passenger_id": f"pa_{i}", "name": name} for i, name in enumerate(passengers, 1)],
        "segments": segments,
        "insured_legs": [],
        "bags": 0,
        "paid_bags": 0,
        "payment_method_id": payment_method_id,
        "refunds": [],
    }
    world.add("reservations", number, row)
    return {"reservation_id": number, "total": _fare(row), "payment_method_id": payment_method_id}


def change_flights(world: World, reservation_id: str, flight_ids: list[str], payment_method_id: str) -> JsonObject:
    row = _confirmed(world, reservation_id, payment_method_id)
    if len(flight_ids) != len(row["segments"]):
        raise Refused(f"flight_ids must name a flight for each of the {len(row['segments'])} legs")
    before = _fare(row)
    for old, new in zip(row["segments"], _segments(world, flight_ids, row["cabin"]), strict=True):
        if old["flight_id"] != new["flight_id"]:
            old.update(new)
    row["difference_with"] = payment_method_id
    return _changed(row, before, payment_method_id)


def change_cabin(world: World, reservation_id: str, cabin: str, legs: list[int], payment_method_id: str) -> JsonObject:
    row = _confirmed(world, reservation_id, payment_method_id)
    before = _fare(row)
    for segment in _legs(row, legs):
        segment["cabin"] = cabin
        segment["fare"] = world.find("flights", segment["flight_id"])[f"{cabin}_price"]
    row["cabin"] = cabin
    row["difference_with"] = payment_method_id
    return _changed(row, before, payment_method_id)


def refund_payment(world: World, reservation_id: str, amount: float, payment_method_id: str) -> JsonObject:
    row = world.find("reservations", reservation_id)
    payment_method(world, row["customer_id"], payment_method_id)
    if amount <= 0:
        raise Refused("the amount of a refund must be above 0")
    row["refunds"].append({"amount": amount, "payment_method_id": payment_method_id})
    return {"reservation_id": reservation_id, "refunded": amount, "payment_method_id": payment_method_id}


def cancel_reservation(world: World, reservation_id: str, payment_method_id: str) -> JsonObject:
    row = _confirmed(world, reservation_id, payment_method_id)
    row["status"], row["refund_to"] = "cancelled", payment_method_id
    return {
        "reservation_id": reservation_id,
        "status": "cancelled",
        "refund": _fare(row),
        "refund_to": payment_method_id,
    }


def add_bags(world: World, reservation_id: str, bags: int, paid_bags: int, payment_method_id: str) -> JsonObject:
    row = _confirmed(world, reservation_id, payment_method_id)
    if not 0 < bags <= 10 or not 0 <= paid_bags <= bags:
        raise Refused("bags must be 1 to 10, and paid_bags between 0 and bags")
    row["bags"] += bags
    row["paid_bags"] += paid_bags
    row["bags_with"] = payment_method_id
    return {"reservation_id": reservation_id, "bags": row["bags"], "charged": money(BAG_FEE * paid_bags)}


def add_insurance(world: World, reservation_id: str, legs: list[int], payment_method_id: str) -> JsonObject:
    row = _confirmed(world, reservation_id, payment_method_id)
    numbers = {segment["leg"] for segment in _legs(row, legs)}
    if numbers & set(row["insured_legs"]):
        raise Refused("this leg is insured already")
    row["insured_legs"] = sorted(numbers | set(row["insured_legs"]))
    row["insurance_with"] = payment_method_id
    charged = money(INSURANCE_FEE * len(row["passengers"]) * len(numbers))
    return {"reservation_id": reservation_id, "insured_legs": row["insured_legs"], "charged": charged}


def rename_passenger(world: World, reservation_id: str, passenger_id: str, name: str) -> JsonObject:
    row = world.find("reservations", reservation_id)
    for passenger in row["passengers"]:
        if passenger["passenger_id"] == passenger_id:
            passenger["name"] = name
            return {"reservation_id": reservation_id, "passenger_id": passenger_id, "name": name}
    raise Refused(f"reservation {reservation_id} has no passenger {passenger_id}")


def issue_voucher(world: World, customer_id: str, reservation_id: str, amount: float) -> JsonObject:
    world.find("customers", customer_id)
    world.find("reservations", reservation_id)
    if amount <= 0:
        raise Refused("the amount of a voucher must be above 0")
    number = f"vo_{len(world.table('vouchers')) + 1}"
    row = {
        "voucher_id": number,
        "customer_id": customer_id,
        "reservation_id": reservation_id,
        "amount": amount,
    }
    return world.add("vouchers", number, row)


def _confirmed(world: World, reservation_id: str, payment_method_id: str) -> Row:
    row = world.find("reservations", reservation_id)
    payment_method(world, row["customer_id"], payment_method_id)
    if row["status"] != "confirmed":
        raise Refused(f"reservation {reservation_id} is {row['status']}")
    return row


def _segments(world: World, flight_ids: list[str], cabin: str) -> list[Row]:
    return [segment(leg, world.find("flights", fid), cabin) for leg, fid in enumerate(flight_ids, 1)]


def segment(leg: int, flight: Row, cabin: str) -> Row:
    """A leg of a reservation; the fare is per passenger."""
    copied = ("flight_id", "origin", "destination", "date")
    return {
        "leg": leg,
        **{key: flight[key] for key in copied},
        "cabin": cabin,
        "fare": flight[f"{cabin}_price"],
    }


def _legs(row: Row, legs: list[int]) -> list[Row]:
    known = {s["leg"]: s for s in row["segments"]}
    for leg in legs:
        if leg not in known:
            raise Refused(f"there is no leg {leg}; this trip has the legs {', '.join(map(str, known))}")
    return [known[leg] for leg in dict.fromkeys(legs)]


def _fare(row: Row) -> float:
    return money(sum(s["fare"] for s in row["segments"]) * len(row["passengers"]))


def _changed(row: Row, before: float, payment_method_id: str) -> JsonObject:
    return {
        "reservation_id": row["reservation_id"],
        "total": _fare(row),
        "price_difference": money(_fare(row) - before),
        "payment_method_id": payment_method_id,
    }


_LEGS = Param("Numbers of the legs, such as [1, 2].", kind="integers")

AIRLINE_TOOLS: dict[str, Tool] = {
    tool.name: tool
    for tool in (
        *SHARED,
        Tool(
            "get_reservation",
            "A reservation with passengers, legs, fares, bags and insurance.",
            {"reservation_id": RESERVATION},
            get_reservation,
        ),
        Tool(
            "search_flights",
            "Direct flights between two cities on a date, with prices and free seats per cabin.",
            {
                "origin": Param("City of departure."),
                "destination": Param("City of arrival."),
                "date": Param("Date of departure.", pattern=DAY, form="a date like 2025-05-17"),
            },
            search_flights,
        ),
        Tool(
            "get_flight",
            "One flight: times, status, delay in minutes, prices per cabin.",
            {"flight_id": Param("Flight id, such as fl_4821.", like="fl_4821")},
            get_flight,
        ),
        Tool(
            "book_flight",
            "Book a trip for one or more passengers. Seats are not checked.",
            {
                "customer_id": CUSTOMER,
                "flight_ids": FLIGHTS,
                "cabin": CABIN,
                "passengers": Param("Full names of all passengers.", kind="strings"),
                "payment_method_id": PAYMENT,
            },
            book_flight,
            writes=True,
        ),
        Tool(
            "change_flights",
            "Put a reservation on other flights; name a flight for every leg, also for those that stay. "
            "The price difference is charged or refunded. Seats are not checked.",
            {"reservation_id": RESERVATION, "flight_ids": FLIGHTS, "payment_method_id": PAYMENT},
            change_flights,
            writes=True,
        ),
        Tool(
            "change_cabin",
            "Change the cabin of legs of a reservation. An extra price is charged; a lower price is not "
            "refunded by itself.",
            {"reservation_id": RESERVATION, "cabin": CABIN, "legs": _LEGS, "payment_method_id": PAYMENT},
            change_cabin,
            writes=True,
        ),
        Tool(
            "refund_payment",
            "Pay an amount back to a payment method of the customer.",
            {
                "reservation_id": RESERVATION,
                "amount": Param("Dollars.", kind="number"),
                "payment_method_id": PAYMENT,
            },
            refund_payment,
            writes=True,
        ),
        Tool(
            "cancel_reservation",
            "Cancel a whole reservation and refund it. Whether that is allowed is not checked.",
            {"reservation_id": RESERVATION, "payment_method_id": PAYMENT},
            cancel_reservation,
            writes=True,
        ),
        Tool(
            "add_bags",
            "Add checked bags to a reservation; paid_bags of them are charged.",
            {
                "reservation_id": RESERVATION,
                "bags": Param("How many bags to add.", kind="integer"),
                "paid_bags": Param("How many of the added bags are beyond the free allowance.", kind="integer"),
                "payment_method_id": PAYMENT,
            },
            add_bags,
            writes=True,
        ),
        Tool(
            "add_insurance",
            "Insure legs of a reservation for all its passengers.",
            {"reservation_id": RESERVATION, "legs": _LEGS, "payment_method_id": PAYMENT},
            add_insurance,
            writes=True,
        ),
        Tool(
            "rename_passenger",
            "Change the name of a passenger.",
            {
                "reservation_id": RESERVATION,
                "passenger_id": Param("Passenger id, such as pa_4821.", like="pa_4821"),
                "name": Param("The new full name."),
            },
            rename_passenger,
            writes=True,
        ),
        Tool(
            "issue_voucher",
            "Give a customer a travel voucher. Whether it is due is not checked.",
            {
                "customer_id": CUSTOMER,
                "reservation_id": RESERVATION,
                "amount": Param("Dollars.", kind="number"),
            },
            issue_voucher,
            writes=True,
        ),
    )
}
