"""Customers made for tests: who they are, what they want, and what they know."""

from sigmaloop.eval.benchmarks.helpdesk.customer.customer import Customer, Script
from sigmaloop.eval.benchmarks.helpdesk.requests import Call, Case, amount

IDENTITY = {
    "email": "My email is ada@example.com.",
    "name": "My name is Ada Brandt.",
    "zip": "My zip code is 43004.",
    "birth_date": "I was born on 1984-03-09.",
    "phone": "My phone number is 555-201-4412.",
}
WRITE = (Call("x", {}),)
RETURN = Case(
    opening="I'd like to return the mug.",
    later="I'd like to return the mug.",
    topic="return",
    facts={
        "which": "It's order 48213.",
        "item": "Only the mug.",
        "variant": "I'd like the blue one, size large.",
        "reason": "It's not what I expected.",
        "payment": "On my gift card, please.",
        "address": "The new address is 12 Oak Street, Apt 4, Columbus, OH 43004.",
    },
    writes=WRITE,
    said=(amount(12.5),),
    correction="",
)
TRIP = Case(
    opening="I'd like to move my trip.",
    later="I'd like to move my trip from Denver to Boston.",
    topic="trip|flight",
    facts={
        "which": "It's reservation 4821KX.",
        "date": "On Friday of next week.",
        "flight": "The cheapest one, please.",
        "cabin": "Economy, please.",
        "leg": "Only the return flight.",
        "passenger": "The passengers are Ada Brandt, Ben Brandt.",
        "bags": "2 more checked bags.",
        "payment": "Please charge my PayPal account.",
    },
    writes=WRITE,
)
LINE = Case(
    opening="My phone has no data.",
    later="I have no data on Mia's phone.",
    topic="data|phone",
    facts={
        "which": "It's the number 555-410-9060.",
        "abroad": "Yes, in Portugal.",
        "tried": "Yes, I have restarted the phone already.",
        "symptom": "Pages take forever to load.",
        "amount": "Three gigabytes, please.",
        "plan": "The Turbo plan, please.",
        "bill": "The bill of April.",
        "payment": "Put it on my next bill, please.",
    },
    writes=WRITE,
)
REFUSED = Case(
    opening="Cancel my order.",
    later="I'd like to cancel order 48213.",
    topic="cancel",
    facts={"which": "It's order 48213."},
    insists=("But it isn't even here yet.", "Are you sure?"),
)
CASES = {"return": RETURN, "trip": TRIP, "line": LINE, "refused": REFUSED}


def customer(
    case: str = "return", *, second: str = "none", verification: str = "zip", correction: str = ""
) -> Customer:
    first = CASES[case]
    if correction:
        first = Case(**{**vars(first), "correction": correction})
    cases = (first,) if second == "none" else (first, TRIP if case == "return" else RETURN)
    return Customer(
        Script(
            opening="Hello. " + first.opening,
            identity=IDENTITY,
            verification=verification,  # type: ignore[arg-type]
            cases=cases,
            second=second,  # type: ignore[arg-type]
            voice="test",
        )
    )
