"""The supervisor's hold on the zygote: start it, get a child from it, start it again when it died."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from sigmaloop.errors import SandboxError
from sigmaloop.tools.sandbox.child import frames
from sigmaloop.tools.sandbox.child.orders import AgentFiles, Order
from sigmaloop.tools.sandbox.readable_paths import ReadablePaths
from sigmaloop.tools.sandbox.tiers import bubblewrap, seatbelt
from sigmaloop.tools.sandbox.tiers.tiers import Tier

START_SECONDS = 20.0
_INSIDE = Path(__file__).resolve().parent / "child"
"""Everything of ours that the zygote is made of; it sees no other file of ours."""
_WORKER = _INSIDE / "worker.py"


class Child(NamedTuple):
    """A forked child: `channel` carries its frames, `death_pipe` says how it ended; closing that kills it."""

    channel: socket.socket
    death_pipe: socket.socket
    zygote: int
    """The process that it comes from, as `Zygote.pid`."""


class Zygote:
    """One long-lived process that forks a child for every rollout. Thread-safe."""

    def __init__(
        self,
        tier: Tier,
        readable_paths: ReadablePaths,
        *,
        cpu_seconds: float,
        memory_bytes: int,
        agent: AgentFiles | None = None,
        preload: tuple[str, ...] = (),
    ) -> None:
        """`agent`: what an agent consists of beside its source. `preload`: clients that every child finds loaded:
        "openai", "langchain".
        """
        self._order: Order = {
            "tier": tier,
            "cpu_seconds": cpu_seconds,
            "memory_bytes": memory_bytes,
            "packages": list(readable_paths.packages),
            "roots": list(readable_paths.roots),
            "holes": list(readable_paths.holes),
            "agent": agent or {"folders": [], "edited": None, "driver": None},
            "preload": list(preload),
            "scratch": bubblewrap.SCRATCH,
        }
        self._lock = threading.Lock()
        # The kernel ends the zygote with the *thread* that started it: so one thread starts it, and lives on.
        self._keeper: ThreadPoolExecutor | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._scratch: str | None = None
        self._sweep: Callable[[], object] | None = None
        self.bounded = False
        """Whether the kernel bounds the private folder of each child, known once it runs."""

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
                    assert self._process is not None
                    return Child(*_send_order(control), self._process.pid)
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

    def renew(self, pid: int) -> None:
        """Kill the process of this id, if it is still the zygote: the next child comes from a fresh one."""
        with self._lock:
            if self._process is not None and self._process.pid == pid:
                self._process.kill()
                self._end()

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
            inside = self._order["tier"] == "bubblewrap"
            self._scratch = None if inside else _make_scratch()
            if self._scratch is not None:  # also when the program ends without stopping us
                self._sweep = weakref.finalize(self, shutil.rmtree, self._scratch, ignore_errors=True)
            order = self._order.copy()
            order["scratch"] = self._scratch or bubblewrap.SCRATCH
            self._process, self._control, self.bounded = self._keeper.submit(_spawn, order).result()
        return self._control

    def _end(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            _wait_for_end(self._process)
        if self._sweep is not None:
            self._sweep()
        self._control = self._process = self._scratch = self._sweep = None


def _make_scratch() -> str:
    """A folder for the private folders of the rollouts."""
    try:
        return tempfile.mkdtemp(prefix="sigmaloop-")
    except OSError as error:
        raise SandboxError(f"no folder for rollouts can be made: {error}; free some space, or set TMPDIR") from error


def _spawn(order: Order) -> tuple[subprocess.Popen[bytes], socket.socket, bool]:
    """The process, its control socket, and whether each private folder is a file system of its own."""
    control, theirs = socket.socketpair()
    with theirs:
        command, user = _command(order, theirs.fileno())
        try:
            process = subprocess.Popen(
                command,
                env={"PYTHONHASHSEED": "0", "TZ": "UTC"},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )
        except OSError as error:
            control.close()
            raise SandboxError(f"the sandbox's interpreter {sys.executable} cannot be started: {error}") from error
    control.settimeout(START_SECONDS)
    try:
        control.sendall(frames.encode(order))
        ready = control.recv(1)
    except OSError:
        ready = b""
    if ready not in (frames.READY, frames.READY_BOUNDED):
        control.close()
        last_line = _wait_for_end(process)
        raise SandboxError(f"the sandbox's zygote ({_WORKER}) did not start: {last_line or 'it wrote nothing'}")
    control.settimeout(None)
    return process, control, ready == frames.READY_BOUNDED


def _command(order: Order, control: int) -> tuple[list[str], int | None]:
    """How the zygote is started in a tier, and as which user; None: as ourselves."""
    # Like -I, which would also ignore PYTHONHASHSEED: with a random one, an agent's sets have another
    # order in every zygote and a resumed run would not repeat itself.
    worker = ["-s", "-P", "-S", "-B", "-X", "utf8", str(_WORKER), str(control)]
    files = [str(_WORKER.parent)]
    roots, holes = order["roots"], order["holes"]
    if order["tier"] == "bubblewrap":
        executable = os.path.realpath(sys.executable)
        # Process ids mean nothing across the border: bwrap ends everything when this process dies.
        arguments = bubblewrap.command([*worker, "0"], executable=executable, files=files, roots=roots, holes=holes)
        return arguments, bubblewrap.free_user_id() if os.geteuid() == 0 else None
    worker.append(str(os.getpid()))
    if order["tier"] == "seatbelt":
        text = seatbelt.profile(
            executable=sys.executable, files=files, roots=roots, holes=holes, scratch=order["scratch"]
        )
        return seatbelt.command(worker, executable=sys.executable, text=text), None
    return [sys.executable, *worker], None


def _send_order(control: socket.socket) -> tuple[socket.socket, socket.socket]:
    with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
        channel, far_channel = socket.socketpair()
        ours.enter_context(channel)
        theirs.enter_context(far_channel)
        if hasattr(socket, "SO_PASSCRED"):  # the kernel then says, with the child's first words, which process it is
            channel.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        death_pipe, far_death_pipe = socket.socketpair()
        ours.enter_context(death_pipe)
        theirs.enter_context(far_death_pipe)
        socket.send_fds(control, [b"F"], [far_channel.fileno(), far_death_pipe.fileno()])
        ours.pop_all()
        return channel, death_pipe


def _wait_for_end(process: subprocess.Popen[bytes]) -> str:
    """Wait for a process whose control socket was closed; the last line that it wrote."""
    try:
        _, output = process.communicate(timeout=5.0)
    except subprocess.TimeoutExpired:
        process.kill()
        _, output = process.communicate()
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else ""
