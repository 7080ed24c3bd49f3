"""Attempts, clusters, failures and diffs of a run in the terminal; ids from a clear beginning, in the shell too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click import Context
from click.shell_completion import ShellComplete
from made_runs import RUN, certificate, made_run

from sigmaloop.cli.completion import found_id
from sigmaloop.cli.main import cli, main
from sigmaloop.errors import BadInput

Told = pytest.CaptureFixture[str]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for run_id, scores in ((RUN, certificate().by_task), ("bbbb-other", certificate("test").by_task[:8])):
        found = certificate(by_task=scores, tasks=len(scores))
        made_run(tmp_path / "home", run_id=run_id, certificates=[found], with_agents=True)
    return tmp_path / "home"


def told(capsys: Told, home: Path, *arguments: str, code: int = 0) -> str:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--home", str(home)])
    out, err = capsys.readouterr()
    assert ended.value.code == code, err
    return out if code == 0 else err


def test_attempts_are_listed_and_one_is_shown_in_full(capsys: Told, home: Path) -> None:
    shown = told(capsys, home, "attempts", "--run", "abc")
    assert len(shown.splitlines()) == 6
    assert "A0001  C001  rejected  own failures  0 of 2 trials passed" in " ".join(shown.split("   ")).replace(
        "  ", "  "
    )
    assert len(told(capsys, home, "attempts", "--run", "abc", "--outcome", "validation").splitlines()) == 2
    one = told(capsys, home, "attempts", "A1", "--run", "abc")
    assert "Failing trials  the refund is missing" in one
    assert "+    # 1" in one
    assert json.loads(told(capsys, home, "attempts", "A0001", "--run", "abc", "--json"))["id"] == "A0001"
    assert "no attempt 'A99' in this run; there are A0001" in told(
        capsys, home, "attempts", "A99", "--run", "abc", code=2
    )


def test_clusters_and_failures_are_listed_and_shown(capsys: Told, home: Path) -> None:
    assert "1 failure with 1 cause: 0 resolved, 1 open" in told(capsys, home, "clusters")
    assert "By batch        1:1/1" in told(capsys, home, "clusters", "C1")
    (line,) = told(capsys, home, "failures").splitlines()
    name = line.split()[0]
    assert "What failed     the wrong order" in told(capsys, home, "failures", name[:6])
    assert json.loads(told(capsys, home, "failures", "--cluster", "C001", "--json"))[0]["id"] == name


def test_a_diff_is_shown_by_a_short_id(capsys: Told, home: Path) -> None:
    assert "+    # 3" in told(capsys, home, "diff", "A3")
    assert "+# 2" in told(capsys, home, "diff"), "what was kept"


def test_two_runs_are_compared_by_their_certificates(capsys: Told, home: Path) -> None:
    said = told(capsys, home, "compare", "abc", "bbbb")
    assert "50% against 50% of 8 tasks: 0.0 points, with 95% confidence between 0.0 and 0.0." in said
    assert "the same on 8" in said
    assert "refund" in said, "by kind of request"
    assert "not one of each" in told(capsys, home, "compare", "abc", "agent.py", code=2)


def test_a_page_is_written_and_so_is_one_of_all_runs(capsys: Told, home: Path) -> None:
    path = Path(told(capsys, home, "report", "abc").strip())
    assert path == home / "runs" / RUN / "report.html"
    assert "Content-Security-Policy" in path.read_text()
    every = Path(json.loads(told(capsys, home, "report", "--all", "--json"))["page"])
    assert "bbbb-oth" in every.read_text()


@pytest.mark.parametrize(
    ("text", "found"), [("A0007", "A0007"), ("A7", "A0007"), ("a7", "A0007"), ("A0070", "A0070"), ("A007", "A0007")]
)
def test_an_id_is_found_by_a_clear_beginning(text: str, found: str) -> None:
    assert found_id(text, ["A0007", "A0070", "A0071"], "attempt") == found


@pytest.mark.parametrize("text", ["A00", "", "B1"])
def test_an_id_that_names_none_or_several_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match=r"A0070"):
        found_id(text, ["A0007", "A0070"], "attempt")


def test_the_shell_completes_ids(home: Path) -> None:
    complete = ShellComplete(cli, {}, "sigmaloop", "_SIGMALOOP_COMPLETE")

    def offered(*arguments: str) -> list[str]:
        return [item.value for item in complete.get_completions([*arguments[:-1]], arguments[-1])]

    place = ("--home", str(home))
    assert offered("attempts", *place, "A0001"[:3]) == [f"A{n:04d}" for n in range(1, 7)]
    assert offered("attempts", *place, "A0004") == ["A0004"]
    assert offered("clusters", *place, "C") == ["C001"]
    assert offered("status", *place, "ab") == [RUN]
    assert offered("attempts", "--home", str(home / "nowhere"), "A") == [], "a shell has no place for errors"
    assert Context(cli)
