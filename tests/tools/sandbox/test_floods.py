"""A hostile child cannot make the supervisor's memory grow, whatever it sends."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

BOUND = 160_000_000
"""Bytes by which the supervisor's process may grow: one frame of 4 MB, decoded into the smallest objects."""

PROGRAM = """
import json, resource, sys
from sigmaloop.errors import UpstreamError
from sigmaloop.tools.sandbox.supervisor import Supervisor

class Handlers:
    kept = []
    def init(self): return {"instructions": "", "tools": [], "opening": ""}
    def act(self, name, arguments): self.kept.append((name, arguments)); return ""
    def say(self, text): self.kept.append(text); return ""
    def submit(self, answer): self.kept.append(answer)
    def llm(self, request): raise UpstreamError("no", status=400)

with Supervisor(step_seconds=2, rollout_seconds=2, cpu_seconds=10, max_steps=1000, sandbox="none") as supervisor:
    supervisor.run("def run(session): session.say('x')", Handlers())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    source = "import os, socket, struct\\ndef run(session):\\n" + "".join(
        "    " + line + "\\n" for line in sys.argv[1].splitlines())
    ended = supervisor.run(source, Handlers())
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps([ended.status, ended.detail, grown * 1024]))
"""

SEND = """
s = socket.socket(fileno=os.dup(3))
def frame(data): return struct.pack(">I", len(data)) + data
"""
FLOODS = {
    "messages of two megabytes": ("while True: session.say('x' * 2_000_000)", "more than 4194304 bytes of tool calls"),
    "arguments made of tiny lists": (
        "while True: session.call('t', {'a': [[]] * 250_000})", "bytes of tool calls|_seconds = 2",
    ),
    "answers again and again": ("while True: session.submit(['x'] * 200_000)", "more than 4194304 bytes of tool calls"),
    "model requests that are refused": (
        "while True:\n    try: session.complete(['x' * 3_000_000])\n    except Exception: pass",
        "bytes of model requests|_seconds = 2",
    ),
    "frames without a pause": (
        SEND + "one = frame(b'{\"op\":\"say\",\"id\":1,\"text\":\"' + b'x' * 9_000 + b'\"}')\n"
        "while True: s.sendall(one * 50)",
        "bytes of tool calls|_seconds = 2|more than 1000 steps",
    ),
    "half a frame, then nothing": (
        SEND + "import time\ns.sendall(struct.pack('>I', 4_000_000) + b' ' * 3_999_999)\ntime.sleep(60)",
        "_seconds = 2"),
    "a header of four gigabytes": (SEND + "s.sendall(b'\\xff' * 8_000_000)", "bad frame: header announces"),
    "frames of spaces": (SEND + "while True: s.sendall(frame(b' ' * 4_000_000))", "bad frame: not JSON"),
    "the largest frame of the smallest things": (
        SEND + "s.sendall(frame(b'{\"op\":[' + b'[],' * 1_300_000 + b'[]]}'))\nimport time\ntime.sleep(60)",
        "bad frame",
    ),
    "a number of a million digits": (
        SEND + "s.sendall(frame(b'{\"op\":' + b'9' * 1_000_000 + b'}'))", "bad frame: not JSON",
    ),
    "deep lists": (SEND + "s.sendall(frame(b'{\"op\":' + b'[' * 900_000 + b']' * 900_000 + b'}'))", "bad frame: "),
    "printing": ("for n in range(3000): print('x' * 100_000)", "^$"),
    "a long last word": ("raise ValueError('x' * 3_900_000)", "ValueError: x"),
    "a printed text that is not what it should be": (
        SEND + "s.sendall(frame(b'{\"op\":\"done\",\"printed\":\"' + b'x' * 4_000_000 + b'\"}'))", "^$",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "detail"), FLOODS.values(), ids=FLOODS.keys())
def test_no_flood_makes_the_supervisor_grow(body: str, detail: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, body], capture_output=True, text=True, check=True)
    status, said, grown = json.loads(done.stdout)
    assert status == ("ok" if detail == "^$" else "agent_error")
    assert re.search(detail, said), said
    assert grown < BOUND
