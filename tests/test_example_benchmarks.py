"""The example benchmarks: short, sound by the conformance kit, and right about good and bad agents."""

from __future__ import annotations

import importlib
import json
import os
import runpy
import stat
from pathlib import Path
from typing import Any

import pytest

from sigmaloop.eval.benchmarks.program import read_results
from sigmaloop.graph.standalone import check_named
from sigmaloop.settings import load_settings

EXAMPLES = Path(__file__).parent.parent / "examples"
SHORT = [path for path in sorted(EXAMPLES.glob("*.py")) if path.name != "hello_loop.py"]


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`("module:Class")`: one of an example's benchmarks."""
    monkeypatch.syspath_prepend(str(EXAMPLES))

    def find(place: str) -> Any:
        module, _, name = place.partition(":")
        return getattr(importlib.import_module(module), name)()

    return find


@pytest.mark.parametrize("path", SHORT, ids=lambda path: path.stem)
def test_an_example_fits_on_a_screen(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 40


@pytest.mark.parametrize("place", ["jsonl_benchmark:Capitals", "episode_benchmark:Library"])
def test_an_example_is_sound(example: Any, place: str) -> None:
    example(place)
    report = check_named(load_settings(benchmark=place, upstream="simulated"))
    assert [check for check in report.checks if not check.ok] == []


def test_a_function_gives_rewards_and_traces(example: Any) -> None:
    benchmark = example("function_benchmark:Greetings")
    ids = [task.id for task in benchmark.tasks("train")][:6]
    found = benchmark.run("def greet(name):\n    return 'Hello, Ada'", ids, seeds={})
    assert [found[name].reward for name in ids] == [1, 1, 1, 1, 0, 0]
    assert [step.text for step in found[ids[0]].trace] == ["Greet Ada.", "Hello, Ada"]
    broken = benchmark.run("nonsense", ids[:1], seeds={})[ids[0]]
    assert (broken.reward, broken.crashed) == (0.0, True)
    assert "NameError" in broken.trace[0].text


def test_a_program_plays_good_and_bad_agents(example: Any) -> None:
    benchmark = example("program_benchmark:Sums")
    seeds = {task.id: number for number, task in enumerate(benchmark.tasks("train"))}
    for agent, reward, crashed in (
        ("def add(a, b):\n    return a + b", 1.0, False),
        ("def add(a, b):\n    return 1000", 0.0, False),
        ("", 0.0, True),
    ):
        found = benchmark.run(agent, list(seeds), seeds=seeds)
        assert {(result.reward, result.crashed) for result in found.values()} == {(reward, crashed)}


def test_a_suite_judges_good_and_bad_agents(example: Any) -> None:
    benchmark = example("suite_benchmark:Suite")
    names = [task.id for task in benchmark.tasks("train")]
    good = "import re\n\n\ndef slug(title):\n    return re.sub('[^a-z0-9]+', '-', title.lower()).strip('-')\n"
    assert {result.reward for result in benchmark.run(good, names, seeds={}).values()} == {1.0}
    assert {result.reward for result in benchmark.run("", names, seeds={}).values()} == {0.0}


INSPECT_LOG = {
    "version": 2,
    "status": "success",
    "samples": [
        {
            "id": "s1", "epoch": 1, "error": None,
            "messages": [
                {"role": "system", "content": "Be right."},
                {"role": "user", "content": "2 + 2?"},
                {"role": "assistant", "content": "4"},
            ],
            "scores": {"match": {"value": "C"}, "model_graded": {"value": 0.5}},
        },
        {"id": 2, "epoch": 1, "error": None, "messages": [], "scores": {"match": {"value": "I"}}},
        {"id": "s3", "epoch": 1, "error": {"message": "out of disk"}, "messages": [], "scores": {}},
        {"id": "s4", "epoch": 1, "error": None, "messages": [], "scores": {}},
    ],
}  # fmt: skip
HARBOR_TRIALS = {
    "t1": {"verifier_result": {"rewards": {"reward": 0.25, "style": 1.0}}, "exception_info": None},
    "t2": {"verifier_result": {"rewards": {"a": 1.0, "b": 0.0}}, "exception_info": None},
    "t3": {
        "verifier_result": None,
        "exception_info": {"exception_type": "DockerError", "exception_message": "no space"},
    },
    "t4": {"verifier_result": None, "exception_info": {"exception_type": "AgentTimeoutError", "exception_message": ""}},
    "t5": {"verifier_result": None, "exception_info": None},
}
FAKE = """#!/usr/bin/env python3
import json, pathlib, sys
log = sys.argv[sys.argv.index({flag!r}) + 1]
for name, data in json.load(open({recorded!r})).items():
    path = pathlib.Path(log, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))
pathlib.Path(log, "..", "called.txt").write_text(json.dumps(sys.argv[1:]))
sys.exit(1)
"""


def played(
    program: str, command: str, flag: str, recorded: dict[str, Any], names: list[str], folder: Path, patch: Any
) -> Any:
    """What a program makes of recorded files that a stand-in for the tool puts where it was told to."""
    (folder / "recorded.json").write_text(json.dumps(recorded))
    tool = folder / command
    tool.write_text(FAKE.format(flag=flag, recorded=str(folder / "recorded.json")))
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    patch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    splits = folder / "splits.json"
    splits.write_text(json.dumps({"train": names}))
    main = runpy.run_path(str(EXAMPLES / program))["main"]
    request, results = folder / "request.json", folder / "results.jsonl"
    request.write_text(json.dumps({"do": "describe"}))
    main("task", str(splits), str(request), str(results))
    assert [json.loads(line)["id"] for line in results.read_text().splitlines()] == names
    results.unlink()
    request.write_text(json.dumps({"do": "run", "agent": "a.py", "tasks": [{"id": n, "seed": 0} for n in names]}))
    main("task", str(splits), str(request), str(results))
    return read_results(results.read_text().splitlines(), names, "exit code 0")


def test_logs_of_inspect_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["s1", "2", "s3", "s4", "s5"]
    recorded = {"2024-log.json": INSPECT_LOG}
    found = played("inspect_program.py", "inspect", "--log-dir", recorded, names, tmp_path, monkeypatch)
    assert [result.reward for result in found.values()] == [0.75, 0.0, None, None, None]
    assert [(step.kind, step.text) for step in found["s1"].trace] == [("user", "2 + 2?"), ("say", "4")]
    assert found["s3"].detail == "out of disk"


def test_trials_of_harbor_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [*HARBOR_TRIALS, "t6"]
    recorded = {f"job/{name}__x/result.json": {"task_name": name, **trial} for name, trial in HARBOR_TRIALS.items()}
    found = played("harbor_program.py", "harbor", "--jobs-dir", recorded, names, tmp_path, monkeypatch)
    assert [result.reward for result in found.values()] == [0.25, 0.5, None, 0.0, None, None]
    assert found["t4"].crashed
    assert "DockerError" in found["t3"].detail
    assert "no result" in found["t6"].detail
