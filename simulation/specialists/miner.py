"""The simulated failure miner: takes the surest symptom in the trace, and is wrong about one time in eight."""

from __future__ import annotations

import re

from sigmaloop.simulation.habits import HABITS
from sigmaloop.simulation.messages import Message
from sigmaloop.simulation.specialists.conversation import Conversation, Event
from sigmaloop.simulation.specialists.phrasings import GENERIC, PHRASINGS
from sigmaloop.simulation.specialists.request import Request, field
from sigmaloop.simulation.specialists.symptoms import SHARED, Sighting, Symptom, only_unsaid, unsaid
from sigmaloop.simulation.specialists.symptoms_airline import AIRLINE
from sigmaloop.simulation.specialists.symptoms_retail import RETAIL
from sigmaloop.simulation.specialists.symptoms_telecom import TELECOM

SYMPTOMS: dict[str, Symptom] = {**RETAIL, **AIRLINE, **TELECOM, **SHARED}
_WORDS = frozenset({"omits_amount", "omits_refund_timing", "plan_fee_unsaid", "sums_wrong"})
ERROR = 0.06
"""Share of explanations that are off: a neighbouring symptom, or nothing in particular."""
_UNSAID = frozenset(
    {"omits_amount", "omits_refund_timing", "plan_fee_unsaid", "sums_wrong", "closes_too_early",
     "forgets_second_request", "claims_without_doing", "ignores_passenger_count"}
)  # fmt: skip
_SEVERITY = {
    "omits_amount": 2,
    "omits_refund_timing": 2,
    "plan_fee_unsaid": 2,
    "ignores_policy_limit": 5,
    "skips_identity_check": 5,
    "repeats_write": 4,
    "skips_confirmation": 4,
    "returns_whole_order": 4,
}


def answer(request: Request) -> Message:
    """An explanation of the failure, worded anew every time."""
    trace = request.section("trace")
    ending, kind = field(request.user, "How it ended"), field(request.user, "Request type")
    talk = Conversation(trace, ending, kind, request.section("policy"))
    ranked = sightings(talk)
    slip = request.draw("slip")
    place = 0 if slip >= ERROR else 1 if slip >= ERROR / 2 else len(ranked)
    if place >= len(ranked):
        return request.answer(_generic(request, talk))
    habit, sighting = ranked[place]
    return request.answer(_explanation(request, habit, sighting.event))


def sightings(talk: Conversation) -> list[tuple[str, Sighting]]:
    """Every habit whose symptom shows, the surest first."""
    ranked = []
    for habit, symptom in SYMPTOMS.items():
        sighting = symptom(talk)
        if sighting is None:
            continue
        # Data that came out right was not written wrong; and what was left unsaid does not spoil data.
        if (only_unsaid(talk) and habit not in _UNSAID) or (talk.ending and not unsaid(talk) and habit in _WORDS):
            sighting = sighting._replace(certainty=sighting.certainty * 0.4)
        ranked.append((habit, sighting))
    return sorted(ranked, key=lambda pair: -pair[1].certainty)


def _explanation(request: Request, habit: str, event: Event) -> dict[str, object]:
    phrasing = PHRASINGS[habit]
    return {
        "mechanism": request.pick(phrasing.mechanisms, "mechanism"),
        "what_failed": request.pick((HABITS[habit].symptom, HABITS[habit].wrong), "what"),
        "root_cause": request.pick(phrasing.causes, "cause"),
        "should_have": request.pick(phrasing.remedies, "remedy"),
        "severity": _SEVERITY.get(habit, 3),
        "evidence": [_quote(request, event)],
    }


def _generic(request: Request, talk: Conversation) -> dict[str, object]:
    kind = request.pick(range(len(GENERIC.mechanisms)), "generic")
    spoken = [e for e in talk.events if e.kind == "agent"] or talk.events
    return {
        "mechanism": GENERIC.mechanisms[kind],
        "what_failed": "The request was not carried out as it should have been.",
        "root_cause": GENERIC.causes[kind],
        "should_have": GENERIC.remedies[kind],
        "severity": 2,
        "evidence": [_quote(request, spoken[-1])] if spoken else [],
    }


def _quote(request: Request, event: Event) -> dict[str, object]:
    """Words of the step; one time in twenty slightly misquoted."""
    words = event.text if event.kind != "call" else (event.text if event.failed else event.tool)
    words = re.sub(r" \.\.\.$", "", words)[:160]
    if request.draw("misquote") < 0.05:
        words = f"{words} indeed"
    return {"step": event.step, "quote": words}
