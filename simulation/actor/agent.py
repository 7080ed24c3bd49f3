"""The simulated target: reads the request, replays the conversation, and answers with the next message."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from sigmaloop.records import digest
from sigmaloop.simulation.actor.airline import Airline
from sigmaloop.simulation.actor.desk import FAREWELL, Desk
from sigmaloop.simulation.actor.dialogue import Dialogue, Emit, Redo, Refusal
from sigmaloop.simulation.actor.retail import Retail
from sigmaloop.simulation.actor.telecom import Telecom
from sigmaloop.simulation.actor.transcript import Transcript, transcript
from sigmaloop.simulation.messages import Message, text_message, tool_message
from sigmaloop.simulation.reading import read

DOMAINS: tuple[tuple[str, type[Retail | Airline | Telecom], str], ...] = (
    # a tool that only this domain has, its procedures, how it verifies a customer
    ("get_order", Retail, "zip"),
    ("get_reservation", Airline, "birth_date"),
    ("get_line", Telecom, "birth_date"),
)


def next_message(request: Mapping[str, object], *, forced: frozenset[str] | None = None) -> Message:
    """The next message of the agent: a tool call or words."""
    talk = transcript(request)
    emitted = _next(talk, seed=_seed(request.get("seed")), forced=forced)
    if emitted.tool and emitted.tool in dict(talk.tools):
        arguments = json.dumps(emitted.arguments)
        number = digest(len(talk.events), talk.opening, {"name": emitted.tool, "arguments": arguments}, size=20)
        return tool_message(emitted.tool, arguments, call_id=f"call_{number}")
    return text_message(emitted.text or "I am sorry, I cannot do this for you.")


def _next(talk: Transcript, *, seed: int, forced: frozenset[str] | None) -> Emit:
    names = dict(talk.tools)
    domain = next((row for row in DOMAINS if row[0] in names), None)
    if domain is None or not talk.opening:
        return Emit(text="How can I help you?" if not talk.opening else f"Thank you for your message. {_echo(talk)}")
    dialogue = Dialogue(talk, read(talk.system, talk.tools), seed=seed, forced=forced)
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
    return Emit(text=FAREWELL)


def _echo(talk: Transcript) -> str:
    words = re.findall(r"\w+", talk.opening)[:12]
    return f"You wrote: {' '.join(words)}."


def _seed(seed: object) -> int:
    return seed if isinstance(seed, int) else 0
