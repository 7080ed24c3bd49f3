"""A limit on tokens and money that is never exceeded: the worst case is set aside first, the real cost counted after.

All sums are whole numbers, so the order in which calls end cannot change what was spent.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from pydantic import Field

from sigmaloop.records import Record
from sigmaloop.tools.gateway.pins import output_limit
from sigmaloop.tools.json_types import Json

UNITS = 10**12
"""Units in one money: a price of a millionth of a money for a million tokens is still one unit a token."""
HIDDEN_TOKENS = 256
"""What an endpoint may add to a request of its own accord."""
IMAGE_TOKENS = 50_000
"""More than any image costs with any model that we know; its size in the request says nothing."""


class Prices(Record):
    """Money for a million tokens."""

    input: float = Field(default=0.0, ge=0)
    output: float = Field(default=0.0, ge=0)
    cached: float | None = Field(default=None, ge=0)
    """Of input tokens that the endpoint read before; None: that of all input."""

    @property
    def of_cached(self) -> float:
        return self.input if self.cached is None else self.cached

    def amount(self, tokens: Tokens) -> Amount:
        """What a budget counts; fractions of a unit are rounded up."""
        fresh, output, cached = (math.ceil(p * UNITS / 1_000_000) for p in (self.input, self.output, self.of_cached))
        units = (tokens.input - tokens.cached) * fresh + tokens.output * output + tokens.cached * cached
        return Amount(tokens.input + tokens.output, units)


class Tokens(NamedTuple):
    """Of one call."""

    input: int = 0
    output: int = 0
    cached: int = 0
    """Part of `input`."""


class Amount(NamedTuple):
    """What calls cost, or may cost."""

    tokens: int = 0
    units: int = 0
    calls: int = 0

    @property
    def money(self) -> float:
        return self.units / UNITS

    def plus(self, other: Amount) -> Amount:
        return Amount(self.tokens + other.tokens, self.units + other.units, self.calls + other.calls)

    def minus(self, other: Amount) -> Amount:
        return Amount(self.tokens - other.tokens, self.units - other.units, self.calls - other.calls)

    def within(self, limit: Amount) -> bool:
        return self.tokens <= limit.tokens and self.units <= limit.units and self.calls <= limit.calls


NOTHING = Amount()
ONE_CALL = Amount(calls=1)
_ENDLESS = 1 << 200


class Budget:
    """What may be spent, what was, and what is set aside for calls under way. Whoever shares one holds a lock.

    Spent and set aside together stay within the limits, as long as no call costs more than was reserved for it.
    """

    def __init__(
        self,
        *,
        max_tokens: int | None = None,
        max_money: float | None = None,
        max_calls: int | None = None,
        spent: Amount = NOTHING,
    ) -> None:
        """None: no limit. `spent`: what earlier processes spent of it."""
        self._limit = Amount(
            _ENDLESS if max_tokens is None else max_tokens,
            _ENDLESS if max_money is None else math.floor(max_money * UNITS),
            _ENDLESS if max_calls is None else max_calls,
        )
        self.spent = spent
        self.reserved = NOTHING

    @property
    def charged(self) -> Amount:
        """The most that can have been spent so far."""
        return self.spent.plus(self.reserved)

    def fits(self, worst: Amount) -> bool:
        return self.charged.plus(worst).within(self._limit)

    def reserve(self, worst: Amount) -> None:
        """Set the worst case aside. Raises ValueError when it does not fit: ask first."""
        if not self.fits(worst):
            raise ValueError(f"{worst} does not fit: {self.charged} of {self._limit} are taken")
        self.reserved = self.reserved.plus(worst)

    def settle(self, worst: Amount, real: Amount) -> None:
        """The call for which `worst` was set aside is over and cost `real`."""
        self.reserved = self.reserved.minus(worst)
        self.spent = self.spent.plus(real)

    def charge(self, real: Amount) -> None:
        """Count what nothing was set aside for: an answer that an earlier process paid for."""
        self.spent = self.spent.plus(real)

    def shortage(self, worst: Amount) -> str:
        """Which limit a call does not fit into, in words."""
        after = self.charged.plus(worst)
        if after.calls > self._limit.calls:
            return f"all {self._limit.calls:,} model calls are used up"
        if after.units > self._limit.units:
            return (
                f"{self.charged.money:.6g} of {self._limit.money:.6g} money are spent, "
                f"and the next call may cost {worst.money:.6g}"
            )
        return (
            f"{self.charged.tokens:,} of {self._limit.tokens:,} tokens are spent, "
            f"and the next call may take {worst.tokens:,}"
        )


def worst_case(request: Json, *, size: int) -> Tokens:
    """The most (input, output) tokens that a request of `size` bytes of JSON can cost.

    No tokenizer makes more tokens than the text has bytes; an image is counted as the dearest there is.
    """
    pictures = [len(url) for url in _images(request)]
    input_tokens = size - sum(pictures) + len(pictures) * IMAGE_TOKENS + HIDDEN_TOKENS
    return Tokens(input_tokens, output_limit(request))


def _images(request: Json) -> list[str]:
    return [
        part["image_url"]["url"]
        for message in request.get("messages", ())
        if isinstance(message.get("content"), list)
        for part in message["content"]
        if part["type"] == "image_url"
    ]
