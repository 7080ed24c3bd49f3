"""What makes conversations harder, spread over the tasks of a split as evenly as the request types are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from sigmaloop.eval.benchmarks.helpdesk.dice import Dice
from sigmaloop.eval.benchmarks.helpdesk.requests import RequestType

Second = Literal["none", "opening", "close"]
Place = tuple[RequestType, str]
"""Kind and variant of a task."""


@dataclass(frozen=True)
class Twists:
    """The twists of one task."""

    signed_in: bool
    old_email: bool
    busy: bool
    upset: bool
    corrects: bool
    several: bool
    second: Second

    def names(self) -> tuple[str, ...]:
        plain = [
            name for name in ("signed_in", "old_email", "busy", "upset", "corrects", "several") if getattr(self, name)
        ]
        return (*plain, *([f"second_at_{self.second}"] if self.second != "none" else []))


SHARES = {"old_email": 0.12, "busy": 0.16, "upset": 0.15, "corrects": 0.35, "several": 0.55, "second": 0.4}
"""Share of the tasks in which a twist can occur that have it. Half of those whose email is known are signed in; half of
the second requests come in the opening, half at the close."""


def draw_twists(places: Sequence[Place], *, seed: int, split: str) -> list[Twists]:
    """The twists of every task of a split.

    Systematic samples, each along its own random order of the types: every twist has its share of the split, give or
    take one task, and of nearly every type. Drawn one by one, the splits differed by a factor of two.
    """
    every = range(len(places))

    def sample(name: str, among: Sequence[int], share: float) -> set[int]:
        dice = Dice(seed, split, "twist", name)
        kinds = dice.shuffled(list(dict.fromkeys(kind.name for kind, _ in places)))
        order = sorted(dice.shuffled(among), key=lambda i: kinds.index(places[i][0].name))
        start = dice.number(0, 999) / 1000
        return {i for k, i in enumerate(order) if int(start + share * (k + 1)) > int(start + share * k)}

    def among(possible: Callable[[RequestType, str], bool]) -> list[int]:
        return [i for i in every if possible(*places[i])]

    old_email = sample("old_email", list(every), SHARES["old_email"])
    signed_in = sample("signed_in", [i for i in every if i not in old_email], 0.5)
    busy = sample("busy", among(lambda kind, variant: bool(kind.write) and variant != OVER), SHARES["busy"])
    upset = sample("upset", among(lambda kind, variant: variant != OVER), SHARES["upset"])
    corrects = sample("corrects", among(lambda kind, variant: kind.corrects), SHARES["corrects"])
    several = sample("several", list(every), SHARES["several"])
    second = sample("second", among(_takes_second), SHARES["second"])
    close = sample("close", sorted(second), 0.5)
    return [
        Twists(
            signed_in=i in signed_in,
            old_email=i in old_email,
            busy=i in busy,
            upset=i in upset,
            corrects=i in corrects,
            several=i in several,
            second="close" if i in close else "opening" if i in second else "none",
        )
        for i in every
    ]


OVER = "over_limit"
"""A dispute that a human decides: it ends in a transfer, so nothing may come after it."""


def _takes_second(kind: RequestType, variant: str) -> bool:
    return kind.name != "return_from_two_orders" and variant not in ("two_orders", "also_order", OVER)
