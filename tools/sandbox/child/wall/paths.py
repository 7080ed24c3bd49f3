"""Which files an agent may read: the interpreter's library and the installed packages, with holes cut out.

The holes are what must stay unread although it lies among them: SigmaLoop itself (its benchmarks hold the
answers), the user's benchmark, packages of another environment. A folder without a hole is allowed as a whole;
one with a hole is allowed entry by entry, so that nothing depends on an order of rules.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator

SHARED = ("/etc/ld.so.cache", "/usr/share/zoneinfo")
LIBRARIES = ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib")


def readable(roots: Collection[str], holes: Collection[str]) -> tuple[list[str], list[str]]:
    """(files and folders to read, folders to list only), all without symbolic links."""
    cut = {os.path.realpath(hole) for hole in holes}
    whole: list[str] = []
    listed: list[str] = []
    for root in dict.fromkeys(os.path.realpath(root) for root in roots):
        _split(root, cut, whole, listed)
    return whole, listed


def _split(path: str, holes: set[str], whole: list[str], listed: list[str]) -> None:
    if path in holes:
        return
    if not any(hole.startswith(path + os.sep) for hole in holes):
        whole.append(path)
        return
    listed.append(path)
    for entry in _entries(path):
        _split(entry, holes, whole, listed)


def _entries(path: str) -> Iterator[str]:
    """What lies in a folder; not what only a link leads to, which may be anywhere."""
    try:
        with os.scandir(path) as entries:
            inner = sorted(entry.path for entry in entries if not entry.is_symlink())
    except OSError:
        return
    yield from inner
