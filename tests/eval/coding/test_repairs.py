"""Repairs from opening to score: the tools, the sandbox, and what no agent can get away with."""

from __future__ import annotations

import pytest

from sigmaloop.errors import BadInput
from sigmaloop.eval.benchmark import load_benchmark
from sigmaloop.eval.benchmarks.coding import Coding
from sigmaloop.eval.benchmarks.coding.episode import CodingEpisode
from sigmaloop.eval.benchmarks.coding.repository import Case
from sigmaloop.eval.benchmarks.coding.tasks import CodingTask, all_tasks
from sigmaloop.eval.benchmarks.coding.workbench import Workbench
from sigmaloop.graph.prepare import smoke_test
from sigmaloop.settings import load_settings

TWO_BUGS = next(task for task in all_tasks().values() if len(task.bugs) == 2 and len({b.file for b in task.bugs}) == 2)


def right(task: CodingTask, number: int) -> dict[str, str]:
    name = task.bugs[number].file
    return {"path": name, "content": task.repository.files[name]}


def test_a_repair_earns_everything(workbench: Workbench) -> None:
    episode = CodingEpisode(TWO_BUGS, workbench)
    assert "FAILED" in episode.act("run_tests", {})
    for number in range(2):
        episode.act("write_file", right(TWO_BUGS, number))
    assert episode.act("run_tests", {}).endswith(" passed, 0 failed")
    episode.submit("done")
    score = episode.score()
    assert (score.reward, score.missing) == (1.0, "")
    assert score.components == {"reported": 1.0, "kept": 1.0, "tests_kept": 1.0}


def test_half_a_repair_earns_nothing_but_shows_in_the_parts(workbench: Workbench) -> None:
    episode = CodingEpisode(TWO_BUGS, workbench)
    episode.act("write_file", right(TWO_BUGS, 0))
    score = episode.score()
    assert score.reward == 0.0
    assert 0.0 < score.components["reported"] < 1.0
    assert "checks of what it should do fail" in score.missing
    assert episode.score() == score


def test_changing_the_tests_earns_nothing(workbench: Workbench) -> None:
    episode = CodingEpisode(TWO_BUGS, workbench)
    for number in range(2):
        episode.act("write_file", right(TWO_BUGS, number))
    test = next(name for name in TWO_BUGS.files if name.startswith("test_"))
    episode.act("write_file", {"path": test, "content": "def test_nothing():\n    pass\n"})
    assert episode.act("run_tests", {}) == "1 passed, 0 failed"
    assert (episode.score().reward, episode.score().missing) == (0.0, "the tests were changed")


def test_the_hidden_checks_are_shown_to_nobody(workbench: Workbench) -> None:
    episode = CodingEpisode(TWO_BUGS, workbench)
    seen = [episode.instructions, episode.opening, str(episode.tools), episode.act("list_files", {})]
    seen += [episode.act("read_file", {"path": name}) for name in TWO_BUGS.files]
    shown = "\n".join([*seen, episode.act("run_tests", {})])
    assert not [case.code for case in TWO_BUGS.cases if case.code in shown]


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("fly", {}, "there is no tool fly"),
        ("read_file", {"path": "nowhere.py"}, "there is no file nowhere.py"),
        ("read_file", {}, "read_file takes path"),
        ("read_file", {"path": 3}, "path must be a text"),
        ("write_file", {"path": "../x.py", "content": ""}, "plain file name"),
        ("write_file", {"path": "/etc/passwd", "content": ""}, "plain file name"),
        ("replace", {"path": "README.md", "old": "", "new": "x"}, "exactly once"),
        ("replace", {"path": "README.md", "old": "no such text", "new": "x"}, "0 times"),
        ("replace", {"path": "nowhere.py", "old": "a", "new": "x"}, "no file"),
        ("run_tests", {"fast": True}, "no arguments"),
    ],
)
def test_an_impossible_call_is_answered(
    workbench: Workbench, name: str, arguments: dict[str, object], says: str
) -> None:
    answer = CodingEpisode(TWO_BUGS, workbench).act(name, arguments)  # type: ignore[arg-type]
    assert answer.startswith("Error:")
    assert says in answer


def test_a_repository_grows_to_a_limit(workbench: Workbench) -> None:
    episode = CodingEpisode(TWO_BUGS, workbench)
    answers = [episode.act("write_file", {"path": f"more{number}.py", "content": ""}) for number in range(30)]
    assert "at most 30 files" in answers[-1]


TEST = "from made import f\n\n\ndef test_f():\n    assert f() == 1\n"


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("def f():\n    return 2\n", "2 is not as wanted: 1"),
        ("def f():\n    return 1 / 0\n", "made.py line 2, in f: return 1 / 0\nZeroDivisionError"),
        ("def f(:\n", "SyntaxError"),
        ("import nowhere\n", "No module named 'nowhere'"),
        ("import sys\n\n\ndef f():\n    sys.exit(0)\n", "SystemExit"),
        ("import os\n\n\ndef f():\n    os._exit(0)\n", "could not be run to their end"),
        ("import socket\n\n\ndef f():\n    socket.socket()\n", "PermissionError"),
        ("def f():\n    open('/etc/passwd')\n", "PermissionError"),
        ("import os\n\n\ndef f():\n    return os.environ\n", "environ({}) is not as wanted"),
        ("import sigmaloop\n", "import of sigmaloop halted"),
    ],
)
def test_what_models_write_runs_in_the_sandbox_alone(workbench: Workbench, code: str, says: str) -> None:
    assert says in workbench.report({"made.py": code, "test_made.py": TEST})


def test_tests_without_an_end_are_ended() -> None:
    files = {"made.py": "def f():\n    while True:\n        pass\n", "test_made.py": TEST}
    hurried = Workbench(seconds=0.2)
    try:
        assert "could not be run to their end" in hurried.report(files)
        assert hurried.outcomes(files, "from made import f", [Case(code="f()", expected="1")]) == (False,)
    finally:
        hurried.close()


def test_nothing_is_carried_from_one_test_to_the_next(workbench: Workbench) -> None:
    code = "seen = []\n\n\ndef f():\n    seen.append(1)\n    return len(seen)\n"
    assert workbench.report({"made.py": code, "test_made.py": TEST + TEST.replace("test_f", "test_g")}) == (
        "2 passed, 0 failed"
    )


FORGER = """import sys

frame = sys._getframe()
while "session" not in frame.f_locals:
    frame = frame.f_back
frame.f_locals["session"].submit({answer})


def f():
    return 2
"""


@pytest.mark.parametrize("answer", ["['raises ValueError']", "['2', '2']", "True", "[[1]]"])
def test_a_repository_cannot_vouch_for_itself(workbench: Workbench, answer: str) -> None:
    files = {"made.py": FORGER.format(answer=answer)}
    assert workbench.outcomes(files, "from made import f", [Case(code="f()", expected="1")]) == (False,)


def test_an_object_that_equals_everything_is_not_enough(workbench: Workbench) -> None:
    code = "class Any:\n    def __eq__(self, other):\n        return True\n\n\ndef f():\n    return Any()\n"
    case = Case(code="f()", expected="1")
    assert workbench.outcomes({"made.py": code}, "from made import f", [case]) == (False,)
    assert workbench.report({"made.py": code, "test_made.py": TEST}) == "1 passed, 0 failed"


def test_the_benchmark_ships() -> None:
    benchmark = load_benchmark("coding")
    assert isinstance(benchmark, Coding)
    assert [len(benchmark.tasks(split)) for split in ("train", "validation", "test")] == [80, 40, 60]  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="repair-0001"):
        benchmark.open("T1", seed=0)


def test_the_simulated_model_is_refused_with_what_to_do() -> None:
    settings = load_settings(benchmark="coding")
    with pytest.raises(BadInput, match="set OPENAI_API_KEY or name an endpoint with --base-url"):
        smoke_test(settings, settings.agent_source(), load_benchmark("coding"))


def test_the_oracle_writes_what_is_right() -> None:
    steps = Coding().oracle(TWO_BUGS.task.id)
    assert [step[2] for step in steps[:2]] == [right(TWO_BUGS, 0), right(TWO_BUGS, 1)]  # type: ignore[misc]
    assert steps[-1] == ("submit", "done")
