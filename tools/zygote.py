"""The supervisor's hold on the zygote: start it, get a child from it, start it again when it died."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from sigmaloop.errors import SandboxError
from sigmaloop.tools.worker import READY

START_SECONDS = 20.0
_WORKER = Path(__file__).with_name("worker.py")
_PACKAGES = ("openai", "langchain_openai", "langgraph")


class Child(NamedTuple):
    """A forked child: `channel` carries its frames, `lifeline` says how it ended; closing that kills it."""

    channel: socket.socket
    lifeline: socket.socket


class Zygote:
    """One long-lived process that forks a child for every rollout. Thread-safe."""

    def __init__(self, *, cpu_seconds: float, memory_bytes: int) -> None:
        self._limits = {
            "cpu_seconds": cpu_seconds,
            "memory_bytes": memory_bytes,
            "packages": _package_folders(),
        }
        self._lock = threading.Lock()
        # The kernel ends the zygote with the *thread* that started it: so one thread starts it, and lives on.
        self._keeper: ThreadPoolExecutor | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it if it does not run. Raises SandboxError."""
        with self._lock:
            self._running()

    def fork(self) -> Child:
        """A fresh child. A zygote that died is started again, once. Raises SandboxError."""
        with self._lock:
            for again in (True, False):
                control = self._running()
                try:
                    return _send_order(control)
                except (BrokenPipeError, ConnectionResetError) as error:
                    self._end()
                    if not again:
                        raise SandboxError(
                            "the sandbox's zygote died twice in a row; see `sigmaloop doctor`"
                        ) from error
                except OSError as error:
                    raise SandboxError(
                        f"no sockets for a rollout: {error}; lower concurrency or raise `ulimit -n`"
                    ) from error
        raise AssertionError("unreachable")

    def stop(self) -> None:
        """End it and every child of it. It may be started again."""
        with self._lock:
            self._end()
            if self._keeper is not None:
                self._keeper.shutdown()
                self._keeper = None

    def _running(self) -> socket.socket:
        if self._process is not None and self._process.poll() is not None:
            self._end()
        if self._control is None:
            if self._keeper is None:
                self._keeper = ThreadPoolExecutor(max_workers=1, thread_name_prefix="zygote-keeper")
            self._process, self._control = self._keeper.submit(_spawn, self._limits).result()
        return self._control

    def _end(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            _bury(self._process)
        self._control = self._process = None


def _spawn(limits: dict[str, Any]) -> tuple[subprocess.Popen[bytes], socket.socket]:
    control, theirs = socket.socketpair()
    with theirs:
        # Like -I, which would also ignore PYTHONHASHSEED: with a random one, an agent's sets have another
        # order in every zygote and a resumed run would not repeat itself.
        flags = ["-s", "-P", "-S", "-B", "-X", "utf8"]
        arguments = [str(theirs.fileno()), str(os.getpid()), json.dumps(limits)]
        try:
            process = subprocess.Popen(
                [sys.executable, *flags, str(_WORKER), *arguments],
                env={"PYTHONHASHSEED": "0"},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        except OSError as error:
            control.close()
            raise SandboxError(f"the sandbox's interpreter {sys.executable} cannot be started: {error}") from error
    control.settimeout(START_SECONDS)
    try:
        ready = control.recv(1)
    except OSError:
        ready = b""
    if ready != READY:
        control.close()
        said = _bury(process)
        raise SandboxError(f"the sandbox's zygote ({_WORKER}) did not start: {said or 'it said nothing'}")
    control.settimeout(None)
    return process, control


def _send_order(control: socket.socket) -> Child:
    with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
        channel, far_channel = socket.socketpair()
        ours.enter_context(channel)
        theirs.enter_context(far_channel)
        lifeline, far_lifeline = socket.socketpair()
        ours.enter_context(lifeline)
        theirs.enter_context(far_lifeline)
        socket.send_fds(control, [b"F"], [far_channel.fileno(), far_lifeline.fileno()])
        ours.pop_all()
        return Child(channel, lifeline)


def _bury(process: subprocess.Popen[bytes]) -> str:
    """Wait for a process whose control socket was closed; the last line that it wrote."""
    try:
        _, said = process.communicate(timeout=5.0)
    except subprocess.TimeoutExpired:
        process.kill()
        _, said = process.communicate()
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else ""


def _package_folders() -> list[str]:
    """The folders that hold the client libraries which an agent may ask for."""
    folders: dict[str, None] = {}
    for name in _PACKAGES:
        spec = importlib.util.find_spec(name)
        for place in (spec.submodule_search_locations or []) if spec else []:
            folders[str(Path(place).parent)] = None
    return list(folders)
