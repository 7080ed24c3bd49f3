"""Every attack works without a sandbox, and none of them in any tier that this machine has."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sandbox_tiers import each_tier
from waiting import wait_for

from sigmaloop.tools.sandbox.probes.attacks import ATTACKS, CANARIES, Attack
from sigmaloop.tools.sandbox.probes.probe import escapes, works_alone
from sigmaloop.tools.sandbox.supervisor import SandboxResult, Supervisor


def make(tier: Any) -> Supervisor:
    return Supervisor(step_seconds=10, rollout_seconds=20, cpu_seconds=10, max_steps=50, sandbox=tier)


@pytest.fixture(scope="module")
def plain() -> Iterator[Supervisor]:
    with make("none") as made:
        yield made


@pytest.fixture(scope="module", params=each_tier())
def enclosed(request: pytest.FixtureRequest) -> Iterator[Supervisor]:
    with make(request.param) as made:
        yield made


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_the_attack_works_where_no_sandbox_is(plain: Supervisor, attack: Attack) -> None:
    escaped, returned = works_alone(attack) if attack.meets_limits else escapes(attack, plain)
    if not escaped and (attack.needs == "lenient kernel" or (attack.needs == "root" and os.geteuid() != 0)):
        pytest.skip(f"needs a {attack.needs}, so here it proves nothing: {returned}")
    assert escaped, returned


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_the_sandbox_stops_the_attack(enclosed: Supervisor, attack: Attack) -> None:
    escaped, returned = escapes(attack, enclosed)
    assert not escaped, returned


def test_the_doctor_tries_a_dozen_attacks_of_every_kind() -> None:
    assert len(CANARIES) >= 12
    assert {attack.effect for attack in CANARIES} == {attack.effect for attack in ATTACKS}
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)


class Talk:
    """Handlers that pass on what is said, one conversation to the other."""

    def __init__(self, opening: str = "", answer: Any = lambda text: None) -> None:
        self.opening = opening
        self.answer = answer
        self.said: list[str] = []
        self.submitted: Any = None

    def init(self) -> dict[str, Any]:
        return {"instructions": "", "tools": [], "opening": self.opening}

    def act(self, name: str, arguments: dict[str, Any]) -> str:
        return ""

    def say(self, text: str) -> str | None:
        self.said.append(text)
        return self.answer(text)

    def submit(self, answer: Any) -> None:
        self.submitted = answer

    def llm(self, request: dict[str, Any]) -> dict[str, Any]:
        return {}


def run(supervisor: Supervisor, body: str, talk: Talk | None = None) -> SandboxResult:
    lines = "\n".join("    " + line for line in body.strip("\n").splitlines())
    return supervisor.run(f"import os, signal, time\ndef run(session):\n{lines}\n", talk or Talk())


SPY = """
place, pid = session.opening.split()
found = []
for path in (place, place + "/note", "../" + os.path.basename(place) + "/note"):
    try:
        found.append(os.listdir(path) if path == place else open(path).read())
    except OSError:
        pass
try:
    os.kill(int(pid), signal.SIGKILL)
    found.append("killed")
except OSError:
    pass
session.submit(found)
"""


def spied(supervisor: Supervisor) -> tuple[Any, SandboxResult]:
    """One rollout leaves a note in its folder; another, at the same time, goes for it."""
    done, ready = threading.Event(), threading.Event()

    def wait(text: str) -> str:
        ready.set()
        done.wait(10)
        return "go on"

    victim = Talk(answer=wait)
    ended: list[SandboxResult] = []
    leave = "open('note', 'w').write('mine'); session.say(os.getcwd() + ' ' + str(os.getpid()))"
    thread = threading.Thread(target=lambda: ended.append(run(supervisor, leave, victim)))
    thread.start()
    assert ready.wait(10)
    spy = Talk(opening=victim.said[0])
    assert run(supervisor, SPY, spy).status == "ok"
    done.set()
    thread.join()
    return spy.submitted, ended[0]


def test_without_a_wall_a_rollout_reads_and_kills_its_sibling(plain: Supervisor) -> None:
    found, sibling = spied(plain)
    assert found == [["note"], "mine", "mine", "killed"]
    assert sibling.status == "agent_error"


def test_a_rollout_cannot_touch_its_sibling(enclosed: Supervisor) -> None:
    found, sibling = spied(enclosed)
    assert found == []
    assert (sibling.status, sibling.detail) == ("ok", "")


def test_the_private_folder_is_the_only_place_to_write_and_is_gone_afterwards(enclosed: Supervisor) -> None:
    talk = Talk()
    body = """
import tempfile
assert os.path.samefile(tempfile.gettempdir(), os.getcwd()) and os.listdir() == []
with tempfile.NamedTemporaryFile("w+") as file:
    file.write("x" * 1_000_000)
open("left", "w").write("x")
session.submit(os.getcwd())
"""
    for _ in range(2):
        ended = run(enclosed, body, talk)
        assert (ended.status, ended.detail) == ("ok", "")
    wait_for(lambda: not Path(talk.submitted).exists())


def test_a_rollout_does_not_know_its_number_nor_where_another_is(enclosed: Supervisor) -> None:
    names = []
    for _ in range(3):
        talk = Talk()
        body = """
try: os.listdir("..")
except PermissionError: session.submit(os.path.basename(os.getcwd()))
"""
        assert run(enclosed, body, talk).status == "ok"
        names.append(talk.submitted)
    assert len(set(names)) == 3
    assert all(len(name) == 32 and int(name, 16) > 1 << 64 for name in names), names


def test_too_many_threads_are_an_agent_error_that_says_so(enclosed: Supervisor) -> None:
    body = """
import threading
for n in range(400): threading.Thread(target=time.sleep, args=(9,), daemon=True).start()
time.sleep(9)
"""
    ended = run(enclosed, body)
    assert (ended.status, ended.doubtful) == ("agent_error", False)
    if any("threads are counted" in gap for gap in enclosed.gaps):
        assert ended.detail.startswith("it had ")
        assert ended.detail.endswith(" threads; 256 are allowed")
    else:  # the kernel refused the next one
        assert ended.detail.endswith("RuntimeError: can't start new thread")


def test_two_hundred_threads_and_locks_on_its_own_files_work(enclosed: Supervisor) -> None:
    body = """
import concurrent.futures, fcntl, sqlite3, threading
gate = threading.Barrier(200, timeout=30)
with concurrent.futures.ThreadPoolExecutor(200) as pool:
    assert len(list(pool.map(lambda n: gate.wait(), range(200)))) == 200
with open("lock", "w") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    fcntl.lockf(file, fcntl.LOCK_EX)
with sqlite3.connect("data.db") as data:
    data.execute("create table t (x)")
    data.execute("insert into t values (1)")
assert sqlite3.connect("data.db").execute("select x from t").fetchall() == [(1,)]
"""
    ended = run(enclosed, body)
    assert (ended.status, ended.detail) == ("ok", "")


def test_threads_of_a_library_can_be_joined(enclosed: Supervisor) -> None:
    body = """
import ctypes
libc = ctypes.CDLL(None)
thread, work = ctypes.c_ulong(), ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(lambda _: time.sleep(.05))
assert libc.pthread_create(ctypes.byref(thread), None, work, None) == 0
assert libc.pthread_join(thread, None) == 0
"""
    ended = run(enclosed, body)
    assert (ended.status, ended.detail) == ("ok", "")


def test_filling_the_folder_is_an_agent_error_that_says_so(enclosed: Supervisor) -> None:
    ended = run(enclosed, "for n in range(6): open(str(n), 'wb').write(bytes(3 << 20))\ntime.sleep(5)")
    assert ended.status == "agent_error"
    if any("private folder" in gap for gap in enclosed.gaps):
        assert ended.detail.startswith("it filled its folder: 6 files, ")
    else:
        assert ended.detail.endswith("OSError: [Errno 28] No space left on device")


def test_the_kernel_bounds_the_private_folder_however_fast_it_is_filled(enclosed: Supervisor) -> None:
    if any("private folder" in gap for gap in enclosed.gaps):
        pytest.skip("this machine lets nobody have a mount namespace: the folder is looked at instead")
    body = """
for name in range(300):
    try: open(str(name), "wb").write(bytes(1 << 20))
    except OSError: pass
for name in range(300, 700):
    try: open(str(name), "wb").close()
    except OSError: pass
files = os.listdir(".")
session.submit(f"{len(files)} {sum(os.stat(name).st_blocks * 512 for name in files)}")
"""
    talk = Talk()
    assert run(enclosed, body, talk).status == "ok"
    files, size = map(int, talk.submitted.split())
    assert files == 256
    assert 15 << 20 < size <= 16 << 20
    assert run(enclosed, "session.submit(str(os.listdir('.')))", talk).status == "ok"
    assert talk.submitted == "[]"


def test_standard_library_packages_threads_and_asyncio_work_inside_the_sandbox(enclosed: Supervisor) -> None:
    body = """
import asyncio, concurrent.futures, ctypes, dataclasses, decimal, email.mime.text, hashlib, sqlite3, ssl, uuid, zoneinfo
import numpy, pydantic
async def twice(n):
    await asyncio.sleep(0)
    return 2 * n
async def main():
    return await asyncio.gather(*(twice(n) for n in range(5)), asyncio.to_thread(sum, (1, 2)))
assert asyncio.run(main()) == [0, 2, 4, 6, 8, 3]
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    assert list(pool.map(lambda n: n + 1, range(8))) == list(range(1, 9))
assert sqlite3.connect("data.sqlite").execute("select 1 + 1").fetchone() == (2,)
assert str(zoneinfo.ZoneInfo("Europe/Berlin")) and numpy.zeros(3).sum() == 0 and os.urandom(4)
assert time.localtime(0).tm_hour == 0
os.kill(os.getpid(), 0)
"""
    ended = run(enclosed, body)
    assert (ended.status, ended.detail) == ("ok", "")


def test_our_own_files_are_not_readable_even_where_packages_are(enclosed: Supervisor) -> None:
    import sigmaloop

    talk = Talk(opening=str(Path(str(sigmaloop.__file__)).resolve().parent))
    body = """
import os
found = []
for folder in (session.opening, os.path.dirname(session.opening)):
    for name in ("errors.py", "eval/benchmark.py", "tools/sandbox/child/worker.py", "tools/sandbox/supervisor.py"):
        try:
            found.append(open(os.path.join(folder, name)).read())
        except OSError:
            pass
session.submit(found)
"""
    assert run(enclosed, body, talk).status == "ok"
    assert talk.submitted == []


def test_nothing_that_the_agent_can_reach_in_its_process_names_a_task(enclosed: Supervisor) -> None:
    """Frames, garbage collector, modules: the child was forked from a process that never knew."""
    secret = "task-" + "zebra"
    talk = Talk(opening="arbez", answer=lambda text, hidden=(secret, "answer-zebra"): "go on")
    body = """
import gc, sys
word = session.opening[::-1]
seen = [str(o)[:200] for o in gc.get_objects() if isinstance(o, (dict, list, tuple)) and word in repr(o)[:10_000]]
frame = sys._getframe()
while frame:
    there = {name: repr(value)[:10_000] for name, value in frame.f_locals.items() if name not in ("seen", "word")}
    seen += [name for name, text in there.items() if word in text]
    frame = frame.f_back
session.say("hello")
session.submit(seen)
"""
    assert run(enclosed, body, talk).status == "ok"
    assert talk.submitted == []
