"""Benchmarks that are programs, in whatever interpreter: `sigmaloop benchmark check program_benchmark:Sums`."""

import sys

from sigmaloop.eval.benchmarks.program import Program


class Sums(Program):
    name = "sums"
    setting = "An agent is a Python module whose function `add` adds numbers."
    command = (sys.executable, "sums_program.py")  # or ("/opt/mine/bin/python", ...), ("node", ...)


class Inspect(Program):
    """Tasks of inspect_ai; `inspect` must be on PATH, or name the interpreter that has it."""

    name = "inspect"
    command = (sys.executable, "inspect_program.py", "my_task.py", "my_samples.json")


class Harbor(Program):
    """Tasks of Harbor; `harbor` must be on PATH."""

    name = "harbor"
    command = (sys.executable, "harbor_program.py", "my_dataset", "my_tasks.json")
