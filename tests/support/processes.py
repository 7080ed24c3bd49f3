"""`sigmaloop ...` as a process, for tests that meet it from outside: its command line and its environment."""

from __future__ import annotations

import json
import os
import select
import subprocess
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


PRELOADED = """
import json, os, sys
import openai, langchain_openai, scipy.optimize, scipy.stats
import sigmaloop.cli.progress, sigmaloop.cli.run, sigmaloop.graph.run, sigmaloop.simulation.specialists
import sigmaloop.memory.embedder, sigmaloop.tools.gateway.http_server, small
from sigmaloop.cli.main import main

for line in sys.stdin:
    folder, env, arguments = json.loads(line)
    pid = os.fork()
    if pid == 0:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(env)
        for stream, name in ((0, os.devnull), (1, "stdout"), (2, "stderr")):
            os.dup2(os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC), stream)
        main(arguments)
    os.write(1, f"{pid}\\n".encode())
    os.write(1, f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}\\n".encode())
"""
"""Imports the machine once, then forks a process for each command line and tells its id and its exit code."""


class Preloaded:
    """Starts `sigmaloop ...` again and again, one at a time, without the seconds that its imports take."""

    def __init__(self) -> None:
        self._parent = subprocess.Popen(
            [sys.executable, "-c", PRELOADED],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env=environment(),
        )  # fmt: skip
        self.pid = 0

    def start(self, *arguments: str, folder: Path, **changed: str) -> None:
        """Its output goes to the files `stdout` and `stderr` of the folder that it works in."""
        assert self._parent.stdin is not None
        told = json.dumps([str(folder), dict(environment(**changed)), arguments])
        self._parent.stdin.write(f"{told}\n".encode())
        self.pid = int(self._said())

    @property
    def running(self) -> bool:
        """False once the process that was started last has ended."""
        return not select.select([self._parent.stdout], [], [], 0)[0]

    def wait(self) -> int:
        """Its exit code, or minus the signal that ended it."""
        return int(self._said())

    def _said(self) -> str:
        assert self._parent.stdout is not None
        return self._parent.stdout.readline()

    def close(self) -> None:
        """End the parent; what it started has ended before."""
        self._parent.communicate()
