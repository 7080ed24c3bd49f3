"""The four specialists by the first line of their system message, and who plays each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sigmaloop.simulation.messages import Message
from sigmaloop.simulation.specialists import clusterer, engineer, judge, miner
from sigmaloop.simulation.specialists.request import Request

Player = Callable[[Request], Message]
PLAYERS: dict[str, Player] = {
    "You are the failure miner of SigmaLoop": miner.answer,
    "You are the failure clusterer of SigmaLoop": clusterer.answer,
    "You are the harness engineer of SigmaLoop": engineer.answer,
    "You are the gate judge of SigmaLoop": judge.answer,
}
"""How the system message begins, and who answers."""


def is_specialist(request: Mapping[str, object]) -> bool:
    """Whether a request, of whatever shape, is addressed to a specialist rather than to the target agent's model."""
    return _player(request) is not None


def answer(request: Mapping[str, object]) -> Message:
    """The assistant message for a specialist's chat completion request: a function of the request alone.

    Raises LookupError for a system message that names no known role.
    """
    player = _player(request)
    if player is None:
        raise LookupError("the system message names no specialist of SigmaLoop")
    return player(Request(request))


def _player(request: Mapping[str, object]) -> Player | None:
    messages = request.get("messages")
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, Mapping) and message.get("role") == "system":
            text = str(message.get("content") or "").lstrip()
            return next((player for begin, player in PLAYERS.items() if text.startswith(begin)), None)
    return None
