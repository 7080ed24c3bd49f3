"""The search in simulated worlds with request types: the goal table of the strategies, with standard errors.

    python perf/search_worlds.py [--worlds 100] [--only single,portfolio,compose] [--terrains "by type,5 %"]
                                 [--rollouts 9250] [--processes 2]

Every strategy meets the same worlds at the same budget, through the code that decides in real runs: `search/` and the
`paired` gate. Only who writes drafts is drawn: see `gate/worlds/typed.py`. A goal is marked when it is missed by more
than two standard errors.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from math import fsum, inf, sqrt
from typing import NamedTuple, get_args

from sigmaloop.gate.policies import make_policy
from sigmaloop.gate.rules import default_rules
from sigmaloop.gate.worlds import typed
from sigmaloop.search.strategy import SearchRules, StrategyName
from sigmaloop.search.walk import SearchResult, SearchWalk

TERRAINS: dict[str, typed.TypedTerrain] = {
    "by type": typed.BY_TYPE,
    "5 %": typed.RARE,
    "25 %": typed.OFTEN,
    "anywhere": typed.ANYWHERE,
    "elsewhere": typed.ELSEWHERE,
    "reasoned": typed.REASONED,
    "conflicting": typed.CONFLICTING,
    "helpdesk-like": typed.HELPDESK_LIKE,
    "planted": typed.PLANTED,
    "no help": typed.NO_HELP,
}
CHUNK = 5
STRATEGIES: tuple[StrategyName, ...] = get_args(StrategyName)


def rules_of(strategy: StrategyName, terrain: str) -> SearchRules:
    """As by default; where effects are small, a portfolio merges eight."""
    return SearchRules(strategy=strategy, merge=8 if terrain == "helpdesk-like" else 5)


def walked(strategy: StrategyName, terrain: str, rollouts: int, seeds: range) -> list[SearchResult]:
    """Runs of one strategy, in this process."""
    policy, budget = make_policy(default_rules("paired")), rollouts
    rules = rules_of(strategy, terrain)
    return [SearchWalk(typed.typed_world(TERRAINS[terrain], seed), policy, rules, budget=budget).go() for seed in seeds]


class Figure(NamedTuple):
    """A mean, or a ratio of sums, with its standard error over worlds."""

    value: float
    error: float


Take = Callable[[Sequence[SearchResult]], Figure | None]


def mean(of: Callable[[SearchResult], float], scale: float = 1.0) -> Take:
    def take(results: Sequence[SearchResult]) -> Figure:
        values = [scale * of(result) for result in results]
        n, middle = len(values), fsum(values) / len(values)
        return Figure(middle, sqrt(fsum((v - middle) ** 2 for v in values) / (n * (n - 1))) if n > 1 else 0.0)

    return take


def ratio(above: Callable[[SearchResult], float], below: Callable[[SearchResult], float], scale: float = 1.0) -> Take:
    """Its error by linearisation over worlds."""

    def take(results: Sequence[SearchResult]) -> Figure | None:
        n, total = len(results), fsum(below(r) for r in results)
        if not total:
            return None
        found = fsum(above(r) for r in results) / total
        spread = fsum((above(r) - found * below(r)) ** 2 for r in results)
        return Figure(scale * found, scale * sqrt(n / max(1, n - 1) * spread) / total)

    return take


class Row(NamedTuple):
    """A line of the table; its goals by (terrain, strategy)."""

    name: str
    take: Take
    least: dict[tuple[str, str], float] = {}
    most: dict[tuple[str, str], float] = {}


GAINS = {"by type": 20.0, "5 %": 11.0, "25 %": 28.0, "anywhere": 15.0}
ROWS = [
    Row("true gain, points", mean(lambda r: r.true_gain, 100), least={(t, "portfolio"): g for t, g in GAINS.items()}),
    Row("reported - true, points", mean(lambda r: r.reported_gain - r.true_gain, 100),
        most={("by type", "portfolio"): 2.5}),
    Row("keeps that lowered the truth, %", ratio(lambda r: r.harmful_keeps, lambda r: r.keeps, 100)),
    Row("harmful share of parts kept, %", ratio(lambda r: r.harmful_parts, lambda r: r.parts_kept, 100),
        most={("by type", "portfolio"): 4}),
    Row("ends worse", mean(lambda r: float(r.true_gain < 0)), most={("by type", "portfolio"): 0.02}),
    Row("rollouts", mean(lambda r: r.rollouts), most={(t, s): 9_250 for t in GAINS for s in ("single", "portfolio")}),
    Row("drafts", mean(lambda r: r.drafts)),
    Row("candidates", mean(lambda r: r.candidates)),
    Row("rollouts a helpful part kept", ratio(lambda r: r.rollouts, lambda r: r.helpful_keeps)),
    Row("wall-clock", mean(lambda r: r.wall)),
    Row("the planted part is gone", ratio(lambda r: float(r.planted_gone is True),
                                          lambda r: float(r.planted_gone is not None)),
        least={("planted", "compose"): 0.9}),
]  # fmt: skip


def measure(
    strategies: Sequence[StrategyName], terrains: Sequence[str], worlds: int, rollouts: int, processes: int
) -> dict[tuple[str, str], list[SearchResult]]:
    """Results by terrain and strategy."""
    with ProcessPoolExecutor(processes) as pool:
        waiting = {
            (terrain, strategy): [
                pool.submit(walked, strategy, terrain, rollouts, range(first, min(first + CHUNK, worlds)))
                for first in range(0, worlds, CHUNK)
            ]
            for terrain in terrains
            for strategy in strategies
        }
        return {place: [r for future in futures for r in future.result()] for place, futures in waiting.items()}


def cell(row: Row, place: tuple[str, str], results: Sequence[SearchResult]) -> tuple[str, bool]:
    """A figure as text, and whether it misses its goal by more than two standard errors."""
    found = row.take(results)
    if found is None:
        return "-", False
    least, most = row.least.get(place, -inf), row.most.get(place, inf)
    missed = found.value + 2 * found.error < least or found.value - 2 * found.error > most
    digits = 0 if abs(found.value) >= 100 else 2 if abs(found.value) < 1 else 1
    goal = f" (>={least:g})" if least > -inf else f" (<={most:g})" if most < inf else ""
    return f"{found.value:.{digits}f} +-{found.error:.{digits}f}{goal}{' !' if missed else ''}", missed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=100)
    parser.add_argument("--only", default=",".join(STRATEGIES), help="strategies, separated by commas")
    parser.add_argument("--terrains", default=",".join(TERRAINS), help="worlds, separated by commas")
    parser.add_argument("--rollouts", type=int, default=9_250)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    wanted = [name.strip() for name in given.only.split(",")]
    strategies = [name for name in STRATEGIES if name in wanted]
    terrains = [name.strip() for name in given.terrains.split(",")]
    began = time.perf_counter()
    found = measure(strategies, terrains, given.worlds, given.rollouts, given.processes)
    print(f"{given.worlds} worlds, {given.rollouts} rollouts, {time.perf_counter() - began:.0f} s")
    misses = 0
    for terrain in terrains:
        print(f"\n{terrain:<32}" + "".join(f"{strategy:>22}" for strategy in strategies))
        for row in ROWS:
            cells = [cell(row, (terrain, strategy), found[terrain, strategy]) for strategy in strategies]
            misses += sum(missed for _, missed in cells)
            if any(text != "-" for text, _ in cells):
                print(f"{row.name:<32}" + "".join(f"{text:>22}" for text, _ in cells))
        if {"single", "portfolio"} <= set(strategies):
            walls = [fsum(r.wall for r in found[terrain, s]) for s in ("portfolio", "single")]
            print(f"portfolio's wall-clock is {walls[0] / walls[1]:.2f} of single's (<= .7)")
    sys.exit(1 if misses else 0)


if __name__ == "__main__":
    main()
