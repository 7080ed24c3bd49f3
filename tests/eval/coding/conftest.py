"""A place to run repositories in, shared by the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sigmaloop.eval.benchmarks.coding.workbench import Workbench


@pytest.fixture(scope="session")
def workbench() -> Iterator[Workbench]:
    made = Workbench(seconds=2)
    yield made
    made.close()
