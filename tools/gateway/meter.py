"""What model calls cost and how long they took: whole tokens are counted, money is worked out when read."""

from __future__ import annotations

import json
import sys
from typing import TypeGuard

from sigmaloop.records import Record, Usage
from sigmaloop.tools.gateway.budget import Prices, Tokens
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
        self.calls = self.input_tokens = self.output_tokens = self.cached_tokens = 0
        self.cut_off = 0
        """Answers that the limit of output tokens ended before their first word."""
        self.seconds = self.slowest = 0.0

    def add(self, tokens: Tokens, seconds: float, *, cut_off: bool = False) -> None:
        self.calls += 1
        self.cut_off += cut_off
        self.input_tokens += tokens.input
        self.output_tokens += tokens.output
        self.cached_tokens += tokens.cached
        self.seconds += seconds
        self.slowest = max(self.slowest, seconds)

    def usage(self, prices: Prices) -> Usage:
        # From the sums, not summed call by call: the order in which threads end must not show in the money.
        money = (self.input_tokens - self.cached_tokens) * prices.input + self.output_tokens * prices.output
        money += self.cached_tokens * prices.of_cached
        return Usage(
            calls=self.calls,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cost=money / 1_000_000,
        )

    def latency(self) -> Latency:
        return Latency(calls=self.calls, seconds=self.seconds, slowest=self.slowest)


def count_tokens(request: Json, response: Json, *, at_most: Tokens | None = None) -> Tokens:
    """Tokens as the response reports them; estimated, up to `at_most`, where it does not, or says that it read none."""
    reported = response.get("usage")
    usage = reported if isinstance(reported, dict) else {}
    input_tokens, output_tokens = usage.get("prompt_tokens"), usage.get("completion_tokens")
    most = at_most or Tokens(sys.maxsize, sys.maxsize)
    empty = input_tokens == 0 and not output_tokens
    if empty or not _is_count(input_tokens):
        input_tokens = min(_estimate(request), most.input)
    if empty or not _is_count(output_tokens):
        output_tokens = min(0 if "data" in response else _estimate(response.get("choices")), most.output)
    return Tokens(input_tokens, output_tokens, min(_cached(usage), input_tokens))


def _cached(usage: Json) -> int:
    """As OpenAI and most others report it, or as DeepSeek does."""
    details = usage.get("prompt_tokens_details")
    counts = (details.get("cached_tokens") if isinstance(details, dict) else None, usage.get("prompt_cache_hit_tokens"))
    return next((count for count in counts if _is_count(count)), 0)


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _estimate(part: object) -> int:
    return -(-len(json.dumps(part, ensure_ascii=False)) // CHARACTERS_PER_TOKEN)
