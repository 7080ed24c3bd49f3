"""What model calls cost and how long they took: whole tokens are counted, money is worked out when read."""

from __future__ import annotations

import json
import sys
from typing import TypeGuard

from sigmaloop.records import Record, Usage
from sigmaloop.tools.gateway.budget import Prices
from sigmaloop.tools.json_types import Json

CHARACTERS_PER_TOKEN = 4
"""Rough size of a token, for endpoints that report no usage."""


class Latency(Record):
    """How long the calls that went upstream took, in seconds."""

    calls: int = 0
    seconds: float = 0.0
    slowest: float = 0.0

    @property
    def mean(self) -> float:
        return self.seconds / self.calls if self.calls else 0.0


class Meter:
    """Counts the calls of one lease or role; not thread-safe by itself, the gateway holds its lock."""

    def __init__(self) -> None:
        self.calls = self.input_tokens = self.output_tokens = 0
        self.seconds = self.slowest = 0.0

    def add(self, tokens: tuple[int, int], seconds: float) -> None:
        self.calls += 1
        self.input_tokens += tokens[0]
        self.output_tokens += tokens[1]
        self.seconds += seconds
        self.slowest = max(self.slowest, seconds)

    def usage(self, prices: Prices) -> Usage:
        # From the sums, not summed call by call: the order in which threads end must not show in the money.
        money = self.input_tokens * prices.input + self.output_tokens * prices.output
        return Usage(
            calls=self.calls,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cost=money / 1_000_000,
        )

    def latency(self) -> Latency:
        return Latency(calls=self.calls, seconds=self.seconds, slowest=self.slowest)


def count_tokens(request: Json, response: Json, *, at_most: tuple[int, int] | None = None) -> tuple[int, int]:
    """(input, output) tokens as the response reports them; estimated, up to `at_most`, where it does not."""
    reported = response.get("usage")
    usage = reported if isinstance(reported, dict) else {}
    input_tokens, output_tokens = usage.get("prompt_tokens"), usage.get("completion_tokens")
    most = at_most or (sys.maxsize, sys.maxsize)
    if not _is_count(input_tokens):
        input_tokens = min(_estimate(request), most[0])
    if not _is_count(output_tokens):
        output_tokens = min(0 if "data" in response else _estimate(response.get("choices")), most[1])
    return input_tokens, output_tokens


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _estimate(part: object) -> int:
    return -(-len(json.dumps(part, ensure_ascii=False)) // CHARACTERS_PER_TOKEN)
