"""The filter for system calls, as the kernel would read it, on both processors."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from sigmaloop.tools.sandbox.child.wall import seccomp, syscalls


def test_every_name_of_the_filter_is_a_call_of_some_processor_and_means_it() -> None:
    named = {*seccomp.FORBIDDEN, *seccomp.UNKNOWN, *seccomp.CONDITIONS}
    assert named <= set(syscalls.X86_64)
    assert set(syscalls.AARCH64) <= set(syscalls.X86_64)
    assert not set(seccomp.FORBIDDEN) & set(seccomp.CONDITIONS)
    for table in (syscalls.X86_64, syscalls.AARCH64):
        assert len(set(table.values())) == len(table)
        assert max(table.values()) <= syscalls.NEWEST


@pytest.mark.parametrize("header", ["x86_64-linux-gnu/asm/unistd_64.h", "asm-generic/unistd.h"])
def test_the_numbers_are_those_of_the_kernels_own_headers(header: str) -> None:
    path = Path("/usr/include") / header
    if not path.exists():
        pytest.skip(f"{path} is not installed")
    words = [line.split() for line in path.read_text().splitlines() if line.startswith("#define __NR")]
    known = {w[1].removeprefix("__NR3264_").removeprefix("__NR_"): int(w[2]) for w in words if w[2:] and w[2].isdigit()}
    table = syscalls.X86_64 if "x86" in header else syscalls.AARCH64
    assert {name: known[name] for name in table if name in known} == {n: v for n, v in table.items() if n in known}
    assert len(set(table) & set(known)) > 150


def decide(filter_: bytes, *, number: int, arguments: tuple[int, ...] = (), arch: int = 0xC000003E) -> int:
    """What a filter answers, by the rules of BPF."""
    data = struct.pack("=IIQ6Q", number, arch, 0, *(*arguments, *(0,) * (6 - len(arguments))))
    code = [struct.unpack_from("=HBBI", filter_, at) for at in range(0, len(filter_), 8)]
    value, at = 0, 0
    while True:
        operation, yes, no, k = code[at]
        at += 1
        if operation == 0x20:
            (value,) = struct.unpack_from("=I", data, k)
        elif operation == 0x54:
            value &= k
        elif operation == 0x05:
            at += k
        elif operation == 0x06:
            return k
        else:
            holds = {0x15: value == k, 0x25: value > k, 0x35: value >= k}[operation]
            at += yes if holds else no


@pytest.mark.parametrize(("machine", "arch"), [("x86_64", 0xC000003E), ("aarch64", 0xC00000B7)])
def test_the_filter_decides_as_written_on_both_processors(machine: str, arch: int) -> None:
    table = seccomp.numbers_for(machine, x86_64=syscalls.X86_64, aarch64=syscalls.AARCH64)
    filter_ = seccomp.program(table, machine=machine, newest=syscalls.NEWEST)
    filter_ = filter_.replace(struct.pack("=I", seccomp._SELF), struct.pack("=I", 4711))
    allow, kill = 0x7FFF0000, 0x80000000

    def answer(name: str, *arguments: int) -> str:
        said = decide(filter_, number=table[name], arguments=arguments, arch=arch)
        return "allow" if said == allow else os.strerror(said & 0xFFFF)

    for name in seccomp.FORBIDDEN:
        if name in table:
            assert answer(name) == "Operation not permitted", name
    assert answer("clone3") == answer("openat2") == "Function not implemented"
    assert decide(filter_, number=0, arch=0x40000003) == kill
    assert decide(filter_, number=syscalls.NEWEST + 1, arch=arch) & 0xFFFF == 38
    assert decide(filter_, number=63, arch=arch) == allow
    thread = 0x3D0F00
    assert answer("clone", thread) == "allow"
    assert {answer("clone", flags) for flags in (17, 0x4111, thread | 0x20000, thread | 0x10000000)} == {
        "Operation not permitted"
    }
    assert answer("socketpair", 1, 1 | 0o2000000) == "allow"
    assert answer("socketpair", 1, 2) == answer("socketpair", 2, 1) == "Operation not permitted"
    assert answer("sendto", 3, 1, 1, 0, 0) == "allow"
    assert answer("sendto", 3, 1, 1, 0, 1) == answer("sendto", 3, 1, 1, 0, 1 << 40) == "Operation not permitted"
    assert answer("kill", 4711, 0) == answer("kill", 4711, 14) == answer("tgkill", 4711, 1, 6) == "allow"
    assert {answer("kill", 4711, n) for n in (1, 2, 3, 9, 15, 19, 20, 21, 22)} == {"Operation not permitted"}
    assert answer("tgkill", 4711, 1, 9) == answer("tgkill", 4711, 1, 19) == "Operation not permitted"
    assert answer("kill", 0) == answer("kill", (1 << 64) - 1) == answer("tgkill", 1) == "Operation not permitted"
    assert answer("prctl", 15) == "allow"
    assert answer("prctl", 1) == "Operation not permitted"
    assert answer("prlimit64", 0, 7, 0) == "allow"
    assert answer("prlimit64", 0, 7, 1 << 33) == answer("prlimit64", 1, 7, 0) == "Operation not permitted"
    assert answer("ioctl", 1, 0x5421) == "allow"
    assert answer("ioctl", 1, 0x5412) == "Inappropriate ioctl for device"
    assert answer("fcntl", 3, 4) == "allow"
    assert answer("fcntl", 3, 8) == "Operation not permitted"
    assert {answer("fcntl", 3, lock) for lock in (6, 7, 37, 38)} == {answer("flock", 3, 2)} == {os.strerror(0)}
    private, realtime = 0x80, 0x100
    for waits in (0, 6, 9, 11, 13):
        assert answer("futex", 1, waits | private) == answer("futex", 1, waits | private | realtime) == "allow"
        assert answer("futex", 1, waits) == answer("futex", 1, waits | realtime) == os.strerror(11)
    assert answer("futex", 1, 1) == answer("futex", 1, 10) == "allow"
    assert answer("futex_waitv") == "Function not implemented"
    assert answer("openat", 0, 0, 0o101101) == "allow"
    assert answer("openat", 0, 0, 0o1000) == "Operation not permitted"


def test_an_unknown_processor_has_no_filter() -> None:
    with pytest.raises(OSError, match="riscv64"):
        seccomp.numbers_for("riscv64", x86_64={}, aarch64={})
