"""The simulated target: reads the request, replays the conversation, and answers with the next message."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sigmaloop.records import digest
from sigmaloop.simulation.actor.airline import Airline
from sigmaloop.simulation.actor.aside import written
from sigmaloop.simulation.actor.desk import FAREWELL, Desk
from sigmaloop.simulation.actor.dialogue import Dialogue, Emit, Gap, Redo, Refusal
from sigmaloop.simulation.actor.retail import Retail
from sigmaloop.simulation.actor.telecom import Telecom
from sigmaloop.simulation.actor.transcript import Transcript, transcript
from sigmaloop.simulation.messages import Message, text_message, tool_message

Domain = tuple[str, type[Retail | Airline | Telecom], str]

DOMAINS: tuple[Domain, ...] = (
    # a tool that only this domain has, its procedures, how it verifies a customer
    ("get_order", Retail, "zip"),
    ("get_reservation", Airline, "birth_date"),
    ("get_line", Telecom, "birth_date"),
)


def next_message(
    request: Mapping[str, object], *, forced: frozenset[str] | None = None, redraw: bool = True
) -> Message:
    """The next message of the agent: a tool call or words."""
    talk = transcript(request)
    emitted = _next(request, talk, seed=_seed(request.get("seed")), forced=forced, redraw=redraw)
    if emitted.tool and emitted.tool in dict(talk.tools):
        arguments = json.dumps(emitted.arguments)
        number = digest(len(talk.events), talk.opening, {"name": emitted.tool, "arguments": arguments}, size=20)
        return tool_message(emitted.tool, arguments, call_id=f"call_{number}")
    return text_message(emitted.text or "I am sorry, I cannot do this for you.")


def _next(
    request: Mapping[str, object], talk: Transcript, *, seed: int, forced: frozenset[str] | None, redraw: bool
) -> Emit:
    names = dict(talk.tools)
    domain = next((row for row in DOMAINS if row[0] in names), None)
    if domain is None:
        return Emit(text=written(request, opening=talk.opening))
    if not talk.opening:
        return Emit(text="How can I help you?")
    try:
        return _served(talk, domain, seed=seed, forced=forced, redraw=redraw, gap=False)
    except Gap:
        pass
    try:
        return _served(talk, domain, seed=seed, forced=forced, redraw=redraw, gap=True)
    except Gap:
        return Emit(text="I am sorry, could you say once more what I can do for you?")


def _served(
    talk: Transcript, domain: Domain, *, seed: int, forced: frozenset[str] | None, redraw: bool, gap: bool
) -> Emit:
    dialogue = Dialogue(talk, seed=seed, forced=forced, redraw=redraw, gap=gap)
    desk = Desk(dialogue, policy="\n".join(talk.system))
    try:
        desk.serve(domain[1](desk).handle, by=domain[2])
    except Emit as emitted:
        return emitted
    except (Refusal, Redo) as stop:
        return _say(dialogue, f"{stop or 'I am sorry, I cannot do this.'} {FAREWELL}")
    # A conversation that no procedure foresees must still get an answer: nothing may escape from the model.
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return _say(dialogue, f"I am sorry, I cannot help you with this. {FAREWELL}")
    return Emit(text=FAREWELL)


def _say(dialogue: Dialogue, text: str) -> Emit:
    try:
        dialogue.say(text)
    except Emit as emitted:
        return emitted
    except (Refusal, Redo, Gap):
        pass
    return Emit(text=FAREWELL)


def _seed(seed: object) -> int:
    return seed if isinstance(seed, int) else 0
