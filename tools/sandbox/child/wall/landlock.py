"""Landlock through ctypes: from here on a process, and all its children, may touch the named files only.

A kernel feature since Linux 5.13 that any process may use on itself, root or not, inside containers too. Each
call adds a layer, and a file must be allowed by every layer. Not restricted by any version of it: asking whether
a file exists, and changing metadata (which the seccomp filter forbids instead).
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from collections.abc import Iterable

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same numbers on every processor
_PR_SET_NO_NEW_PRIVS = 38
_WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_DIR, _REMOVE_FILE = (1 << n for n in range(1, 6))
_MAKE_DIR, _MAKE_REG, _TRUNCATE = 1 << 7, 1 << 8, 1 << 14
_FILE = _READ_FILE | _WRITE_FILE | _TRUNCATE

READ = _READ_FILE | _READ_DIR
LIST = _READ_DIR
WRITE = READ | _WRITE_FILE | _TRUNCATE | _MAKE_REG | _REMOVE_FILE
"""Files, but no folders, links or sockets: what a rollout leaves behind is flat and soon removed."""
OWN = WRITE | _MAKE_DIR | _REMOVE_DIR

Rule = tuple[int, str]
"""What is allowed, and the file or folder (with all below it) for which."""


class _Ruleset(ctypes.Structure):
    _fields_ = [("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def version() -> int:
    """The kernel's Landlock ABI, 1 or more; 0 where there is none or it is switched off."""
    if sys.platform != "linux":
        return 0
    return max(0, int(ctypes.CDLL(None, use_errno=True).syscall(_CREATE, None, ctypes.c_size_t(0), 1)))


def restrict(rules: Iterable[Rule], *, alone: bool) -> None:
    """Give up every file but those of the rules, for good. Raises OSError where that is impossible.

    `alone`: give up signals to and abstract sockets of processes outside, too (kernels with ABI 6). Paths that
    do not exist are left out. Only the calling thread is restricted: call it while there is no other.
    """
    abi = version()
    if abi < 1:
        raise OSError("this kernel has no Landlock")
    libc = ctypes.CDLL(None, use_errno=True)
    handled = (1 << (13 if abi == 1 else 14 if abi == 2 else 15 if abi < 5 else 16)) - 1
    wanted = _Ruleset(handled, 3 if abi >= 4 else 0, 3 if abi >= 6 and alone else 0)
    size = ctypes.sizeof(wanted) if abi >= 6 else 16 if abi >= 4 else 8
    ruleset = _checked(libc.syscall(_CREATE, ctypes.byref(wanted), ctypes.c_size_t(size), 0), "landlock_create_ruleset")
    try:
        for allowed, path in rules:
            _add(libc, ruleset, allowed & handled, path)
        _checked(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
        _checked(libc.syscall(_RESTRICT, ruleset, 0), "landlock_restrict_self")
    finally:
        os.close(ruleset)


def _add(libc: ctypes.CDLL, ruleset: int, allowed: int, path: str) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return  # what cannot be opened need not be allowed
    try:
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            allowed &= _FILE
        if allowed:
            rule = _Beneath(allowed, handle)
            _checked(libc.syscall(_ADD, ruleset, 1, ctypes.byref(rule), 0), f"landlock_add_rule {path}")
    finally:
        os.close(handle)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result
