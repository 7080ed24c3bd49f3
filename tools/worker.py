"""The far side of the wall: the zygote, and the child that runs one agent once.

Started as a program by the supervisor, with an empty environment. The zygote forks a child for every
rollout; the child raises the wall, receives the agent's source as text, and runs it with a session. Nothing
is known here but what the frames bring: no key, no task, no score. Standard library only.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib.machinery
import io
import json
import linecache
import math
import os
import random
import resource
import selectors
import signal
import socket
import sys
import traceback
import types
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from sigmaloop.tools import frames
    from sigmaloop.tools.session import Channel, Session
else:
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import frames
    from session import Channel, Session

    del sys.path[0]

READY = b"R"
AGENT = "agent.py"
PRINTED = 2_000
"""Characters of the agent's output that are kept, from the end."""
_OUT_OF_MEMORY = frames.encode({"op": "failed", "error": "MemoryError: the agent used all the memory that it may"})
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER, _M_ARENA_MAX = 1, 36, -8


def main() -> None:
    """Arguments: the control socket's number, the supervisor's process id, the limits as JSON."""
    control, parent, limits = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
    sys.argv[:] = [AGENT]
    zygote = os.getpid()
    channel = _serve(control, parent)
    if channel is not None:
        _live(channel, zygote, limits)


def _serve(control_number: int, parent: int) -> int | None:
    """Fork a child for every pair of sockets that arrives, until the supervisor goes away.

    Returns twice as fork does: the number of the rollout's socket in each child, None in the zygote at the
    end. A rollout's second socket is its *lifeline*: it tells the supervisor how the child ended, and when
    the supervisor closes it the child is killed.
    """
    control = socket.socket(fileno=control_number)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    _die_with(parent, signal.SIGTERM)
    _adopt_orphans()
    woken, wake = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    selector = selectors.DefaultSelector()
    selector.register(control, selectors.EVENT_READ)
    selector.register(woken, selectors.EVENT_READ)
    lifelines: dict[int, socket.socket] = {}
    gc.collect()
    gc.freeze()
    try:
        control.send(READY)
        while True:
            for key, _ in selector.select():
                if key.fileobj == woken:
                    with contextlib.suppress(BlockingIOError):
                        os.read(woken, 4096)
                    _reap(selector, lifelines)
                elif key.data is not None:
                    if lifelines.get(key.data) is key.fileobj:  # else it was reaped in this very round
                        selector.unregister(key.fileobj)
                        _kill_group(key.data)
                else:
                    order, numbers, _, _ = socket.recv_fds(control, 1, 2)
                    if not order:
                        return None
                    channel = _fork(selector, lifelines, *numbers)
                    if channel is not None:
                        lifelines.clear()
                        return channel
    finally:
        for pid in lifelines:
            _kill_group(pid)


def _fork(
    selector: selectors.BaseSelector, lifelines: dict[int, socket.socket], channel: int, lifeline_number: int
) -> int | None:
    lifeline = socket.socket(fileno=lifeline_number)
    try:
        pid = os.fork()
    except OSError as error:
        lifeline.send(frames.encode({"error": f"no child could be forked: {error}"}))
        pid = -1
    if pid == 0:
        return channel
    os.close(channel)
    if pid > 0:
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)  # the child does it too: whoever comes first
        lifelines[pid] = lifeline
        selector.register(lifeline, selectors.EVENT_READ, pid)
    return None


def _reap(selector: selectors.BaseSelector, lifelines: dict[int, socket.socket]) -> None:
    while True:
        try:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            break
        _kill_group(pid)  # what it forked, too
        lifeline = lifelines.pop(pid, None)
        if lifeline is None:
            continue
        with contextlib.suppress(KeyError):
            selector.unregister(lifeline)
        ended = {"exit": os.waitstatus_to_exitcode(status), "cpu": usage.ru_utime + usage.ru_stime}
        with contextlib.suppress(OSError):
            lifeline.send(frames.encode(ended))
        lifeline.close()
    _kill_orphans(lifelines)


def _kill_orphans(lifelines: dict[int, socket.socket]) -> None:
    """Grandchildren that left their group come to the zygote when their parent ends: end them as well."""
    with contextlib.suppress(OSError):
        me = os.getpid()
        with open(f"/proc/{me}/task/{me}/children") as listing:
            for pid in map(int, listing.read().split()):
                if pid not in lifelines:
                    os.kill(pid, signal.SIGKILL)


def _kill_group(pid: int) -> None:
    for kill in (os.killpg, os.kill):  # a child that was forked just now has no group yet
        with contextlib.suppress(OSError):
            kill(pid, signal.SIGKILL)


def _die_with(parent: int, by: signal.Signals) -> None:
    """Have the kernel send `by` to this process when its parent dies, however it dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(by), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)  # it died before we asked


def _adopt_orphans() -> None:
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        if hasattr(libc, "mallopt"):
            libc.mallopt(_M_ARENA_MAX, 2)  # each arena of a thread reserves 64 MB of address space


def _live(channel_number: int, zygote: int, limits: dict[str, Any]) -> NoReturn:
    """Run one agent; whatever happens, the process ends here, past every atexit and `__del__`."""
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        with contextlib.suppress(OSError):
            os.setpgid(0, 0)
        _die_with(zygote, signal.SIGKILL)
        connection = _only_channel(channel_number)
        channel = Channel(connection)
        init = channel.hear()
        sys.stdout, sys.stderr = printed = _Printed(), _Printed()
        _offer_packages(limits["packages"])
        random.seed(init["source"] + init["instructions"] + init["opening"])
        raise_wall(limits)
        try:
            channel.tell(_perform(channel, init, printed))
        except MemoryError:
            connection.sendall(_OUT_OF_MEMORY)
        os._exit(0)
    finally:
        os._exit(70)


def raise_wall(limits: dict[str, Any]) -> None:
    """Give up every power that an agent does not need. Candidate code is compiled after this, never before.

    Tier "process": a bare environment, one open socket, resource limits. The files of the user and other
    processes are not yet out of reach.
    """
    os.environ.clear()
    cpu = math.ceil(limits["cpu_seconds"])
    for what, most in (
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        _, hard = resource.getrlimit(what)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most + 1 if what == resource.RLIMIT_CPU else most))


def _perform(channel: Channel, init: dict[str, Any], printed: tuple[_Printed, _Printed]) -> dict[str, Any]:
    """Compile and run the agent; the frame that says how it ended."""
    source = init["source"]
    session = Session(channel, instructions=init["instructions"], tools=init["tools"], opening=init["opening"])
    module = types.ModuleType("agent")
    module.__file__ = AGENT
    sys.modules["agent"] = module
    linecache.cache[AGENT] = (len(source), None, source.splitlines(keepends=True), AGENT)
    try:
        exec(compile(source, AGENT, "exec", dont_inherit=True), module.__dict__)
        module.run(session)
    except BaseException as error:  # the boundary of the agent: whatever it raises is its result
        said = " ".join(filter(None, (stream.tail() for stream in printed)))
        return {"op": "failed", "error": _explain(error) + (f"; printed: {said}" if said else "")}
    return {"op": "done", "printed": printed[0].tail()}


def _explain(error: BaseException) -> str:
    """One line: where in agent.py, and what."""
    if isinstance(error, SystemExit):
        what = f"it called sys.exit({error.code!r})"
    else:
        what = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
    places = [
        f"line {number}" + (f", in {frame.f_code.co_name}" if frame.f_code.co_name != "<module>" else "")
        for frame, number in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == AGENT
    ]
    if isinstance(error, SyntaxError) and error.filename == AGENT and error.lineno:
        places.append(f"line {error.lineno}")
    return f"{AGENT} {' > '.join(places[-3:])}: {what}" if places else what


class _Printed(io.TextIOBase):
    """Takes what the agent prints and keeps the end of it."""

    def __init__(self) -> None:
        self._kept = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._kept = (self._kept + text[-PRINTED:])[-PRINTED:]
        return len(text)

    def tail(self) -> str:
        return " ".join(self._kept[-300:].split())


def _only_channel(number: int) -> socket.socket:
    """Standard streams to /dev/null, the rollout's socket as descriptor 3, every other descriptor closed."""
    if number != 3:
        os.dup2(number, 3, inheritable=False)
    os.closerange(4, os.sysconf("SC_OPEN_MAX"))
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.close(null)
    return socket.socket(fileno=3)


def _offer_packages(folders: list[str]) -> None:
    """Let imports that the standard library can not serve find the installed packages, but not our own."""
    sys.modules["sigmaloop"] = None  # type: ignore[assignment]
    sys.meta_path.append(_Packages(folders))  # type: ignore[arg-type]


class _Packages:
    """Puts site-packages on the path when something is first wanted from it: most agents never pay."""

    def __init__(self, folders: list[str]) -> None:
        self._folders = folders

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if not self._folders:
            return None
        sys.path.extend(self._folders)
        self._folders = []
        return importlib.machinery.PathFinder.find_spec(name, path)


if __name__ == "__main__":
    main()
