"""The hand-written repositories: right as they are, and every way to break them is noticed twice."""

from __future__ import annotations

import json
import sys
from importlib import resources
from typing import Any

import pytest

from sigmaloop.eval.benchmarks.coding.repository import Repository, broken, parse, repositories
from sigmaloop.eval.benchmarks.coding.tasks import SIZES, WEIGHTS, all_tasks

REPOSITORIES = [whole.named({mark: words[0] for mark, words in whole.words.items()}) for whole in repositories()]
BUGS = [(whole, bug) for whole in REPOSITORIES for bug in whole.bugs]


class Desk:
    """A session that only takes the result; these texts are ours, so they need no sandbox."""

    def __init__(self, order: dict[str, Any]) -> None:
        self.opening = json.dumps(order)

    def submit(self, answer: Any) -> None:
        self.answer = answer


def run(order: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    space: dict[str, Any] = {"__name__": "inside"}
    exec(resources.files("sigmaloop.eval.benchmarks.coding").joinpath("inside.py").read_text(), space)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    desk = Desk(order)
    space["run"](desk)
    return desk.answer


def failing_tests(files: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found = run({"files": files, "cases": None}, monkeypatch)
    assert found
    return [f"{test}: {problem}" for _, test, problem in found if problem]


def failing_checks(whole: Repository, files: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    order = {"files": files, "setup": whole.setup, "cases": [case.code for case in whole.cases]}
    given = run(order, monkeypatch)
    return [case.code for case, got in zip(whole.cases, given, strict=True) if got != case.expected]


@pytest.mark.parametrize("whole", REPOSITORIES, ids=lambda whole: whole.name)
def test_a_repository_keeps_its_promises(whole: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    assert failing_tests(whole.files, monkeypatch) == []
    assert failing_checks(whole, whole.files, monkeypatch) == []


@pytest.mark.parametrize("whole", REPOSITORIES, ids=lambda whole: whole.name)
def test_every_bug_is_noticed_by_a_test_and_by_a_hidden_check(
    whole: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    for bug in whole.bugs:
        files = broken(whole.files, (bug,))
        assert files is not None, bug
        assert failing_tests(files, monkeypatch), bug
        assert failing_checks(whole, files, monkeypatch), bug


def test_every_kind_has_places_enough_for_each_split() -> None:
    kinds = [bug.kind for _, bug in BUGS]
    assert set(kinds) == set(WEIGHTS)
    assert all(kinds.count(kind) >= 9 for kind in WEIGHTS)


def test_every_split_has_every_kind_alike() -> None:
    tasks = [entry.task for entry in all_tasks().values()]
    for split, count in SIZES.items():
        kinds = [task.request_type for task in tasks if task.split == split]
        assert {kind: kinds.count(kind) for kind in WEIGHTS} == dict.fromkeys(WEIGHTS, count)


def test_no_two_tasks_are_broken_in_the_same_way() -> None:
    tasks = all_tasks().values()
    assert len({task.task.fingerprint for task in tasks}) == len(tasks)
    assert len({frozenset(bug.report for bug in task.bugs) | {task.repository.name} for task in tasks}) == len(tasks)


def test_names_are_filled_in_everywhere() -> None:
    assert not [task.task.id for task in all_tasks().values() if "@" in str(task.files)]


def test_tasks_follow_from_the_seed() -> None:
    first = [task.task.fingerprint for task in all_tasks().values()]
    all_tasks.cache_clear()
    assert [task.task.fingerprint for task in all_tasks().values()] == first
    assert [task.task.fingerprint for task in all_tasks(2).values()] != first


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("about\n=== setup\n\n=== cases\n1 + 1\n2\n", "a check is lines of code"),
        ("about\n=== setup\n\n=== cases\n>>> 1\n1\n\n=== bug off_by_one a.py\nno lines\n", "the wrong ones are needed"),
    ],
)
def test_a_malformed_repository_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse("made", text)
