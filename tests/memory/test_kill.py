"""kill -9 at random moments: what was acknowledged is there, the chain holds, the index can be searched."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sigmaloop.memory.embedder import HashEmbedder
from sigmaloop.memory.index import FailureIndex
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.traces import Traces
from sigmaloop.records import Rollout, RolloutKey

KILLS = 10

# One process imports everything once and forks a writer per round; the test kills the writer.
WRITER = """
import os, sys
from pathlib import Path
import chromadb
from sigmaloop.memory.embedder import HashEmbedder
from sigmaloop.memory.index import FailureIndex
from sigmaloop.memory.journal import Journal
from sigmaloop.records import Rollout, RolloutKey, Step

def write(folder, begin):
    journal = Journal(folder / "journal.sqlite")
    index = FailureIndex(folder / "chroma", HashEmbedder(), journal=journal)
    number = begin
    while True:
        journal.append("kind", f"e{number}", {"n": number}, batch=number)
        os.write(1, f"event {number}\\n".encode())
        journal.remember(f"s{number}", 0, "h", {"n": number})
        os.write(1, f"call {number}\\n".encode())
        key = RolloutKey(agent="a", task_id=f"t{number}", trial=0)
        rollout = Rollout(key=key, seed=1, status="ok", reward=1.0, split="train" if number % 2 else "validation")
        journal.save_rollout(rollout, [Step(index=0, kind="say", text="x" * 3000)], scope=f"s{number}")
        os.write(1, f"rollout {number}\\n".encode())
        index.add("failure", f"F{number}", f"mechanism {number} went wrong", {"n": number})
        os.write(1, f"vector {number}\\n".encode())
        number += 1

folder = Path(sys.argv[1])
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        write(folder, int(line))
    os.write(1, f"pid {pid}\\n".encode())
    _, status = os.waitpid(pid, 0)
    os.write(1, f"ended {os.WTERMSIG(status)}\\n".encode())
"""


@pytest.fixture
def writers(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    with process:
        yield process


def test_nothing_acknowledged_is_lost_when_the_writer_is_killed(tmp_path: Path, writers: subprocess.Popen[str]) -> None:
    assert writers.stdin is not None
    assert writers.stdout is not None
    draw = random.Random(20)
    acknowledged: dict[str, list[int]] = {"event": [], "call": [], "rollout": [], "vector": []}
    for number in range(KILLS):
        writers.stdin.write(f"{number * 1_000_000}\n")
        timer, seen = None, 0
        after = draw.randrange(1, 25)  # acknowledgements until the kill is due, then a fraction of a step
        for line in writers.stdout:
            word, value = line.split()
            if word == "pid":
                pid = int(value)
                timer = threading.Timer(draw.uniform(0, 0.008), os.kill, (pid, signal.SIGKILL))
            elif word == "ended":
                assert int(value) == signal.SIGKILL, "the writer died of something else, such as SIGSEGV"
                break
            else:
                acknowledged[word].append(int(value))
                seen += 1
            if timer is not None and seen >= after and not timer.ident:
                timer.start()
        assert timer is not None
        timer.join()
    assert min(len(numbers) for numbers in acknowledged.values()) >= 1

    with Journal(tmp_path / "journal.sqlite") as journal:
        journal.verify()
        assert {f"e{n}" for n in acknowledged["event"]} <= {event.id for event in journal.events()}
        for n in acknowledged["rollout"]:
            key = RolloutKey(agent="a", task_id=f"t{n}", trial=0)
            assert isinstance(journal.rollout(key), Rollout)
            with Traces(tmp_path / "journal.sqlite") as traces:
                assert len(traces.read(key.id).steps[0].text) == 3000
            assert journal.recall(f"s{n}", 0, "h") is None
        for n in set(acknowledged["call"]) - set(acknowledged["rollout"]):
            key = RolloutKey(agent="a", task_id=f"t{n}", trial=0)
            assert (journal.recall(f"s{n}", 0, "h") is None) == (journal.rollout(key) is not None)
        with FailureIndex(tmp_path / "chroma", HashEmbedder(), journal=journal) as index:
            for n in acknowledged["vector"]:
                assert index.search("failure", f"mechanism {n} went wrong", 1)[0].id == f"F{n}"
            assert (tmp_path / "chroma.aside").exists(), "what the killed writer left was not trusted"
