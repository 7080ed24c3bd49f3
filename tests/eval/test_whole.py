"""The smallest benchmark: it runs the agent itself and returns a mapping of rewards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import pytest

from sigmaloop.errors import BadInput
from sigmaloop.eval.benchmark import BenchmarkRunner
from sigmaloop.eval.rollouts import Drained, MemoryStore, RolloutEngine
from sigmaloop.records import Split, Task

MakeEngine = Callable[..., RolloutEngine]


class Smallest(BenchmarkRunner):
    """Answers each call with the next of the listed answers; an exception is raised."""

    name = "smallest"

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.calls: list[tuple[tuple[str, ...], int]] = []

    def tasks(self, split: Split) -> Sequence[Task]:
        return [Task(id=f"{split}{i}", split=split) for i in range(2)]

    def run(self, agent: str, task_ids: Sequence[str], *, seed: int) -> Mapping[str, float | None]:
        self.calls.append((tuple(task_ids), seed))
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer  # type: ignore[no-any-return]


def test_rewards_become_rollouts_with_empty_traces(make_engine: MakeEngine) -> None:
    benchmark, store = Smallest({"a": 1, "b": Fraction(1, 2)}), MemoryStore()
    a, b = make_engine(benchmark, store=store).run("source", [("a", 0), ("b", 0)])
    assert (a.status, a.reward, b.reward) == ("ok", 1.0, 0.5)
    assert store.trace(a.id) == ()
    assert a.tier == "benchmark"
    assert a.seed == b.seed == benchmark.calls[0][1]


def test_it_is_called_once_for_every_trial_with_what_is_missing(make_engine: MakeEngine) -> None:
    benchmark = Smallest({"a": 1.0}, {"b": 0.0}, {"a": 0.0, "b": 1.0})
    engine = make_engine(benchmark)
    engine.run("source", [("a", 0)])
    told: list[str] = []
    engine.run(
        "source",
        [("a", 1), ("a", 0), ("b", 0), ("b", 1)],
        on_done=lambda r: told.append(f"{r.task_id}{r.key.trial}"),
    )
    assert [tasks for tasks, _ in benchmark.calls] == [("a",), ("b",), ("a", "b")]
    assert told == ["a0", "b0", "a1", "b1"]
    seeds = [seed for _, seed in benchmark.calls]
    assert seeds[0] == seeds[1] != seeds[2], "a trial has one seed, however often it is resumed"


def test_missing_and_none_rewards_are_tried_again_and_then_infra(make_engine: MakeEngine) -> None:
    benchmark = Smallest({"a": None, "b": 1.0}, {"a": 0.0}, {}, {}, {})
    a, b, c = make_engine(benchmark).run("source", [("a", 0), ("b", 0), ("c", 1)])
    assert (a.reward, b.reward) == (0.0, 1.0)
    assert (c.status, c.reward, c.detail) == ("infra", None, "benchmark: run() gave no reward (try 3)")
    assert [tasks for tasks, _ in benchmark.calls] == [("a", "b"), ("a",), ("c",), ("c",), ("c",)]


def test_an_exception_is_infra_with_its_reason(make_engine: MakeEngine) -> None:
    (a,) = make_engine(Smallest(*[OSError("no docker")] * 3)).run("source", [("a", 0)])
    assert a.status == "infra"
    assert "OSError: no docker" in a.detail


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        ({"a": float("nan")}, "a: nan"),
        ({"a": 1.01}, "a: 1.01"),
        ({"a": -0.5}, "a: -0.5"),
        ({"a": "1"}, "a: '1'"),
        ({"a": 1.0, "z": 1.0}, "z"),
        ([1.0], "list"),
    ],
)
def test_anything_but_rewards_of_the_tasks_asked_is_bad_input(make_engine: MakeEngine, answer: Any, named: str) -> None:
    store = MemoryStore()
    engine = make_engine(Smallest(answer), store=store)
    with pytest.raises(BadInput, match="smallest") as error:
        engine.run("source", [("a", 0)])
    assert named in str(error.value)
    assert store.usage() == {}


def test_an_interrupt_keeps_the_trials_that_are_done(make_engine: MakeEngine) -> None:
    benchmark = Smallest({"a": 1.0}, KeyboardInterrupt(), {"a": 0.0})
    store = MemoryStore()
    with pytest.raises(Drained):
        make_engine(benchmark, store=store).run("source", [("a", 0), ("a", 1)])
    first, second = make_engine(benchmark, store=store).run("source", [("a", 0), ("a", 1)])
    assert (first.reward, second.reward, len(benchmark.calls)) == (1.0, 0.0, 3)


def test_a_benchmark_without_run_and_open_is_refused(make_engine: MakeEngine) -> None:
    class Nothing(BenchmarkRunner):
        def tasks(self, split: Split) -> Sequence[Task]:
            return []

    with pytest.raises(BadInput, match="neither run"):
        make_engine(Nothing())
