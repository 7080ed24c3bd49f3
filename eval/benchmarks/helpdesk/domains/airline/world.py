"""Lays out an airline: flights, and trips booked on them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sigmaloop.eval.benchmarks.helpdesk.domains.airline.tools import segment
from sigmaloop.eval.benchmarks.helpdesk.people import FIRST
from sigmaloop.eval.benchmarks.helpdesk.scene import Scene, days_from_today
from sigmaloop.eval.benchmarks.helpdesk.world import TODAY, Row, money
from sigmaloop.records import JsonObject

AIRPORTS = (
    "Denver", "Boston", "Seattle", "Chicago", "Atlanta", "Phoenix", "Dallas", "Miami", "Detroit", "Orlando",
    "Oakland", "Houston",
)  # fmt: skip


def place_flight(scene: Scene, origin: str, destination: str, date: str, **given: Any) -> Row:
    dice = scene.dice
    hour = dice.number(6, 19)
    economy = float(dice.number(90, 320))
    row = {
        "flight_id": scene.new_id("fl"),
        "number": f"SL{dice.number(100, 999)}",
        "origin": origin,
        "destination": destination,
        "date": date,
        "departs": f"{hour:02d}:{dice.pick(('00', '15', '40'))}",
        "arrives": f"{hour + dice.number(2, 4):02d}:{dice.pick(('05', '20', '50'))}",
        "status": "scheduled",
        "delay_minutes": 0,
        "economy_price": economy,
        "economy_seats": dice.number(5, 20),
        "business_price": economy + dice.number(150, 300),
        "business_seats": dice.number(5, 9),
    }
    return scene.add("flights", {**row, **given})


def place_passengers(scene: Scene, count: int) -> list[Row]:
    first, last = scene.customer["name"].split(" ")
    names = [f"{name} {last}" for name in scene.dice.take([n for n in FIRST if n != first], count - 1)]
    return [{"passenger_id": scene.new_id("pa"), "name": name} for name in (scene.customer["name"], *names)]


def place_reservation(
    scene: Scene, *, legs: int = 1, people: int = 1, cabin: str = "economy", booked: int = -30
) -> Row:
    """A confirmed trip between two cities that no other trip of this customer touches."""
    used = {
        s[end]
        for r in scene.tables.get("reservations", {}).values()
        for s in r["segments"]
        for end in ("origin", "destination")
    }
    origin, destination = scene.dice.take([city for city in AIRPORTS if city not in used], 2)
    start = scene.dice.number(13, 24)
    flights = [place_flight(scene, origin, destination, days_from_today(start))]
    if legs == 2:
        flights.append(place_flight(scene, destination, origin, days_from_today(start + scene.dice.number(3, 6))))
    letters = "".join(scene.dice.pick("ABCDEFGHKLMNPRSTVWXZ") for _ in range(2))
    row: Row = {
        "reservation_id": f"rs_{scene.dice.number(1000, 9999)}{letters}",
        "customer_id": scene.customer_id,
        "status": "confirmed",
        "booked_on": days_from_today(booked),
        "cabin": cabin,
        "passengers": place_passengers(scene, people),
        "segments": [segment(number, flight, cabin) for number, flight in enumerate(flights, 1)],
        "insured_legs": [],
        "bags": 0,
        "paid_bags": 0,
        "payment_method_id": scene.method()["payment_method_id"],
        "refunds": [],
    }
    return scene.add("reservations", row)


def target_reservation(scene: Scene, **shape: Any) -> Row:
    """The reservation that is meant; where the task has several, others of the same shape come first."""
    if scene.several:
        for _ in range(scene.dice.number(1, 2)):
            place_reservation(scene, **shape)
    return place_reservation(scene, **shape)


def place_offers(scene: Scene, leg: Row, date: str, *, cabin: str, people: int) -> Row:
    """Flights on a day: the cheapest with enough seats is returned; it is not first, and one is a seat short."""
    price = f"{cabin}_price"
    base = float(scene.dice.number(120, 260) + (200 if cabin == "business" else 0))
    offers: list[JsonObject] = [{"cost": base + scene.dice.number(20, 90)}, {"cost": base}]
    if people > 1:
        offers.append({"cost": base - scene.dice.number(12, 40), "seats": people - 1})
    offers = [offers[0], *scene.dice.shuffled([*offers[1:], {"cost": base + scene.dice.number(91, 150)}])]
    best: Row = {}
    for offer in offers:
        seats = {f"{cabin}_seats": offer["seats"]} if "seats" in offer else {}
        prices = {"economy_price": offer["cost"], "business_price": offer["cost"] + 170.0}
        if cabin == "business":
            prices = {"economy_price": offer["cost"] - 150.0, "business_price": offer["cost"]}
        flight = place_flight(scene, leg["origin"], leg["destination"], date, **prices, **seats)
        if not seats and (not best or flight[price] < best[price]):
            best = flight
    return best


def paid_fare(row: Row) -> float:
    return money(sum(s["fare"] for s in row["segments"]) * len(row["passengers"]))


def place_decoys(scene: Scene, leg: Row, iso: str) -> None:
    """A flight on each of the days that a misread weekday leads to: a week off, and a day off."""
    for days in (-7, -1, 1, 7):
        near = (date.fromisoformat(iso) + timedelta(days=days)).isoformat()
        if near > TODAY:
            place_flight(scene, leg["origin"], leg["destination"], near)
