"""One process at a time works on a home: a file lock that the kernel drops when its holder dies."""

from __future__ import annotations

import fcntl
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from sigmaloop.errors import BadInput, Busy

_LOOKS, _LOOK_SECONDS = 5, 0.01
"""Whoever looks whether a lock is held has it himself for some microseconds: that is no reason to give up."""
LOCK = "lock"
"""File in the home. Its text only says who holds it; whether it is held, the kernel knows."""


class FileLock:
    """An exclusive lock on one file, held by one opener at a time, also within a process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None

    def take(self) -> bool:
        """Whether it could be had; waits as long as a look at it takes. Raises BadInput where no file can be."""
        for _ in range(_LOOKS):
            if self._take():
                return True
            time.sleep(_LOOK_SECONDS)
        return self._take()

    def _take(self) -> bool:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise _unwritable(self.path, error) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _write(file, [])
        except BlockingIOError:
            os.close(file)
            return False
        except OSError as error:
            os.close(file)
            raise _unwritable(self.path, error) from None
        self._file = file
        return True

    def drop(self) -> None:
        """Give it back; harmless when it is not held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def note(self, runs: Iterable[str]) -> None:
        """Write down which runs the holder works on now."""
        if self._file is not None:
            _write(self._file, sorted(runs))

    def holder(self) -> str:
        """Who wrote the lock last, for a message: `process 4711 (sigmaloop run)`."""
        try:
            pid, command, *_ = [*self.path.read_text(encoding="utf-8", errors="replace").split("\n"), ""]
        except OSError:
            return "another process"
        return f"process {pid} ({command})" if pid.isdigit() else "another process"


@dataclass
class _Held:
    lock: FileLock
    count: int
    pid: int
    runs: Counter[str] = field(default_factory=Counter)


_held: dict[Path, _Held] = {}
_guard = threading.Lock()


class HomeLock:
    """The right to write in a home, to work on one of its runs. Taking it again inside the process is free."""

    def __init__(self, home: Path, run_id: str | None = None) -> None:
        self.home = Path(home)
        self._run_id = run_id
        self._key = (self.home / LOCK).resolve()

    def acquire(self) -> None:
        """Raises Busy when another process holds it, BadInput when the home cannot be written."""
        with _guard:
            held = _held.get(self._key)
            if held is not None and held.pid == os.getpid():
                held.count += 1
                self._work(held)
                return
            lock = FileLock(self._key)
            if not lock.take():
                raise Busy(
                    f"home {self.home} is in use by {lock.holder()}; wait until it ends or stop it, "
                    "`sigmaloop status` shows how far it is, and --home puts another run elsewhere"
                )
            # A forked child inherits this table but not the right: hence the pid.
            _held[self._key] = held = _Held(lock=lock, count=1, pid=os.getpid())
            self._work(held)

    def release(self) -> None:
        with _guard:
            held = _held.get(self._key)
            if held is None or held.pid != os.getpid():
                return
            held.count -= 1
            self._work(held, -1)
            if held.count == 0:
                held.lock.drop()
                del _held[self._key]

    def _work(self, held: _Held, more: int = 1) -> None:
        if self._run_id is not None:
            held.runs[self._run_id] += more
            held.lock.note(run_id for run_id, users in held.runs.items() if users > 0)

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def working_process(home: Path, run_id: str) -> int | None:
    """The process that works on a run of a home now; None when nobody does. Takes nothing, waits for nothing."""
    try:
        file = os.open(home / LOCK, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        pid, _, runs, *_ = [*os.pread(file, 100_000, 0).decode(errors="replace").split("\n"), "", ""]
        return int(pid) if pid.isdigit() and run_id in runs.split() else None
    except OSError:
        return None
    finally:
        os.close(file)
    return None


def _write(file: int, runs: list[str]) -> None:
    """Who holds a lock: process, command and runs, a line each. Longer first, then cut: a reader sees whole lines."""
    text = f"{os.getpid()}\n{_command()}\n{' '.join(runs)}\n".encode(errors="replace")
    os.pwrite(file, text, 0)
    os.ftruncate(file, len(text))


def _unwritable(path: Path, error: OSError) -> BadInput:
    return BadInput(
        f"{path.parent} cannot be written: {error.strerror}; give a folder of your own with --home or SIGMALOOP_HOME"
    )


def _command() -> str:
    name = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    return " ".join([name, *sys.argv[1:3]])[:200].replace("\n", " ")
