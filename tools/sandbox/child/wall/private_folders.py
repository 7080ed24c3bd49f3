"""A small file system of its own for every rollout's private folder, so that the kernel bounds it.

Needs a mount namespace, which root may have everywhere and others where the system lets them have a user namespace.
Where there is none, the zygote looks at the folders instead (`forkserver`). Mounting is done by a process that is
forked before the zygote gives up its powers; no line of an agent runs in it, and no child of the zygote reaches it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import struct
import sys
from typing import NoReturn

_NEW_MOUNTS, _NEW_USER = 0x00020000, 0x10000000
_PRIVATE, _RECURSIVE, _DETACH = 1 << 18, 1 << 14, 2
_NO_SUID, _NO_DEV, _NO_EXEC, _NO_ATIME = 2, 4, 8, 1024
_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE = 442, -100, 0x8000
_ATTR_READ_ONLY, _ATTR_NO_ATIME, _ATTR_ATIME_MASK = 0x1, 0x10, 0x70
_BASE_BYTES = 1024 * 1024
_LONGEST_PATH = 4096


class PrivateFolders:
    """The zygote's hold on the process that mounts. Every path must lie in the base folder."""

    def __init__(self, pid: int, channel: socket.socket) -> None:
        self.pid = pid
        self._channel = channel

    def mount(self, path: str) -> bool:
        """An empty file system on this folder; False when the kernel has no more of them."""
        return self._ask(b"+", path)

    def unmount(self, path: str) -> bool:
        return self._ask(b"-", path)

    def _ask(self, what: bytes, path: str) -> bool:
        try:
            self._channel.send(what + os.fsencode(path))
            return self._channel.recv(1) == b"1"
        except OSError:
            return False


def start(base: str, *, most_bytes: int, most_files: int) -> PrivateFolders | None:
    """Go into a mount namespace of our own, in which all but `base` is read-only and keeps no access times.

    None where the system does not let us: then nothing has changed. Call it while there is one thread.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    if not (_probe(libc, base) and _enter(libc)):
        return None
    _arrange(libc, base)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    zygote = os.getpid()
    pid = os.fork()
    if pid == 0:
        ours.close()
        _serve(libc, theirs, zygote, _options(most_bytes, most_files))
    theirs.close()
    return PrivateFolders(pid, ours)


def _probe(libc: ctypes.CDLL, base: str) -> bool:
    """Whether all of it works here, tried by a process that then ends: half a namespace would be worse than none."""
    pid = os.fork()
    if pid == 0:
        fine = False
        with contextlib.suppress(OSError):
            fine = _enter(libc) and _arrange(libc, base)
        os._exit(0 if fine else 1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _enter(libc: ctypes.CDLL) -> bool:
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(_NEW_MOUNTS) != 0:
        if libc.unshare(_NEW_USER | _NEW_MOUNTS) != 0:
            return False
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    return bool(libc.mount(None, b"/", None, _PRIVATE | _RECURSIVE, None) == 0)


def _arrange(libc: ctypes.CDLL, base: str) -> bool:
    """All read-only and without access times, where the kernel lets us; on top of it the base folder."""
    for attributes in (_ATTR_READ_ONLY | _ATTR_NO_ATIME, _ATTR_READ_ONLY):
        cleared = _ATTR_ATIME_MASK if attributes & _ATTR_NO_ATIME else 0
        wanted = struct.pack("=QQQQ", attributes, cleared, 0, 0)
        if libc.syscall(_MOUNT_SETATTR, _AT_FDCWD, b"/", _AT_RECURSIVE, wanted, ctypes.c_size_t(len(wanted))) == 0:
            break
    return _mount(libc, base, _options(_BASE_BYTES, 100_000))


def _serve(libc: ctypes.CDLL, channel: socket.socket, zygote: int, options: bytes) -> NoReturn:
    """Mount and unmount as the zygote says, until it goes."""
    try:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        libc.prctl(1, int(signal.SIGKILL), 0, 0, 0)
        while os.getppid() == zygote:
            order = channel.recv(_LONGEST_PATH)
            if not order:
                break
            path = os.fsdecode(order[1:])
            done = _mount(libc, path, options) if order[:1] == b"+" else _unmount(libc, path)
            channel.send(b"1" if done else b"0")
    finally:
        os._exit(0)


def _mount(libc: ctypes.CDLL, path: str, options: bytes) -> bool:
    flags = _NO_SUID | _NO_DEV | _NO_EXEC | _NO_ATIME
    return bool(libc.mount(b"tmpfs", os.fsencode(path), b"tmpfs", flags, options) == 0)


def _unmount(libc: ctypes.CDLL, path: str) -> bool:
    return bool(libc.umount2(os.fsencode(path), _DETACH) == 0)


def _options(most_bytes: int, most_files: int) -> bytes:
    """The folder itself is a file, too. Only its owner may look into it."""
    return f"size={most_bytes},nr_inodes={most_files + 1},mode=700".encode()
