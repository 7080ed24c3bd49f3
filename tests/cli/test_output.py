"""What commands print: nothing that was written by a model reaches the terminal as more than text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sigmaloop.cli.main import main
from sigmaloop.cli.progress import describe
from sigmaloop.cli.terminal import tell
from sigmaloop.graph import events

DIRTY = "\x1b]0;owned\x07\x1b[2J\u202e[red]\nkept  all is well\u200b\x9b1m"


@pytest.mark.parametrize(
    "event",
    [
        events.Kept(id="A0001", summary=DIRTY, reward_micros=1),
        events.Paused(stage="traffic", message=DIRTY),
        events.Planned(lines=(DIRTY, DIRTY)),
        events.ClusterFounded(cluster_id="C001", title=DIRTY),
    ],
)
def test_a_line_of_progress_is_plain_text_whatever_a_model_wrote(event: events.Event) -> None:
    line = describe(event)
    assert line
    assert not any(c in line for c in "\x1b\x07\u202e\u200b\x9b")
    assert "\\[red]" in line, "no markup of a model is obeyed"


def test_an_event_without_a_line_prints_nothing() -> None:
    assert describe(events.Learned(id="A0001", outcome="kept", gate=None, reason="kept")) == ""


def test_a_printed_text_operates_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    tell(DIRTY, err=True)
    assert capsys.readouterr().err == "]0;owned[2J[red]\nkept  all is well1m\n"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["run", "--no-such-flag", "--json"], "--no-such-flag"),
        (["eval", "--json", "--split", "test"], "--split"),
        (["eval", "--json", "--trials", "0"], "--trials"),
        (["nonesuch", "--json"], "nonesuch"),
    ],
)
def test_a_wrong_command_line_is_told_in_json_where_json_was_asked_for(
    capsys: pytest.CaptureFixture[str], arguments: list[str], word: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    told = json.loads(capsys.readouterr().out)
    assert ended.value.code == told["exit_code"] == 2
    assert word in told["error"]


def test_scoring_one_task_says_when_it_was_nobodys_fault(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "flawed.py").write_text(FLAWED)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    common = ["eval", "--benchmark", "flawed:Flawed", "--upstream", "simulated", "--task", "validation-1"]
    for more, code, mean, of_all in (
        ([], 0, 1.0, 1.0), (["--task", "validation-0"], 3, 1.0, 0.5), (["--task", "nowhere"], 2, None, None),
    ):  # fmt: skip
        with pytest.raises(SystemExit) as ended:
            main([*common, *more, "--json"])
        told = json.loads(capsys.readouterr().out)
        assert ended.value.code == code, told
        assert (told.get("mean"), told.get("mean_of_all")) == (mean, of_all)
    with pytest.raises(SystemExit):
        main([*common, "--task", "validation-0"])
    assert "1 of 2 rollouts ended in an infrastructure fault" in capsys.readouterr().err


FLAWED = '''
from sigmaloop import BenchmarkRunner
from sigmaloop.records import Task


class Flawed(BenchmarkRunner):
    """Its first task never gets a reward."""

    name = "flawed"

    def tasks(self, split):
        return [Task(id=f"{split}-{n}", split=split) for n in range(3)]

    def run(self, agent, task_ids, *, seed):
        return {task_id: None if task_id.endswith("-0") else 1.0 for task_id in task_ids}
'''
