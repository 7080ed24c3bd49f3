"""Processes of the sandbox: nothing outlives its rollout, its supervisor or its program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sandbox_tiers import each_tier
from waiting import wait_for

from sigmaloop.errors import SandboxError
from sigmaloop.tools.sandbox import zygote as zygote_module
from sigmaloop.tools.sandbox.supervisor import SandboxResult, Supervisor

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


class Listener:
    """Handlers that keep what is said and answer nothing."""

    def __init__(self, on_say: Callable[[str], Any] = lambda text: None) -> None:
        self.said: list[str] = []
        self.on_say = on_say

    def init(self) -> dict[str, Any]:
        return {"instructions": "", "tools": [], "opening": ""}

    def act(self, name: str, arguments: dict[str, Any]) -> str:
        return ""

    def say(self, text: str) -> str | None:
        self.said.append(text)
        self.on_say(text)
        return "go on"

    def submit(self, answer: Any) -> None: ...

    def llm(self, request: dict[str, Any]) -> dict[str, Any]:
        return {}


def make(tier: Any = "none", *, step_seconds: float = 30) -> Supervisor:
    return Supervisor(step_seconds=step_seconds, rollout_seconds=30, cpu_seconds=5, max_steps=20, sandbox=tier)


@pytest.fixture
def unprotected() -> Iterator[Supervisor]:
    """Without a wall an agent may fork: what holds there holds everywhere."""
    with make() as made:
        yield made


@pytest.fixture(params=each_tier("none", "landlock"))
def supervisor(request: pytest.FixtureRequest) -> Iterator[Supervisor]:
    """Tiers in which process ids mean the same on both sides."""
    with make(request.param) as made:
        yield made


def run(supervisor: Supervisor, body: str, listener: Listener | None = None) -> SandboxResult:
    lines = "\n".join("    " + line for line in body.strip("\n").splitlines())
    return supervisor.run(f"import os, time\ndef run(session):\n{lines}\n", listener or Listener())


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def gone(*pids: int) -> bool:
    """True once they have all ended; what is tested would live for a minute, were it left alone."""
    wait_for(lambda: not any(alive(pid) for pid in pids))
    return True


FORKS = {
    "a child in its group": "pid = os.fork()\nif pid == 0: time.sleep(60)\nsession.say(str(pid))",
    "a child in a session of its own": (
        "pid = os.fork()\nif pid == 0:\n    os.setsid(); time.sleep(60)\ntime.sleep(.1); session.say(str(pid))"
    ),
    "a daemon, forked twice": (
        "r, w = os.pipe()\nif os.fork() == 0:\n    os.setsid()\n    pid = os.fork()\n"
        "    if pid: os.write(w, str(pid).encode()); os._exit(0)\n    time.sleep(60)\n"
        "session.say(os.read(r, 20).decode())"
    ),
}


@pytest.mark.parametrize("end", ["return", "1 / 0", "os._exit(0)"])
@pytest.mark.parametrize("body", FORKS.values(), ids=FORKS.keys())
def test_what_an_agent_forks_ends_with_it(unprotected: Supervisor, body: str, end: str) -> None:
    listener = Listener()
    ended = run(unprotected, f"session.say(str(os.getpid()))\n{body}\n{end}", listener)
    assert ended.status == ("ok" if end == "return" else "agent_error")
    assert len(listener.said) == 2
    assert gone(*map(int, listener.said))


def test_a_fork_that_holds_the_socket_does_not_hide_the_end(unprotected: Supervisor) -> None:
    ended = run(unprotected, "if os.fork() == 0: time.sleep(60)\nos._exit(0)")
    assert ended.status == "agent_error"
    assert "exit code 0" in ended.detail, "not that its time was up"


def test_the_child_and_its_daemon_are_killed_when_its_time_is_up() -> None:
    listener = Listener()
    body = f"session.say(str(os.getpid()))\n{FORKS['a daemon, forked twice']}\ntime.sleep(60)"
    with make(step_seconds=1) as unprotected:
        assert run(unprotected, body, listener).status == "agent_error"
        assert len(listener.said) == 2
        assert gone(*map(int, listener.said))


def test_an_interrupt_in_the_parent_kills_the_child(supervisor: Supervisor) -> None:
    def interrupt(text: str) -> None:
        raise KeyboardInterrupt

    listener = Listener(on_say=interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(supervisor, "session.say(str(os.getpid()))", listener)
    assert gone(int(listener.said[0]))


def test_stopping_the_supervisor_ends_every_process_of_it(supervisor: Supervisor) -> None:
    heard = threading.Event()
    listener = Listener(on_say=lambda text: heard.set())
    ended: list[SandboxResult] = []
    body = "session.say(f'{os.getpid()} {os.getppid()}')\nwhile True: pass"
    thread = threading.Thread(target=lambda: ended.append(run(supervisor, body, listener)))
    thread.start()
    assert heard.wait(30)
    supervisor.stop()
    thread.join(30)
    assert ended[0].status == "infra"
    assert gone(*map(int, listener.said[0].split()))
    assert run(supervisor, "pass").status == "ok", "it starts again when it is needed"


def test_a_killed_zygote_is_infra_for_its_children_and_is_started_again(supervisor: Supervisor) -> None:
    listener = Listener(on_say=lambda text: os.kill(int(text), signal.SIGKILL))
    ended = run(supervisor, "session.say(str(os.getppid()))\ntime.sleep(60)", listener)
    assert (ended.status, ended.detail) == ("infra", "the sandbox's zygote died")
    again = Listener()
    assert run(supervisor, "session.say(str(os.getppid()))", again).status == "ok"
    assert again.said != listener.said


def test_a_zygote_that_died_unnoticed_costs_no_rollout(supervisor: Supervisor) -> None:
    listener = Listener()
    run(supervisor, "session.say(str(os.getppid()))", listener)
    os.kill(int(listener.said[0]), signal.SIGKILL)
    assert gone(int(listener.said[0]))
    assert run(supervisor, "pass").status == "ok"


def test_a_zygote_that_can_not_start_is_a_sandbox_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "worker.py"
    broken.write_text("raise ValueError('broken installation')")
    monkeypatch.setattr(zygote_module, "_WORKER", broken)
    supervisor = make()
    with pytest.raises(SandboxError, match="ValueError: broken installation"):
        supervisor.run("def run(session): pass", Listener())
    supervisor.stop()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    with pytest.raises(SandboxError, match="no-python cannot be started"):
        supervisor.start()
    supervisor.stop()


PROGRAM = """
import sys, threading, time
from sigmaloop.tools.sandbox.supervisor import Supervisor

class Handlers:
    def init(self): return {"instructions": "", "tools": [], "opening": ""}
    def say(self, text):
        sys.stdout.write(text + chr(10)); sys.stdout.flush()
        said.append(text)
        return ""

said = []

supervisor = Supervisor(step_seconds=60, rollout_seconds=60, cpu_seconds=60, max_steps=5, sandbox=sys.argv[1])
source = '''import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
def run(session):
    session.say(f"{os.getpid()} {os.getppid()}")
    while True: time.sleep(1)
'''
for _ in range(3):
    threading.Thread(target=supervisor.run, args=(source, Handlers()), daemon=True).start()
END
"""


def start(end: str, tier: str) -> tuple[subprocess.Popen[str], list[int]]:
    command = [sys.executable, "-c", PROGRAM.replace("END", end), tier]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    for _ in range(3):
        assert program.stdout.readline()
    return program, family(program.pid)


def family(pid: int) -> list[int]:
    """Every process below this one, by the ids of this side."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found += [child, *family(child)]
    return found


@pytest.mark.parametrize("tier", each_tier("none", "landlock", "bubblewrap"))
def test_a_killed_program_leaves_no_process_behind(tier: str) -> None:
    program, pids = start("time.sleep(60)", tier)
    with program:
        assert len(set(pids)) >= 4
        assert all(alive(pid) for pid in pids)
        program.kill()
    assert gone(*pids)


@pytest.mark.parametrize("tier", each_tier("none", "landlock", "bubblewrap"))
def test_a_program_that_ends_without_stopping_its_supervisor_leaves_none_either(tier: str) -> None:
    program, pids = start("while len(said) < 3: time.sleep(.01)\ntime.sleep(.3)", tier)
    with program:
        assert program.wait(30) == 0
    assert gone(*pids)


def test_many_rollouts_leave_no_process_and_no_descriptor(supervisor: Supervisor) -> None:
    listener = Listener()
    run(supervisor, "session.say(str(os.getppid()))", listener)
    zygote = int(listener.said[0])
    children = Path(f"/proc/{zygote}/task/{zygote}/children")
    mounter = supervisor.tier != "none" and not any("private folder" in gap for gap in supervisor.gaps)
    wait_for(lambda: len(children.read_text().split()) == mounter)
    before = len(os.listdir("/proc/self/fd"))
    for body in ("session.say(str(os.getppid()))", "1 / 0", "os._exit(0)") * 20:
        run(supervisor, body, listener)
    assert len(os.listdir("/proc/self/fd")) == before
    wait_for(lambda: len(children.read_text().split()) == mounter)
    assert len(os.listdir(f"/proc/{zygote}/fd")) < 10
