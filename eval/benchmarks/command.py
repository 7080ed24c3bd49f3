"""Runs a program of the user's in a process group of its own, for so long; whatever is left of it is killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sigmaloop.errors import BadInput
from sigmaloop.settings import plain_environment

_SHOWN = 2_000


def run_command(command: Sequence[str], *, folder: Path, seconds: float) -> str:
    """The end of what it wrote, with how it ended where that was not by itself. The exit code is never a verdict.

    It sees no key and no setting of ours. Raises BadInput when it cannot be started.
    """
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                list(command),
                cwd=folder,
                env=plain_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise BadInput(f"{command[0]} cannot be started: {error}; check the benchmark's command") from None
        try:
            code = process.wait(timeout=seconds)
            ended = f"exit code {code}"
        except subprocess.TimeoutExpired:
            ended = f"stopped after {seconds:g} seconds"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        size = output.seek(0, os.SEEK_END)
        output.seek(max(0, size - _SHOWN))
        said = output.read().decode(errors="replace").strip()
    return f"{ended}; it wrote: {said}" if said else ended
