"""Seeded choices that come out the same on every Python: built on `Random.random`, whose sequence is guaranteed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

from sigmaloop.records import digest

T = TypeVar("T")


class Dice:
    """A stream of choices, a function of what it is made from."""

    def __init__(self, *seed: object) -> None:
        self._random = random.Random(int(digest(*seed), 16)).random

    def chance(self, share: float) -> bool:
        return self._random() < share

    def number(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self._random() * (high - low + 1))

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self._random() * len(options))]

    def shuffled(self, options: Sequence[T]) -> list[T]:
        return [options[i] for _, i in sorted((self._random(), i) for i in range(len(options)))]

    def take(self, options: Sequence[T], count: int) -> list[T]:
        """`count` different elements, in random order."""
        return self.shuffled(options)[:count]

    def price(self, low: int, high: int) -> float:
        """Dollars with odd cents."""
        return self.number(low, high) + self.pick((0.25, 0.4, 0.5, 0.75, 0.9, 0.95, 0.99))
