"""coding: small Python repositories with failing tests."""

from sigmaloop.eval.benchmarks.coding.benchmark import Coding

__all__ = ["Coding"]
