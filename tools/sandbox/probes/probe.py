"""A stage for attacks: a secret, a victim and some listeners, and whether any of them noticed something.

Everything is on this machine and made for the purpose: a folder under the temporary one, sockets on loopback, a
sleeping process. `sigmaloop doctor` shows with it that the chosen sandbox holds, the tests that it was needed.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sigmaloop.errors import SandboxError
from sigmaloop.tools.json_types import Json
from sigmaloop.tools.sandbox.child.wall import seccomp, syscalls
from sigmaloop.tools.sandbox.probes.attacks import Attack, program
from sigmaloop.tools.sandbox.supervisor import Supervisor

_SETTLE_SECONDS = 0.05
AGENT = "{program}\ndef run(session):\n    session.submit(attempt(json.loads(session.opening)))\n"
ALONE = "{program}\nprint(json.dumps(attempt(json.loads(sys.argv[1]))), flush=True)\n"


class Stage:
    """Targets of one attack; use as a context manager."""

    def __enter__(self) -> Self:
        self.secret = f"secret-{secrets.token_hex(8)}"
        self.folder = Path(tempfile.mkdtemp(prefix="sigmaloop-stage-"))
        self.folder.chmod(0o755)  # for anybody: not the file's mode shall be what stops an attack
        (self.folder / self.secret).write_text("")
        self.file = self.folder / "file"
        self.file.write_text(self.secret)
        os.utime(self.file, (1_000_000_000, 1_000_000_000))
        self.source = self.folder / "agent.py"
        self.source.write_text("def run(session): ...\n")
        self._sockets = self._listen()
        self._victim: subprocess.Popen[bytes] | None = None
        self._before = self._picture()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for listener in self._sockets.values():
            listener.close()
        if self._victim is not None:
            with contextlib.suppress(ProcessLookupError):
                self._victim.kill()
            self._victim.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def targets(self, attack: Attack) -> Json:
        """What the attack is told."""
        machine = seccomp.machine()
        targets: Json = {
            "file": str(self.file),
            "folder": str(self.folder),
            "beside": str(self.folder / "made"),
            "source": str(self.source),
            "word": self.secret,
            "tcp": self._sockets["tcp"].getsockname(),
            "udp": self._sockets["udp"].getsockname(),
            "unix": str(self.folder / "socket"),
            "abstract": f"{self.secret}-stream",
            "datagram": f"{self.secret}-datagram",
            "numbers": dict(seccomp.numbers_for(machine, x86_64=syscalls.X86_64, aarch64=syscalls.AARCH64)),
        }
        if "victim" in attack.body:
            targets["victim"] = self._start_victim()
        return targets

    def succeeded(self, attack: Attack, returned: object) -> bool:
        """Whether the attack had its effect."""
        match attack.effect:
            case "says":
                return self.secret in str(returned)
            case "made":
                return returned == "made"
            case "heard":
                return any(self.secret.encode() in _received(listener) for listener in self._sockets.values())
            case "changed":
                return self._picture() != self._before
            case "killed":
                return self._is_dead()

    def _listen(self) -> dict[str, socket.socket]:
        addresses: dict[str, tuple[int, int, Any]] = {
            "tcp": (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            "udp": (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            "unix": (socket.AF_UNIX, socket.SOCK_STREAM, str(self.folder / "socket")),
            "abstract": (socket.AF_UNIX, socket.SOCK_STREAM, f"\0{self.secret}-stream"),
            "datagram": (socket.AF_UNIX, socket.SOCK_DGRAM, f"\0{self.secret}-datagram"),
        }
        sockets = {}
        for name, (family, kind, address) in addresses.items():
            listener = sockets[name] = socket.socket(family, kind)
            listener.bind(address)
            if kind == socket.SOCK_STREAM:
                listener.listen()
            listener.setblocking(False)
        (self.folder / "socket").chmod(0o777)
        return sockets

    def _start_victim(self) -> int:
        with self.file.open() as file:  # the secret is in its name, its environment and its standard input
            self._victim = subprocess.Popen(
                [self.secret, "60"], executable="/bin/sleep", stdin=file, env={"SECRET": self.secret}
            )
        return self._victim.pid

    def _is_dead(self) -> bool:
        assert self._victim is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._victim.wait(_SETTLE_SECONDS)
            return True
        return False

    def _picture(self) -> list[object]:
        """Everything about the folder that an attack might change."""
        picture: list[object] = []
        for path in sorted(self.folder.iterdir()):
            about = path.lstat()
            text = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
            marks = os.listxattr(path, follow_symlinks=False) if hasattr(os, "listxattr") else []
            picture.append((path.name, about.st_mode, about.st_uid, about.st_mtime_ns, about.st_nlink, text, marks))
        return picture


class _Player:
    """Handlers that tell the attack its targets and keep what it returns."""

    def __init__(self, targets: Json) -> None:
        self._targets = targets
        self.returned: object = None

    def init(self) -> Json:
        return {"instructions": "", "tools": [], "opening": json.dumps(self._targets)}

    def act(self, name: str, arguments: Json) -> str:
        return ""

    def say(self, text: str) -> str | None:
        return None

    def submit(self, answer: object) -> None:
        self.returned = answer

    def llm(self, request: Json) -> Json:
        return {}


def escapes(attack: Attack, supervisor: Supervisor) -> tuple[bool, str]:
    """Whether an attack gets out of the sandbox, and what it returned or how it ended."""
    with Stage() as stage:
        player = _Player(stage.targets(attack))
        ended = supervisor.run(AGENT.format(program=program(attack)), player)
        if ended.status == "infra":
            raise SandboxError(f"the attack {attack.name!r} could not be tried: {ended.detail}")
        returned = player.returned if player.returned is not None else ended.detail
        return stage.succeeded(attack, returned), str(returned)


def works_alone(attack: Attack) -> tuple[bool, str]:
    """The same snippet in an ordinary process, without even limits."""
    with Stage() as stage, tempfile.TemporaryDirectory() as folder:
        targets = json.dumps(stage.targets(attack))
        command = [sys.executable, "-S", "-c", ALONE.format(program=program(attack)), targets]
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=30, check=False)
        try:
            returned = json.loads(done.stdout)
        except ValueError:
            returned = f"exit code {done.returncode}: {done.stderr.decode(errors='replace')[-300:]}"
        return stage.succeeded(attack, returned), str(returned)


def _received(listener: socket.socket) -> bytes:
    """What has arrived; nothing is waited for, since loopback delivers before the sender goes on."""
    with contextlib.suppress(BlockingIOError):
        if listener.type == socket.SOCK_DGRAM:
            return listener.recv(4096)
        connection, _ = listener.accept()
        with connection:
            connection.setblocking(False)
            return connection.recv(4096)
    return b""
