"""The command that puts a zygote into namespaces of its own: no network, no processes, no files but the named.

bwrap is never started as root, where a hole in it would be a hole in the machine: root becomes a high user id
that owns nothing first. What bwrap leaves (system calls, files inside, namespaces in its own) the zygote closes itself.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from collections.abc import Sequence

from sigmaloop.tools.sandbox.child.wall import landlock

SCRATCH = "/scratch/rollouts"
_SCRATCH_BYTES = 128 * 1024 * 1024
"""For all rollouts at once; each has its own, smaller limit."""
_EMPTY_BYTES = 4096
_FIRST_ID, _LAST_ID = 61_000, 64_000
"""Outside the ranges that distributions give to people, services and containers."""


def command(
    worker: Sequence[str], *, executable: str, files: Sequence[str], roots: Sequence[str], holes: Sequence[str]
) -> list[str]:
    """`worker`: the interpreter's arguments. `files`: what else is read, such as our own program."""
    arguments = [
        shutil.which("bwrap") or "bwrap", "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net",
        "--unshare-uts",
        "--unshare-cgroup-try", "--die-with-parent", "--new-session", "--cap-drop", "ALL",
        "--hostname", "sandbox", "--clearenv", "--setenv", "PYTHONHASHSEED", "0", "--setenv", "TZ", "UTC",
    ]  # fmt: skip
    visible = dict.fromkeys(["/lib", "/lib64", "/usr/lib", "/usr/lib64", *roots, executable, *files])
    for path in sorted(visible):  # a folder before what lies in it
        arguments += ["--ro-bind-try", path, path]
    for hole in sorted(holes):
        if any(hole.startswith(path.rstrip("/") + "/") for path in visible) and os.path.exists(hole):
            cover = (
                ["--size", str(_EMPTY_BYTES), "--tmpfs", hole]
                if os.path.isdir(hole)
                else ["--ro-bind", os.devnull, hole]
            )
            arguments += cover
    if landlock.version():  # which hides it from the agents; without it, they would see each other there
        arguments += ["--proc", "/proc"]
    for device in ("/dev/null", "/dev/urandom"):
        arguments += ["--dev-bind", device, device]
    arguments += [
        "--size",
        str(_SCRATCH_BYTES),
        "--tmpfs",
        os.path.dirname(SCRATCH),
        "--chdir",
        "/",
        "--remount-ro",
        "/",
    ]
    return [*arguments, "--", executable, *worker]


def free_user_id() -> int:
    """A user id that nobody has."""
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    return next(number for number in range(_FIRST_ID, _LAST_ID) if number not in taken)


def unreadable(paths: Sequence[str]) -> str | None:
    """The first file or folder on the way to `paths` that a user who owns nothing may not read."""
    for path in paths:
        if not os.path.exists(path):
            continue
        parent = os.path.realpath(path)
        if not os.stat(parent).st_mode & stat.S_IROTH:
            return parent
        while parent != os.path.dirname(parent):
            parent = os.path.dirname(parent)
            if not os.stat(parent).st_mode & stat.S_IXOTH:
                return parent
    return None
