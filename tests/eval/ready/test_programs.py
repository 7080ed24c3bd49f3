"""Benchmarks that are programs or test suites: whatever the program does, each task has one result or a fault."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from sigmaloop.errors import BadInput
from sigmaloop.eval.benchmarks.junit import read_report
from sigmaloop.eval.benchmarks.program import read_results
from sigmaloop.eval.whole_benchmark import run_whole
from sigmaloop.records import RolloutKey

PLAY = """import json, os, sys, time
request = json.load(open(sys.argv[1]))
out = open(sys.argv[2], "a", buffering=1)
say = lambda **line: print(json.dumps(line), file=out)
if request["do"] == "describe":
    for split in ("train", "validation", "test"):
        say(id=f"{split}-a1", split=split)
        say(id=f"{split}-b2", split=split)
    sys.exit(7)
ids = [task["id"] for task in request["tasks"]]
"""
BENCHMARK = f"""from sigmaloop.eval.benchmarks.program import Program


class B(Program):
    name = "b"
    command = ({sys.executable!r}, "play.py")
    seconds = 20.0
"""


def results(module: Any, body: str, *, seconds: float = 20.0) -> Any:
    made = module(BENCHMARK, play_py=PLAY + body).B()
    made.seconds = seconds
    return made.run("def run(session): ...", ["train-a1", "train-b2"], seeds={"train-a1": 1, "train-b2": 2})


def test_tasks_are_described_whatever_the_exit_code(module: Any) -> None:
    made = module(BENCHMARK, play_py=PLAY).B()
    assert [task.id for task in made.tasks("validation")] == ["validation-a1", "validation-b2"]
    assert made.fingerprint() == module(BENCHMARK).B().fingerprint()


def test_results_come_with_seeds_agent_and_trace(module: Any) -> None:
    body = """for task in request["tasks"]:
    text = open(request["agent"]).read()
    say(task_id=task["id"], status="ok", reward=task["seed"] / 2, trace=[{"kind": "user", "text": text}])
"""
    found = results(module, body)
    assert [found[name].reward for name in ("train-a1", "train-b2")] == [0.5, 1.0]
    assert found["train-a1"].trace[0].text == "def run(session): ..."


@pytest.mark.parametrize(
    ("body", "first", "second"),
    [
        (
            "print('hello'); say(task_id=ids[0], status='ok', reward=1); say(task_id=ids[1], status='ok', reward=0)",
            1,
            0,
        ),
        ("say(task_id=ids[0], status='ok', reward=1); os.kill(os.getpid(), 9)", 1, "gave no result .exit code -9"),
        ("say(task_id=ids[0], status='ok', reward=1); raise SystemExit(3)", 1, "exit code 3"),
        (
            "say(task_id=ids[0], status='ok', reward=1)\nout.write('{\"task_id\": \"train-b')",
            1,
            "1 lines are no results",
        ),
        ("[say(task_id=name, status='ok', reward=r) for r in (0, 1) for name in ids]", "that differ", "that differ"),
        ("[say(task_id=name, status='ok', reward=1) for r in (0, 1) for name in ids]", 1, 1),
        ("[say(task_id=name, status='ok', reward=float('nan')) for name in ids]", "breaks the protocol", "breaks"),
        ("[say(task_id=name, status='ok', reward=2) for name in ids]", "breaks the protocol", "breaks the protocol"),
        ("say(task_id=ids[0], status='ok'); say(task_id=ids[1], status='won', reward=1)", "needs a reward", "breaks"),
        ("say(task_id=ids[0], status='timeout'); say(task_id=ids[1], status='skipped')", 0, "skipped"),
        ("say(task_id='other', status='ok', reward=1); print('x' * 9999)", "gave no result", "gave no result"),
    ],
    ids=lambda value: None if isinstance(value, str) else str(value),
)
def test_whatever_a_program_does_each_task_has_a_result_or_a_fault(
    module: Any, body: str, first: object, second: object
) -> None:
    found = results(module, body)
    assert list(found) == ["train-a1", "train-b2"]
    for result, expected in zip(found.values(), (first, second), strict=True):
        if isinstance(expected, str):
            assert result.reward is None
            assert expected.replace(".exit", "(exit") in result.detail
        else:
            assert result.reward == expected


def test_a_program_that_does_not_end_is_stopped_and_keeps_what_it_wrote(module: Any) -> None:
    found = results(module, "say(task_id=ids[0], status='ok', reward=1)\nwhile True: time.sleep(1)", seconds=0.7)
    assert "stopped after 0.7 seconds" in found["train-b2"].detail


def test_a_program_sees_no_key(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789")
    body = "[say(task_id=name, status='ok', reward=float('OPENAI_API_KEY' in os.environ)) for name in ids]"
    assert [result.reward for result in results(module, body).values()] == [0.0, 0.0]


def test_a_program_that_cannot_be_started_is_named(module: Any) -> None:
    made = module(BENCHMARK).B()
    made.command = ("no-such-program-anywhere",)
    with pytest.raises(BadInput, match="no-such-program-anywhere cannot be started"):
        made.tasks("train")
    made.command = ()
    with pytest.raises(BadInput, match="names no command"):
        made.tasks("train")


@pytest.mark.parametrize("body", ["raise SystemExit(1)", "print('{}', file=out)", "print('no', file=out)"])
def test_tasks_that_are_described_wrongly_are_refused(module: Any, body: str) -> None:
    made = module(BENCHMARK, play_py=f"import sys\nout = open(sys.argv[2], 'a')\n{body}\n").B()
    with pytest.raises(BadInput, match="described"):
        made.tasks("train")


def test_results_become_rollouts_with_their_reasons_and_traces(module: Any) -> None:
    body = """trace = [{"kind": "error", "text": "boom"}]
say(task_id=ids[0], status="agent_error", detail="it fell over", trace=trace)
if len(ids) > 1:
    say(task_id=ids[1], status="infra", detail="no disk")
"""
    made = module(BENCHMARK, play_py=PLAY + body).B()
    keys = [RolloutKey(agent="a", task_id=name, trial=0) for name in ("train-a1", "train-b2")]
    (failed, trace), (fault, _) = run_whole(made, "agent", keys, run_seed=0, tries=1)
    assert (failed.status, failed.reward, failed.detail, trace[0].text) == ("agent_error", 0.0, "it fell over", "boom")
    assert (fault.status, fault.detail) == ("infra", "benchmark: no disk (try 1)")


def test_no_line_at_all() -> None:
    found = read_results([], ["a"], "exit code 0")
    assert found["a"].detail == "the program gave no result (exit code 0)"


REPORT = """<?xml version="1.0"?>
<testsuites><testsuite name="s">
<testcase classname="tests.test_a" name="good" time="0.1"><system-out>fine</system-out></testcase>
<testcase classname="tests.test_a" name="bad"><failure message="1 != 2">line 3</failure></testcase>
<testcase classname="tests.test_b" name="broken"><error message="no fixture"/></testcase>
<testcase name="left out"><skipped message="not here"/></testcase>
<testcase classname="tests.test_a" name="twice"/>
<testcase classname="tests.test_a" name="twice"><failure message="m"/></testcase>
</testsuite></testsuites>
"""


def test_a_report_is_read() -> None:
    found = read_report(REPORT.encode())
    assert {name: result.reward for name, result in found.items()} == {
        "tests.test_a::good": 1.0,
        "tests.test_a::bad": 0.0,
        "tests.test_b::broken": None,
        "left out": None,
        "tests.test_a::twice": 0.0,
    }
    assert found["tests.test_a::bad"].detail == "1 != 2 line 3"
    assert found["tests.test_b::broken"].detail == "the test ended in error: no fixture"


SUITE = f"""from sigmaloop.eval.benchmarks.junit import Junit


class B(Junit):
    name = "b"
    command = ({sys.executable!r}, "suite.py", "{{agent}}", "{{report}}")
"""
WRITER = """import pathlib, sys
agent = pathlib.Path(sys.argv[1]).read_text()
cases = "".join(
    f'<testcase classname="t" name="n{number}">{"" if "good" in agent else "<failure/>"}</testcase>'
    for number in range(30)
)
broken = '<testcase classname="t" name="broken"><error message="no database"/></testcase>'
pathlib.Path(sys.argv[2]).write_text(f"<testsuite>{cases}{broken}</testsuite>")
"""


def test_a_suite_is_a_benchmark_whose_tasks_are_frozen(module: Any, tmp_path: Any) -> None:
    made = module(SUITE, suite_py=WRITER).B()
    ids = [task.id for split in ("train", "validation", "test") for task in made.tasks(split)]
    assert len(ids) == 31
    assert made.run("good", ["t::n1"], seeds={"t::n1": 0})["t::n1"].reward == 1.0
    assert made.run("bad", ["t::n1", "t::gone"], seeds={})["t::gone"].reward is None
    fewer = module(SUITE, suite_py=WRITER.replace("30", "5")).B()
    assert fewer.fingerprint() == made.fingerprint()
    (tmp_path / "tasks.json").write_text("[]")
    with pytest.raises(BadInput, match="delete it"):
        module(SUITE).B().tasks("train")


@pytest.mark.parametrize(
    ("writer", "says"),
    [
        ("raise SystemExit('no such option')", "no such option"),
        ("import sys; open(sys.argv[2], 'w').write('<a>')", "is not XML"),
        ("import sys; open(sys.argv[2], 'w').write('<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>')", "entities"),
        ("import sys; open(sys.argv[2], 'w').write('<testsuite/>')", "has no tests"),
    ],
)
def test_a_suite_without_a_report_is_refused_with_what_it_wrote(module: Any, writer: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        module(SUITE, suite_py=writer).B().tasks("train")


def test_a_command_without_places_for_agent_and_report_is_refused(module: Any) -> None:
    made = module(SUITE).B()
    made.command = ("pytest",)
    with pytest.raises(BadInput, match=r"\{agent\} and \{report\}"):
        made.tasks("train")
