"""A read-only copy of the folders that an agent consists of, beside the one file that changes.

The copy is what agents see: the user's own folder stays out of their reach, and what changes in it during a run
changes nothing. Left out are hidden files, keys, caches, other environments, and whatever the caller names (the
benchmark, the folder of the runs): no agent may read its own answers there.
"""

from __future__ import annotations

import errno
import fnmatch
import hashlib
import os
import secrets
import shutil
import stat
import tempfile
import weakref
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from sigmaloop.errors import BadInput, SandboxError
from sigmaloop.tools.sandbox.child.orders import AgentFiles, Place

MOST_BYTES = 64 * 1024 * 1024
MOST_FILES = 20_000
_LEFT_OUT = (
    "__pycache__", "node_modules", "*.pyc", "*.pyo", "*.env", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore",
    "*.kdbx", "*.ppk", "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "credentials", "credentials.*",
    "secrets.json", "secrets.toml", "secrets.yaml", "secrets.yml",
)  # fmt: skip
"""Names that are never copied, in any case of letters; those with a dot in front are not either."""
_PROGRAM_CHARACTERS = 4_000_000


class _Entry(NamedTuple):
    name: str
    """Path inside the folder, with slashes."""
    link: str | None
    """For a symbolic link: the path inside the folder that it leads to."""


class AgentPackage:
    """Snapshots of folders, with the places of the file that changes and of the driver in them."""

    def __init__(self, folders: Sequence[str], digest: str, edited: Place | None, driver: Place | None) -> None:
        self.folders = tuple(folders)
        """Of the copies, without symbolic links."""
        self.digest = digest
        """16 hex digits of all that was copied, and of where the edited file and the driver lie in it."""
        self.edited = edited
        """None when the file that changes lies outside of every folder."""
        self.driver = driver

    @property
    def files(self) -> AgentFiles:
        """What the sandbox is told of it."""
        return {"folders": list(self.folders), "edited": self.edited, "driver": self.driver}

    def programs(self) -> Iterator[tuple[str, str]]:
        """(path inside its folder, text) of every Python file but the edited one."""
        for folder in self.folders:
            for path in sorted(Path(folder).rglob("*.py")):
                if path.is_file() and not path.is_symlink():
                    yield path.relative_to(folder).as_posix(), path.read_text(encoding="utf-8", errors="replace")

    @cached_property
    def program_text(self) -> str:
        """The beginning of all Python text: tells which clients will be loaded."""
        pieces, size = [], 0
        for _, text in self.programs():
            pieces.append(text)
            size += len(text)
            if size > _PROGRAM_CHARACTERS:
                break
        return "\n".join(pieces)


def take_package(
    folders: Sequence[Path], *, edited: Path | None = None, driver: Path | None = None, without: Collection[str] = ()
) -> AgentPackage:
    """Copy the folders; the copy goes away with the object.

    `edited`: the one file that changes, which is no part of the copy. `driver`: the file with `run(session)`, when the
    edited one has none. `without`: paths that are not copied. Raises BadInput for a folder that is none, a symbolic
    link out of it, more than MOST_BYTES, or an edited file or driver that is not among what is copied.
    """
    roots = [_root(folder) for folder in folders]
    edited_at = _place(edited, roots)
    driver_at = _place(driver, roots)
    if driver is not None and driver_at is None:
        raise BadInput(f"driver {driver} lies outside of the agent's package; give the folder with --agent-package")
    base = _base()
    hidden = {os.path.realpath(path) for path in without}
    try:
        package = _copy_all(roots, base, edited_at, driver_at, hidden)
    except BaseException:
        _remove(base)
        raise
    if driver is not None and not _is_copied(package.driver):
        _remove(base)
        raise BadInput(f"driver {driver} is never copied (hidden, or named like a key); give it another name")
    weakref.finalize(package, _remove, base)
    return package


def _root(folder: Path) -> str:
    root = os.path.realpath(folder)
    if not os.path.isdir(root):
        raise BadInput(f"agent package {folder} is no folder; give --agent-package the folder with the agent's files")
    return root


def _place(file: Path | None, roots: Sequence[str]) -> tuple[int, str] | None:
    """(number of the folder, path inside it) of a file; None when it lies in none of them."""
    if file is None:
        return None
    path = os.path.realpath(file)
    for number, root in enumerate(roots):
        if path.startswith(root.rstrip(os.sep) + os.sep):
            return number, os.path.relpath(path, root).replace(os.sep, "/")
    return None


def _base() -> str:
    """A folder that only we can list; a sandbox that runs as another user must get through it."""
    try:
        base = os.path.realpath(tempfile.mkdtemp(prefix="sigmaloop-agent-"))
        if os.geteuid() == 0:
            os.chmod(base, 0o711)
        return base
    except OSError as error:
        raise SandboxError(
            f"no copy of the agent's package can be made: {error}; free some space, or set TMPDIR"
        ) from (error)


def _copy_all(
    roots: Sequence[str],
    base: str,
    edited: tuple[int, str] | None,
    driver: tuple[int, str] | None,
    hidden: Collection[str],
) -> AgentPackage:
    found, copies, size, count = hashlib.sha256(), [], 0, 0
    found.update(repr((len(roots), edited, driver)).encode())
    for number, root in enumerate(roots):
        # A name that nobody can guess: the folder above may be passed through by others.
        copy = os.path.join(base, secrets.token_hex(16), os.path.basename(root) or "package")
        os.makedirs(copy)
        copies.append(copy)
        for entry in _entries(root, "", hidden):
            if edited == (number, entry.name):
                continue
            count += 1
            if count > MOST_FILES:
                raise BadInput(f"agent package {root} holds more than {MOST_FILES} files; {_SMALLER}")
            target = os.path.join(copy, entry.name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if entry.link is not None:
                os.symlink(os.path.relpath(entry.link, os.path.dirname(entry.name) or "."), target)
                found.update(repr((number, entry.name, "link", entry.link)).encode())
                continue
            content, size = _copy(os.path.join(root, entry.name), target, root, size)
            found.update(repr((number, entry.name, content)).encode())
    places = [None if place is None else Place(folder=copies[place[0]], name=place[1]) for place in (edited, driver)]
    if places[0] is not None:
        _lead_to_edited(places[0])
    for copy in copies:
        _freeze(os.path.dirname(copy))
    return AgentPackage(copies, found.hexdigest()[:16], *places)


_SMALLER = "name a smaller folder, one with the agent's own files"


def _entries(root: str, inside: str, hidden: Collection[str]) -> Iterator[_Entry]:
    """Files and links that are to be copied, in an order that does not depend on the disk."""
    try:
        with os.scandir(os.path.join(root, inside)) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        raise BadInput(f"agent package: {os.path.join(root, inside)} cannot be listed: {error.strerror}") from None
    for entry in entries:
        name = f"{inside}/{entry.name}" if inside else entry.name
        if _left_out(entry.name) or os.path.realpath(entry.path) in hidden:
            continue
        if entry.is_symlink():
            link = _inner_target(root, entry.path, hidden)
            if link is not None:
                yield _Entry(name, link)
        elif entry.is_dir(follow_symlinks=False):
            if not os.path.exists(os.path.join(entry.path, "pyvenv.cfg")):
                yield from _entries(root, name, hidden)
        elif entry.is_file(follow_symlinks=False):
            yield _Entry(name, None)
        else:
            raise BadInput(f"agent package: {entry.path} is neither a file nor a folder; remove it")


def _left_out(name: str) -> bool:
    folded = name.casefold()
    return name.startswith(".") or any(fnmatch.fnmatchcase(folded, pattern) for pattern in _LEFT_OUT)


def _inner_target(root: str, path: str, hidden: Collection[str]) -> str | None:
    """Where a link leads inside the folder; None when that is not copied. Raises BadInput when it leads out."""
    target = os.path.realpath(path)
    if not target.startswith(root.rstrip(os.sep) + os.sep):
        raise BadInput(
            f"agent package: the symbolic link {path} leads out of the folder, to {target}; put a copy in its place, "
            "or remove it"
        )
    parts = os.path.relpath(target, root).split(os.sep)
    above = [os.path.join(root, *parts[:depth]) for depth in range(1, len(parts) + 1)]
    gone = not os.path.exists(target) or any(map(_left_out, parts)) or any(path in hidden for path in above)
    return None if gone else "/".join(parts)


def _copy(source: str, target: str, root: str, size: int) -> tuple[str, int]:
    """(digest of the content, bytes copied so far with it). A key by content is left out like one by name."""
    found = hashlib.sha256()
    try:
        handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        what = "was replaced by a link meanwhile" if error.errno == errno.ELOOP else f"cannot be read: {error.strerror}"
        raise BadInput(f"agent package: {source} {what}") from None
    with open(handle, "rb") as file, open(target, "xb") as copy:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise BadInput(f"agent package: {source} is no plain file any more")
        while block := file.read(1 << 20):
            size += len(block)
            if size > MOST_BYTES:
                raise BadInput(f"agent package {root} is larger than {MOST_BYTES >> 20} MB; {_SMALLER}")
            if not file.tell() - len(block) and _is_key(block):
                os.unlink(target)
                return "", size
            found.update(block)
            copy.write(block)
    return found.hexdigest(), size


def _is_key(block: bytes) -> bool:
    head = block.lstrip()[:64]
    return head.startswith(b"-----BEGIN") and b"PRIVATE KEY" in head


def _is_copied(place: Place | None) -> bool:
    return place is not None and os.path.isfile(os.path.join(place["folder"], place["name"]))


def _lead_to_edited(place: Place) -> None:
    """At the place of a text that changes: a link to the working folder, where each rollout has its own."""
    path = os.path.join(place["folder"], place["name"])
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if not path.endswith(".py") and os.path.isdir("/proc/self"):
        os.symlink(f"/proc/self/cwd/{os.path.basename(path)}", path)


def _freeze(folder: str) -> None:
    for path, _, names in os.walk(folder, topdown=False):
        for name in names:
            inner = os.path.join(path, name)
            if not os.path.islink(inner):
                os.chmod(inner, 0o444)
        os.chmod(path, 0o555)


def _remove(base: str) -> None:
    for path, _, _ in os.walk(base):
        try:
            os.chmod(path, 0o700)
        except OSError:
            continue
    shutil.rmtree(base, ignore_errors=True)
