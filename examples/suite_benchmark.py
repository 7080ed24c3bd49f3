"""A pytest suite as a benchmark: `sigmaloop benchmark check suite_benchmark:Suite` (with this folder on PYTHONPATH)."""

import sys

from sigmaloop.eval.benchmarks.junit import Junit


class Suite(Junit):
    name = "suite"
    setting = "An agent is a Python module whose function `slug` makes file names from titles."
    command = (
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "suite/pytest.ini", "suite"),
        *("--junitxml={report}", "--agent={agent}"),
    )
    tasks_file = "suite/tasks.json"
