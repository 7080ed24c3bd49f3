"""What a miner looks for in airline conversations."""

from __future__ import annotations

import datetime
import re

from sigmaloop.simulation.messages import JsonObject
from sigmaloop.simulation.specialists.conversation import Conversation, Event, number
from sigmaloop.simulation.specialists.symptoms import Sighting, Symptom

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_FREE_BAGS = {"economy": 1, "business": 2}
_VOUCHER = 50.0


def not_cheapest_flight(talk: Conversation) -> Sighting | None:
    for call, people, taken, flights, cabin in _chosen(talk):
        price, seats = f"{cabin}_price", f"{cabin}_seats"
        fitting = [f[price] for f in flights if price in f and f.get(seats, people) >= people]
        if fitting and taken.get(price, 0) > min(fitting):
            return Sighting(0.9, call)
    return None


def ignores_passenger_count(talk: Conversation) -> Sighting | None:
    for call, people, taken, _, cabin in _chosen(talk):
        if people > 1 and taken.get(f"{cabin}_seats", people) < people:
            return Sighting(0.93, call)
    for call in talk.writes:
        trip = _trip(talk, call)
        people = len(trip.get("passengers", ()))
        if people > 1 and _for_one(talk, call, people, trip):
            return Sighting(0.94, call)
    return None


def _for_one(talk: Conversation, call: Event, people: int, trip: JsonObject) -> bool:
    """Whether an amount was worked out for one passenger of several."""
    if call.tool == "refund_payment":
        changed = [c for c in talk.of("change_cabin") if c.step < call.step]
        due = abs(float(changed[-1].result.get("price_difference") or 0)) if changed else 0.0
        return due > 0 and abs(float(call.arguments.get("amount", 0)) * people - due) < 0.05
    if call.tool == "issue_voucher":
        return float(call.arguments.get("amount", 0)) < _VOUCHER * people
    if call.tool == "add_bags":
        right, alone = _paid(call, trip, people), _paid(call, trip, 1)
        return right != alone and int(call.arguments.get("paid_bags", 0)) == alone
    if call.tool == "add_insurance":
        charged = float(call.result.get("charged") or 0)
        return charged > 0 and not number(talk.agent, charged) and number(talk.agent, charged / people)
    return False


def charges_free_bags(talk: Conversation) -> Sighting | None:
    for call in talk.of("add_bags"):
        trip = _trip(talk, call)
        paid = int(call.arguments.get("paid_bags", 0))
        people = max(1, len(trip.get("passengers", ())))
        if paid == int(call.arguments.get("bags", 0)) and paid > _paid(call, trip, people):
            return Sighting(0.92 if paid != _paid(call, trip, 1) else 0.8, call)
    return None


def _paid(call: Event, trip: JsonObject, people: int) -> int:
    free = _FREE_BAGS.get(str(trip.get("cabin")), 1) * people - int(trip.get("bags", 0))
    return max(0, int(call.arguments.get("bags", 0)) - max(0, free))


def downgrade_without_refund(talk: Conversation) -> Sighting | None:
    for call in talk.of("change_cabin"):
        lower = float(call.result.get("price_difference") or 0) < 0
        if lower and not any(c.step > call.step for c in talk.of("refund_payment")):
            return Sighting(0.95, call)
    return None


def insurance_wrong_leg(talk: Conversation) -> Sighting | None:
    for call in talk.of("add_insurance"):
        words = re.findall(r"\b(?:outbound|way there|return|back|home|leg \d)\b", talk.customer)
        legs = {1 if w in ("outbound", "way there", "leg 1") else 2 for w in words}
        if legs and not legs & set(call.arguments.get("legs", ())):
            return Sighting(0.94, call)
    return None


def wrong_travel_date(talk: Conversation) -> Sighting | None:
    wanted = _wanted_days(talk.customer, talk.today)
    for call in talk.of("search_flights"):
        try:
            date = datetime.date.fromisoformat(str(call.arguments.get("date")))
        except ValueError:
            continue
        names = [day for day in _DAYS if re.search(rf"\b{day}\b", talk.customer)]
        if (wanted and date not in wanted) or (names and _DAYS[date.weekday()] not in names):
            return Sighting(0.95, call)
    return None


def _wanted_days(text: str, today: datetime.date | None) -> set[datetime.date]:
    """Calendar days behind "this friday" and "friday of next week"."""
    if today is None:
        return set()
    monday = today - datetime.timedelta(days=today.weekday())
    days = set()
    for match in re.finditer(rf"(this |next )?({'|'.join(_DAYS)})( of next week| next week)?", text):
        weeks = 1 if match.group(3) or match.group(1) == "next " else 0
        days.add(monday + datetime.timedelta(days=_DAYS.index(match.group(2)) + 7 * weeks))
    return days


def compensation_unchecked(talk: Conversation) -> Sighting | None:
    for call in talk.of("issue_voucher"):
        looked = [c for c in talk.of("get_flight") if c.step < call.step]
        if not looked:
            return Sighting(0.96, call)
    return None


def changes_one_leg_only(talk: Conversation) -> Sighting | None:
    one = re.search(r"only the|just the|one leg|outbound only|return only|stays|keep the", talk.customer)
    for call in talk.of("change_cabin"):
        if len(call.arguments.get("legs", ())) < len(_trip(talk, call).get("segments", ())):
            return Sighting(0.94, call)
    for call in talk.of("change_flights"):
        kept = {s.get("flight_id") for s in _trip(talk, call).get("segments", [])}
        taken = call.arguments.get("flight_ids", ())
        if len(taken) > 1 and kept & set(taken) and not one:
            return Sighting(0.9, call)
    return None


def _chosen(talk: Conversation) -> list[tuple[Event, int, JsonObject, list[JsonObject], str]]:
    """Every flight that was taken out of a search: call, passengers, flight, offers of its day, cabin."""
    choices = []
    for call in talk.of("book_flight", "change_flights"):
        trip = _trip(talk, call)
        people = len(call.arguments.get("passengers") or trip.get("passengers") or [""])
        cabin = str(call.arguments.get("cabin") or trip.get("cabin") or "economy")
        for search in talk.of("search_flights"):
            flights = search.result.get("flights", [])
            taken = [f for f in flights if f.get("flight_id") in call.arguments.get("flight_ids", ())]
            choices += [(call, people, flight, flights, cabin) for flight in taken]
    return choices


def _trip(talk: Conversation, call: Event) -> JsonObject:
    return talk.thing(call)[1]


AIRLINE: dict[str, Symptom] = {
    "not_cheapest_flight": not_cheapest_flight,
    "downgrade_without_refund": downgrade_without_refund,
    "insurance_wrong_leg": insurance_wrong_leg,
    "charges_free_bags": charges_free_bags,
    "wrong_travel_date": wrong_travel_date,
    "compensation_unchecked": compensation_unchecked,
    "ignores_passenger_count": ignores_passenger_count,
    "changes_one_leg_only": changes_one_leg_only,
}
