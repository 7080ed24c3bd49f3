"""A whole run on a slice of helpdesk: every promise that holds for its records, repository and views."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sigmaloop.errors import BadInput, Busy
from sigmaloop.graph.build import build_graph
from sigmaloop.graph.rebuild import rebuilt
from sigmaloop.graph.run import Run
from sigmaloop.memory.checkpoints import open_checkpointer
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.lock import HomeLock
from sigmaloop.memory.runs import checkpoints_path
from sigmaloop.settings import Settings, load_settings
from sigmaloop.tools.versions import Versions

SMALL = {"benchmark": "small:SmallHelpdesk", "batch_size": 8, "attempts": 3, "certify_trials": 1, "concurrency": 2}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, list[dict[str, object]]]:
    home = tmp_path_factory.mktemp("finished") / "home"
    run = Run.start(load_settings(home=home, batches=3, upstream="simulated", **SMALL))
    return run, list(run.follow())


def test_a_run_goes_from_start_to_certification(finished: tuple[Run, list[dict[str, object]]]) -> None:
    run, events = finished
    names = [e.event for e in events]
    assert names[0] == "baseline_started"
    assert names[-1] == "stopped"
    assert run.condition == "finished"
    for name in ("traffic", "failure", "cluster_created", "attempt", "verdict", "learned", "certificate"):
        assert name in names
    assert run.summary().certificate is not None


def test_every_attempt_is_in_the_ledger_and_in_the_repository(
    finished: tuple[Run, list[dict[str, object]]],
) -> None:
    run, events = finished
    attempts = [e.id for e in events if e.event == "attempt"]
    ledger = run.ledger()
    assert [entry.candidate_id for entry in ledger] == attempts
    versions = Versions(run.paths.versions)
    for entry in ledger:
        if entry.commit:
            assert versions.source(entry.commit) != versions.source(entry.parent)
            assert entry.cluster_id in run.clusters()


def test_main_holds_the_kept_agents_and_nothing_else(finished: tuple[Run, list[dict[str, object]]]) -> None:
    run, _ = finished
    kept = [entry.commit for entry in run.ledger() if entry.outcome == "kept"]
    versions = Versions(run.paths.versions)
    assert versions.main() == (kept[-1] if kept else versions.baseline())
    assert run.state["incumbent"] == versions.main()
    tried = [version for version in versions.history() if version.candidate_id]
    assert {version.evidence["Model"] for version in tried} == {"simulated model"}


def test_the_views_tell_what_the_journal_says(finished: tuple[Run, list[dict[str, object]]]) -> None:
    run, _ = finished
    rows = (run.paths.root / "results.tsv").read_text().splitlines()
    assert len(rows) == 1 + len(run.ledger())
    suite = json.loads((run.paths.root / "suite.json").read_text())
    assert len(suite if isinstance(suite, list) else suite["cases"]) == len(run.suite())
    assert (run.paths.root / "learnings.md").read_text().strip()
    with Journal(run.paths.journal, readonly=True) as journal:
        journal.verify()


def test_state_is_ids_and_counters_only(finished: tuple[Run, list[dict[str, object]]]) -> None:
    run, _ = finished
    assert len(json.dumps(run.state)) < 2_000


def test_validation_and_test_tasks_never_reach_a_specialist(
    finished: tuple[Run, list[dict[str, object]]],
) -> None:
    run, _ = finished
    from small import SmallHelpdesk

    sealed = {t.id for split in ("validation", "test") for t in SmallHelpdesk().tasks(split)}  # type: ignore[arg-type]
    told = [f.model_dump_json() for f in run.failures()] + [x.model_dump_json() for x in run.learnings()]
    assert not [task for task in sealed if any(task in text for text in told)]
    assert not [task for task in sealed if task in run.agent()]


def test_the_state_folded_from_the_journal_is_the_one_of_the_checkpoint(
    finished: tuple[Run, list[dict[str, object]]],
) -> None:
    run, _ = finished
    volatile = {"run_id", "window", "failed", "mined", "reason", "verdicts", "paused_gate", "outcome"}
    volatile |= {"cluster", "score", "verdict", "diff", "kept"}  # for people who read the state; made from the journal
    compared = []
    with open_checkpointer(checkpoints_path(run.home)) as saver, Journal(run.paths.journal, readonly=True) as journal:
        graph = build_graph(saver)
        for snapshot in graph.get_state_history({"configurable": {"thread_id": run.id}}):
            behind_attempt = snapshot.values.get("reason", "").startswith("learned_")
            if not behind_attempt and snapshot.values.get("reason") != "baseline_scored":
                continue
            stand = rebuilt(journal, length=snapshot.values["journal"])
            assert stand is not None
            assert stand.after == ("learn" if behind_attempt else "baseline")
            left, right = ({k: v for k, v in d.items() if k not in volatile} for d in (stand.values, snapshot.values))
            assert left == right
            compared.append(stand.after)
    assert compared.count("baseline") == 1
    assert compared.count("learn") == len(run.ledger())


def test_a_run_can_be_followed_batch_by_batch(small_settings: Settings) -> None:
    run = Run.start(small_settings)
    assert run.condition == "new"
    for _ in run.follow(batches=1):
        pass
    assert run.state["batch"] == 1
    assert run.condition == "ready"
    assert run.next == ("simulate",)
    for _ in run.follow():
        pass
    assert run.condition == "finished"


def test_a_person_can_be_asked_before_a_change_is_kept(home: Path) -> None:
    small = {**SMALL, "benchmark": "small:Mendable", "upstream": "simulated", "review": "person"}
    run = Run.start(load_settings(home=home, batches=2, **small))
    asked = 0
    for _ in range(20):
        for _ in run.follow(answer="decline"):
            pass
        if run.condition != "paused":
            break
        asked += 1
        question = run.question
        assert question is not None
        assert "diff" in question
    assert asked
    assert run.summary().kept == 0
    assert run.summary().rejected["review"] == asked


def test_a_second_run_in_a_busy_home_is_refused(small_settings: Settings) -> None:
    import subprocess
    import sys

    held = subprocess.Popen(
        [
            sys.executable, "-c",
            "import sys, pathlib; from sigmaloop.memory.lock import HomeLock\n"
            "with HomeLock(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()",
            str(small_settings.home),
        ],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert held.stdout is not None
        assert held.stdout.readline() == "held\n"
        with pytest.raises(Busy, match=str(held.pid)):
            Run.start(small_settings)
    finally:
        held.communicate("")
    with HomeLock(small_settings.home):
        pass


def test_an_unknown_run_is_named(home: Path) -> None:
    with pytest.raises(BadInput, match="no run"):
        Run.open("nonesuch", home=home)
