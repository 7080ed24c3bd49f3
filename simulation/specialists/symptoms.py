"""What a miner looks for in a conversation of any domain: one function per habit, each says how sure it is.

A sighting is (certainty in [0, 1], the event to quote). Symptoms are signs, not proofs: the surest one wins, and
some conversations show several.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from sigmaloop.simulation.specialists.conversation import Conversation, Event, number


class Sighting(NamedTuple):
    certainty: float
    event: Event


Symptom = Callable[[Conversation], Sighting | None]

_FORM = re.compile(
    r"must be|must have|must look|expected|missing|required|format|prefix|not a valid|invalid|no argument|unknown arg|"
    r"such as|needs? an?\b|whole number|is not an?\b|should be|looks? like"
)
_REFUSAL = re.compile(
    r"\b(can ?not|can't|unable|not able|not allowed|not permitted|not possible|against (the|our) policy|"
    r"does not allow|doesn't allow|may not|won't be able|unfortunately|have to decline|not eligible)\b"
)
_ASKS_YES = re.compile(
    r"confirm|\byes\b|shall i|should i (go|proceed|make)|go ahead|proceed|is that (right|correct|ok)|do you agree|"
    r"would you like me to|want me to|all right with you"
)
_MORE = re.compile(r"anything else|something else|anything more|further|any other|else i can|else (that )?you")
_SECOND = re.compile(
    r"\b(also|second|another thing|one more|besides|as well|in addition|and then|after that|two things|plus|"
    r"while (you|we|i)|at the same time|other thing|furthermore|on top|by the way|oh, and)\b"
)
_DONE = re.compile(
    r"\b(done|has been|have been|is now|are now|i('ve| have)|successfully|all set|completed|taken care)\b"
)
_UNSAID = re.compile(r"\bsaid|\btold|\bmention|\bstate|\bsay|\bunsaid|\butter|\binform|\bcommunicat|\banswer")
_STATE = re.compile(r"database|state|record|changes?\b|final")


def unsaid(talk: Conversation) -> bool:
    """The ending says that something was not said."""
    return bool(_UNSAID.search(talk.ending))


def only_unsaid(talk: Conversation) -> bool:
    """The ending says that the data came out right and only words were missing."""
    return unsaid(talk) and not _STATE.search(talk.ending)


def gives_up_after_error(talk: Conversation) -> Sighting | None:
    for before, call in zip(talk.calls, talk.calls[1:], strict=False):
        if call.tool == "transfer_to_human" and before.failed:
            return Sighting(0.97, call)
    return None


def transfers_too_early(talk: Conversation) -> Sighting | None:
    for call in talk.of("transfer_to_human"):
        if not any(e.failed for e in talk.calls if e.step < call.step):
            return Sighting(0.93, call)
    return None


def malformed_arguments(talk: Conversation) -> Sighting | None:
    for call in talk.calls:
        later = [e for e in talk.calls if e.step > call.step and e.tool == call.tool and not e.failed]
        if call.failed and not later and _FORM.search(call.text.lower()):
            return Sighting(0.9, call)
    return None


def claims_without_doing(talk: Conversation) -> Sighting | None:
    last = _last_agent(talk, _DONE)
    if last is None or talk.of("transfer_to_human") or _is_question(talk):
        return None
    return None if talk.writes else Sighting(0.84, last)


def refuses_allowed_request(talk: Conversation) -> Sighting | None:
    last = _last_agent(talk, _REFUSAL)
    if last is None or talk.writes or any(e.failed for e in talk.calls):
        return None
    return Sighting(0.7, last)


def repeats_write(talk: Conversation) -> Sighting | None:
    seen = []
    for call in talk.writes:
        key = (call.tool, call.arguments)
        if key in seen:
            return Sighting(0.96, call)
        seen.append(key)
    return None


def skips_identity_check(talk: Conversation) -> Sighting | None:
    found = talk.of("find_customer")
    if found and not any(e.tool == "verify_customer" for e in talk.calls):
        return Sighting(0.92, found[0])
    return None


def skips_confirmation(talk: Conversation) -> Sighting | None:
    writes = talk.writes
    if not writes:
        return None
    first = writes[0]
    return None if _ASKS_YES.search(talk.said("agent", before=first.step)) else Sighting(0.66, first)


def ignores_policy_limit(talk: Conversation) -> Sighting | None:
    for event in talk.events:
        if event.kind == "agent" and _REFUSAL.search(event.text.lower()):
            for call in talk.writes:
                if call.step > event.step and talk.said("customer", after=event.step, before=call.step):
                    return Sighting(0.88, call)
    return None


def closes_too_early(talk: Conversation) -> Sighting | None:
    last = next((e for e in reversed(talk.events) if e.kind == "agent"), None)
    if last is None or _MORE.search(talk.agent) or talk.of("transfer_to_human"):
        return None
    return Sighting(0.62, last)


def forgets_second_request(talk: Conversation) -> Sighting | None:
    first = next((e for e in talk.events if e.kind == "customer"), None)
    if first is None or not _SECOND.search(talk.opening) or not talk.writes:
        return None
    return Sighting(0.6 if len(talk.writes) == 1 else 0.2, first)


def loses_state_across_orders(talk: Conversation) -> Sighting | None:
    for call in talk.calls:
        if call.failed and re.search(r"has no item|no leg|is not a variant|has no passenger|has no charge", call.text):
            return Sighting(0.86, call)
    for key, look_up in (("order_id", "get_order"), ("reservation_id", "get_reservation"), ("line_id", "get_line")):
        used = [c.arguments[key] for c in talk.writes if key in c.arguments]
        opened = {c.arguments.get(key) for c in talk.of(look_up)}
        tools = [c.tool for c in talk.writes if key in c.arguments]
        if len(used) >= 2 and len(set(used)) == 1 and len(opened) >= 2 and len(set(tools)) >= 1:
            return Sighting(0.64, next(c for c in reversed(talk.writes) if key in c.arguments))
    return None


def acts_on_first_order(talk: Conversation) -> Sighting | None:
    for owned, key in (("order_ids", "order_id"), ("reservation_ids", "reservation_id")):
        ids = talk.owned(owned)
        opened = {c.arguments.get(key) for c in talk.calls if key in c.arguments}
        touched = [c for c in talk.writes if c.arguments.get(key) == (ids or [None])[0]]
        if len(ids) > 1 and touched and opened == {ids[0]} and str(ids[0]).lower() not in talk.customer:
            return Sighting(0.74, touched[0])
    return None


def omits_amount(talk: Conversation) -> Sighting | None:
    for call in reversed(talk.writes):
        for key in ("refund", "charged", "price_difference", "paid", "credited", "refunded", "total", "fee"):
            amount = call.result.get(key)
            if isinstance(amount, (int, float)) and amount and not number(talk.agent, amount):
                return Sighting(0.8 if unsaid(talk) else 0.4, call)
    return None


def wrong_payment_method(talk: Conversation) -> Sighting | None:
    methods = talk.owned("payment_methods")
    if len(methods) < 2:
        return None
    first = methods[0].get("payment_method_id")
    named = re.search(
        r"gift ?card|credit ?card|paypal|visa|master ?card|voucher|other card|my card|debit", talk.customer
    )
    for call in talk.writes:
        if call.arguments.get("payment_method_id") != first:
            continue
        origin = _origin(talk, call)
        kind = str(methods[0].get("kind", methods[0].get("type", methods[0].get("source", "")))).replace("_", " ")
        if named and kind and kind.lower() not in talk.customer:
            return Sighting(0.72, call)
        if origin not in ("", first) and not named:
            return Sighting(0.7, call)
    return None


def _origin(talk: Conversation, call: Event) -> str:
    """The payment method that the order or reservation of a call was paid with."""
    for tool, key in (("get_order", "order_id"), ("get_reservation", "reservation_id")):
        if key in call.arguments:
            found = talk.latest(tool, key, call.arguments[key], before=call.step)
            return str(found.get("payment_method_id", ""))
    return ""


def _last_agent(talk: Conversation, pattern: re.Pattern[str]) -> Event | None:
    spoken = [e for e in talk.events if e.kind == "agent" and pattern.search(e.text.lower())]
    return spoken[-1] if spoken else None


def _is_question(talk: Conversation) -> bool:
    """A request for information, which nothing has to be written for."""
    return bool(re.search(r"question|status|total", talk.request_type))


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
