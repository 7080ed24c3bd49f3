"""The strategy that its rules name."""

from __future__ import annotations

from sigmaloop.search.strategies.compose import Compose
from sigmaloop.search.strategies.evolve import Evolve
from sigmaloop.search.strategies.pareto import Pareto
from sigmaloop.search.strategies.paste import Paste
from sigmaloop.search.strategies.portfolio import Portfolio
from sigmaloop.search.strategies.race import Race
from sigmaloop.search.strategies.single import Single
from sigmaloop.search.strategy import SearchRules, Strategy, StrategyName


def make_strategy(rules: SearchRules) -> Strategy:
    """Made from rules alone, so that the same rules always mean the same search."""
    made: dict[StrategyName, Strategy] = {
        "compose": Compose(rules),
        "single": Single(rules),
        "race": Race(rules),
        "portfolio": Portfolio(rules),
        "evolve": Evolve(rules),
        "pareto": Pareto(rules),
        "paste": Paste(rules),
    }
    return made[rules.strategy]
