"""The list of system calls that an agent does not get, as a seccomp filter; written here as BPF, without a package.

Everything that Python, threads, asyncio and the model clients need is allowed. Refused are networks, programs,
processes, signals to others, metadata of files, kernel facilities with a history of holes, what lets two rollouts
talk by way of files that both may read, and whatever is newer than this list. A refused call fails with an error
number; nobody is killed for trying.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Mapping
from typing import NamedTuple

_FORBIDDEN = """
    socket connect bind listen accept accept4 setsockopt
    execve execveat fork vfork unshare setns setsid setpgid
    tkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_open pidfd_getfd pidfd_send_signal
    ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp perf_event_open
    io_uring_setup io_uring_enter io_uring_register bpf userfaultfd keyctl add_key request_key seccomp
    mount umount2 pivot_root chroot open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr
    swapon swapoff quotactl quotactl_fd name_to_handle_at open_by_handle_at
    chmod fchmod fchmodat chown fchown lchown fchownat utime utimes utimensat futimesat truncate
    setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr
    removexattr lremovexattr fremovexattr
    mkdir mkdirat mknod mknodat link linkat symlink symlinkat sync syncfs splice vmsplice tee
    inotify_init inotify_init1 inotify_add_watch fanotify_init fanotify_mark
    shmget shmat shmctl shmdt semget semop semctl semtimedop msgget msgsnd msgrcv msgctl
    mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr
    memfd_create memfd_secret mlock mlock2 mlockall
    mbind set_mempolicy set_mempolicy_home_node migrate_pages move_pages personality modify_ldt
    setrlimit setpriority sched_setaffinity sched_setattr sched_setscheduler sched_setparam ioprio_set
    setuid setgid setreuid setregid setgroups setresuid setresgid setfsuid setfsgid capset
    reboot kexec_load kexec_file_load init_module finit_module delete_module acct syslog
    sethostname setdomainname settimeofday clock_settime clock_adjtime adjtimex timer_create iopl ioperm vhangup
    nfsservctl lookup_dcookie uselib sysfs
"""
FORBIDDEN = tuple(_FORBIDDEN.split())
UNKNOWN = ("clone3", "openat2", "futex_waitv")
"""Answered "no such call": the C library then takes the older one, whose arguments a filter can read."""
PRETENDED = ("flock",)
"""Answered as if it were done: nobody else can open the files of a rollout, and of all others a lock is a message."""

_SELF = 0x7EADBEE1
"""Stands for the process's own id until that is known."""
_THREAD, _NAMESPACES = 0x00010000, 0x7E020080
_O_TRUNC, _O_ACCMODE = 0o1000, 0o3


class Check(NamedTuple):
    """A condition on one argument: `value & mask` is one of `among`, or (`wanted` false) none of them."""

    argument: int
    among: tuple[int, ...]
    wanted: bool = True
    mask: int = 0xFFFFFFFF
    upper: bool = False
    """Look at the upper half of the 64-bit argument."""
    answer: int | None = None
    """What a call that fails this check is answered, if not the error of its entry; 0 for "done"."""


_NULL = 0
_FROM_OUTSIDE = (1, 2, 3, 9, 15, 19, 20, 21, 22)
"""HUP, INT, QUIT, KILL, TERM and those that stop a process: who ends by one of them did not send it itself."""
_LOCKS = (6, 7, 37, 38)
"""Locks on files, of a process or of a descriptor."""
_SHARED_WAITS = (0, 6, 9, 11, 13)
"""Waiting on a futex that need not be private: on one in a library's file, any process could wake it. Threads that
are joined wait like this as well; told to try again, the C library looks whether they have ended."""
CONDITIONS: dict[str, tuple[int, tuple[Check, ...]]] = {
    # A thread, in the same namespaces: anything else is a process.
    "clone": (errno.EPERM, (Check(0, (_THREAD,), mask=_THREAD), Check(0, (0,), mask=_NAMESPACES))),
    # asyncio's own pair. A datagram pair could send to any socket of the machine.
    "socketpair": (errno.EPERM, (Check(0, (1,)), Check(1, (1,), mask=0xF))),
    "sendto": (errno.EPERM, (Check(4, (_NULL,)), Check(4, (_NULL,), upper=True))),
    "kill": (errno.EPERM, (Check(0, (_SELF,)), Check(1, _FROM_OUTSIDE, wanted=False))),
    "tgkill": (errno.EPERM, (Check(0, (_SELF,)), Check(2, _FROM_OUTSIDE, wanted=False))),
    "futex": (errno.EAGAIN, (Check(1, _SHARED_WAITS, wanted=False, mask=0xFF),)),
    # Names of threads and of memory; everything else changes what holds the process.
    "prctl": (errno.EPERM, (Check(0, (3, 15, 16, 23, 0x53564D41)),)),
    "prlimit64": (errno.EPERM, (Check(2, (_NULL,)), Check(2, (_NULL,), upper=True), Check(0, (0, _SELF)))),
    # Is it a terminal, how wide, how much is there to read, close on exec, do not block.
    "ioctl": (errno.ENOTTY, (Check(1, (0x5401, 0x802C542A, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)),)),
    # Not: whom to signal, leases, notes of changes in folders, hints that stay with a file. Locks as with flock.
    "fcntl": (
        errno.EPERM,
        (Check(1, _LOCKS, wanted=False, answer=0), Check(1, (8, 10, 15, 1024, 1026, 1036, 1038), wanted=False)),
    ),
    # Truncating a file that is opened for reading: Landlock before ABI 3 lets it through.
    "open": (errno.EPERM, (Check(1, (_O_TRUNC,), wanted=False, mask=_O_TRUNC | _O_ACCMODE),)),
    "openat": (errno.EPERM, (Check(2, (_O_TRUNC,), wanted=False, mask=_O_TRUNC | _O_ACCMODE),)),
}

_LOAD, _EQUAL, _AT_LEAST, _ABOVE, _AND, _JUMP, _RETURN = 0x20, 0x15, 0x35, 0x25, 0x54, 0x05, 0x06
_ALLOW, _ERROR, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_ARCHITECTURES = {"x86_64": 0xC000003E, "amd64": 0xC000003E, "aarch64": 0xC00000B7, "arm64": 0xC00000B7}
_X32 = 0x40000000
Instruction = tuple[int, int, int, int]


def numbers_for(machine: str, *, x86_64: Mapping[str, int], aarch64: Mapping[str, int]) -> Mapping[str, int]:
    """The table of a processor. Raises OSError for one that the filter does not know."""
    if _ARCHITECTURES.get(machine.lower()) is None:
        raise OSError(f"no system call table for {machine}; x86_64 and aarch64 are known")
    return x86_64 if machine.lower() in ("x86_64", "amd64") else aarch64


def program(numbers: Mapping[str, int], *, machine: str, newest: int) -> bytes:
    """The filter, with a stand-in for the process id: see `install`."""
    instructions: list[Instruction] = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, _ARCHITECTURES[machine.lower()]),
        (_RETURN, 0, 0, _KILL),  # a 32-bit call, whose numbers mean something else
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _ERROR | errno.ENOSYS),
        (_ABOVE, 0, 1, newest),
        (_RETURN, 0, 0, _ERROR | errno.ENOSYS),
    ]
    blocks = {name: [(_RETURN, 0, 0, _ERROR | errno.EPERM)] for name in FORBIDDEN}
    blocks |= {name: [(_RETURN, 0, 0, _ERROR | errno.ENOSYS)] for name in UNKNOWN}
    blocks |= {name: [(_RETURN, 0, 0, _ERROR)] for name in PRETENDED}
    blocks |= {name: _conditional(error, checks) for name, (error, checks) in CONDITIONS.items()}
    for name, block in blocks.items():
        if name in numbers:
            instructions += [(_EQUAL, 0, len(block), numbers[name]), *block]
    instructions.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)


def install(filter_: bytes, *, pid: int) -> None:
    """Put the filter on this process, for good; `pid` is its own id. Raises OSError.

    Call it after Landlock or anything else has set no_new_privs, while there is one thread.
    """
    ready = filter_.replace(struct.pack("=I", _SELF), struct.pack("=I", pid))
    libc = ctypes.CDLL(None, use_errno=True)
    code = ctypes.create_string_buffer(ready, len(ready))
    count = len(ready) // 8
    filter_program = ctypes.create_string_buffer(struct.pack("@HP", count, ctypes.addressof(code)))
    if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, filter_program, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"seccomp: {os.strerror(number)}")


def machine() -> str:
    """This processor's name."""
    return platform.machine() if not hasattr(os, "uname") else os.uname().machine


def _conditional(error: int, checks: tuple[Check, ...]) -> list[Instruction]:
    """Allow when every check holds, else the error. Jumps count the instructions that they skip."""
    instructions: list[Instruction] = []
    for check in checks:
        instructions.append((_LOAD, 0, 0, 16 + 8 * check.argument + (4 if check.upper else 0)))
        if check.mask != 0xFFFFFFFF:
            instructions.append((_AND, 0, 0, check.mask))
        count = len(check.among)
        instructions += [(_EQUAL, count - index, 0, value) for index, value in enumerate(check.among)]
        if not check.wanted:
            instructions.append((_JUMP, 0, 0, 1))
        instructions.append((_RETURN, 0, 0, _ERROR | (error if check.answer is None else check.answer)))
    return [*instructions, (_RETURN, 0, 0, _ALLOW)]
