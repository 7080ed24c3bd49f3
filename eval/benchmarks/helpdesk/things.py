"""What a matter is about, in the words that people use for it: an order, a reservation, a line and what names them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sigmaloop.eval.benchmarks.helpdesk.world import Row

Tables = Mapping[str, Mapping[str, Row]]


@dataclass(frozen=True)
class Thing:
    """An order, a reservation, a line, or a trip that is still to be booked."""

    number: str
    """As customers and agents say it, without the prefix; empty: it has none yet."""
    names: tuple[str, ...]
    """Items, cities, or the user: each is the name of one thing of a world."""
    own: bool = False
    """The user is the customer, so that the bare name may just address the customer."""

    def last_named(self, text: str) -> int:
        """Where a text (lower case) names it last; -1: nowhere."""
        places = [last_word(text, self.number.casefold())] if self.number else []
        places += [_last_own(text, name) if self.own else last_word(text, name.casefold()) for name in self.names]
        return max(places, default=-1)


def last_word(text: str, word: str) -> int:
    """Where a text holds a word or words last, in the plural, too; -1: nowhere. No pattern, for there are thousands."""
    at = text.rfind(word)
    while at >= 0:
        rest = text[at + len(word) : at + len(word) + 3]
        if not text[at - 1 : at].isalnum() and re.match(r"(?:e?s)?(?!\w)", rest):
            return at
        at = text.rfind(word, 0, at)
    return -1


def _last_own(text: str, user: str) -> int:
    """A name that may just address the customer counts only as somebody's line."""
    at = last_word(text, f"{user.casefold()}'")
    return at if at >= 0 and re.search(r"'s (?:\w+ )?(?:line|phone|number)\b", text[at:]) else -1


def things_in(tables: Tables) -> dict[str, Thing]:
    """The things of a world by id."""
    customer = next(iter(tables["customers"].values()))
    things: dict[str, Thing] = {}
    for key, row in tables.get("orders", {}).items():
        things[key] = Thing(key.removeprefix("or_"), tuple(item["name"] for item in row["items"]))
    for key, row in tables.get("reservations", {}).items():
        leg = row["segments"][0]
        things[key] = Thing(key.removeprefix("rs_"), (leg["origin"], leg["destination"]))
    for key, row in tables.get("lines", {}).items():
        things[key] = Thing(row["number"], (row["user"],), own=row["user"] == customer["name"].split(" ")[0])
    return things


def things_of(things: Mapping[str, Thing], tables: Tables, calls: Iterable[Mapping[str, object]]) -> dict[str, Thing]:
    """The things that calls with these arguments are about, by id; a searched route is one, too."""
    found: dict[str, Thing] = {}
    for arguments in calls:
        bill = tables.get("bills", {}).get(str(arguments.get("bill_id")), {})
        for key in (*arguments.values(), bill.get("line_id")):
            if isinstance(key, str) and key in things:
                found[key] = things[key]
    if not found:
        routes = [(str(call["origin"]), str(call["destination"])) for call in calls if "origin" in call]
        found |= {"-".join(route): Thing("", route) for route in routes}
    return found
