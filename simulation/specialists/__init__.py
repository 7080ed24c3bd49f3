"""The simulated model as specialist: it reads the prompt that it is sent and answers in kind, mistakes included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sigmaloop.simulation.specialists import clusterer, engineer, judge, miner
from sigmaloop.simulation.specialists.request import Request

ROLES: dict[str, Callable[[Request], dict[str, Any]]] = {
    "You are the failure miner of SigmaLoop": miner.answer,
    "You are the failure clusterer of SigmaLoop": clusterer.answer,
    "You are the harness engineer of SigmaLoop": engineer.answer,
    "You are the gate judge of SigmaLoop": judge.answer,
}
"""How the first line of a system message begins, and who plays that role."""


def is_specialist(request: dict[str, Any]) -> bool:
    """Whether a request is addressed to a specialist rather than to the target agent's model."""
    return _role(Request(request)) is not None


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """The assistant message for a specialist's chat completion request: a function of the request alone.

    Raises LookupError for a system message that names no known role.
    """
    asked = Request(request)
    role = _role(asked)
    if role is None:
        raise LookupError("the system message names no specialist of SigmaLoop")
    return role(asked)


def _role(asked: Request) -> Callable[[Request], dict[str, Any]] | None:
    return next((play for begin, play in ROLES.items() if asked.system.startswith(begin)), None)
