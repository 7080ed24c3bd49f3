"""The zygote at work: forks a child for every rollout, watches what they leave on disk, and ends them.

Runs inside the sandbox, but never a line of an agent's code. Standard library only.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import selectors
import shutil
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sigmaloop.tools.sandbox.child import frames
    from sigmaloop.tools.sandbox.child.wall import limits, private_folders
else:
    import frames
    from wall import limits, private_folders

_WATCH_SECONDS, _WATCH_SHARE = 0.05, 0.002
"""Between two looks at the children: so long, or so much for each child where they are many."""
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER, _M_ARENA_MAX = 1, 36, -8


class ChildStart(NamedTuple):
    """What a fresh child gets from the zygote."""

    channel: int
    """Number of the rollout's socket."""
    scratch: str
    """Its own empty folder."""


class _Child(NamedTuple):
    death_pipe: socket.socket
    scratch: str


class Forkserver:
    """Forks a child for every pair of sockets that arrives, until the supervisor goes away.

    A rollout's second socket is its *death pipe*: it tells the supervisor how the child ended, and when the
    supervisor closes it the child is killed.
    """

    def __init__(
        self,
        control: socket.socket,
        parent: int,
        scratch: str,
        folders: private_folders.PrivateFolders | None = None,
    ) -> None:
        """`parent`: the supervisor's process id, 0 where a process in between ends us. `scratch`: a folder of ours.
        `folders`: gives every child a file system of its own; without it the zygote looks at what they write.
        """
        self._folders = folders
        self._control = control
        self._scratch = scratch
        self._children: dict[int, _Child] = {}
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # ignored where the supervisor runs under nohup
        die_with(parent, signal.SIGTERM)
        _adopt_orphans()
        self._woken, wake = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)

    def serve(self) -> ChildStart | None:
        """Returns twice as fork does: in each child what it starts with, None in the zygote at the end."""
        gc.collect()
        gc.freeze()
        zygote = os.getpid()
        try:
            self._control.send(frames.READY if self._folders is None else frames.READY_BOUNDED)
            return self._loop()
        finally:
            if os.getpid() == zygote:
                for pid in self._children:
                    _kill_group(pid)
                shutil.rmtree(self._scratch, ignore_errors=True)

    def _loop(self) -> ChildStart | None:
        looked = time.monotonic()
        while True:
            pause = max(_WATCH_SECONDS, _WATCH_SHARE * len(self._children))
            events = self._selector.select(max(0.0, looked + pause - time.monotonic()) if self._children else None)
            if time.monotonic() >= looked + pause:  # also when children come and go all the time
                self._watch()
                looked = time.monotonic()
            for key, _ in events:
                if key.fileobj == self._woken:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._woken, 4096)
                    self._reap()
                elif key.data is not None:
                    child = self._children.get(key.data)
                    if child is not None and child.death_pipe is key.fileobj:  # else reaped in this very round
                        self._selector.unregister(key.fileobj)
                        _kill_group(key.data)
                else:
                    order, numbers, _, _ = socket.recv_fds(self._control, 1, 2)
                    if not order:
                        return None
                    start = self._fork(*numbers)
                    if start is not None:
                        return start

    def _fork(self, channel: int, death_pipe_number: int) -> ChildStart | None:
        death_pipe = socket.socket(fileno=death_pipe_number)
        # No number: how many came before is no business of an agent, and a name that is known can be looked for.
        scratch = os.path.join(self._scratch, os.urandom(16).hex())
        try:
            self._make(scratch)
            pid = os.fork()
        except OSError as error:
            self._remove(scratch)
            death_pipe.send(frames.encode({"error": f"no child could be forked: {error}"}))
            pid = -1
        if pid == 0:
            return ChildStart(channel, scratch)
        os.close(channel)
        if pid > 0:
            with contextlib.suppress(OSError):
                os.setpgid(pid, pid)  # the child does it too: whoever comes first
            self._children[pid] = _Child(death_pipe, scratch)
            self._selector.register(death_pipe, selectors.EVENT_READ, pid)
        return None

    def _reap(self) -> None:
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                break
            _kill_group(pid)  # what it forked, too
            child = self._children.pop(pid, None)
            if child is None:
                continue
            with contextlib.suppress(KeyError):
                self._selector.unregister(child.death_pipe)
            ended = {"exit": os.waitstatus_to_exitcode(status), "cpu": usage.ru_utime + usage.ru_stime}
            with contextlib.suppress(OSError):
                child.death_pipe.send(frames.encode(ended))
            child.death_pipe.close()
            self._remove(child.scratch)
        self._kill_orphans()

    def _make(self, scratch: str) -> None:
        os.mkdir(scratch, 0o700)
        if self._folders is not None and not self._folders.mount(scratch):
            raise OSError("no file system could be made for its private folder")

    def _remove(self, scratch: str) -> None:
        if self._folders is not None:
            self._folders.unmount(scratch)
        _remove(scratch)

    def _watch(self) -> None:
        """Stop who fills the disk or swarms, for where the kernel does not: see `private_folders`, `limit_threads`."""
        for pid, child in self._children.items():
            if excess := _excess(pid, child.scratch):
                with contextlib.suppress(OSError):
                    child.death_pipe.send(frames.encode(excess))
                _kill_group(pid)

    def _kill_orphans(self) -> None:
        """Grandchildren that left their group come to the zygote when their parent ends: end them as well."""
        with contextlib.suppress(OSError):
            me = os.getpid()
            with open(f"/proc/{me}/task/{me}/children") as listing:
                for pid in map(int, listing.read().split()):
                    if pid not in self._children and (self._folders is None or pid != self._folders.pid):
                        os.kill(pid, signal.SIGKILL)


def _excess(pid: int, scratch: str) -> dict[str, int] | None:
    """What a child has too much of, as the supervisor is told; None when there is nothing, or nothing is known."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        with open(f"/proc/{pid}/stat", "rb") as file:  # not inside bubblewrap: there the supervisor counts
            threads = int(file.read().rpartition(b")")[2].split()[17])
        if threads > limits.THREADS:
            return {"threads": threads}
    with contextlib.suppress(OSError):  # a file went away while we looked
        with os.scandir(scratch) as entries:
            sizes = [entry.stat(follow_symlinks=False).st_blocks * 512 for entry in entries]
        if sum(sizes) > limits.SCRATCH_BYTES or len(sizes) > limits.SCRATCH_FILES:
            return {"full": sum(sizes), "files": len(sizes)}
    return None


def die_with(parent: int, by: signal.Signals) -> None:
    """Have the kernel send `by` to this process when its parent dies, however it dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(by), 0, 0, 0)
    if parent and os.getppid() != parent:
        os._exit(1)  # it died before we asked


def _adopt_orphans() -> None:
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        if hasattr(libc, "mallopt"):
            libc.mallopt(_M_ARENA_MAX, 2)  # each arena of a thread reserves 64 MB of address space


def _remove(scratch: str) -> None:
    """A rollout's folder. Inside a sandbox it is flat; without one an agent may have made anything of it."""
    with contextlib.suppress(OSError):
        os.rmdir(scratch)
        return
    with contextlib.suppress(RecursionError):
        shutil.rmtree(scratch, ignore_errors=True)


def _kill_group(pid: int) -> None:
    for kill in (os.killpg, os.kill):  # a child that was forked just now has no group yet
        with contextlib.suppress(OSError):
            kill(pid, signal.SIGKILL)
