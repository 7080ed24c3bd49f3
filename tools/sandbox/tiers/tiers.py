"""Which kind of sandbox works on this machine, and why not a better one. The supervisor's side.

bubblewrap  namespaces around everything, and inside them the same as `landlock`
landlock    Landlock, seccomp and resource limits, set up by the process itself: nothing to install
seatbelt    macOS: a profile for sandbox-exec (written for its documentation; never run by us)
none        a separate process with resource limits; an agent can do there what the user can. Only by name.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import Literal, NamedTuple, get_args

from sigmaloop.tools.sandbox.child.wall import landlock, seccomp, syscalls
from sigmaloop.tools.sandbox.tiers import bubblewrap

Sandbox = Literal["auto", "landlock", "bubblewrap", "seatbelt", "none"]
Tier = Literal["landlock", "bubblewrap", "seatbelt", "none"]
NAMES: tuple[str, ...] = get_args(Sandbox)
FIX = (
    "needed is Linux 5.13 or newer with Landlock (see `lsm=` on the kernel's command line) on x86_64 or aarch64, or "
    "a working bubblewrap; --sandbox none runs model-written code unprotected"
)


class Probe(NamedTuple):
    """Whether a tier can be tried here."""

    tier: Tier
    usable: bool
    why: str


def probe(tier: Tier, *, executable: str, roots: tuple[str, ...] = ()) -> Probe:
    """Look whether a tier can work; only starting it proves it."""
    why = {"landlock": _no_landlock, "bubblewrap": _no_bubblewrap, "seatbelt": _no_seatbelt, "none": _nothing}[tier]
    missing = why(executable, roots)
    return Probe(tier, missing is None, missing or _good(tier))


def order(wanted: Sandbox, *, executable: str, roots: tuple[str, ...] = ()) -> list[Probe]:
    """The tiers to try, best first; those that cannot work are in the list with the reason."""
    if wanted != "auto":
        return [probe(wanted, executable=executable, roots=roots)]
    best: tuple[Tier, ...] = ("seatbelt",) if sys.platform == "darwin" else ("bubblewrap", "landlock")
    return [probe(tier, executable=executable, roots=roots) for tier in best]


def gaps(tier: Tier, *, bounded: bool = False, roots: tuple[str, ...] = ()) -> tuple[str, ...]:
    """What a tier does not stop, though the threat model would have it stopped; all of it is small.

    `bounded`: each child has namespaces of its own, in which the kernel bounds its folder and, unless we are root, its
    threads, and which keep no access times.
    """
    if tier == "none":
        return ("everything",)
    open_gaps = ["process ids tell how many came before"]
    if not bounded or (tier == "landlock" and os.geteuid() == 0):
        open_gaps.append("threads are counted 20 times a second, not limited by the kernel")
    if not bounded:
        open_gaps.append("the private folder's size is looked at 20 times a second, not limited by the kernel")
    if tier == "landlock":
        open_gaps.append("the existence of files and processes is seen")
        if not bounded and (marked := [root for root in roots if _keeps_access_times(root)]):
            open_gaps.append(f"reading leaves access times under {marked[0]} (mount it noatime)")
    return tuple(open_gaps)


def _keeps_access_times(path: str) -> bool:
    try:
        return not os.statvfs(path).f_flag & (os.ST_NOATIME | os.ST_RDONLY)
    except (OSError, AttributeError):  # it is not there, or this system has no such flags
        return False


def _no_landlock(executable: str, roots: tuple[str, ...]) -> str | None:
    if sys.platform != "linux":
        return "Landlock is a part of Linux"
    if not landlock.version():
        return "this kernel has no Landlock, or it is switched off"
    return _no_seccomp()


def _no_seccomp() -> str | None:
    try:
        seccomp.numbers_for(seccomp.machine(), x86_64=syscalls.X86_64, aarch64=syscalls.AARCH64)
    except OSError as error:
        return str(error)
    return None


def _no_bubblewrap(executable: str, roots: tuple[str, ...]) -> str | None:
    if sys.platform != "linux":
        return "bubblewrap is for Linux"
    program = shutil.which("bwrap")
    if program is None:
        return "bwrap is not installed"
    words = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.split()
    number = tuple(int(part) for part in words[-1].split(".")[:2] if part.isdigit()) if words else ()
    if number < (0, 8):
        return f"bwrap {words[-1] if words else 'of unknown version'} is older than 0.8"
    if os.geteuid() == 0:
        hidden = bubblewrap.unreadable([executable, *roots])
        if hidden:
            return (
                f"bwrap must not run as root, and {hidden} cannot be read by anybody else; "
                "install Python and the packages where every user may read them, or run as an ordinary user"
            )
    return _no_seccomp()


def _no_seatbelt(executable: str, roots: tuple[str, ...]) -> str | None:
    if sys.platform != "darwin":
        return "seatbelt is for macOS"
    return None if shutil.which("sandbox-exec") else "sandbox-exec is missing"


def _nothing(executable: str, roots: tuple[str, ...]) -> str | None:
    return None


def _good(tier: Tier) -> str:
    if tier == "landlock":
        return f"Landlock ABI {landlock.version()}, seccomp, resource limits"
    if tier == "bubblewrap":
        return (
            "namespaces, and inside them " + ("Landlock, " if landlock.version() else "") + "seccomp, resource limits"
        )
    return {"seatbelt": "a Seatbelt profile (untested)", "none": "chosen by name: no protection"}[tier]
