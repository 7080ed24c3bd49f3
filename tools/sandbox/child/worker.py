"""The program inside the sandbox: it closes the sandbox around itself, and its children run one agent each, once.

Started by the supervisor, with an empty environment. The zygote forks a child for every rollout; the child
closes its sandbox, says so, receives the agent's source as text, and runs it with a session. Nothing is known here
but what the frames bring: no key, no task, no score. Standard library only.
"""

from __future__ import annotations

import contextlib
import importlib.machinery
import io
import os
import random
import signal
import socket
import sys
import traceback
import types
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn, cast

if TYPE_CHECKING:
    from sigmaloop.tools.sandbox.child import forkserver, frames, program, session
    from sigmaloop.tools.sandbox.child.orders import Opening, Order
    from sigmaloop.tools.sandbox.child.wall import landlock, limits, paths, private_folders, seccomp, syscalls
else:
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import forkserver
    import frames
    import program
    import session
    from wall import landlock, limits, paths, private_folders, seccomp, syscalls

    del sys.path[0]

PRINTED = 2_000
"""Characters of the agent's output that are kept, from the end."""
SELF_CLOSING = ("landlock", "bubblewrap")
"""Tiers in which the child itself closes its sandbox; in the others it stands around it, or (none) there is none."""
NO_NETWORK = "use session.chat_model() or session.openai(): the sandbox has no network and no key"
"""What to do where a client of the agent's own was refused."""
_CLIENTS = ("openai", "langchain_openai", "httpx", "httpx2", "httpcore", "httpcore2")
_OURS = ("forkserver", "frames", "program", "session", "wall")
"""Names of our own modules, which an agent's modules may have as well."""
_OUT_OF_MEMORY = frames.encode({"op": "failed", "error": "MemoryError: the agent used all the memory that it may"})


def main() -> None:
    """Arguments: the control socket's number, the supervisor's process id (0: inside another process space).

    The first frame on the control socket is the order: tier, limits, paths, packages to load beforehand.
    """
    control, parent = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])
    sys.argv[:] = [program.AGENT]
    channel = session.Channel(control)
    order = cast("Order", channel.receive())
    _offer_packages(order["packages"])
    session.preload(order["preload"])
    readable = paths.readable(order["roots"], order["holes"])
    os.makedirs(order["scratch"], mode=0o700, exist_ok=True)
    folders = _private_folders(order["scratch"]) if order["tier"] in SELF_CLOSING else None
    filter_program = _enclose_zygote(order, readable) if order["tier"] in SELF_CLOSING else b""
    zygote = os.getpid()
    start = forkserver.Forkserver(control, parent, order["scratch"], folders).serve()
    if start is not None:
        _run_child(start, zygote, order, filter_program)


def _private_folders(base: str) -> private_folders.PrivateFolders | None:
    return private_folders.start(base, most_bytes=limits.SCRATCH_BYTES, most_files=limits.SCRATCH_FILES)


def _enclose_zygote(order: Order, readable: tuple[list[str], list[str]]) -> bytes:
    """Leave the zygote what it needs itself and its children may need; the seccomp filter for them."""
    machine = seccomp.machine()
    numbers = seccomp.numbers_for(machine, x86_64=syscalls.X86_64, aarch64=syscalls.AARCH64)
    limits.drop_capabilities(machine)
    if landlock.version():
        whole, listed = readable
        rules = [(landlock.READ, path) for path in whole] + [(landlock.LIST, path) for path in listed]
        rules += [(landlock.OWN, order["scratch"]), (landlock.WRITE, os.devnull), (landlock.READ, "/proc")]
        landlock.restrict(rules, alone=False)
    return seccomp.program(numbers, machine=machine, newest=syscalls.NEWEST)


def _run_child(start: forkserver.ChildStart, zygote: int, order: Order, filter_program: bytes) -> NoReturn:
    """Run one agent; whatever happens, the process ends here, past every atexit and `__del__`."""
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        with contextlib.suppress(OSError):
            os.setpgid(0, 0)
        forkserver.die_with(zygote, signal.SIGKILL)
        connection = _only_channel(start.channel)
        channel = session.Channel(connection)
        try:
            enter_sandbox(order, start.scratch, filter_program)
        except OSError as error:
            channel.send({"op": "no_sandbox", "error": str(error)})
            os._exit(71)
        channel.send({"op": "sandboxed", "tier": order["tier"]})
        opening = cast("Opening", channel.receive())
        sys.stdout, sys.stderr = printed = _Printed(), _Printed()
        random.seed(opening["source"] + opening["instructions"] + opening["opening"])
        try:
            channel.send(_perform(channel, opening, order, printed))
        except MemoryError:
            connection.sendall(_OUT_OF_MEMORY)
        os._exit(0)
    finally:
        os._exit(70)


def enter_sandbox(order: Order, scratch: str, filter_program: bytes) -> None:
    """Give up every power that an agent does not need. Raises OSError when the sandbox does not hold.

    The supervisor sends an agent's source only after this, so no line of it is ever compiled before.
    """
    os.environ.clear()
    os.chdir(scratch)
    limits.limit(cpu_seconds=order["cpu_seconds"], memory_bytes=order["memory_bytes"])
    if order["tier"] not in SELF_CLOSING:
        return
    if landlock.version():
        # The zygote's layer names every entry; this one only takes away what is the zygote's and the siblings'.
        rules = [(landlock.READ, root) for root in order["roots"]]
        landlock.restrict([*rules, (landlock.WRITE, scratch)], alone=True)
    elif order["tier"] == "landlock":
        raise OSError("this kernel has no Landlock")
    limits.limit_threads(seccomp.machine())
    seccomp.install(filter_program, pid=os.getpid())
    _check_sandbox()


def _check_sandbox() -> None:
    """Three things that must fail now, whatever the kernel said."""
    for what, attempt in (
        ("a socket could be opened", lambda: socket.socket().close()),
        ("the root folder could be read", lambda: os.listdir("/")),
        ("the zygote could be signalled", lambda: os.kill(os.getppid(), 0)),
    ):
        if what.startswith("the root") and not landlock.version():
            continue
        try:
            attempt()
        except PermissionError:
            continue
        raise OSError(f"the sandbox does not hold: {what}")


def _perform(
    channel: session.Channel, opening: Opening, order: Order, printed: tuple[_Printed, _Printed]
) -> frames.Json:
    """Compile and run the agent; the frame that says how it ended."""
    agent = program.Program(order["agent"], opening["source"])
    handle = session.Session(
        channel,
        instructions=opening["instructions"],
        tools=opening["tools"],
        opening=opening["opening"],
        files=agent.files,
    )
    for name in [name for name in sys.modules if name.partition(".")[0] in _OURS]:
        del sys.modules[name]  # loaded already; an agent that imports such a name means its own
    try:
        running = agent.load(order["packages"]).run(handle)
        if isinstance(running, types.CoroutineType):
            import asyncio

            asyncio.run(running)
    except BaseException as error:  # the boundary of the agent: whatever it raises is its result
        output = " ".join(filter(None, (stream.tail() for stream in printed)))
        return {"op": "failed", "error": _explain(error, agent) + (f"; printed: {output}" if output else "")}
    return {"op": "done", "printed": printed[0].tail()}


def _explain(error: BaseException, agent: program.Program) -> str:
    """One line: where in the agent's files, and what."""
    if isinstance(error, SystemExit):
        what = f"it called sys.exit({error.code!r})"
    else:
        what = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
    if _wanted_network(error):
        what += f" ({NO_NETWORK})"
    steps = [
        (label, f"line {number}" + (f", in {frame.f_code.co_name}" if frame.f_code.co_name != "<module>" else ""))
        for frame, number in traceback.walk_tb(error.__traceback__)
        if (label := agent.label(frame.f_code.co_filename))
    ]
    if isinstance(error, SyntaxError) and error.lineno and (label := agent.label(error.filename or "")):
        steps.append((label, f"line {error.lineno}"))
    last, shown = "", []
    for label, line in steps[-3:]:
        shown.append(line if label == last else f"{label} {line}")
        last = label
    return f"{' > '.join(shown)}: {what}" if shown else what


def _wanted_network(error: BaseException) -> bool:
    """Whether a client that the agent made itself was refused the network, a key, or the certificates."""
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in seen and len(seen) < 20:
        seen.append(cause)
        inside = any(
            str(frame.f_globals.get("__name__", "")).partition(".")[0] in _CLIENTS
            for frame, _ in traceback.walk_tb(cause.__traceback__)
        )
        if inside and (isinstance(cause, PermissionError) or "api_key" in str(cause)[:500]):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


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

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not self._folders:
            return None
        sys.path.extend(self._folders)
        self._folders = []
        return importlib.machinery.PathFinder.find_spec(name, path)


if __name__ == "__main__":
    main()
