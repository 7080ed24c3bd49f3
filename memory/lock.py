"""One process at a time works on a home: a file lock that the kernel drops when its holder dies."""

from __future__ import annotations

import fcntl
import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sigmaloop.errors import BadInput, Busy

LOCK = "lock"
"""File in the home. Its text only says who holds it; whether it is held, the kernel knows."""


class FileLock:
    """An exclusive lock on one file, held by one opener at a time, also within a process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None

    def take(self) -> bool:
        """Whether it could be had; never waits. Raises BadInput where no file can be written."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise _unwritable(self.path, error) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(file, 0)
            os.write(file, f"{os.getpid()}\n{_command()}\n".encode(errors="replace"))
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

    def holder(self) -> str:
        """Who wrote the lock last, for a message: `process 4711 (sigmaloop run)`."""
        try:
            pid, _, command = self.path.read_text(encoding="utf-8", errors="replace").strip().partition("\n")
        except OSError:
            return "another process"
        return f"process {pid} ({command})" if pid.isdigit() else "another process"


@dataclass
class _Held:
    lock: FileLock
    count: int
    pid: int


_held: dict[Path, _Held] = {}
_guard = threading.Lock()


class HomeLock:
    """The right to write in a home. Taking it again inside the process that holds it is free."""

    def __init__(self, home: Path) -> None:
        self.home = Path(home)
        self._key = (self.home / LOCK).resolve()

    def acquire(self) -> None:
        """Raises Busy when another process holds it, BadInput when the home cannot be written."""
        with _guard:
            held = _held.get(self._key)
            if held is not None and held.pid == os.getpid():
                held.count += 1
                return
            lock = FileLock(self._key)
            if not lock.take():
                raise Busy(
                    f"home {self.home} is in use by {lock.holder()}; wait until it ends or stop it, "
                    "`sigmaloop status` shows how far it is, and --home puts another run elsewhere"
                )
            # A forked child inherits this table but not the right: hence the pid.
            _held[self._key] = _Held(lock=lock, count=1, pid=os.getpid())

    def release(self) -> None:
        with _guard:
            held = _held.get(self._key)
            if held is None or held.pid != os.getpid():
                return
            held.count -= 1
            if held.count == 0:
                held.lock.drop()
                del _held[self._key]

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _unwritable(path: Path, error: OSError) -> BadInput:
    return BadInput(
        f"{path.parent} cannot be written: {error.strerror}; give a folder of your own with --home or SIGMALOOP_HOME"
    )


def _command() -> str:
    name = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    return " ".join([name, *sys.argv[1:3]])[:200].replace("\n", " ")
