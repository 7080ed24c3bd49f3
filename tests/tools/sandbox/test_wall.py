"""The parts of the wall: choosing a tier, failing closed, the filter, the places, the texts for other machines."""

from __future__ import annotations

import os
import shutil
import stat
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from walls import each_tier

from sigmaloop.errors import SandboxError
from sigmaloop.tools.sandbox import supervisor
from sigmaloop.tools.sandbox import zygote as zygote_module
from sigmaloop.tools.sandbox.child.wall import landlock, seccomp, syscalls
from sigmaloop.tools.sandbox.child.wall.paths import readable
from sigmaloop.tools.sandbox.readable_paths import readable_paths
from sigmaloop.tools.sandbox.supervisor import Supervisor
from sigmaloop.tools.sandbox.tiers import bubblewrap, seatbelt, tiers


class Silence:
    """Handlers of a rollout in which nothing happens."""

    def init(self) -> dict[str, Any]:
        return {"instructions": "", "tools": [], "opening": ""}

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


def make(tier: Any = "auto") -> Supervisor:
    return Supervisor(step_seconds=5, rollout_seconds=5, cpu_seconds=5, max_steps=5, sandbox=tier)


@pytest.mark.parametrize("tier", each_tier("none", "landlock", "bubblewrap", "seatbelt"))
def test_a_tier_asked_for_by_name_is_the_one_that_is_raised_and_recorded(tier: Any) -> None:
    with make(tier) as supervisor:
        assert supervisor.tier == tier
        ended = supervisor.run("def run(session): pass", Silence())
    assert (ended.status, ended.tier) == ("ok", tier)


def test_auto_never_means_none() -> None:
    with make() as supervisor:
        assert supervisor.tier in ("bubblewrap", "landlock", "seatbelt")


def test_without_any_sandbox_auto_refuses_with_the_reasons_and_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "version", lambda: 0)
    monkeypatch.setattr(tiers.shutil, "which", lambda name: None)
    with pytest.raises(SandboxError) as refused:
        make().start()
    for part in ("bwrap is not installed", "no Landlock", "Linux 5.13", "--sandbox none"):
        assert part in str(refused.value)


def test_a_better_tier_that_does_not_start_is_passed_over_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo bubblewrap 0.9.0 && exit\necho No permissions >&2; exit 1\n'
    )
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(bubblewrap, "unreadable", lambda paths: None)
    with make() as supervisor:
        assert supervisor.tier == "landlock"
        assert any("bubblewrap" in why for why in supervisor.passed_over)


def test_a_sandbox_that_does_not_hold_is_infra_and_no_source_is_sent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The child checks its sandbox before it asks for the source; here the sandbox lacks its filter."""
    monkeypatch.setattr(zygote_module, "_WORKER", _weakened(tmp_path))
    with make("landlock") as supervisor:
        ended = supervisor.run("def run(session): session.say('x')", Silence())
    assert ended.status == "infra"
    assert ended.detail == "the sandbox was not set up: the sandbox does not hold: a socket could be opened"


def test_a_disk_without_room_is_a_sandbox_error_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "full"))
    with pytest.raises(SandboxError, match=r"no folder for rollouts can be made: .*; free some space, or set TMPDIR"):
        make("none").start()


def test_the_folder_of_a_supervisor_is_gone_after_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with make("landlock") as supervisor:
        assert supervisor.run("def run(session): open('x', 'w')", Silence()).status == "ok"
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


def _weakened(folder: Path) -> Path:
    """A worker that forgets its seccomp filter."""
    tools = Path(str(supervisor.__file__)).resolve().parent / "child"
    for name in ("worker.py", "forkserver.py", "session.py", "frames.py"):
        shutil.copy(tools / name, folder)
    shutil.copytree(tools / "wall", folder / "wall", ignore=shutil.ignore_patterns("__pycache__"))
    worker = folder / "worker.py"
    text = worker.read_text()
    assert text.count('    seccomp.install(order["filter"], pid=os.getpid())\n') == 1
    worker.write_text(text.replace('    seccomp.install(order["filter"], pid=os.getpid())\n', ""))
    return worker


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


def test_a_folder_with_a_hole_is_allowed_entry_by_entry(tmp_path: Path) -> None:
    for name in ("lib/a", "lib/secret/deep", "lib/packages/ours", "lib/packages/theirs"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "lib/file").write_text("")
    (tmp_path / "lib/link").symlink_to("/etc")
    top = os.path.realpath(tmp_path)
    whole, listed = readable([f"{top}/lib"], [f"{top}/lib/secret", f"{top}/lib/packages/ours", f"{top}/elsewhere"])
    assert whole == [f"{top}/lib/a", f"{top}/lib/file", f"{top}/lib/packages/theirs"]
    assert listed == [f"{top}/lib", f"{top}/lib/packages"]
    assert readable([f"{top}/lib/a"], []) == ([f"{top}/lib/a"], [])
    assert readable([f"{top}/lib/a"], [f"{top}/lib/a"]) == ([], [])


def test_our_package_and_the_benchmarks_are_holes() -> None:
    import sigmaloop

    found = readable_paths(["pydantic.main"])
    assert str(Path(str(sigmaloop.__file__)).resolve().parent) in found.holes
    assert any(hole.endswith("/pydantic") for hole in found.holes)
    assert any(root.endswith("site-packages") for root in found.roots)
    assert not any(root in ("/", "/usr", "/etc", "/tmp", os.path.expanduser("~")) for root in found.roots)


def test_a_hidden_package_can_not_be_read_and_the_others_can() -> None:
    supervisor = Supervisor(
        step_seconds=5, rollout_seconds=5, cpu_seconds=5, max_steps=5, sandbox="landlock", hide=["tenacity"]
    )
    source = """
import yaml
def run(session):
    try:
        import tenacity
    except (ImportError, OSError):
        return
    1 / 0
"""
    with supervisor:
        assert supervisor.run(source, Silence()).detail == ""
    with make("landlock") as open_:
        assert "ZeroDivisionError" in open_.run(source, Silence()).detail


def test_bubblewrap_is_told_to_close_everything_and_covers_the_holes(tmp_path: Path) -> None:
    (tmp_path / "packages/ours").mkdir(parents=True)
    roots, hole = [f"{tmp_path}/packages"], f"{tmp_path}/packages/ours"
    line = bubblewrap.command(
        ["-P", "worker.py"], executable="/usr/bin/python3", files=["/x/worker.py"], roots=roots, holes=[hole]
    )
    text = " ".join(line)
    for part in (
        "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--disable-userns", "--die-with-parent",
        "--new-session", "--cap-drop ALL", "--clearenv", "--remount-ro /", f"--size 4096 --tmpfs {hole}",
    ):  # fmt: skip
        assert part in text
    assert "/proc" not in text
    assert text.endswith("-- /usr/bin/python3 -P worker.py")
    assert text.index(f"--ro-bind-try {roots[0]}") < text.index(f"--tmpfs {hole}")
    tmpfs = [index for index, word in enumerate(line) if word == "--tmpfs"]
    assert all(line[index - 2] == "--size" for index in tmpfs)


def test_a_place_that_nobody_else_may_read_is_named(tmp_path: Path) -> None:
    top = Path("/tmp") / f"sigmaloop-test-{os.getpid()}"
    (top / "closed").mkdir(parents=True)
    file = top / "closed" / "python"
    file.write_text("")
    try:
        assert bubblewrap.unreadable([str(file)]) is None
        file.chmod(0o700)
        assert bubblewrap.unreadable([str(file)]) == str(file)
        file.chmod(0o755)
        (top / "closed").chmod(0o700)
        assert bubblewrap.unreadable([str(file), "/no/such/place"]) == str(top / "closed")
    finally:
        (top / "closed").chmod(stat.S_IRWXU)
        file.unlink()
        (top / "closed").rmdir()
        top.rmdir()


def test_root_becomes_a_user_that_nobody_is() -> None:
    import pwd

    with pytest.raises(KeyError):
        pwd.getpwuid(bubblewrap.free_user_id())


def test_the_seatbelt_profile_denies_first_and_quotes_what_it_names() -> None:
    text = seatbelt.profile(
        executable="/opt/python", files=["/x/worker.py"], roots=["/lib"], holes=["/lib/ours"], scratch='/tmp/a"b\\c'
    )
    lines = text.splitlines()
    assert lines[:2] == ["(version 1)", "(deny default)"]
    assert text.count("(") == text.count(")")
    assert '(subpath "/tmp/a\\"b\\\\c")' in text
    assert lines.index('(allow file-read* (subpath "/lib"))') < lines.index('(deny file-read* (subpath "/lib/ours"))')
    assert "(deny network*)" in lines
    command = seatbelt.command(["-P", "w.py"], executable="/opt/python", text=text)
    assert command[:2] == ["sandbox-exec", "-p"]
    if sys.platform == "linux":
        assert tiers.probe("seatbelt", executable="/opt/python").why == "seatbelt is for macOS"
