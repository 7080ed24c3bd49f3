"""Where a run stands, read without LangGraph: the same as the library says, for every checkpoint and half-way."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from sigmaloop.errors import StoreError
from sigmaloop.graph.build import build_graph
from sigmaloop.graph.position import position, position_of_run
from sigmaloop.graph.run import Run
from sigmaloop.memory.checkpoint_file import CheckpointFile
from sigmaloop.memory.checkpoints import checkpoint_ids, open_checkpointer
from sigmaloop.memory.runs import checkpoints_path
from sigmaloop.settings import load_settings

SMALL = {
    "benchmark": "small:TinyHelpdesk", "batches": 1, "batch_size": 8, "attempts": 2, "certify_trials": 1,
    "concurrency": 2, "upstream": "simulated", "policy": "reference", "review": "person",
    "canaries": 0, "harmful_canaries": 0, "seed": 1,
}  # fmt: skip


def agree(run: Run) -> tuple[set[tuple[str, ...]], set[str]]:
    """Compare every checkpoint of a run; what ran next at each, and the kinds of places that were met."""
    copy = run.home / "copied.sqlite"  # the run goes on writing while two readers compare
    copy.unlink(missing_ok=True)
    with closing(sqlite3.connect(checkpoints_path(run.home))) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    file, met, places = CheckpointFile(copy), set(), set()
    with open_checkpointer(copy, readonly=True) as saver:
        graph = build_graph(saver)
        names = checkpoint_ids(saver, run.id)
        assert file.ids(run.id) == names
        for name in names:
            newest = name == names[0]
            at = {"thread_id": run.id} if newest else {"thread_id": run.id, "checkpoint_id": name}
            theirs, ours = graph.get_state({"configurable": at}), position(file.read(run.id, name), newest=newest)
            assert ours.values == theirs.values
            assert ours.next == theirs.next
            assert ours.questions == tuple(question.value for question in theirs.interrupts)
            assert ours.idle == (not theirs.tasks)
            met.add(ours.next)
            places |= {"half-way"} if len(ours.next) < len(theirs.tasks) else set()
            places |= {"waiting"} if ours.questions else {"end"} if ours.idle else set()
    return met, places


@pytest.mark.slow
def test_a_position_is_what_the_library_says_at_every_moment_of_a_run(tmp_path: Path) -> None:
    run = Run.start(load_settings(home=tmp_path / "home", **SMALL))
    assert run.condition == "new"
    met: set[tuple[str, ...]] = set()
    places: set[str] = set()
    for answer in (None, "decline", "approve", "approve"):
        for number, _ in enumerate(run.follow(answer=answer)):
            if number % 5 == 0:
                more, found = agree(run)
                met, places = met | more, places | found
        more, found = agree(run)
        met, places = met | more, places | found
        if run.condition == "finished":
            break
    assert places == {"half-way", "waiting", "end"}
    assert {"propose", "review", "simulate", "certify"} <= {node for nodes in met for node in nodes}
    assert any(nodes[:2] == ("mine", "mine") for nodes in met)


def test_no_file_is_no_position_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.sqlite"
    assert position_of_run(path, "any", lambda _values: None).values == {}
    assert not path.exists()
    path.write_bytes(b"no database" * 100)
    with pytest.raises(StoreError, match=r"checkpoints\.sqlite cannot be used"):
        position_of_run(path, "any", lambda _values: None)


def test_a_run_is_read_without_loading_the_graph() -> None:
    program = (
        "import sys, sigmaloop.graph.run\nprint(*{'langgraph', 'langchain', 'chromadb', 'aiohttp'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
