"""`langgraph dev` serves the same runs: step, read, fork, and go on from there in the command line, and back."""

from __future__ import annotations

import contextlib
import random
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langgraph_sdk import get_sync_client
from processes import environment

from sigmaloop.graph.run import Run
from sigmaloop.settings import load_settings

ROOT = Path(__file__).parent.parent.parent
SMALL: dict[str, Any] = {
    "benchmark": "small:TinyHelpdesk", "batches": 2, "batch_size": 8, "attempts": 2, "certify_trials": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Path]]:
    """A client of a real server, and the home that the server shares with the command line."""
    home = tmp_path_factory.mktemp("studio") / "home"
    port = _free_port()
    env = environment(SIGMALOOP_HOME=str(home), LANGGRAPH_CLI_NO_ANALYTICS="1", LANGGRAPH_NO_VERSION_CHECK="1")
    log = (home.parent / "server.log").open("wb")
    server = subprocess.Popen(
        [
            sys.executable, "-m", "langgraph_cli", "dev", "--no-browser", "--no-reload",
            "--host", "127.0.0.1", "--port", str(port),
        ],
        cwd=_checkout(home.parent / "checkout"), env=env, stdout=log, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        _wait_for(port, server, home.parent / "server.log")
        client = get_sync_client(url=f"http://127.0.0.1:{port}", timeout=120)
        yield client, home
        client.http.client.close()
    finally:
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(20)
        server.kill()
        server.wait()
        log.close()


def _checkout(place: Path) -> Path:
    """This checkout in links, so that what the server leaves in its folder is in nobody's way."""
    place.mkdir()
    for entry in ROOT.iterdir():
        if not entry.name.startswith("."):
            (place / entry.name).symlink_to(entry)
    return place


def _free_port() -> int:
    """A port below those that the system gives out by itself, so that no other test is given it meanwhile."""
    for port in random.SystemRandom().sample(range(20_000, 30_000), 100):
        with contextlib.suppress(OSError), socket.socket() as free:
            free.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 150
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()[-3_000:]
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.2)
    raise AssertionError(f"langgraph dev did not answer: {log.read_text()[-3_000:]}")


def new_thread(client: Any) -> str:
    thread_id = str(uuid.uuid4())
    client.threads.create(thread_id=thread_id, graph_id="sigmaloop")
    return thread_id


@pytest.mark.slow
def test_a_run_is_started_with_the_context_form_and_stepped_phase_by_phase(studio: tuple[Any, Path]) -> None:
    client, home = studio
    fields = client.assistants.get_schemas(client.assistants.search()[0]["assistant_id"])["context_schema"]
    assert {"batches", "seed", "benchmark", "agent"} <= set(fields["properties"])

    thread = new_thread(client)
    seen = []
    given: dict[str, Any] | None = {"run_id": thread}
    for _ in range(4):
        client.runs.wait(
            thread, "sigmaloop", input=given, context=SMALL,
            interrupt_after=["baseline", "simulate", "cluster", "screen"],
        )  # fmt: skip
        given = None
        state = client.threads.get_state(thread)
        seen.append(state["next"])
        assert state["values"]["run_id"] == thread
    assert seen[0] == ["simulate"]
    assert set(seen[1]) == {"mine"}
    assert seen[2] == ["propose"]
    assert seen[3] in (["regression_gate"], ["revert"])

    before = client.threads.get_state(thread)["values"]["attempts_total"]
    for _ in Run.open(thread, home=home).follow():
        pass
    run = Run.open(thread, home=home)
    assert run.condition == "finished"
    assert run.state["attempts_total"] > before
    assert client.threads.get_state(thread)["next"] == []


@pytest.mark.slow
def test_a_run_begun_in_the_command_line_is_continued_in_studio(
    studio: tuple[Any, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, home = studio
    run = Run.start(load_settings(home=home, **SMALL))
    for _ in run.follow(batches=1):
        pass
    assert run.next == ("simulate",)

    client.threads.create(thread_id=run.id, graph_id="sigmaloop", if_exists="do_nothing")
    assert client.threads.get_state(run.id)["values"]["batch"] == 1
    client.runs.wait(run.id, "sigmaloop", input=None)
    assert run.condition == "finished"
    assert run.summary().certificate is not None


@pytest.mark.slow
def test_what_is_wrong_is_told_in_studio_as_well(studio: tuple[Any, Path]) -> None:
    client, _ = studio
    thread = new_thread(client)
    done = client.runs.wait(
        thread, "sigmaloop", input={"run_id": thread}, context={"benchmark": "nonesuch"}, raise_error=False
    )
    assert done["__error__"]["error"] == "BadInput"
    assert "nonesuch" in done["__error__"]["message"]
    assert "helpdesk" in done["__error__"]["message"]


@pytest.mark.slow
def test_a_fork_tries_another_cluster_and_the_first_history_stays(studio: tuple[Any, Path]) -> None:
    client, home = studio
    thread = new_thread(client)
    client.runs.wait(
        thread, "sigmaloop", input={"run_id": thread}, context={**SMALL, "seed": 2}, interrupt_before=["propose"]
    )
    fork_point = client.threads.get_state(thread)
    first = fork_point["values"]["cluster_id"]
    client.runs.wait(thread, "sigmaloop", input=None, interrupt_before=["learn"])
    client.runs.wait(thread, "sigmaloop", input=None, interrupt_before=["propose", "simulate", "certify"])

    run = Run.open(thread, home=home)
    other = next(c for c in run.clusters() if c != first)
    client.threads.update_state(thread, {"cluster_id": other}, checkpoint=fork_point["checkpoint"], as_node="cluster")
    client.runs.wait(thread, "sigmaloop", input=None, interrupt_before=["learn"])
    client.runs.wait(thread, "sigmaloop", input=None, interrupt_before=["propose", "simulate", "certify"])
    ledger = Run.open(thread, home=home).ledger()
    assert [entry.cluster_id for entry in ledger][:2] == [first, other]
    assert len({entry.candidate_id for entry in ledger}) == len(ledger)
    assert len(client.threads.get_history(thread, limit=100)) > 8
