"""The smallest benchmark: it runs the agent itself and returns a mapping of rewards."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import pytest

from sigmaloop.errors import BadInput
from sigmaloop.eval.benchmark import BenchmarkRunner
from sigmaloop.eval.rollouts import Drained, RolloutEngine
from sigmaloop.eval.store import MemoryStore
from sigmaloop.records import Rollout, Split, Task, digest

MakeEngine = Callable[..., RolloutEngine]


class Smallest(BenchmarkRunner):
    """Answers each call with the next of the listed answers; an exception is raised."""

    name = "smallest"

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.calls: list[tuple[tuple[str, ...], dict[str, int]]] = []

    def tasks(self, split: Split) -> Sequence[Task]:
        return [Task(id=f"{split}{i}", split=split) for i in range(2)]

    def run(self, agent: str, task_ids: Sequence[str], *, seeds: Mapping[str, int]) -> Mapping[str, float | None]:
        self.calls.append((tuple(task_ids), dict(seeds)))
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
    assert benchmark.calls[0][1] == {"a": a.seed, "b": b.seed}
    assert a.seed != b.seed, "tasks of a trial share no luck"


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
    again = Smallest({"b": 0.0, "a": 1.0})
    make_engine(again).run("source", [("b", 0), ("a", 0)])
    first = benchmark.calls[0][1] | benchmark.calls[1][1]
    assert again.calls[0][1] == first, "a rollout has one seed, however it is asked for"
    assert not set(benchmark.calls[2][1].values()) & set(first.values())


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


class OneSeed(BenchmarkRunner):
    """The form with one seed for a call: the same dice for all tasks that are asked for."""

    name = "one-seed"

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def tasks(self, split: Split) -> Sequence[Task]:
        return [Task(id=f"{split}{i}", split=split) for i in range(2)]

    def run(self, agent: str, task_ids: Sequence[str], *, seed: int) -> Mapping[str, float | None]:  # type: ignore[override]
        self.asked.append(list(task_ids))
        return {task: float(random.Random(seed).random() < 0.5) for task in task_ids}


def test_a_benchmark_with_one_seed_a_call_is_called_for_every_task_alone(make_engine: MakeEngine) -> None:
    benchmark = OneSeed()
    pairs = [(f"t{i}", trial) for trial in range(20) for i in range(20)]
    rollouts = make_engine(benchmark).run("source", pairs)
    assert all(len(asked) == 1 for asked in benchmark.asked)
    means = [sum(r.reward or 0 for r in rollouts if r.key.trial == trial) / 20 for trial in range(20)]
    middle = sum(means) / 20
    spread = sum((mean - middle) ** 2 for mean in means) / 19
    assert spread < 3 * 0.25 / 20, "trials differ by no more than the luck of twenty tasks; as one they would by 20"


def test_a_run_that_takes_no_seed_is_bad_input(make_engine: MakeEngine) -> None:
    class Seedless(OneSeed):
        def run(self, agent: str, task_ids: Sequence[str]) -> Mapping[str, float | None]:  # type: ignore[override]
            return dict.fromkeys(task_ids, 1.0)

    with pytest.raises(BadInput, match=r"seeds\[task_id\]"):
        make_engine(Seedless()).run("source", [("a", 0)])


def test_a_reward_passes_at_the_mark_of_its_benchmark_or_of_its_task(make_engine: MakeEngine) -> None:
    class Graded(Smallest):
        pass_at = 0.7

        def tasks(self, split: Split) -> Sequence[Task]:
            return [Task(id=f"{split}0", split=split), Task(id=f"{split}1", split=split, pass_at=0.4)]

    benchmark, store = Graded({"train0": 0.6999, "train1": 0.4, "test0": 0.7}), MemoryStore()
    found = make_engine(benchmark, store=store).run("source", [("train0", 0), ("train1", 0), ("test0", 0)])
    assert [r.passed for r in found] == [False, True, True]
    read = [Rollout.model_validate_json(r.model_dump_json()) for r in found]
    assert [r.passed for r in read] == [False, True, True], "reading needs no benchmark"


def test_a_mark_that_nobody_set_changes_no_hash(make_engine: MakeEngine) -> None:
    class Marked(Smallest):
        pass_at = 0.7

    assert "pass_at" not in Task(id="a", split="train").model_dump()
    assert Smallest().fingerprint() != Marked().fingerprint()
    (plain,) = make_engine(Smallest({"a": 0.8})).run("source", [("a", 0)])
    (marked,) = make_engine(Marked({"a": 0.8})).run("source", [("a", 0)])
    assert plain.evidence == digest(plain.id, plain.seed, plain.status, plain.reward) != marked.evidence


@pytest.mark.parametrize("mark", [0.0, -0.5, 1.01])
def test_an_impossible_mark_is_bad_input(make_engine: MakeEngine, mark: float) -> None:
    benchmark = Smallest({"a": 1.0})
    benchmark.pass_at = mark
    with pytest.raises(BadInput, match="pass_at"):
        make_engine(benchmark).run("source", [("a", 0)])
