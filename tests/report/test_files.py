"""Views: they say what the journal says, byte for byte the same each time, and a model's words stay words in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sigmaloop.errors import BadInput
from sigmaloop.memory.facts import (
    FORM,
    AttemptEnded,
    BaselineMeasured,
    BatchStarted,
    ClusterCreated,
    Promoted,
    RunStarted,
)
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.runs import RunPaths
from sigmaloop.records import Certificate, Learning, LedgerEntry, Usage, Verdict
from sigmaloop.report.files import COLUMNS, in_points, render_results, write_views
from sigmaloop.report.learnings import quoted, render_learnings

Make = Callable[..., Any]


def fill(journal: Journal, make_entry: Make) -> None:
    started = {"settings": {"suite_cap": 2}, "benchmark": "b", "models": ("t", "s"), "prompts": {}, "tier": "none"}
    journal.write(RunStarted(**started, simulated=True, form=FORM))
    journal.write(BaselineMeasured(commit="c", reward_micros=55_000_000, tasks=100))
    journal.write(BatchStarted(batch=1, agent="c", tasks=("t1",), passed=0, infra=0))
    journal.write(ClusterCreated(batch=1, cluster_id="C001", title="t", root_cause="r"))
    kept = make_entry(2, outcome="kept", gate=None, reason="kept", score_micros=61_000_000)
    for entry in (make_entry(1), kept):
        journal.write(AttemptEnded(batch=1, entry=entry))
    for number in (1, 2, 3):
        case = {"task_id": f"t{number}", "candidate_id": "A0002", "cluster_id": "C001", "passes": 1}
        journal.write(Promoted(batch=1, **case))
    journal.add_usage("u", "target", 1, "t", Usage(calls=4, cost=0.5))


def test_the_four_files_say_what_the_journal_says(
    journal: Journal, tmp_path: Path, make_entry: Make, make_learning: Make
) -> None:
    fill(journal, make_entry)
    paths = RunPaths(tmp_path, "run-1")
    write_views(paths, journal, learnings=[make_learning(1), make_learning(2)])
    assert [case["task_id"] for case in json.loads(paths.suite.read_text())] == ["t1", "t2"], "cap of the settings"
    lines = paths.results.read_text().splitlines()
    assert lines[0].split("\t") == list(COLUMNS)
    assert [line.split("\t")[0] for line in lines[1:]] == ["A0001", "A0002"], "rejected attempts too"
    assert {line.split("\t")[-1] for line in lines[1:]} == {"simulated model"}
    assert {case["model"] for case in json.loads(paths.suite.read_text())} == {"simulated model"}
    assert "## C001" in paths.learnings.read_text()
    assert "*simulated model*" in paths.learnings.read_text()
    progress = json.loads(paths.progress.read_text())
    assert (progress["attempts"], progress["kept"], progress["rejected"]) == (2, 1, {"validation": 1})
    assert (progress["batch"], progress["suite"], progress["best_micros"]) == (1, 2, 61_000_000)
    assert progress["usage"]["target"]["calls"] == 4
    assert progress["head"] == journal.head()
    assert progress["clusters"] == {"active": 1}


def test_views_are_the_same_bytes_when_they_are_written_again_even_elsewhere(
    tmp_path: Path, make_entry: Make, make_learning: Make
) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        with Journal(folder / "journal.sqlite") as journal:
            fill(journal, make_entry)
            write_views(folder, journal)
            before = {file.name: file.read_bytes() for file in folder.iterdir() if "sqlite" not in file.name}
            write_views(folder, journal)
            assert before == {file.name: file.read_bytes() for file in folder.iterdir() if "sqlite" not in file.name}
    assert set(before) == {"learnings.md", "results.tsv", "suite.json", "progress.json"}, "no temporary file stays"
    for name in ("learnings.md", "results.tsv", "suite.json"):
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), "no time in them"


def test_views_of_an_empty_journal_are_complete(journal: Journal, tmp_path: Path) -> None:
    write_views(tmp_path / "views", journal)
    assert json.loads((tmp_path / "views" / "suite.json").read_text()) == []
    assert json.loads((tmp_path / "views" / "progress.json").read_text())["best_micros"] is None
    assert "Nothing yet" in (tmp_path / "views" / "learnings.md").read_text()
    assert (tmp_path / "views" / "results.tsv").read_text() == "\t".join(COLUMNS) + "\n"


def test_a_certificate_is_in_the_progress(journal: Journal, tmp_path: Path) -> None:
    certificate = Certificate(
        split="test", tasks=100, trials=4, baseline=0.5, final=0.6, difference=0.1, standard_error=0.02, simulated=True
    )
    journal.append("certificate", "c", certificate.model_dump(mode="json"))
    write_views(tmp_path / "v", journal)
    (stored,) = json.loads((tmp_path / "v" / "progress.json").read_text())["certificates"]
    assert Certificate.model_validate(stored) == certificate


def test_a_folder_that_cannot_be_written_is_named(journal: Journal, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInput, match=r"learnings\.md cannot be written"):
        write_views(tmp_path / "file" / "run", journal)


def test_a_line_shows_scores_as_exact_numbers_and_bounds_as_bounds(
    make_entry: Make, make_verdict: Callable[..., Verdict]
) -> None:
    stopped = make_entry(
        verdicts=(
            make_verdict("regression", outcome="passed", passes=9, evaluated=10, total=10),
            make_verdict("validation", passes=30, evaluated=60, total=100, upper_bound_micros=60_250_000),
        )
    )
    curtailed = make_entry(verdicts=(make_verdict("regression", passes=2, evaluated=5, total=10),), gate="regression")
    whole = make_entry(
        verdicts=(
            make_verdict("validation", outcome="indecisive", total=100),
            make_verdict("validation", reward_micros=62_000_000, evaluated=100, total=100),
        ),
        outcome="kept",
        gate=None,
    )
    shown = [
        dict(zip(COLUMNS, line.split("\t"), strict=True))
        for line in render_results([stopped, curtailed, whole]).splitlines()
    ][1:]
    assert (shown[0]["suite"], shown[0]["validation"], shown[0]["best"]) == ("9/10", "<=60.25/100", "61.5")
    assert (shown[1]["suite"], shown[1]["validation"]) == ("2/10 after 5", "-")
    assert (shown[2]["suite"], shown[2]["validation"], shown[2]["gate"]) == ("-", "62/100", "-")


@pytest.mark.parametrize(
    ("reward_micros", "text"),
    [(0, "0"), (61_500_000, "61.5"), (1, "0.000001"), (100_000_000, "100"), (-250_000, "-0.25")],
)
def test_units_are_shown_exactly(reward_micros: int, text: str) -> None:
    assert in_points(reward_micros) == text


def test_a_models_words_cannot_break_a_table_or_run_as_a_formula(make_entry: Callable[..., LedgerEntry]) -> None:
    entries = [make_entry(summary="=cmd()\tA0009\nA0010\r\x1b[31m"), make_entry(summary="\u202eevil\x00" + "x" * 190)]
    lines = render_results(entries).splitlines()
    assert len(lines) == 3
    assert all(len(line.split("\t")) == len(COLUMNS) for line in lines)
    assert "'=cmd() A0009 A0010 [31m" in lines[1]
    assert "\u202e" not in lines[2]


def test_a_models_words_stay_words_in_markdown() -> None:
    assert quoted("# Title\n\n- item <script>alert(1)</script> [a](javascript:x) `code` ![i](u) a|b") == (
        r"\# Title - item \<script\>alert(1)\</script\> \[a\](javascript:x) \`code\` \!\[i\](u) a\|b"
    )
    assert len(quoted("word " * 1000)) <= 600
    assert quoted("zero\u200bwidth \ud800 and\u2028line") == "zero width and line"
    assert quoted("") == ""


def test_learnings_are_grouped_by_cluster_newest_first(make_learning: Callable[..., Learning]) -> None:
    learnings = [
        make_learning(1, tried="oldest"),
        make_learning(2, cluster_id="C002", cluster_title="Other *cause*", tried="other"),
        make_learning(3, tried="newest", outcome="kept", gate=None, batch=2),
        make_learning(4, cluster_id="C003", tried="merged away"),
    ]
    text = render_learnings(learnings, survivor=lambda id_: {"C003": "C002"}.get(id_, id_))
    places = [
        text.index(word)
        for word in ("## C002", "Tried: merged", "Tried: other", "## C001", "Tried: newest", "Tried: oldest")
    ]
    assert places == sorted(places)
    assert "## C001: Acts on the first order (2 attempts, 1 kept)" in text
    assert "### A0003: kept (batch 2, attempt 3)" in text
    assert "### A0001: rejected by validation" in text
    assert "C003" not in text
