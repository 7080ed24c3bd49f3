"""`sigmaloop ...` as a process, for tests that meet it from outside: its command line and its environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

SUPPORT = Path(__file__).parent


def sigmaloop(*arguments: str) -> list[str]:
    """The command line of `sigmaloop ...`, run by the interpreter of the tests."""
    return [sys.executable, "-m", "sigmaloop.cli.main", *arguments]


def environment(**changed: str) -> Mapping[str, str]:
    """This process's environment with the small benchmark found first, and what is given."""
    paths = [str(SUPPORT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **changed}
