"""Taking an agent out of a run: only with open eyes, and without harm to what the user has."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from made_records import started

from sigmaloop.cli.main import main
from sigmaloop.graph.build import build_graph
from sigmaloop.memory.checkpoints import open_checkpointer
from sigmaloop.memory.facts import ClusterCreated
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.runs import RunPaths, checkpoints_path
from sigmaloop.records import Certificate, LedgerEntry, agent_hash
from sigmaloop.settings import load_settings
from sigmaloop.tools.versions import Versions

BASE = "NAME = 'a'\n\n\ndef run(session):\n    first = 1\n    second = 2\n    return first\n"
FIRST = BASE.replace("return first", "return second")
SECOND = FIRST.replace("second = 2", "second = 3")
RUN = "12345678-run"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "agent.py").write_text(BASE)
    return tmp_path


def made(*, finished: bool = True, **certified: float) -> None:
    """A run that kept two changes, with a certificate for each agent named: the lower end of its interval."""
    settings = load_settings(agent=Path("agent.py"), upstream="simulated")
    paths = RunPaths(settings.home, RUN)
    paths.make()
    versions = Versions(paths.versions)
    parent = versions.begin(BASE, "baseline")
    with Journal(paths.journal) as journal:
        journal.write(started(settings))
        journal.write(ClusterCreated(batch=1, cluster_id="C001", title="t", root_cause="r"))
        for number, source in enumerate((FIRST, SECOND), 1):
            candidate, before = f"A{number:04d}", parent
            parent = versions.record(candidate, parent, source, f"{candidate}: better")
            versions.keep(parent)
            entry = LedgerEntry(
                candidate_id=candidate, batch=1, attempt=number, cluster_id="C001", cluster_title="t", parent=before,
                commit=parent, agent=agent_hash(source), kind="prompt", summary="s", hypothesis="h", outcome="kept",
                gate=None, reason="kept",
            )  # fmt: skip
            stored = {"id": candidate, "commit": parent, "parent": before, "agent": agent_hash(source)}
            journal.put("candidate", candidate, stored)
            journal.append("ledger", f"ledger:{candidate}", entry.model_dump(mode="json"), batch=1)
        for name, low in certified.items():
            source = {"first": FIRST, "second": SECOND}[name]
            certificate = Certificate(
                split="test", agent=agent_hash(source), tasks=100, trials=4, baseline=0.5, final=low + 0.6,
                difference=low + 0.1, standard_error=0.1 / 1.98422, simulated=True,
            )  # fmt: skip
            journal.append("certificate", f"certificate:{name}", certificate.model_dump(mode="json"))
    if finished:
        with open_checkpointer(checkpoints_path(settings.home)) as saver:
            config: RunnableConfig = {"configurable": {"thread_id": RUN}}
            build_graph(saver).update_state(config, {"run_id": RUN, "incumbent": parent}, as_node="certify")


def apply(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[Any, dict[str, Any]]:
    with pytest.raises(SystemExit) as ended:
        main(["apply", *arguments, "--json"])
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return ended.value.code, told


def test_a_run_that_is_not_finished_says_so_and_asks(capsys: Any, folder: Path) -> None:
    made(finished=False)
    code, told = apply(capsys, "--output", "better.py")
    assert code == 2
    assert "is new, not finished" in told["error"]
    assert "--uncertified" in told["error"]
    assert not (folder / "better.py").exists()
    code, told = apply(capsys, "--output", "better.py", "--uncertified")
    assert (code, (folder / "better.py").read_text()) == (0, SECOND)
    assert "not finished" in told["doubt"]


def test_a_certificate_that_shows_nothing_asks_and_one_that_does_is_enough(capsys: Any, folder: Path) -> None:
    made(second=-0.02)
    code, told = apply(capsys, "--output", "better.py")
    assert code == 2
    assert "does not show that the kept agent is better (+8.0 points, 95 % interval -2.0 to +18.0)" in told["error"]


def test_an_agent_that_is_certified_is_taken_without_a_question(capsys: Any, folder: Path) -> None:
    made(second=0.02)
    code, told = apply(capsys, "--output", "better.py")
    assert (code, told["doubt"], (folder / "better.py").read_text()) == (0, "", SECOND)
    assert told["simulated"]
    with pytest.raises(SystemExit):
        main(["apply", "--output", "again.py"])
    assert "made and measured by the simulated model" in capsys.readouterr().err


def test_an_earlier_certified_agent_or_the_baseline_can_be_chosen(capsys: Any, folder: Path) -> None:
    made(first=0.01, second=-0.02)
    assert apply(capsys, "--output", "certified.py", "--agent-of", "certified")[0] == 0
    assert (folder / "certified.py").read_text() == FIRST
    assert apply(capsys, "--output", "baseline.py", "--agent-of", "baseline")[0] == 0
    assert (folder / "baseline.py").read_text() == BASE


def test_without_a_certified_agent_there_is_none_to_choose(capsys: Any) -> None:
    made(second=-0.02)
    code, told = apply(capsys, "--output", "certified.py", "--agent-of", "certified")
    assert code == 2
    assert "certified no agent" in told["error"]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_order_mark_survive_every_way_out(capsys: Any, folder: Path, mark: bytes) -> None:
    made()
    (folder / "mine").mkdir()
    users = mark + BASE.replace("\n", "\r\n").encode()
    for place in (folder / "agent.py", folder / "mine/agent.py"):
        place.write_bytes(users)
    assert load_settings(agent=folder / "agent.py").agent_source() == BASE
    git = ["git", "-c", "user.name=u", "-c", "user.email=u@example.org", "-c", "core.autocrlf=false", "-C", "mine"]
    for line in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *line], check=True)
    ways = ("--output", "out.py", "--patch", "out.patch", "--branch", "x", "--repo", "mine", "--path", "agent.py")
    code, told = apply(capsys, *ways, "--uncertified")
    assert code == 0, told
    wanted = mark + SECOND.replace("\n", "\r\n").encode()
    assert (folder / "out.py").read_bytes() == wanted
    assert subprocess.run([*git, "show", "x:agent.py"], capture_output=True, check=True).stdout == wanted
    subprocess.run([*git, "apply", str(folder / "out.patch")], check=True)
    assert (folder / "mine/agent.py").read_bytes() == wanted
