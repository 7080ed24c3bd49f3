"""Resource limits and capabilities: how much a process may use, and that it is nobody special."""

from __future__ import annotations

import ctypes
import math
import os
import resource
import struct
import sys
import threading

FILE_BYTES = 4 * 1024 * 1024
"""Largest file that an agent may write."""
SCRATCH_BYTES, SCRATCH_FILES = 16 * 1024 * 1024, 256
"""All that an agent may have in its private folder; who has more is stopped."""
OPEN_FILES = 64
THREADS = 256
"""Most threads of an agent at once; who has more is stopped."""
THREAD_STACK = 1024 * 1024
_NEW_USER = 0x10000000
_CAPSET = {"x86_64": 126, "amd64": 126, "aarch64": 91, "arm64": 91}


def drop_capabilities(machine: str) -> None:
    """Root's special powers, for good: what is left to root is what the owner of its files may do."""
    if sys.platform == "linux" and machine.lower() in _CAPSET:
        header = ctypes.create_string_buffer(struct.pack("=Ii", 0x20080522, 0))
        nothing = ctypes.create_string_buffer(24)
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.syscall(_CAPSET[machine.lower()], header, nothing) != 0:
            raise OSError(ctypes.get_errno(), "the capabilities cannot be dropped")


def limit_threads(machine: str) -> bool:
    """Have the kernel refuse more threads than THREADS; False where it counts all processes of the user instead.

    It counts by user namespace, so the process goes into one of its own; root is exempt wherever it is.
    """
    if sys.platform != "linux" or os.geteuid() == 0:
        return False
    if ctypes.CDLL(None, use_errno=True).unshare(_NEW_USER) != 0:
        return False
    _lower("RLIMIT_NPROC", THREADS)
    drop_capabilities(machine)  # whoever makes a namespace is mighty in it
    return True


def limit(*, cpu_seconds: float, memory_bytes: int) -> None:
    """Processor time, address space, file size, descriptors; no core dumps, no locked memory."""
    cpu = math.ceil(cpu_seconds)
    for name, most in {
        "RLIMIT_AS": memory_bytes,
        "RLIMIT_CPU": cpu,
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": FILE_BYTES,
        "RLIMIT_MEMLOCK": 0,
        "RLIMIT_MSGQUEUE": 0,
        "RLIMIT_NOFILE": OPEN_FILES,
    }.items():
        # One second between the signal that can be ignored and the one that can not.
        _lower(name, most, 1 if name == "RLIMIT_CPU" else 0)
    threading.stack_size(THREAD_STACK)


def _lower(name: str, most: int, grace: int = 0) -> None:
    """Set a limit, never above the one that holds already; `grace`: by how much the hard one lies above."""
    what = getattr(resource, name, None)
    if what is None:
        return
    _, hard = resource.getrlimit(what)
    if hard == resource.RLIM_INFINITY:
        resource.setrlimit(what, (most, most + grace))
    else:
        resource.setrlimit(what, (min(most, hard), min(most + grace, hard)))
