"""What a miner looks for in airline conversations."""

from __future__ import annotations

import datetime
import re
from typing import Any

from sigmaloop.simulation.specialists.conversation import Conversation, Event
from sigmaloop.simulation.specialists.symptoms import Sighting, Symptom

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def not_cheapest_flight(talk: Conversation) -> Sighting | None:
    offers = [c.result.get("flights", []) for c in talk.of("search_flights")]
    for call in talk.of("book_flight", "change_flights"):
        cabin = str(call.arguments.get("cabin") or _reservation(talk, call).get("cabin") or "economy")
        for flights in offers:
            prices = {f.get("flight_id"): f.get(f"{cabin}_price") for f in flights}
            taken = [prices[f] for f in call.arguments.get("flight_ids", ()) if f in prices]
            known = [p for p in prices.values() if isinstance(p, (int, float))]
            if taken and known and taken[0] is not None and taken[0] > min(known):
                return Sighting(0.86, call)
    return None


def downgrade_without_refund(talk: Conversation) -> Sighting | None:
    for call in talk.of("change_cabin"):
        lower = float(call.result.get("price_difference") or 0) < 0
        if lower and not any(c.step > call.step for c in talk.of("refund_payment")):
            return Sighting(0.95, call)
    return None


def insurance_wrong_leg(talk: Conversation) -> Sighting | None:
    for call in talk.of("add_insurance"):
        segments = _reservation(talk, call).get("segments", [])
        if len(segments) > 1 and call.arguments.get("legs") == [1]:
            first = segments[0]
            named = re.search(r"outbound|first leg|way there|leg 1", talk.customer)
            to_first = str(first.get("destination", "?")).lower() in talk.customer
            return Sighting(0.45 if named else 0.7 if to_first else 0.8, call)
    return None


def charges_free_bags(talk: Conversation) -> Sighting | None:
    for call in talk.of("add_bags"):
        if call.arguments.get("paid_bags") == call.arguments.get("bags"):
            return Sighting(0.75, call)
    return None


def wrong_travel_date(talk: Conversation) -> Sighting | None:
    wanted = [day for day in _DAYS if re.search(rf"\b{day}\b", talk.customer)]
    for call in talk.of("search_flights"):
        try:
            date = datetime.date.fromisoformat(str(call.arguments.get("date")))
        except ValueError:
            continue
        if wanted and _DAYS[date.weekday()] not in wanted:
            return Sighting(0.93, call)
    return None


def compensation_unchecked(talk: Conversation) -> Sighting | None:
    for call in talk.of("issue_voucher"):
        looked = [c for c in talk.of("get_flight") if c.step < call.step]
        if not looked or not any(c.result.get("delay_minutes", c.result.get("delay")) for c in looked):
            return Sighting(0.92, call)
    return None


def ignores_passenger_count(talk: Conversation) -> Sighting | None:
    for call in talk.writes:
        people = len(_reservation(talk, call).get("passengers", ()))
        if people < 2:
            continue
        if call.tool == "refund_payment":
            changed = [c for c in talk.of("change_cabin") if c.step < call.step]
            due = abs(float(changed[-1].result.get("price_difference") or 0)) if changed else 0.0
            if due and abs(float(call.arguments.get("amount", 0)) * people - due) < 0.01:
                return Sighting(0.95, call)
        if call.tool == "issue_voucher" and not re.search(r"\b(two|three|four|all|each|\d) ", talk.agent):
            return Sighting(0.6, call)
        if call.tool == "add_bags" and int(call.arguments.get("paid_bags", 0)) not in (
            0,
            int(call.arguments.get("bags", 0)),
        ):
            return Sighting(0.55, call)
    return None


def changes_one_leg_only(talk: Conversation) -> Sighting | None:
    for call in talk.of("change_cabin"):
        segments = _reservation(talk, call).get("segments", [])
        one = re.search(r"only the|just the|one leg|outbound only|return only", talk.customer)
        if len(segments) > 1 and len(call.arguments.get("legs", ())) == 1 and not one:
            return Sighting(0.84, call)
    for call in talk.of("change_flights"):
        kept = {s.get("flight_id") for s in _reservation(talk, call).get("segments", [])}
        taken = call.arguments.get("flight_ids", ())
        if len(taken) > 1 and kept & set(taken):
            return Sighting(0.6, call)
    return None


def _reservation(talk: Conversation, call: Event) -> dict[str, Any]:
    return talk.latest("get_reservation", "reservation_id", call.arguments.get("reservation_id"), before=call.step)


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
