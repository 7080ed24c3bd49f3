"""`langgraph dev` serves the same runs: begin, step, read, answer, fork, and go on in the command line, and back.

One server for all tests, on a benchmark of which nothing is played: a test costs a second or two.
"""

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
from httpx import HTTPStatusError
from langgraph_sdk import get_sync_client
from langgraph_sdk.errors import UnprocessableEntityError
from processes import environment

from sigmaloop.graph.run import Run
from sigmaloop.memory.facts import PAUSED
from sigmaloop.memory.journal import Journal
from sigmaloop.settings import Settings, load_settings

ROOT = Path(__file__).parent.parent.parent
SMALL: dict[str, Any] = {
    "benchmark": "small:Mendable", "batches": 2, "batch_size": 4, "attempts": 2, "certify_trials": 1,
    "canaries": 0, "harmful_canaries": 0, "bank_trials": 1, "upstream": "simulated",
}  # fmt: skip

TALKED = {"benchmark": "small:TinyHelpdesk", "batch_size": 8, "seed": 2}
"""Conversations whose failures are of more than one kind."""


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
def test_the_form_has_every_setting_and_the_state_says_what_it_is(studio: tuple[Any, Path]) -> None:
    client, _ = studio
    schemas = client.assistants.get_schemas(client.assistants.search()[0]["assistant_id"])
    form = schemas["context_schema"]["properties"]
    assert form.keys() == Settings.model_fields.keys() - {"home"}
    assert all(field["description"] for field in form.values())
    assert schemas["input_schema"]["properties"].keys() == {"run_id", "form"}
    assert {"cluster", "score", "verdict", "diff"} < schemas["output_schema"]["properties"].keys()
    assert all(field["description"] for field in schemas["state_schema"]["properties"].values())


@pytest.mark.slow
def test_a_run_is_stepped_from_its_first_node_and_keeps_its_form(studio: tuple[Any, Path]) -> None:
    client, home = studio
    thread = new_thread(client)
    client.runs.wait(thread, "sigmaloop", input={}, context=SMALL, interrupt_before=["baseline"])
    assert client.threads.get_state(thread)["next"] == ["baseline"]

    seen = []
    for _ in range(4):  # without the form: it was given once
        client.runs.wait(thread, "sigmaloop", input=None, interrupt_after=["baseline", "simulate", "cluster", "screen"])
        state = client.threads.get_state(thread)
        seen.append(state["next"])
    run = Run.open(thread, home=home)
    assert {name: getattr(run.settings, name) for name in SMALL} == SMALL
    assert seen[0] == ["simulate"]
    assert set(seen[1]) == {"mine"}
    assert seen[2:] == [["propose"], ["regression_gate"]]

    values = state["values"]
    assert values["cluster"] == run.clusters()[values["cluster_id"]].title
    assert values["score"] == 0
    assert values["diff"] == run.candidate(values["candidate_id"]).diff
    beat = run.heartbeat()
    assert beat is not None
    assert (beat.batch, beat.candidate) == (1, values["candidate_id"])

    done = client.runs.wait(thread, "sigmaloop", input=None, interrupt_after=["validation_gate"])
    assert "validation: passed" in done["verdict"]
    assert "outcome" not in done, "what a step answers is the output schema"
    run.go()
    assert run.condition == "finished"
    assert client.threads.get_state(thread)["values"]["score"] == 1
    assert client.threads.get_state(thread)["next"] == []


@pytest.mark.slow
def test_a_run_begun_in_the_command_line_is_a_thread_and_is_continued_in_studio(studio: tuple[Any, Path]) -> None:
    client, home = studio
    run = Run.start(load_settings(home=home, **SMALL))
    for _ in run.follow(batches=1):
        pass
    assert run.next == ("simulate",)

    listed = {thread["thread_id"]: thread["metadata"] for thread in client.threads.search(limit=100)}
    assert listed[run.id]["benchmark"] == SMALL["benchmark"]
    assert listed[run.id]["graph_id"] == "sigmaloop"
    assert client.threads.get_state(run.id)["values"]["batch"] == 1
    client.runs.wait(run.id, "sigmaloop", input=None)
    assert run.condition == "finished"
    assert run.summary().certificate is not None


WRONG = {
    "form": ({"context": {"bathces": 3}}, "did you mean batches?"),
    "bound": ({"context": {"batches": 0}}, "greater than or equal to 1"),
    "input": ({"input": {"batches": 3}}, "the input has no field 'batches'"),
    "form_in_input": ({"input": {"form": {"sed": 1}}}, "did you mean seed?"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WRONG)
def test_what_no_run_can_begin_with_is_refused_at_once(studio: tuple[Any, Path], name: str) -> None:
    client, home = studio
    thread = new_thread(client)
    request, why = WRONG[name]
    with pytest.raises(HTTPStatusError) as refused:
        client.runs.wait(thread, "sigmaloop", **{"input": {}, **request})
    assert why in refused.value.response.json()["detail"]
    assert not (home / "runs" / thread).exists()


@pytest.mark.slow
def test_an_error_inside_a_run_keeps_its_text(studio: tuple[Any, Path]) -> None:
    client, _ = studio
    thread = new_thread(client)
    done = client.runs.wait(thread, "sigmaloop", input={}, context={"benchmark": "nonesuch"}, raise_error=False)
    assert done["__error__"]["error"] == "BadInput"
    assert "nonesuch" in done["__error__"]["message"]
    assert "helpdesk" in done["__error__"]["message"]


@pytest.mark.slow
def test_a_person_is_shown_the_figures_and_asked_until_the_answer_is_clear(studio: tuple[Any, Path]) -> None:
    client, home = studio
    thread = new_thread(client)
    client.runs.wait(thread, "sigmaloop", input={}, context={**SMALL, "review": "person"})
    asked = waiting(client, thread)
    assert asked["answers"] == ["approve", "decline"]
    assert any(figure.startswith("validation: passed") for figure in asked["figures"])
    assert "problem" not in asked

    client.runs.wait(thread, "sigmaloop", command={"resume": "perhaps"})
    asked = waiting(client, thread)
    assert asked["problem"] == "'perhaps' is no answer: give approve or decline"
    client.runs.wait(thread, "sigmaloop", command={"resume": "Approve"}, interrupt_after=["keep"])
    run = Run.open(thread, home=home)
    assert run.state["kept"]
    with Journal(run.paths.journal, readonly=True) as journal:
        pauses = journal.load_all(PAUSED)
    assert [(pause.reason, pause.asked) for pause in pauses] == [("review", True)]


def waiting(client: Any, thread: str) -> dict[str, Any]:
    """What a thread asks."""
    (question,) = client.threads.get_state(thread)["interrupts"]
    found: dict[str, Any] = question["value"]
    return found


@pytest.mark.slow
def test_a_fork_tries_another_cluster_and_the_first_history_stays(studio: tuple[Any, Path]) -> None:
    """And an edited state of a wrong type or with an unknown field is refused before it is stored."""
    client, home = studio
    thread = new_thread(client)
    client.runs.wait(thread, "sigmaloop", input={}, context={**SMALL, **TALKED}, interrupt_before=["propose"])
    fork_point = client.threads.get_state(thread)
    first = fork_point["values"]["cluster_id"]
    for slip, why in (
        ({"batch": "two"}, "batch = 'two': input should be a valid integer"),
        ({"clusterid": "C001"}, "did you mean cluster_id?"),
        ({"window": [1]}, "window.0 = 1"),
    ):
        with pytest.raises(UnprocessableEntityError) as refused:
            client.threads.update_state(thread, slip)
        assert why in refused.value.response.json()["detail"]
    assert client.threads.get_state(thread) == fork_point

    steps = list(
        client.runs.stream(
            thread, "sigmaloop", input=None, stream_mode=["updates", "custom"], stream_subgraphs=True,
            interrupt_before=["learn"],
        )
    )  # fmt: skip
    names = {step.event for step in steps}
    assert any(name.startswith("updates|propose:") for name in names), "the engineer's own steps"
    assert any(step.event == "custom" and step.data.get("event") == "proposal" for step in steps)
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
