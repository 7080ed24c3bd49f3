"""`sigmaloop mine`: a ranked report of why stored conversations failed, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sigmaloop.cli.main import main

YES = [
    {"role": "system", "content": "Before every change list its details and wait for an explicit yes."},
    {"role": "user", "content": "Please cancel my order #W1."},
    {"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "cancel_order", "arguments": "{}"}}]},
    {"role": "tool", "tool_call_id": "a", "content": "cancelled"},
    {"role": "assistant", "content": "It is cancelled."},
]


@pytest.fixture
def traces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two that failed, one that passed, one without an outcome, and a line that is none."""
    monkeypatch.chdir(tmp_path)
    records: list[Any] = [{"id": f"c{n}", "messages": YES, "passed": n == 2} for n in range(3)]
    lines = [*map(json.dumps, [*records, {"id": "c3", "messages": YES}]), "{broken"]
    (tmp_path / "talks.jsonl").write_text("\n".join(lines))
    return Path("talks.jsonl")


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["mine", "--upstream", "simulated", *arguments])
    told = capsys.readouterr()
    assert ended.value.code == code, told.err
    return told.out, told.err


def test_a_report_ranks_causes_with_their_evidence_and_changes_nothing(
    capsys: pytest.CaptureFixture[str], traces: Path, tmp_path: Path
) -> None:
    out, err = said(capsys, "--traces", str(traces), "--output", "report.md")
    text = (tmp_path / "report.md").read_text()
    assert "4 conversations in `talks.jsonl`: 2 failed, 1 passed, 1 unknown. 2 were read" in text
    assert "simulated model: a stand-in" in text.replace("Written by the ", "")
    assert "simulated model" in err
    assert "talks.jsonl:5: no JSON" in err
    assert "`talks.jsonl:5`: no JSON" in text
    assert "| 1. " in text
    assert "`talks.jsonl:1` c0" in text
    assert " causes of 2 failures" in out
    assert {path.name for path in tmp_path.iterdir()} == {"talks.jsonl", "report.md"}
    _, err = said(capsys, "--traces", str(traces), "--output", "report.md", code=2)
    assert "exists already" in err


def test_the_same_as_json_and_with_those_without_an_outcome(capsys: pytest.CaptureFixture[str], traces: Path) -> None:
    out, _ = said(capsys, "--traces", str(traces), "--json", "--unlabelled", "--limit", "3")
    report = json.loads(out)
    assert report["counts"] == {"conversations": 4, "failed": 2, "passed": 1, "unknown": 1, "mined": 3}
    assert report["simulated"] is True
    assert sum(len(cluster["failures"]) for cluster in report["clusters"]) >= 3, "one cause each at least"
    sources = report["sources"].values()
    assert {(s["file"], s["line"], s["conversation"]) for s in sources} == {
        ("talks.jsonl", 1, "c0"), ("talks.jsonl", 2, "c1"), ("talks.jsonl", 4, "c3"),
    }  # fmt: skip
    assert report["usage"]["calls"] >= 3


def test_nothing_to_mine_says_what_to_do(capsys: pytest.CaptureFixture[str], traces: Path) -> None:
    Path("unknown.jsonl").write_text(json.dumps(YES) + "\n")
    _, err = said(capsys, "--traces", "unknown.jsonl", code=2)
    assert "--unlabelled" in err
    Path("passed.jsonl").write_text(json.dumps({"messages": YES, "reward": 1}) + "\n")
    _, err = said(capsys, "--traces", "passed.jsonl", code=2)
    assert "none of 1 conversations failed" in err
    _, err = said(capsys, "--traces", "nowhere.jsonl", code=2)
    assert "nowhere.jsonl" in err
