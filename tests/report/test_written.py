"""What a run writes for its readers: places of rollouts, tasks of certificates, signs of life, pauses, the page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sigmaloop.graph.events import AttemptStarted, Kept, Learned, RolloutDone
from sigmaloop.graph.prepare import note_program
from sigmaloop.graph.pulse import Pulse, note_pause
from sigmaloop.graph.run import Run
from sigmaloop.memory.facts import HEARTBEAT, MADE_BY, ONE, PAUSED
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.overview import results, spending
from sigmaloop.settings import load_settings

SMALL = {"benchmark": "small:Mendable", "batches": 1, "batch_size": 6, "attempts": 2, "certify_trials": 1}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    home = tmp_path_factory.mktemp("written")
    run = Run.start(load_settings(home=home, upstream="simulated", seed=0, **SMALL))
    run.go()
    return run


def test_every_rollout_says_what_it_was_made_for(finished: Run) -> None:
    with Journal(finished.paths.journal, readonly=True) as journal:
        found = results(journal)
        assert journal.usage(batch=1)["harness_engineer"].calls > 0, "specialists are booked to their batch"
        assert all(spent.batch == 1 for spent in spending(journal) if spent.role != "target")
    places = {(result.stage, result.split) for result in found}
    assert {("traffic", "train"), ("cluster_tasks", "train"), ("validation", "validation")} <= places
    assert {("certify on test", "test"), ("certify on validation", "validation")} <= places
    assert {result.request_type for result in found} == {"task"}
    assert all(result.split == result.task_id.partition("-")[0] for result in found)


def test_a_certificate_holds_what_every_task_scored(finished: Run) -> None:
    found = finished.certificates()["test"]
    assert [scores.task_id for scores in found.by_task] == [f"test-{n}" for n in range(4)]
    assert all((scores.baseline, scores.final) == (0, 1) for scores in found.by_task)
    assert found.baseline_agent not in ("", found.agent)
    assert "by_task" not in json.dumps(finished.summary().as_json()), "numbers are shown without single tasks"
    assert "test-0" not in finished.paths.progress.read_text()
    assert "test-0" not in finished.paths.report.read_text(), "no sealed task is named"


def test_the_page_and_the_words_lie_beside_the_run_when_it_ends(finished: Run) -> None:
    report = finished.report()
    assert finished.paths.report.read_text().startswith("<!doctype html>")
    told = json.loads(finished.paths.progress.read_text())["report"]
    assert (told["state"], told["title"]) == (report.state, report.headline.title)
    assert report.headline.title in finished._repr_html_()
    assert len(finished.attempts()) == report.summary.attempts
    assert report.tasks is not None
    assert report.tasks.fixed == 4
    sums = {sum(line.tokens for line in table) for table in (report.costs.by_purpose, report.costs.by_batch)}
    assert sums == {report.summary.total.tokens}
    with Journal(finished.paths.journal, readonly=True) as journal:
        (made,) = journal.load_all(MADE_BY)
        beat = journal.load(HEARTBEAT, ONE)
    assert made.version == "0.1.0"
    assert made.at > 0
    assert beat is not None
    assert beat.stage == "certify on test"


def test_the_program_is_noted_once_a_call_and_without_a_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Journal(tmp_path / "j.sqlite") as journal:
        monkeypatch.setattr("sys.argv", ["/usr/bin/sigmaloop", "run", "--base-url", "http://me:secret@host/v1"])
        note_program(journal)
        note_program(journal)
        monkeypatch.setattr("sys.argv", ["sigmaloop", "resume"])
        note_program(journal)
        assert [made.command for made in journal.load_all(MADE_BY)] == [
            "sigmaloop run --base-url http://***@host/v1", "sigmaloop resume",
        ]  # fmt: skip


def test_signs_of_life_follow_the_news_and_a_pause_keeps_its_reason(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.sqlite") as journal:
        pulse = Pulse(journal)
        pulse.feel(AttemptStarted(id="A0001", attempt=1, cluster_id="C001", title="first"))
        pulse.feel(Kept(id="A0001", summary="s", reward_micros=1))
        pulse.feel(RolloutDone(stage="validation", passed=True, status="ok"))
        beat = journal.load(HEARTBEAT, ONE)
        assert beat is not None
        assert (beat.candidate, beat.cluster, beat.attempt, beat.kept) == ("A0001", "C001 first", 1, 1)
        assert beat.stage == "", "a single rollout is no news so soon after other news"
        pulse.feel(Learned(id="A0001", outcome="kept", gate=None, reason="kept"))
        note_pause(journal, {"reason": "outage", "message": "503"})
        note_pause(journal, {"question": "Keep A0002?", "answers": ["approve"]})
        assert [(p.reason, p.message, p.asked) for p in journal.load_all(PAUSED)] == [("review", "Keep A0002?", True)]
        journal.append("something", "s", {})
        note_pause(journal, {"reason": "outage", "message": "503"})
        assert [p.reason for p in journal.load_all(PAUSED)] == ["review", "outage"]
