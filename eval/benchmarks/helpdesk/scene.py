"""Lays out the world of one task: a customer with payment methods, and unique ids for whatever is added."""

from __future__ import annotations

from datetime import date, timedelta

from sigmaloop.eval.benchmarks.helpdesk.dice import Dice
from sigmaloop.eval.benchmarks.helpdesk.people import CARDS, CITIES, FIRST, LAST, MONTHS, STREETS, WEEKDAYS
from sigmaloop.eval.benchmarks.helpdesk.world import TODAY, Row

DIGITS = {"cu": 5, "or": 5, "it": 4, "sku": 5, "pr": 4, "pm": 4, "fl": 4, "pa": 4, "ln": 4, "bi": 5, "ch": 4, "pl": 3}


class Scene:
    """A world under construction, and what the builders of request types want to know about the task."""

    def __init__(self, dice: Dice, *, person: int, corrects: bool, several: bool) -> None:
        self.dice = dice
        self.corrects = corrects
        """The customer corrects a detail when asked to confirm."""
        self.several = several
        """There are others of the same kind, before the one that is meant."""
        self.alone = True
        """No other request of this task has been laid out: it may be told vaguely."""
        self.tables: dict[str, dict[str, Row]] = {}
        self._used: set[str] = set()
        self.customer = self._customer(person)

    @property
    def customer_id(self) -> str:
        return str(self.customer["customer_id"])

    def add(self, table: str, row: Row) -> Row:
        self.tables.setdefault(table, {})[str(next(iter(row.values())))] = row
        return row

    def new_id(self, prefix: str) -> str:
        """An id that no other row of this task has; the digits are unique too, over all tables."""
        while True:
            size = DIGITS[prefix]
            number = str(self.dice.number(10 ** (size - 1), 10**size - 1))
            if number not in self._used:
                self._used.add(number)
                return f"{prefix}_{number}"

    def address(self, *, unit: bool) -> dict[str, str]:
        city, state = self.dice.pick(CITIES)
        return {
            "line1": f"{self.dice.number(2, 980)} {self.dice.pick(STREETS)}",
            "line2": f"Apt {self.dice.number(2, 48)}" if unit else "",
            "city": city,
            "state": state,
            "zip": str(self.dice.number(10000, 99899)),
        }

    def methods(self, kind: str = "") -> list[Row]:
        """The customer's payment methods, of one kind or all."""
        methods: list[Row] = self.customer["payment_methods"]
        return [method for method in methods if kind in ("", method["kind"])]

    def method(self, *, besides: Row | None = None) -> Row:
        """A payment method that is neither the first on file nor a gift card nor the given one."""
        return self.dice.pick([m for m in self.methods()[1:] if m["kind"] != "gift_card" and m != besides])

    def _customer(self, person: int) -> Row:
        first, last = FIRST[person % len(FIRST)], LAST[person // len(FIRST) % len(LAST)]
        place = self.address(unit=self.dice.chance(0.4))
        cards = self.dice.take(CARDS, 2)
        methods = [
            {"kind": "card", "label": f"{cards[0]} ending in {self.dice.number(1000, 9999)}"},
            {"kind": "card", "label": f"{cards[1]} ending in {self.dice.number(1000, 9999)}"},
            {"kind": "paypal", "label": "PayPal"},
        ]
        methods = [*self.dice.shuffled(methods), {"kind": "gift_card", "label": "gift card"}]
        born = date(1950, 1, 1) + timedelta(days=self.dice.number(0, 19000))
        row: Row = {
            "customer_id": self.new_id("cu"),
            "name": f"{first} {last}",
            "email": f"{first}.{last}{self.dice.number(10, 99)}@example.com".lower(),
            "phone": f"555-{self.dice.number(200, 989)}-{self.dice.number(1000, 9999)}",
            "birth_date": born.isoformat(),
            **place,
            "verified": False,
            "payment_methods": [{"payment_method_id": self.new_id("pm"), **method} for method in methods],
        }
        return self.add("customers", row)

    def pick_text(self, options: tuple[str, ...], **names: object) -> str:
        """One of several wordings, filled in."""
        return self.dice.pick(options).format(**names)


def days_from_today(days: int) -> str:
    return (date.fromisoformat(TODAY) + timedelta(days=days)).isoformat()


def spoken_day(iso: str) -> str:
    """2025-05-20 as "May 20"."""
    day = date.fromisoformat(iso)
    return f"{MONTHS[day.month - 1]} {day.day}"


def spoken_birthday(iso: str) -> str:
    """1984-03-09 as "March 9, 1984"."""
    return f"{spoken_day(iso)}, {iso[:4]}"


def weekday_day(iso: str) -> str:
    """A day of this or the next calendar week as people say it: "this Saturday", "Friday of next week"."""
    day, today = date.fromisoformat(iso), date.fromisoformat(TODAY)
    name = WEEKDAYS[day.weekday()]
    weeks = (day - today + timedelta(days=today.weekday())).days // 7
    return {0: f"this {name}", 1: f"{name} of next week"}[weeks]


def place_text(address: dict[str, str]) -> str:
    """An address as people say it: "12 Oak Street, Apt 4, Columbus, OH 43004"."""
    parts = [address["line1"], address["line2"], address["city"], f"{address['state']} {address['zip']}"]
    return ", ".join(part for part in parts if part)


def pay_words(method: Row) -> str:
    """A payment method as its owner calls it: "my Visa ending in 4412", "my PayPal account", "my gift card"."""
    return {"paypal": "my PayPal account"}.get(method["kind"], f"my {method['label']}")
