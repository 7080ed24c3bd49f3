"""kill -9 at twenty random moments: the resumed run ends like the uninterrupted one and pays nothing twice."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from endpoint import Endpoint, serve
from processes import environment, sigmaloop

from sigmaloop.graph.run import Run
from sigmaloop.memory.journal import Journal

KILLS = 20
CONCURRENCY = 2
FLAGS = (
    "--benchmark", "small:SmallHelpdesk", "--batches", "3", "--batch-size", "8", "--attempts", "3",
    "--certify-trials", "1", "--concurrency", str(CONCURRENCY), "--seed", "3",
)  # fmt: skip


def start(*arguments: str, endpoint: Endpoint, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        sigmaloop(*arguments),
        cwd=folder,
        env=environment(
            OPENAI_API_KEY="sk-loopback-0000", OPENAI_BASE_URL=endpoint.url, SIGMALOOP_HOME=str(folder / "home")
        ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finish(process: subprocess.Popen[bytes]) -> None:
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors.decode()[-2_000:]


def facts(folder: Path) -> dict[str, object]:
    run = Run.open(home=folder / "home")
    with Journal(run.paths.journal, readonly=True) as journal:
        journal.verify()
        events = [(e.kind, e.id, e.payload) for e in journal.events() if e.kind != "run_started"]
        return {"agent": run.agent(), "events": events, "suite": run.suite(), "usage": journal.usage()}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_run_killed_twenty_times_ends_like_the_uninterrupted_one(tmp_path: Path) -> None:
    calm, stormy = tmp_path / "calm", tmp_path / "stormy"
    calm.mkdir()
    stormy.mkdir()
    with serve() as endpoint:
        finish(start("run", *FLAGS, endpoint=endpoint, folder=calm))
        total = endpoint.answered

    draw = random.Random(20)
    moments = sorted(draw.randrange(2, total) for _ in range(KILLS))
    with serve() as endpoint:
        arguments: tuple[str, ...] = ("run", *FLAGS)
        killed = 0
        for moment in moments:
            process = start(*arguments, endpoint=endpoint, folder=stormy)
            while endpoint.answered < moment and process.poll() is None:
                time.sleep(0.002)
            time.sleep(draw.random() * 0.05)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                killed += 1
            process.communicate()
            if list((stormy / "home").glob("runs/*/journal.sqlite")):
                arguments = ("resume",)
        finish(start("resume", endpoint=endpoint, folder=stormy))
        paid = endpoint.answered

    assert killed >= KILLS - 2
    assert facts(stormy) == facts(calm)
    checks = 2 * (killed + 1)  # a fresh `run` tries each of the two models once before it begins
    assert total <= paid <= total + CONCURRENCY * killed + checks
