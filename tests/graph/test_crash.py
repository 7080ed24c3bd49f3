"""kill -9 at twenty random moments: the resumed run ends like the uninterrupted one and pays nothing twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from endpoint import Endpoint, serve
from processes import Preloaded, environment, sigmaloop

from sigmaloop.graph.run import Run
from sigmaloop.memory.journal import Journal

KILLS = 20
CONCURRENCY = 2
FLAGS = (
    "--benchmark", "small:TinyHelpdesk", "--batches", "3", "--batch-size", "6", "--attempts", "3",
    "--certify-trials", "1", "--concurrency", str(CONCURRENCY), "--seed", "1",
)  # fmt: skip
"""Eight attempts: one is kept, the others are rejected at their targets and at validation."""


@pytest.fixture
def preloaded() -> Iterator[Preloaded]:
    made = Preloaded()
    yield made
    made.close()


def told(endpoint: Endpoint, folder: Path) -> dict[str, str]:
    return {
        "OPENAI_API_KEY": "sk-loopback-0000",
        "OPENAI_BASE_URL": endpoint.url,
        "SIGMALOOP_HOME": str(folder / "home"),
    }


def finish(*arguments: str, endpoint: Endpoint, folder: Path) -> None:
    """As a user types it, to its end."""
    done = subprocess.run(
        sigmaloop(*arguments), cwd=folder, env=environment(**told(endpoint, folder)), capture_output=True, timeout=240
    )
    assert done.returncode == 0, done.stderr.decode()[-2_000:]


def facts(folder: Path) -> dict[str, object]:
    run = Run.open(home=folder / "home")
    with Journal(run.paths.journal, readonly=True) as journal:
        journal.verify()
        own = ("run_started", "endpoint_probed")  # they name the port
        events = [(e.kind, e.id, e.payload) for e in journal.events() if e.kind not in own]
        return {"agent": run.agent(), "events": events, "suite": run.suite(), "usage": journal.usage()}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_run_killed_twenty_times_ends_like_the_uninterrupted_one(tmp_path: Path, preloaded: Preloaded) -> None:
    calm, stormy = tmp_path / "calm", tmp_path / "stormy"
    calm.mkdir()
    stormy.mkdir()
    with serve() as endpoint:
        finish("run", *FLAGS, endpoint=endpoint, folder=calm)
        total = endpoint.answered

    draw = random.Random(20)
    moments = sorted(draw.randrange(2, total) for _ in range(KILLS))
    with serve() as endpoint:
        arguments: tuple[str, ...] = ("run", *FLAGS)
        killed = 0
        for moment in moments:
            preloaded.start(*arguments, folder=stormy, **told(endpoint, stormy))
            while endpoint.answered < moment and preloaded.running:
                time.sleep(0.002)
            time.sleep(draw.random() * 0.05)
            if preloaded.running:
                os.kill(preloaded.pid, signal.SIGKILL)
            code = preloaded.wait()
            assert code in (0, -signal.SIGKILL), (stormy / "stderr").read_text()[-2_000:]
            killed += code != 0
            if list((stormy / "home").glob("runs/*/journal.sqlite")):
                arguments = ("resume",)
        finish("resume", endpoint=endpoint, folder=stormy)
        paid = endpoint.answered

    assert killed >= KILLS - 2
    assert facts(stormy) == facts(calm)
    checks = 2 * (killed + 1)  # a fresh `run` tries each of the two models once before it begins
    assert total <= paid <= total + CONCURRENCY * killed + checks
