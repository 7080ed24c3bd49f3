"""Every agent that was ever tried, as a commit in the run's own bare git repository.

`main` holds the baseline and the kept agents, `refs/candidates/<id>` every attempt with its evidence in the
commit's message. A commit is a function of its parent, source and message (author and date are fixed), so
writing one again gives the same hash: every call here may be repeated after a kill. Objects are written
before the ref that names them, and a ref is replaced whole, so none ever points to something half-written.
The user's own repository is not touched here; see `user_branch`.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

from sigmaloop.clean_text import clean
from sigmaloop.errors import BadInput, StoreError, boundary
from sigmaloop.records import Record
from sigmaloop.tools.changes.edits import unified_diff

FILE = "agent.py"
_IDENTITY = "SigmaLoop <sigmaloop@localhost> 946684800 +0000"
"""Fixed author and date (2000-01-01): equal attempts have equal hashes."""
_CALM = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
"""The run's repository does not depend on how the user has set up git."""


class Version(Record):
    """One agent in the run's history."""

    commit: str
    parent: str | None
    """None for the baseline."""
    candidate_id: str | None
    """None for the baseline."""
    kept: bool
    """Whether it is on `main`."""
    subject: str
    evidence: dict[str, str]
    """The trailers of the message: cluster, failures, kind, batch ..."""


class Versions:
    """The run's bare repository. Opening it touches nothing; `begin` makes it."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path).absolute()  # git works in a folder of its own
        self._writing = threading.Lock()
        self._reading = threading.Lock()  # the object database loads itself lazily, for one thread
        self._objects_db: Any = None

    @staticmethod
    def check_git() -> None:
        """Raises BadInput when the git program is missing."""
        load_git()

    def begin(self, source: str, message: str, *, file: str = FILE) -> str:
        """Commit of the baseline; makes the repository if need be. `main` stays where later keeps moved it.

        `file`: the name of the file, which every later commit keeps.

        Raises StoreError when the run began with another agent.
        """
        with self._writing:
            self._make()
            commit = self._write_commit(source, message, file=file, parent=None)
            if self._ref("refs/heads/main") is None:
                self._point("refs/heads/main", commit)
            elif self.baseline() != commit:
                raise StoreError(f"{self.path} began with another agent than {file} is now; start a new run")
            return commit

    def record(self, candidate_id: str, parent: str, source: str, message: str) -> str:
        """Commit of an attempt, kept as refs/candidates/<id> whatever becomes of it.

        Raises StoreError when the id stands for another attempt already.
        """
        if not re.fullmatch(r"[A-Za-z0-9_-]+", candidate_id):
            raise StoreError(f"{candidate_id!r} can not name a candidate; use letters, digits, - and _")
        with self._writing:
            self._commit(parent)
            commit = self._write_commit(source, message, file=self.file(parent), parent=parent)
            known = self._ref(f"refs/candidates/{candidate_id}")
            if known not in (None, commit):
                raise StoreError(f"{self.path}: candidate {candidate_id} is {known}, not {commit}; ids are not reused")
            if known is None:
                self._point(f"refs/candidates/{candidate_id}", commit)
            return commit

    def keep(self, commit: str) -> None:
        """Move `main` to a child of it. Commits that are on `main` already stay kept.

        Raises StoreError for any other commit: a change is kept on top of the agent that it changed.
        """
        with self._writing:
            chain = self._chain()
            if commit in chain:
                return
            parent = self._commit(commit).parent
            if parent != chain[-1]:
                raise StoreError(f"{self.path}: {commit} changes {parent}, not the kept agent {chain[-1]}")
            self._point("refs/heads/main", commit)

    def fork(self, commit: str) -> None:
        """Take `main` back to an agent that was kept earlier, to go another way from there.

        The way that it had gone stays, under refs/forks/ and the name of its last commit; `main` may come back to
        it. Raises StoreError when the commit was never on `main`.
        """
        with self._writing:
            chain = self._chain()
            left = (path.name for path in (self.path / "refs/forks").glob("*"))
            if commit not in chain and not any(commit in self._chain(end) for end in left):
                raise StoreError(f"{self.path}: {commit} was never kept on main, so nothing can fork from it")
            if commit != chain[-1]:
                self._point(f"refs/forks/{chain[-1]}", chain[-1])
                self._point("refs/heads/main", commit)

    def main(self) -> str:
        """Commit of the kept agent."""
        commit = self._ref("refs/heads/main")
        if commit is None:
            raise StoreError(f"{self.path} holds no agent yet; `sigmaloop run` makes it")
        return commit

    def baseline(self) -> str:
        """Commit of the agent that the run began with."""
        return self._chain()[0]

    def source(self, commit: str) -> str:
        """Text of the agent of a commit."""
        return self._read(self._entry(commit)[1].hex(), b"blob").decode()

    def file(self, commit: str) -> str:
        """Name of the file that a commit holds."""
        return self._entry(commit)[0]

    def _entry(self, commit: str) -> tuple[str, bytes]:
        """Name and blob of the one file of a commit."""
        head, _, blob = self._read(self._commit(commit).tree, b"tree").partition(b"\0")
        return head.decode().removeprefix("100644 "), blob

    def diff(self, a: str, b: str) -> str:
        """The change between the agents of two commits, as a unified diff."""
        return unified_diff(self.source(a), self.source(b), path=self.file(b))

    def log(self) -> list[Version]:
        """The baseline and every kept agent, oldest first."""
        return [version for version in self.history() if version.kept]

    def history(self) -> list[Version]:
        """The baseline and every attempt by candidate id, kept or not."""
        chain = self._chain()
        versions = [self._version(chain[0], None, chain)]
        folder = "refs/candidates/"
        loose = {folder + path.name for path in (self.path / folder).glob("*")}
        for name in sorted(loose | {name for name in self._packed_refs() if name.startswith(folder)}):
            commit = self._ref(name)
            if commit is not None:
                versions.append(self._version(commit, name.removeprefix(folder), chain))
        return versions

    def _version(self, commit: str, candidate_id: str | None, chain: list[str]) -> Version:
        read = self._commit(commit)
        subject, _, _ = read.message.partition("\n")
        last = read.message.rstrip("\n").rpartition("\n\n")[2]
        pairs = [re.match(r"([A-Za-z][A-Za-z-]*): (.+)", line) for line in last.split("\n")]
        return Version(
            commit=commit,
            parent=read.parent,
            candidate_id=candidate_id,
            kept=commit in chain,
            subject=subject,
            evidence={pair[1]: pair[2] for pair in pairs if pair} if last != read.message.rstrip("\n") else {},
        )

    def _chain(self, end: str | None = None) -> list[str]:
        """Commits of `main`, or those that lead to `end`, oldest first."""
        chain: list[str] = []
        commit: str | None = end or self.main()
        while commit is not None:
            chain.append(commit)
            commit = self._commit(commit).parent
        return chain[::-1]

    def _make(self) -> None:
        if self.path.exists():
            return
        git = load_git()
        new = self.path.with_name(f".{self.path.name}.new")  # made aside and renamed: never half a repository
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        environment = {
            **_CALM, "GIT_DIR": str(new), "GIT_OBJECT_DIRECTORY": str(new / "objects"), "GIT_DEFAULT_HASH": "sha1",
        }  # fmt: skip
        try:
            git.Git(new).init("--quiet", "--bare", "--template=", "--initial-branch=main", env=environment)
            (new / "refs/candidates").mkdir(parents=True)
            new.rename(self.path)
        except (OSError, git.GitCommandError) as error:
            raise StoreError(f"the run's repository {self.path} cannot be made: {error}") from error

    @property
    def _objects(self) -> Any:
        if self._objects_db is None:
            if not self.path.is_dir():
                raise StoreError(f"there is no repository {self.path}; is the home complete?")
            self._objects_db = load_git().GitDB(str(self.path / "objects"))
        return self._objects_db

    def _write(self, kind: bytes, data: bytes) -> str:
        from gitdb import IStream  # type: ignore[import-untyped]

        with self._reading:
            return str(self._objects.store(IStream(kind, len(data), io.BytesIO(data))).hexsha.decode())

    def _write_commit(self, source: str, message: str, *, file: str, parent: str | None) -> str:
        with boundary(StoreError, f"{self.path}: a commit cannot be written"):
            blob = self._write(b"blob", source.encode())
            tree = self._write(b"tree", f"100644 {file}\0".encode() + bytes.fromhex(blob))
            ancestry = f"parent {parent}\n" if parent else ""
            head = f"tree {tree}\n{ancestry}author {_IDENTITY}\ncommitter {_IDENTITY}\n\n"
            return self._write(b"commit", (head + clean(message).rstrip("\n") + "\n").encode())

    def _read(self, sha: str, kind: bytes) -> bytes:
        with self._reading, boundary(StoreError, f"{self.path}: object {sha} cannot be read"):
            stream = self._objects.stream(bytes.fromhex(sha))
            actual, data = stream.type, bytes(stream.read())
        if hashlib.sha1(b"%s %d\0%s" % (actual, len(data), data), usedforsecurity=False).hexdigest() != sha:
            raise StoreError(f"{self.path}: object {sha} is damaged")
        if actual != kind:
            raise StoreError(f"{self.path}: {sha} is a {actual.decode()}, not a {kind.decode()}")
        return data

    def _commit(self, sha: str) -> _Commit:
        head, _, message = self._read(sha, b"commit").decode().partition("\n\n")
        fields = {key: value for key, _, value in (line.partition(" ") for line in head.split("\n"))}
        return _Commit(tree=fields["tree"], parent=fields.get("parent"), message=message)

    def _ref(self, name: str) -> str | None:
        try:
            return (self.path / name).read_text().strip()
        except FileNotFoundError:
            return self._packed_refs().get(name)

    def _packed_refs(self) -> dict[str, str]:
        """Refs that `git gc` has put into one file; we never pack, but the user may."""
        try:
            lines = (self.path / "packed-refs").read_text().splitlines()
        except FileNotFoundError:
            return {}
        return {name: sha for sha, _, name in (line.partition(" ") for line in lines) if name and sha[0] not in "#^"}

    def _point(self, name: str, commit: str) -> None:
        # Not through git: a lock file that a killed process left behind would block it for ever.
        place = self.path / name
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            aside = self.path / f"new-{place.name}"
            aside.write_text(commit + "\n")
            aside.replace(place)
        except OSError as error:
            raise StoreError(f"{self.path}: {name} cannot be written: {error}") from error


class _Commit(Record):
    tree: str
    parent: str | None
    message: str


def load_git() -> ModuleType:
    """GitPython, loaded on first use: its import runs git."""
    try:
        import git
    except ImportError as error:
        raise BadInput(
            "git is not installed, or not on PATH; SigmaLoop keeps every attempt as a git commit: "
            f"install git (for instance `apt install git`) and try again ({str(error).splitlines()[0]})"
        ) from None
    return git
