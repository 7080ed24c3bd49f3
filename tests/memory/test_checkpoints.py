"""Checkpoints: command line and server share one file, which loads no code but our records."""

from __future__ import annotations

import asyncio
import importlib.util
import operator
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph

import sigmaloop.memory.checkpoints as module
from sigmaloop.errors import BadInput, StoreError
from sigmaloop.memory.checkpoints import checkpoint_ids, create_checkpointer, open_checkpointer, serializer
from sigmaloop.memory.embedder import EmbedderId
from sigmaloop.records import Rollout, RolloutKey, SuiteCase


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    case: SuiteCase


def step(state: State) -> State:
    return {
        "log": ["step"],
        "case": SuiteCase(task_id="t", promoted_batch=1, promoted_by="A0001", cluster_id="C001", passes=1),
    }


def done(state: State) -> State:
    return {"log": ["done"]}


def graph(saver: BaseCheckpointSaver[Any]) -> Any:
    builder = StateGraph(State)
    builder.add_node("step", step)
    builder.add_node("done", done)
    builder.add_edge(START, "step")
    builder.add_edge("step", "done")
    builder.add_edge("done", END)
    return builder.compile(checkpointer=saver, interrupt_before=["done"])


CONFIG = {"configurable": {"thread_id": "4d1e0f0c-0000-4000-8000-000000000001"}}


def test_a_run_that_stopped_goes_on_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "home" / "checkpoints.sqlite"
    with open_checkpointer(path) as saver:
        assert graph(saver).invoke({"log": ["begin"]}, CONFIG)["log"] == ["begin", "step"]
    with open_checkpointer(path) as saver:
        found = graph(saver).invoke(None, CONFIG)
    assert found["log"] == ["begin", "step", "done"]
    assert found["case"].promoted_by == "A0001", "a record comes back as a record"


def test_the_server_and_the_command_line_share_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGMALOOP_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    async def serve() -> Any:
        async with create_checkpointer() as saver:
            return await graph(saver).ainvoke(None, CONFIG)

    with open_checkpointer(tmp_path / "checkpoints.sqlite") as saver:
        graph(saver).invoke({"log": ["begin"]}, CONFIG)
        assert asyncio.run(serve())["log"] == ["begin", "step", "done"], "also while the file is open here"
        assert graph(saver).get_state(CONFIG).next == ()


def test_the_file_can_be_loaded_by_its_path_as_the_server_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGMALOOP_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert module.__file__ is not None
    spec = importlib.util.spec_from_file_location("user_checkpointer", module.__file__)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)

    async def use() -> bool:
        async with loaded.create_checkpointer() as saver:
            return isinstance(saver, BaseCheckpointSaver)

    assert asyncio.run(use())
    assert (tmp_path / "home" / "checkpoints.sqlite").is_file()


def test_a_server_that_never_closes_its_saver_can_still_exit(tmp_path: Path) -> None:
    code = (
        "import asyncio\n"
        "from sigmaloop.memory.checkpoints import create_checkpointer\n"
        "async def main():\n"
        "    global context\n"
        "    context = create_checkpointer()\n"
        "    await context.__aenter__()\n"
        "    print('open', flush=True)\n"
        "loop = asyncio.new_event_loop()\n"
        "loop.run_until_complete(main())\n"
        "raise SystemExit(7)\n"
    )
    environment = {"SIGMALOOP_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.stdout, done.returncode) == ("open\n", 7)


def test_a_checkpoint_can_name_our_records_but_no_other_code() -> None:
    rollout = Rollout(key=RolloutKey(agent="a", task_id="t", trial=0), seed=1, status="ok", reward=1.0)
    assert serializer().loads_typed(serializer().dumps_typed({"r": [rollout]})) == {"r": [rollout]}
    foreign = EmbedderId(kind="hash", model="m", dimension=1)
    assert not isinstance(serializer().loads_typed(serializer().dumps_typed(foreign)), EmbedderId)


def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.sqlite"
    path.write_bytes(b"garbage" * 1000)
    with (
        pytest.raises(StoreError, match=r"checkpoints\.sqlite cannot be used.*move it aside"),
        open_checkpointer(path),
    ):
        pass


def test_a_home_that_cannot_be_made_is_the_users_to_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="--home"), open_checkpointer(tmp_path / "file" / "home" / "c.sqlite"):
        pass
    monkeypatch.setenv("SIGMALOOP_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.chdir(tmp_path)

    async def use() -> None:
        async with create_checkpointer():
            pass

    with pytest.raises(BadInput, match="--home"):
        asyncio.run(use())


def spoil(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(sql).rowcount > 0


NEWEST = "(SELECT max(checkpoint_id) FROM checkpoints)"


def values_at(saver: BaseCheckpointSaver[Any], checkpoint_id: str) -> dict[str, Any]:
    """What a checkpoint of the run holds. Raises StoreError for a damaged one."""
    where = {**CONFIG["configurable"], "checkpoint_ns": "", "checkpoint_id": checkpoint_id}
    found = saver.get_tuple({"configurable": where})
    assert found is not None
    return found.checkpoint["channel_values"]


def test_the_checkpoints_of_a_run_are_listed_newest_first_with_what_they_hold(tmp_path: Path) -> None:
    with open_checkpointer(tmp_path / "checkpoints.sqlite") as saver:
        graph(saver).invoke({"log": ["begin"]}, CONFIG)
        graph(saver).invoke({"log": ["other"]}, {"configurable": {"thread_id": "another run"}})
        ids = checkpoint_ids(saver, CONFIG["configurable"]["thread_id"])
        assert [values_at(saver, one).get("log") for one in ids] == [["begin", "step"], ["begin"], None]
        assert ids == sorted(ids, reverse=True)
        older = {"configurable": {**CONFIG["configurable"], "checkpoint_ns": "", "checkpoint_id": ids[1]}}
        assert graph(saver).get_state(older).values["log"] == ["begin"]
        assert checkpoint_ids(saver, "no such run") == []


@pytest.mark.parametrize(
    "sql",
    [
        f"UPDATE checkpoints SET checkpoint = x'6761726261676521' WHERE checkpoint_id = {NEWEST}",
        f"UPDATE checkpoints SET checkpoint = x'' WHERE checkpoint_id = {NEWEST}",
        f"UPDATE checkpoints SET checkpoint = x'07' WHERE checkpoint_id = {NEWEST}",
        f"UPDATE checkpoints SET checkpoint = x'80' WHERE checkpoint_id = {NEWEST}",
        f"UPDATE checkpoints SET type = 'unheard of' WHERE checkpoint_id = {NEWEST}",
        f"UPDATE checkpoints SET metadata = '{{' WHERE checkpoint_id = {NEWEST}",
    ],
)
def test_a_damaged_checkpoint_is_named_and_hides_no_other(
    tmp_path: Path, sql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGMALOOP_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "checkpoints.sqlite"
    run_id = CONFIG["configurable"]["thread_id"]
    with open_checkpointer(path) as saver:
        graph(saver).invoke({"log": ["begin"]}, CONFIG)
        newest, *older = checkpoint_ids(saver, run_id)
    spoil(path, sql)

    async def serve() -> None:
        async with create_checkpointer() as saver:
            await graph(saver).aget_state(CONFIG)

    with open_checkpointer(path, readonly=True) as saver:
        for read in (lambda: graph(saver).get_state(CONFIG), lambda: asyncio.run(serve())):
            with pytest.raises(
                StoreError, match=rf"checkpoints\.sqlite: checkpoint {newest} of run {run_id} cannot be"
            ):
                read()
        assert checkpoint_ids(saver, run_id) == [newest, *older]
        with pytest.raises(StoreError, match=newest):
            values_at(saver, newest)
        assert values_at(saver, older[0]) == {"log": ["begin"], "branch:to:step": None}
        with pytest.raises(StoreError, match=f"of run {run_id} cannot be read"):
            list(graph(saver).get_state_history(CONFIG))


def test_damaged_writes_of_a_checkpoint_are_named_too(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.sqlite"
    with open_checkpointer(path) as saver:
        graph(saver).invoke({"log": ["begin"]}, CONFIG)
    spoil(path, "UPDATE writes SET value = x'c1'")
    with open_checkpointer(path, readonly=True) as saver:
        problems = []
        for one in checkpoint_ids(saver, CONFIG["configurable"]["thread_id"]):
            try:
                values_at(saver, one)
            except StoreError as error:
                problems.append(str(error))
        assert any("cannot be read" in problem for problem in problems)


def test_a_reader_makes_no_file_and_finds_nothing_where_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "home" / "checkpoints.sqlite"
    with open_checkpointer(path, readonly=True) as saver:
        assert graph(saver).get_state(CONFIG).values == {}
    assert list(tmp_path.iterdir()) == []
    path.parent.mkdir()
    path.touch()  # of a process that was killed before it had made the tables
    with open_checkpointer(path, readonly=True) as saver:
        assert graph(saver).get_state(CONFIG).values == {}
    assert path.read_bytes() == b""


def test_a_reader_changes_nothing_and_cannot(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.sqlite"
    with open_checkpointer(path) as saver:
        graph(saver).invoke({"log": ["begin"]}, CONFIG)
    before = path.read_bytes()
    with open_checkpointer(path, readonly=True) as saver:
        assert graph(saver).get_state(CONFIG).values["log"] == ["begin", "step"]
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            graph(saver).invoke(None, CONFIG)
    assert path.read_bytes() == before


@pytest.mark.parametrize("killed", [False, True], ids=["at rest", "left by a killed process"])
def test_a_home_that_may_only_be_read_can_be_read(
    killed: bool, only_readable: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "checkpoints.sqlite"
    with open_checkpointer(path) as saver:
        graph(saver).invoke({"log": ["begin"]}, CONFIG)
        if killed:
            with only_readable(path, "-wal") as copy, open_checkpointer(copy, readonly=True) as reader:
                assert graph(reader).get_state(CONFIG).values["log"] == ["begin", "step"]
            return
    with only_readable(path) as copy, open_checkpointer(copy, readonly=True) as reader:
        assert graph(reader).get_state(CONFIG).values["log"] == ["begin", "step"]
