"""The simulated failure miner: the surest symptom decides, other clear ones are told too; wrong one time in eight."""

from __future__ import annotations

import re

from sigmaloop.simulation.habits import HABITS
from sigmaloop.simulation.messages import JsonObject, Message
from sigmaloop.simulation.specialists.conversation import HELD_BACK, Conversation, Event
from sigmaloop.simulation.specialists.phrasings import GENERIC, PHRASINGS
from sigmaloop.simulation.specialists.recognition import recognise
from sigmaloop.simulation.specialists.request import Request, field
from sigmaloop.simulation.specialists.symptoms import SHARED, Sighting, Symptom, only_unsaid, unsaid
from sigmaloop.simulation.specialists.symptoms_airline import AIRLINE
from sigmaloop.simulation.specialists.symptoms_retail import RETAIL
from sigmaloop.simulation.specialists.symptoms_telecom import TELECOM

SYMPTOMS: dict[str, Symptom] = {**RETAIL, **AIRLINE, **TELECOM, **SHARED}
_WORDS = frozenset({"omits_amount", "omits_refund_timing", "plan_fee_unsaid", "sums_wrong"})
ERROR = 0.06
"""Share of explanations that are off: a neighbouring symptom, or nothing in particular."""
CLEAR = 0.72
"""Certainty from which another symptom is told as a second or third cause."""
MOST = 3
REUSE = 0.9
"""How often a mechanism in use is taken word for word when it fits."""
_UNSAID = frozenset(
    {"omits_amount", "omits_refund_timing", "plan_fee_unsaid", "sums_wrong", "closes_too_early",
     "forgets_second_request", "claims_without_doing", "ignores_passenger_count"}
)  # fmt: skip
_SEVERITY = {
    "omits_amount": 2,
    "omits_refund_timing": 2,
    "plan_fee_unsaid": 2,
    "ignores_policy_limit": 4,
    "skips_identity_check": 5,
    "repeats_write": 4,
    "returns_whole_order": 4,
}


def answer(request: Request) -> Message:
    """An explanation of the failure, worded anew every time: the decisive cause, and others that show."""
    trace = request.section("trace")
    ending, kind = field(request.user, "How it ended"), field(request.user, "Request type")
    talk = Conversation(trace, ending, kind, request.section("policy"))
    ranked = sightings(talk)
    slip = request.draw("slip")
    place = 0 if slip >= ERROR else 1 if slip >= ERROR / 2 else len(ranked)
    if place >= len(ranked):
        return request.answer(_generic(request, talk))
    others = [pair for pair in ranked[place + 1 :] if pair[1].certainty >= CLEAR][: MOST - 1]
    causes = [_cause(request, talk, *ranked[place], decisive=True)]
    causes += [_cause(request, talk, *pair, decisive=False) for pair in others]
    return request.answer({"what_failed": _what(request, ranked[place][0]), "causes": causes})


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


def _what(request: Request, habit: str) -> str:
    return request.pick((HABITS[habit].symptom, HABITS[habit].wrong), "what")


def _cause(request: Request, talk: Conversation, habit: str, sighting: Sighting, *, decisive: bool) -> JsonObject:
    phrasing, known = PHRASINGS[habit], _in_use(request, habit)
    reuses = known and request.draw("reuse", habit) < REUSE
    return {
        "mechanism": known if reuses else request.pick(phrasing.mechanisms, "mechanism", habit),
        "root_cause": request.pick(phrasing.causes, "cause", habit),
        "should_have": request.pick(phrasing.remedies, "remedy", habit),
        "decisive": decisive,
        "instruction": _instruction(request, talk, habit),
        "severity": _SEVERITY.get(habit, 3),
        "evidence": [_quote(request, sighting.event)],
    }


def _in_use(request: Request, habit: str) -> str:
    """The mechanism in use whose words are about the same habit; empty without one."""
    for line in request.section("mechanisms").splitlines():
        name, _, meaning = line.removeprefix("- ").partition(": ")
        if meaning and (name in PHRASINGS[habit].mechanisms or recognise(f"{name} {meaning}") == habit):
            return name
    return ""


def _instruction(request: Request, talk: Conversation, habit: str) -> str:
    """What the agent file has to do with it: a rule that is about the habit was overlooked, however well it is said."""
    if any(event.held_back for event in talk.calls) and request.draw("code", habit) < 0.3:
        return "code"
    texts = re.findall(r'"((?:[^"\\]|\\.){20,400})"', request.section("agent"))
    return "overlooked" if any(recognise(text) == habit for text in texts) else "missing"


def _generic(request: Request, talk: Conversation) -> JsonObject:
    kind = request.pick(range(len(GENERIC.mechanisms)), "generic")
    spoken = [e for e in talk.events if e.kind == "agent"] or talk.events
    cause = {
        "mechanism": GENERIC.mechanisms[kind],
        "root_cause": GENERIC.causes[kind],
        "should_have": GENERIC.remedies[kind],
        "decisive": True,
        "instruction": "missing",
        "severity": 3,
        "evidence": [_quote(request, spoken[-1])] if spoken else [],
    }
    return {"what_failed": "The request was not carried out as it should have been.", "causes": [cause]}


def _quote(request: Request, event: Event) -> JsonObject:
    """Words of the step; one time in twenty slightly misquoted, until the repair turn says so."""
    text = event.text.removeprefix(HELD_BACK)
    words = text if event.kind != "call" else (text if event.failed or event.held_back else event.tool)
    words = re.sub(r" \.\.\.$", "", words)[:160]
    if request.draw("misquote") < 0.05 and len(request.messages) <= 2:
        words = f"{words} indeed"
    return {"step": event.step, "quote": words}
