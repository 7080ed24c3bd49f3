"""Ends that may have come from outside: told apart from the agent's own, and none of them its fault at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sandbox_tiers import each_tier, on_this_side
from waiting import wait_for

from sigmaloop.tools.sandbox import child_link
from sigmaloop.tools.sandbox.fair_clock import state
from sigmaloop.tools.sandbox.supervisor import SandboxResult, Supervisor

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


class Hearer:
    """Handlers that do something to the child, or its parent, that says who it is."""

    def __init__(self, do: Callable[[int, int], Any]) -> None:
        self.do = do

    def init(self) -> dict[str, Any]:
        return {"instructions": "", "tools": [], "opening": ""}

    def act(self, name: str, arguments: dict[str, Any]) -> str:
        return ""

    def say(self, text: str) -> str | None:
        self.do(*map(int, text.split()))
        return "go on"

    def submit(self, answer: Any) -> None: ...

    def llm(self, request: dict[str, Any]) -> dict[str, Any]:
        return {}


@pytest.fixture(params=each_tier("none", "landlock", "bubblewrap"))
def supervisor(request: pytest.FixtureRequest) -> Iterator[Supervisor]:
    with make(request.param) as made:
        yield made


def make(tier: Any = "auto", step_seconds: float = 0.4) -> Supervisor:
    return Supervisor(step_seconds=step_seconds, rollout_seconds=20, cpu_seconds=5, max_steps=5, sandbox=tier)


def run(supervisor: Supervisor, body: str, do: Callable[[int, int], Any] = lambda pid, parent: None) -> SandboxResult:
    lines = "\n".join("    " + line for line in body.strip("\n").splitlines())
    return supervisor.run(f"import os, signal, time\ndef run(session):\n{lines}\n", Hearer(do))


TELL = "session.say(f'{os.getpid()} {os.getppid()}')\n"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_kill_from_outside_is_doubtful(supervisor: Supervisor, number: signal.Signals) -> None:
    ended = run(supervisor, f"{TELL}time.sleep(5)", lambda pid, _: os.kill(on_this_side(pid), number))
    assert (ended.status, ended.doubtful) == ("agent_error", True)
    assert ended.detail == f"its process was killed by {number.name}"


def test_a_child_that_is_stopped_is_doubtful_and_soon_ended(supervisor: Supervisor) -> None:
    ended = run(supervisor, f"{TELL}time.sleep(60)", lambda pid, _: os.kill(on_this_side(pid), signal.SIGSTOP))
    assert (ended.status, ended.doubtful) == ("agent_error", True)
    assert ended.detail == "its process was stopped: no call and no message within step_seconds = 0.4"


OWN = {
    "an exit": "os._exit(0)",
    "an exception": "1 / 0",
    "a fault": "import ctypes; ctypes.string_at(0)",
    "an abort": "os.abort()",
    "an alarm": "signal.setitimer(signal.ITIMER_REAL, .01); time.sleep(5)",
    "a sleep": "time.sleep(60)",
    "a lock": "import threading; threading.Lock().acquire(); k = threading.Lock(); k.acquire(); k.acquire()",
    "a loop": "while True: pass",
    "closing its socket": "os.close(3); time.sleep(60)",
}


@pytest.mark.parametrize("body", OWN.values(), ids=OWN.keys())
def test_what_an_agent_does_itself_is_not_doubtful(supervisor: Supervisor, body: str) -> None:
    ended = run(supervisor, body)
    assert (ended.status, ended.doubtful) == ("agent_error", False), ended.detail


@pytest.mark.parametrize("tier", each_tier("landlock", "bubblewrap"))
@pytest.mark.parametrize("number", [1, 2, 3, 9, 15, 19, 20])
def test_behind_a_wall_an_agent_cannot_pretend_to_be_killed_or_stopped(tier: Any, number: int) -> None:
    with make(tier) as supervisor:
        ended = run(supervisor, f"signal.signal(2, signal.SIG_DFL)\nos.kill(os.getpid(), {number})")
        assert (ended.status, ended.doubtful) == ("agent_error", False)
        assert "PermissionError" in ended.detail


@pytest.mark.parametrize("tier", each_tier("none", "landlock"))
def test_a_zygote_that_is_slow_to_say_how_a_child_ended_is_waited_for(
    tier: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_link, "_LAST_WORDS_SECONDS", 0.05)

    def freeze(pid: int, parent: int) -> None:
        os.kill(parent, signal.SIGSTOP)
        os.kill(pid, signal.SIGABRT)
        wait_for(lambda: state(pid) == "Z")
        threading.Timer(0.3, os.kill, (parent, signal.SIGCONT)).start()

    with make(tier) as supervisor:
        ended = run(supervisor, f"{TELL}time.sleep(5)", freeze)
    assert (ended.status, ended.detail) == ("agent_error", "its process was killed by SIGABRT")


@pytest.mark.parametrize("tier", each_tier("none", "landlock"))
def test_a_zygote_that_stays_stopped_is_nobodys_fault_and_is_replaced(
    tier: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_link, "_LAST_WORDS_SECONDS", 0.05)
    monkeypatch.setattr(child_link, "_ZYGOTE_SECONDS", 0.1)

    def freeze(pid: int, parent: int) -> None:
        os.kill(parent, signal.SIGSTOP)
        os.kill(pid, signal.SIGKILL)

    with make(tier) as supervisor:
        ended = run(supervisor, f"{TELL}time.sleep(5)", freeze)
        assert (ended.status, ended.doubtful) == ("agent_error", True)
        assert run(supervisor, "pass").status == "ok"


@pytest.fixture
def crowd() -> Iterator[Callable[[int], None]]:
    """Binds this process, and what it starts from now on, to one processor, on which eight others compute."""
    before = os.sched_getaffinity(0)
    one = {min(before)}
    os.sched_setaffinity(0, one)
    loop = [sys.executable, "-S", "-c", "while True: pass"]
    others = [subprocess.Popen(loop, start_new_session=True) for _ in range(8)]
    os.sched_setaffinity(0, before)
    yield lambda pid: os.sched_setaffinity(pid, one)
    for other in others:
        other.kill()
        other.wait()


def test_an_agent_that_computes_on_a_busy_machine_has_its_time(crowd: Callable[[int], None]) -> None:
    """A quarter of a second of work, where nine share a processor and 0.6 seconds are allowed."""
    work = "began = time.process_time()\nwhile time.process_time() < began + .25: pass"
    with make("none", step_seconds=0.6) as supervisor:
        ended = run(supervisor, f"{TELL}{work}", lambda pid, _: crowd(pid))
    assert (ended.status, ended.detail) == ("ok", "")
    assert ended.wall_seconds > 0.6, "the machine was not busy"


def test_on_a_busy_machine_an_agent_that_sleeps_is_ended_all_the_same(crowd: Callable[[int], None]) -> None:
    with make("none") as supervisor:
        began = time.monotonic()
        ended = run(supervisor, f"{TELL}time.sleep(60)", lambda pid, _: crowd(pid))
    assert (ended.status, ended.doubtful) == ("agent_error", False)
    assert time.monotonic() - began < 30
