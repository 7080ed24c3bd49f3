"""The report of a run: every state has its sentence, and says it in every place alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_runs import certificate, made_run

from sigmaloop.cli.report_text import report_lines
from sigmaloop.errors import BadInput
from sigmaloop.gate.canaries import CopiesKept
from sigmaloop.memory.facts import HEARTBEAT, ONE, Heartbeat, ModelAnswered
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.runs import RunPaths
from sigmaloop.report.agreement import differ
from sigmaloop.report.build import build_report
from sigmaloop.report.compare import compared
from sigmaloop.report.files import write_page
from sigmaloop.report.known_changes import KnownChange, at_least, canary_sentence, suspicious
from sigmaloop.report.page import notebook_page, page
from sigmaloop.report.record import Report
from sigmaloop.report.tables import Table
from sigmaloop.report.words import amount, masked, percent, points, signed

REVIEW = {"question": "Keep A0002?", "hypothesis": "h", "judge": "sound", "diff": "+x", "answers": ["approve"]}
OUTAGE = {"reason": "outage", "message": "the endpoint said 503. Fix this, then run `sigmaloop resume`"}


def report_of(paths: RunPaths, condition: str = "finished", **more: Any) -> Report:
    with Journal(paths.journal, readonly=True) as journal:
        return build_report(paths, journal, condition=condition, **more)


def text_of(report: Report) -> str:
    return " ".join(" ".join(line.text.split()) for line in report_lines(report))


WORSE = certificate(difference=-0.1, final=0.3)
OPEN = certificate(difference=0.01, final=0.41)
FEW = certificate(tasks=4)


@pytest.mark.parametrize(
    ("made", "asked", "state", "title"),
    [
        ({"certificates": [certificate()]}, {}, "better", "Your agent solves 50% of unseen tasks. Before"),
        ({"certificates": [WORSE]}, {}, "worse", "the old one solved 40%. Keep the old one."),
        ({"certificates": [OPEN]}, {}, "unproven", "Chance alone could explain that."),
        ({"certificates": [FEW]}, {}, "unproven", "Too few tasks to tell."),
        ({"certificates": [certificate("validation")]}, {}, "better", "solves 50% of held-out tasks"),
        ({"certificates": [certificate()], "kept": ()}, {}, "unchanged", "None of 6 attempts passed the gate."),
        ({}, {}, "uncertified", "without a certificate"),
        ({}, {"condition": "paused", "question": REVIEW}, "waiting", "The run is waiting for you."),
        ({}, {"condition": "paused", "question": OUTAGE}, "paused", "paused itself and can go on"),
        ({}, {"condition": "ready"}, "stopped", "The run stopped in batch 1 of 3. Nothing is lost"),
        ({}, {"condition": "ready", "process": 7}, "running", "Batch 1 of 3, attempt 7 of 18."),
        ({"begun": False}, {"condition": "new"}, "new", "has not begun"),
    ],
)  # fmt: skip
def test_every_state_says_its_sentence_on_the_page_in_the_terminal_and_to_machines(
    tmp_path: Path, made: dict[str, Any], asked: dict[str, Any], state: str, title: str
) -> None:
    paths = made_run(tmp_path, **made)
    report = report_of(paths, **asked)
    assert report.state == state
    assert title in report.headline.title
    drawn = page(report)
    assert report.headline.title in drawn
    assert report.headline.title in notebook_page(report)
    assert ":root" not in notebook_page(report), "a notebook's own colours stay as they are"
    assert text_of(report).startswith(report.headline.badge.upper())
    for said in report.headline.evidence:
        assert said in text_of(report)
        assert said in drawn
    write_page(paths, report)
    assert json.loads(paths.progress.read_text())["report"]["title"] == report.headline.title
    assert paths.report.read_text() == drawn
    assert ('http-equiv="refresh"' in drawn) == (state == "running")


def test_two_certificates_that_differ_by_more_than_chance_are_said_to_differ_in_every_place(tmp_path: Path) -> None:
    apart = [certificate(difference=0.31, standard_error=0.03), certificate("validation", difference=0.142)]
    report = report_of(made_run(tmp_path / "a", certificates=apart))
    said = "the two differ by more than chance, so expect the smaller"
    for place in (page(report), text_of(report), notebook_page(report), json.dumps(report.sentences())):
        assert said in place
    assert any(check.title == "Test against held-out" for check in report.cautions)
    near = [certificate(), certificate("validation", difference=0.12)]
    alike = report_of(made_run(tmp_path / "b", certificates=near))
    assert said not in page(alike) + text_of(alike)


@settings(max_examples=50, deadline=None)
@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0.001, 0.2), st.floats(0.001, 0.2))
def test_differing_is_mutual_and_needs_more_than_its_error(a: float, b: float, ea: float, eb: float) -> None:
    one = certificate(difference=a, standard_error=ea)
    other = certificate("validation", difference=b, standard_error=eb)
    assert differ(one, other) == differ(other, one)
    assert not differ(one, one.model_copy(update={"split": "validation"}))
    if differ(one, other):
        assert abs(a - b) > 1.96 * max(ea, eb)


def test_a_stand_in_behind_an_address_is_told_by_the_name_that_it_answers_with(tmp_path: Path) -> None:
    paths = made_run(tmp_path, certificates=[certificate()])
    assert not report_of(paths).banner
    with Journal(paths.journal) as journal:
        journal.write(ModelAnswered(role="target", name="simulated-target", first=True))
    report = report_of(paths)
    assert report.banner
    assert report.banner in page(report)
    assert "simulated model" in text_of(report)
    assert report.summary.simulated
    assert report.summary.certificate is not None
    assert report.summary.certificate.simulated


def test_an_attempt_says_by_how_much_it_missed_why_it_failed_and_what_it_cost(tmp_path: Path) -> None:
    first, second, third, *_ = report_of(made_run(tmp_path)).attempts
    assert first.by == "0 of 2 trials passed, 1 of 2 needed"
    assert first.detail == "the refund is missing"
    assert (first.tokens, second.group) == (1500, "kept")
    assert second.effect is not None
    assert (round(second.effect.low, 3), round(second.effect.high, 3)) == (0.011, 0.089)
    assert third.group == "cluster_tasks"
    report = report_of(made_run(tmp_path / "more"))
    assert [line.passed for line in report.funnel] == [6, 6, 3, 3, 1]
    for table in (report.costs.by_purpose, report.costs.by_role, report.costs.by_batch, report.costs.by_cluster):
        assert sum(line.tokens for line in table) == 6 * 1500, "each table adds up to the whole"


def test_a_run_of_an_older_version_and_one_whose_benchmark_is_gone_are_told_as_well(tmp_path: Path) -> None:
    old = certificate(by_task=(), baseline_agent="")
    report = report_of(made_run(tmp_path, certificates=[old], told=False, benchmark="gone:Gone"))
    assert report.state == "better"
    assert report.tasks is None
    assert report.attempts[0].detail == "the refund is missing", "its task came by in traffic"
    assert 'id="tasks"' not in page(report)


def test_a_run_that_was_cut_off_shows_its_last_sign_of_life(tmp_path: Path) -> None:
    paths = made_run(tmp_path, certificates=())
    with Journal(paths.journal) as journal:
        beat = Heartbeat(batch=1, candidate="A0007", cluster="C001 first", stage="validation", done=62, of=200)
        journal.stamp(HEARTBEAT, ONE, beat)
    report = report_of(paths, "ready")
    assert report.live is not None
    assert report.live.text.startswith("A0007 on C001 first, held-out tasks 62 of 200, at ")
    assert report.live.seconds < 3600
    assert report.live.text in page(report)


def test_a_run_without_a_first_fact_is_refused_with_what_to_do(tmp_path: Path) -> None:
    paths = RunPaths(tmp_path, "x")
    Journal(paths.journal).close()
    with pytest.raises(BadInput, match="start another"):
        report_of(paths)


def known(name: str, worth: str, stopped: str, *, compared: bool) -> KnownChange:
    return KnownChange(
        id=name, worth=worth, batch=1, straight=compared, stopped_at=stopped, by="1 of 4", compared=compared  # type: ignore[arg-type]
    )  # fmt: skip


def test_known_changes_are_told_with_the_stage_that_stopped_them_and_what_to_think_of_it() -> None:
    usual = CopiesKept(straight=0.2, whole=0.1)
    changes = [
        known("K001", "identical", "passed", compared=True),
        known("K002", "identical", "cluster_tasks", compared=False),
        known("K003", "identical", "validation", compared=True),
        known("K004", "harmful", "regression", compared=False),
    ]
    said = canary_sentence(changes, usual)
    assert "of 3 byte-identical changes the gate kept 1, and stopped K002 at own failures (1 of 4) and K003" in said
    assert "K004 at earlier fix" in said
    assert "1 or more happen in 42% of runs: that is usual" in said
    assert "2 of 4 reached the comparison" in said
    assert suspicious(changes, usual) == ""
    assert "more copies pass than it should" in suspicious([changes[0]] * 3, usual)
    assert "harmful" in suspicious([known("K4", "harmful", "passed", compared=True)], usual)
    assert "none of them reached" in canary_sentence([changes[1]], None).lower()
    assert "say nothing about it" in suspicious([changes[1]], None)
    assert canary_sentence([], usual) == ""


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), max_size=6))
def test_the_chance_of_so_many_copies_falls_with_their_number(rates: list[float]) -> None:
    chances = [at_least(kept, rates) or 0.0 for kept in range(len(rates) + 2)]
    assert chances[0] == pytest.approx(1)
    assert chances == sorted(chances, reverse=True)
    assert chances[-1] == 0


def test_rows_become_a_frame_where_pandas_is_and_say_what_is_missing_where_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = Table(report_of(made_run(tmp_path)).attempts, leave_out=("diff",))
    shown = table._repr_html_()
    assert '<th scope="col">id</th>' in shown
    assert "diff</th>" not in shown
    assert [row.id for row in table[:2]] == ["A0001", "A0002"]
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(BadInput, match="pip install pandas"):
        table.to_frame()


def test_a_frame_has_a_line_a_row_and_a_column_a_number(tmp_path: Path) -> None:
    pytest.importorskip("pandas", reason="pandas is not installed")
    frame = Table(report_of(made_run(tmp_path)).attempts).to_frame()
    assert len(frame) == 6
    assert frame["effect.difference"].notna().sum() == 3


def test_two_agents_are_compared_task_by_task() -> None:
    before, after = {f"t{n}": 0.0 for n in range(6)}, {f"t{n}": float(n < 3) for n in range(5)}
    found = compared("a", "b", before, after, where="w", request_types={"t0": "refund"})
    assert (found.tasks, found.difference, found.flips.fixed, found.flips.same) == (5, 0.6, 3, 2)
    assert found.sentence.startswith("0% against 60% of 5 tasks: +60.0 points, with 95% confidence between")
    assert found.sentence.endswith("Chance alone could explain that.")
    with pytest.raises(BadInput, match="no task in common"):
        compared("a", "b", {"x": 1.0}, {"y": 1.0}, where="w", request_types={})


def test_numbers_are_written_alike_everywhere() -> None:
    assert (points(0.11), points(-0.06), signed(0.04)) == ("+11.0", "\u22126.0", "0.0")
    assert (percent(0.999), percent(0.00001), percent(1)) == ("99.9%", "<0.1%", "100%")
    assert [amount(n) for n in (312, 950_400, 72_400_000, 303_000_000)] == ["312", "950 k", "72.4 M", "303 M"]
    assert masked("http://user:word@host/v1") == "http://***@host/v1"
