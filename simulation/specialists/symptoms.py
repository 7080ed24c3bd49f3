"""What a miner looks for in a conversation of any domain: one function per habit, each says how sure it is.

A sighting is (certainty in [0, 1], the event to quote). Symptoms are signs, not proofs: some conversations
show several, and the surest one wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

from sigmaloop.simulation.messages import JsonObject
from sigmaloop.simulation.specialists.conversation import (
    MORE,
    SECOND,
    THINGS,
    Conversation,
    Event,
    Matter,
    described,
    number,
)


class Sighting(NamedTuple):
    certainty: float
    event: Event


Symptom = Callable[[Conversation], Sighting | None]

_FORM = re.compile(
    r"must be|must have|must look|expected|missing|required|format|prefix|not a valid|invalid|no argument|unknown arg|"
    r"such as|whole number|is not an?\b|should be|looks? like"
)
_REFUSAL = re.compile(
    r"\b(can ?not|can't|unable|not able|not allowed|not permitted|not possible|against (the|our) policy|"
    r"does not allow|doesn't allow|may not|won't be able|have to decline|not eligible|can be cancelled only|"
    r"only delays|may be corrected|is valid)\b"
)
_ASKS_YES = re.compile(
    r"confirm|\byes\b|shall i|should i (go|proceed|make)|go ahead|proceed|is that (right|correct|ok)|do you agree|"
    r"would you like me to|want me to|all right with you"
)
_DONE = re.compile(
    r"\b(done|has been|have been|is now|are now|i('ve| have)|successfully|all set|completed|taken care|"
    r"(is|are) (cancelled|started|changed|added|saved|booked|credited|paid|active|suspended|ended|"
    r"in (economy|business)|reset|on (now|their way|its way))|was charged|will be refunded|you have a voucher)\b"
)
_UNSAID = re.compile(r"\bsaid|\btold|\bmention|\bsay|\bunsaid|\butter|\binform|\bcommunicat|\banswer")
_STATE = re.compile(r"database|state|record|\bdata\b")
_MONEY = ("refund", "charged", "price_difference", "paid", "credited", "refunded", "total", "amount")


def unsaid(talk: Conversation) -> bool:
    """The ending says that something was not said."""
    return bool(_UNSAID.search(talk.ending))


def only_unsaid(talk: Conversation) -> bool:
    """The ending says that the data came out right and only words were missing."""
    return unsaid(talk) and not _STATE.search(talk.ending)


def gives_up_after_error(talk: Conversation) -> Sighting | None:
    for before, call in pairwise(talk.calls):
        if call.tool == "transfer_to_human" and before.failed:
            return Sighting(0.97, call)
    return None


def transfers_too_early(talk: Conversation) -> Sighting | None:
    for call in talk.of("transfer_to_human"):
        if not any(e.failed for e in talk.calls if e.step < call.step):
            return Sighting(0.7 if "dispute" in talk.request_type else 0.94, call)
    return None


def malformed_arguments(talk: Conversation) -> Sighting | None:
    for call in talk.calls:
        later = [e for e in talk.calls if e.step > call.step and e.tool == call.tool and not e.failed]
        if call.failed and not later and _FORM.search(call.text.lower()):
            return Sighting(0.96, call)
    return None


def claims_without_doing(talk: Conversation) -> Sighting | None:
    for matter in talk.matters:
        claims = [e for e in matter.events if e.kind == "agent" and _claims(e.text)]
        questions = [e for e in matter.events if e.kind == "agent" and _ASKS_YES.search(e.text.lower())]
        if claims and not matter.writes and not any(e.tool == "transfer_to_human" for e in matter.events):
            return Sighting(0.94 if questions else 0.6, claims[-1])
    return None


def _claims(text: str) -> bool:
    return bool(_DONE.search(text.lower())) and not re.search(r"\bsorry\b|expected on|the total is", text.lower())


def refuses_allowed_request(talk: Conversation) -> Sighting | None:
    for event in talk.events:
        if event.kind == "agent" and _REFUSAL.search(event.text.lower()):
            bare = not re.search(r"[:;]|only|valid|letters", event.text)
            return None if talk.writes else Sighting(0.78 if bare else 0.3, event)
    return None


def repeats_write(talk: Conversation) -> Sighting | None:
    for matter in talk.matters:
        events = [e for e in matter.events if e.kind != "other"]
        for one, two in pairwise(events):
            if one.writes and two.writes and (one.tool, one.arguments) == (two.tool, two.arguments):
                return Sighting(0.96, two)
    return None


def skips_identity_check(talk: Conversation) -> Sighting | None:
    searches = talk.of("find_customer")
    verified = any(call.result.get("verified") for call in searches)
    if searches and not verified and not any(e.tool == "verify_customer" for e in talk.calls):
        return Sighting(0.92, searches[-1])
    return None


def skips_confirmation(talk: Conversation) -> Sighting | None:
    for matter in talk.matters:
        for call in matter.writes[:1]:
            if not _ASKS_YES.search(matter.agent(before=call.step)) and not _REFUSAL.search(matter.agent()):
                return Sighting(0.72, call)
    return None


def ignores_policy_limit(talk: Conversation) -> Sighting | None:
    for matter in talk.matters:
        spoken = [e for e in matter.events if e.kind == "agent"]
        for call in matter.writes:
            last = [e for e in spoken if e.step < call.step][-1:]
            if last and _REFUSAL.search(last[0].text.lower()):
                return Sighting(0.93, call)
            if call.tool == "credit_charge" and float(call.result.get("credited") or 0) > 50:
                return Sighting(0.85, call)
    return None


def closes_too_early(talk: Conversation) -> Sighting | None:
    last = next((e for e in reversed(talk.whole) if e.kind == "agent"), None)
    if last is None or talk.of("transfer_to_human") or len(talk.events) < len(talk.whole):
        return None
    goodbye = re.search(r"goodbye|nice day|bye|take care|thank you for", last.text.lower())
    if goodbye and not MORE.search(talk.agent):
        return Sighting(0.74, last)
    return None if MORE.search(talk.agent) else Sighting(0.5, last)


def forgets_second_request(talk: Conversation) -> Sighting | None:
    first = next((e for e in talk.events if e.kind == "customer"), None)
    if first is None or talk.of("transfer_to_human") or any(e.failed for e in talk.calls[-1:]):
        return None
    two_things = re.search(r"two (things|items|orders)|different orders", talk.opening)
    if two_things and len(talk.of("return_items")) == 1 and not any(e.failed for e in talk.of("return_items")):
        return Sighting(0.86, first)
    both_places = re.search(r"profile", talk.opening) and re.search(r"\border\b", talk.opening)
    if both_places and talk.of("update_profile_address") and not talk.of("change_order_address"):
        return Sighting(0.8, first)
    if SECOND.search(talk.opening):
        return Sighting(0.84, first) if len([m for m in talk.matters if _handled(m)]) < 2 else None
    return None


def _handled(matter: Matter) -> bool:
    """Something was written, refused or told about a matter."""
    return bool(matter.writes or _REFUSAL.search(matter.agent()) or re.search(r"\d", matter.agent()))


def loses_state_across_orders(talk: Conversation) -> Sighting | None:
    for call in talk.calls:
        if call.failed and re.search(r"has no item|has no passenger|has no charge|there is no leg", call.text):
            return Sighting(0.9, call)
    earlier_ids: list[str] = []
    for matter in talk.matters:
        for call in matter.writes:
            ident, thing = talk.thing(call)
            right = [t for t in talk.opened(before=call.step) if t != thing and _meant(talk, t, matter)]
            if ident in earlier_ids and thing and right and not _meant(talk, thing, matter):
                return Sighting(0.92, call)
        earlier_ids += [talk.thing(event)[0] for event in matter.events if event.kind == "call"]
    return None


def acts_on_first_order(talk: Conversation) -> Sighting | None:
    return first_taken(talk, talk.owned("order_ids") or talk.owned("reservation_ids"))


def first_taken(talk: Conversation, ids: list[Any]) -> Sighting | None:
    """A matter in which the first thing on file was used, although the customer described another."""
    for matter in talk.matters:
        acts = matter.writes or [e for e in matter.events if e.tool in (*THINGS.values(), "check_line")]
        for call in acts[-1:]:
            ident, thing = talk.thing(call)
            if len(ids) < 2 or ident != ids[0] or not thing or _meant(talk, thing, matter):
                continue
            if not any(_meant(talk, other, matter) for other in talk.opened(before=call.step)):
                return Sighting(0.9 if matter.writes else 0.85, call)
    return None


def _meant(talk: Conversation, thing: JsonObject, matter: Matter) -> bool:
    return described(thing, matter.wish, owner=talk.owner)


def omits_amount(talk: Conversation) -> Sighting | None:
    for call in reversed(talk.writes):
        amounts = [call.result.get(key) for key in _MONEY]
        values = [float(a) for a in amounts if isinstance(a, (int, float)) and a]
        if values and not any(number(talk.agent, amount) for amount in values):
            return Sighting(0.82 if unsaid(talk) else 0.4, call)
        if call.tool == "set_roaming" and not number(talk.agent, 8):
            return Sighting(0.82, call)
    bare = [e for e in talk.events if e.kind == "agent" and re.search(r"\bthis is done\.", e.text.lower())]
    return Sighting(0.8, bare[-1]) if bare and unsaid(talk) else None


def wrong_payment_method(talk: Conversation) -> Sighting | None:
    methods = talk.owned("payment_methods")
    if len(methods) < 2:
        return None
    for call in talk.writes:
        used = call.arguments.get("payment_method_id")
        named = _named(methods, talk.said("customer", before=call.step))
        if used and named and used not in named:
            return Sighting(0.9, call)
        origin = str(talk.thing(call)[1].get("payment_method_id", ""))
        back = call.tool in ("return_items", "cancel_reservation", "refund_payment") or "original" in talk.customer
        if used and not named and origin and used != origin and back:
            return Sighting(0.86, call)
    return None


def _named(methods: list[JsonObject], text: str) -> list[str]:
    """Ids of the payment methods that a text names."""
    ids = []
    for method in methods:
        digits = re.search(r"\d{4}$", str(method.get("label", "")))
        word = str(method.get("kind", "")).replace("_", " ").lower()
        if (digits and digits.group() in text) or (word in ("paypal", "gift card") and word in text):
            ids.append(str(method.get("payment_method_id")))
    return ids


SHARED: dict[str, Symptom] = {
    "gives_up_after_error": gives_up_after_error,
    "transfers_too_early": transfers_too_early,
    "malformed_arguments": malformed_arguments,
    "claims_without_doing": claims_without_doing,
    "refuses_allowed_request": refuses_allowed_request,
    "repeats_write": repeats_write,
    "skips_identity_check": skips_identity_check,
    "skips_confirmation": skips_confirmation,
    "ignores_policy_limit": ignores_policy_limit,
    "closes_too_early": closes_too_early,
    "forgets_second_request": forgets_second_request,
    "loses_state_across_orders": loses_state_across_orders,
    "acts_on_first_order": acts_on_first_order,
    "omits_amount": omits_amount,
    "wrong_payment_method": wrong_payment_method,
}
