"""Time, memory and processor time of an agent: what is its own, and that it ends."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sandboxes import Table, assert_matches, completion, framed, run

from sigmaloop.tools.sandbox import supervisor as supervisor_module
from sigmaloop.tools.sandbox.supervisor import Supervisor

DEADLINES = {
    "sleeps": ("import time; time.sleep(60)", "took too long: .*step_seconds = 0.3"),
    "loops for ever": ("while True: pass", "step_seconds = 0.3"),
    "ignores every signal": (
        "import signal\nfor n in {*range(1, 65)} - {9, 19, 32, 33}: signal.signal(n, signal.SIG_IGN)\nwhile 1: pass",
        "step_seconds = 0.3",
    ),
    "sleeps a little before every step": (
        "import time\nfor _ in range(40):\n    time.sleep(.05); session.call('look_up', {})", "rollout_seconds = 0.6",
    ),
    "sends one byte at a time": (
        "import os, time\nos.write(3, b'\\0\\0\\1\\0')\nwhile True: os.write(3, b' '); time.sleep(.05)",
        "step_seconds",
    ),
    "loops in __str__ of its exception": (
        "class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E", "step_seconds",
    ),
    "hangs in a lock": ("import threading; k = threading.Lock(); k.acquire(); k.acquire()", "step_seconds"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "detail"), DEADLINES.values(), ids=DEADLINES.keys())
def test_an_agent_that_takes_too_long_is_stopped(hasty: Supervisor, body: str, detail: str) -> None:
    ended = run(hasty, body)
    assert ended.status == "agent_error"
    assert_matches(detail, ended.detail)
    assert ended.wall_seconds < 30, "it waited for the agent's own end"


def test_loading_for_ever_is_stopped_as_well(hasty: Supervisor) -> None:
    assert hasty.run("while True: pass", Table()).status == "agent_error"


def test_a_child_that_does_not_read_is_stopped(hasty: Supervisor) -> None:
    flood = f"for n in range(50): os.write(3, {framed({'op': 'act', 'id': 1, 'tool': 't', 'args': {}})!r})"
    ended = run(hasty, f"import os, time\n{flood}\ntime.sleep(60)", Table(act=lambda name, arguments: "x" * 1_000_000))
    assert (ended.status, ended.doubtful) == ("agent_error", False)
    assert ended.detail == "it took too long: it did not read its socket within step_seconds = 0.3"


def test_the_time_that_a_child_takes_to_read_its_answers_is_its_own(hasty: Supervisor) -> None:
    calls = b"".join(framed({"op": "act", "id": n, "tool": "t", "args": {}}) for n in range(12))
    body = f"""
import os, struct, time
os.write(3, {calls!r})
for _ in range(12):
    time.sleep(.15)
    (left,) = struct.unpack(">I", os.read(3, 4))
    while left: left -= len(os.read(3, left))
"""
    ended = run(hasty, body, Table(act=lambda name, arguments: "x" * 450_000))
    assert (ended.status, ended.doubtful) == ("agent_error", False)
    assert ended.detail == "it took too long: it did not read its socket within rollout_seconds = 0.6"


def test_time_in_model_and_environment_is_not_the_agents() -> None:
    def slow(*_: Any) -> Any:
        time.sleep(1.2)
        return completion("x")

    with Supervisor(step_seconds=1, rollout_seconds=2, cpu_seconds=10, max_steps=50) as supervisor:
        ended = run(supervisor, "for _ in range(2): session.complete([])", Table(llm=slow))
    assert (ended.status, ended.detail) == ("ok", "")
    assert ended.wall_seconds > 2


def test_processor_time_is_limited() -> None:
    with Supervisor(step_seconds=10, rollout_seconds=20, cpu_seconds=0.5, max_steps=5) as supervisor:
        ended = run(supervisor, "while True: pass")
        assert ended.detail == "it used more than cpu_seconds = 0.5 of processor time"
        assert ended.status == "agent_error"
        ignoring = "import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"
        assert "processor time" in run(supervisor, ignoring).detail


def test_memory_filled_with_small_things_is_an_agent_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "MEMORY_BYTES", 150_000_000)
    with Supervisor(step_seconds=10, rollout_seconds=20, cpu_seconds=10, max_steps=5) as supervisor:
        ended = run(supervisor, "x = []\nwhile True: x.append([])")
    assert ended.status == "agent_error"
    assert "MemoryError" in ended.detail
