"""The kit passes a sound benchmark and names what is wrong with an unsound one."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaloop.eval.benchmark import BenchmarkRunner, EpisodeBenchmark, Score, load_benchmark
from sigmaloop.eval.conformance import ConformanceReport, check_benchmark
from sigmaloop.eval.dependence import trial_spread
from sigmaloop.eval.marks import out_of_reach
from sigmaloop.eval.rollouts import RolloutEngine
from sigmaloop.records import Rollout, RolloutKey, Split, Step, Task

MakeEngine = Callable[..., RolloutEngine]
Check = Callable[[BenchmarkRunner], ConformanceReport]


class Doors:
    """Open the right one of two doors, then tell the user that it is open."""

    instructions = "Open the door that the user names."
    opening = "The left door, please."
    tools: Sequence[dict[str, Any]] = (
        {
            "type": "function",
            "function": {
                "name": "open_door",
                "parameters": {
                    "type": "object",
                    "properties": {"side": {"type": "string", "enum": ["right", "left"]}, "times": {"type": "integer"}},
                    "required": ["side", "times"],
                },
            },
        },
    )

    def __init__(self) -> None:
        self.open: list[str] = []

    def act(self, name: str, arguments: Mapping[str, Any]) -> str:
        if name != "open_door" or set(arguments) != {"side", "times"}:
            return "Error: impossible"
        self.open.append(arguments["side"])
        return "open"

    def say(self, text: str) -> str | None:
        return None

    def submit(self, answer: Any) -> None: ...

    def score(self) -> Score:
        return Score(reward=float(self.open == ["left"]))


class Sound(EpisodeBenchmark):
    name = "doors"

    def tasks(self, split: Split) -> Sequence[Task]:
        return [Task(id=f"{split}-{i}", split=split, request_type=f"kind {i}", weight=i + 1) for i in range(3)]

    def open(self, task_id: str, *, seed: int) -> Doors:
        return Doors()

    def oracle(self, task_id: str) -> Sequence[Sequence[Any]]:
        return [("call", "open_door", {"side": "left", "times": 1}), ("say", "It is open.")]


@pytest.fixture
def check(make_engine: MakeEngine) -> Check:
    return lambda benchmark: check_benchmark(benchmark, engine=make_engine(benchmark))


def failed(report: ConformanceReport) -> dict[str, str]:
    assert report.ok == all(c.ok for c in report.checks)
    return {c.name: c.detail for c in report.checks if not c.ok}


def test_a_sound_benchmark_passes_every_check(check: Check) -> None:
    report = check(Sound())
    assert failed(report) == {}
    assert {c.name: c.detail for c in report.checks} == {
        "tasks": "3 train, 3 validation, 3 test",
        "task ids": "each would be noticed in a change that names it",
        "weights": "1 to 3, 3 request types",
        "pass mark": "a task counts as passed from 1",
        "same tasks again": f"fingerprint {Sound().fingerprint()}",
        "tools": "at most 1 in one episode",
        "same episode again": "9 tasks opened twice",
        "unknown tool": "answered with an error text",
        "oracle (ceiling)": "mean 1.000 over 9 tasks",
        "null agent (floor)": "mean 0.000 over 6 tasks, at most 0.2 is sound",
        "constant agent (floor)": "mean 0.000 over 6 tasks, at most 0.2 is sound",
        "list-everything agent (floor)": "mean 0.000 over 6 tasks, at most 0.2 is sound",
        "pass mark in reach": "rewards are whole, or some reach it",
    }
    assert report.free_tasks == ()


def test_an_oracle_may_speak_in_steps_and_submit(check: Check) -> None:
    class Quiz(Doors):
        def submit(self, answer: Any) -> None:
            self.open.append(answer)

    class Stepping(Sound):
        def open(self, task_id: str, *, seed: int) -> Doors:
            return Quiz() if task_id.startswith("test") else Doors()

        def oracle(self, task_id: str) -> Sequence[Any]:
            if task_id.startswith("test"):
                return [Step(index=0, kind="submit", text="left")]
            arguments = {"side": "left", "times": 1}
            return [
                Step(index=0, kind="act", tool="open_door", arguments=arguments),
                Step(index=1, kind="say", text="So."),
            ]

    assert failed(check(Stepping())) == {}


def test_an_oracle_that_speaks_another_language_is_found(check: Check) -> None:
    class Odd(Sound):
        def oracle(self, task_id: str) -> Sequence[Any]:
            return [("dance", "left")]

    assert "it cannot ('dance', 'left')" in failed(check(Odd()))["oracle (ceiling)"]


def test_helpdesk_passes_every_check(check: Check) -> None:
    report = check(load_benchmark("helpdesk"))
    assert failed(report) == {}
    assert {c.name: c.detail for c in report.checks}["oracle (ceiling)"].startswith("mean 1.000 over 580 tasks")
    assert report.free_tasks == ()


def test_splits_that_share_a_task_are_found(check: Check) -> None:
    class Shared(Sound):
        def tasks(self, split: Split) -> Sequence[Task]:
            return [Task(id="same", split=split)]

    assert "same" in failed(check(Shared()))["tasks"]


def test_a_benchmark_without_validation_tasks_is_found(check: Check) -> None:
    class Half(Sound):
        def tasks(self, split: Split) -> Sequence[Task]:
            return super().tasks(split) if split == "train" else []

    assert "train and validation" in failed(check(Half()))["tasks"]


def test_tasks_that_differ_between_two_instances_are_found(check: Check) -> None:
    made = iter(range(100))

    class Restless(Sound):
        def __init__(self) -> None:
            self.version = str(next(made))

    assert "second instance" in failed(check(Restless()))["same tasks again"]


def test_episodes_that_differ_under_one_seed_are_found(check: Check) -> None:
    chance = random.Random(0)

    class Moody(Sound):
        def open(self, task_id: str, *, seed: int) -> Doors:
            doors = super().open(task_id, seed=seed)
            doors.opening = f"Door {chance.random()}, please."
            return doors

    assert "two episodes with one seed differ" in failed(check(Moody()))["same episode again"]


def test_episodes_that_share_state_are_found(check: Check) -> None:
    said: list[str] = []

    class Talk(Doors):
        def say(self, text: str) -> str | None:
            said.append(text)
            return f"You said {len(said)} things."

    class Leaky(Sound):
        def open(self, task_id: str, *, seed: int) -> Doors:
            return Talk()

    assert "You said 1 things." in failed(check(Leaky()))["same episode again"]


def test_a_score_with_a_side_effect_is_found(check: Check) -> None:
    class Once(Doors):
        def score(self) -> Score:
            self.open.append("left")
            return super().score()

    class Spent(Sound):
        def open(self, task_id: str, *, seed: int) -> Doors:
            return Once()

    assert "side effect" in failed(check(Spent()))["same episode again"]


def test_a_benchmark_that_pays_for_doing_nothing_is_found_with_the_tasks(check: Check) -> None:
    class Idle(Doors):
        def score(self) -> Score:
            return Score(reward=float(not self.open))

    class Lazy(Sound):
        def open(self, task_id: str, *, seed: int) -> Doors:
            return Idle() if task_id.endswith(("0", "1")) else Doors()

    report = check(Lazy())
    assert report.free_tasks == ("train-0", "train-1", "validation-0", "validation-1")
    assert set(failed(report)) == {"null agent (floor)", "constant agent (floor)", "oracle (ceiling)"}
    assert "train-0" in failed(report)["oracle (ceiling)"]


def test_a_list_everything_agent_calls_with_the_least_that_the_schema_allows(check: Check) -> None:
    class Right(Doors):
        def score(self) -> Score:
            return Score(reward=float(self.open == ["right"]))

    class Guessable(Sound):
        def open(self, task_id: str, *, seed: int) -> Doors:
            return Right()

    assert "mean 1.000" in failed(check(Guessable()))["list-everything agent (floor)"]


def test_a_benchmark_that_raises_is_reported_not_raised(check: Check) -> None:
    class Broken(Sound):
        def open(self, task_id: str, *, seed: int) -> Doors:
            raise FileNotFoundError("world.json")

    found = failed(check(Broken()))
    assert "world.json" in found["tools"]
    assert "6 rollouts ended infra" in found["null agent (floor)"]


def test_the_smallest_benchmark_is_checked_too(check: Check) -> None:
    class Smallest(BenchmarkRunner):
        name = "smallest"

        def tasks(self, split: Split) -> Sequence[Task]:
            return [Task(id=f"{split}-{i}", split=split) for i in range(2)]

        def run(self, agent: str, task_ids: Sequence[str], *, seeds: Mapping[str, int]) -> Mapping[str, float | None]:
            return {task: float("say" in agent) for task in task_ids}

    report = check(Smallest())
    assert set(failed(report)) == {"constant agent (floor)", "list-everything agent (floor)"}


class Dice(BenchmarkRunner):
    """Rewards are luck: every task its own, or one for all tasks of a call, as from one generator's first number."""

    name = "dice"
    shared = False
    low, high = 0.0, 0.3

    def tasks(self, split: Split) -> Sequence[Task]:
        return [Task(id=f"{split}-{i}", split=split) for i in range(30)]

    def run(self, agent: str, task_ids: Sequence[str], *, seeds: Mapping[str, int]) -> Mapping[str, float | None]:
        own = {task: min(seeds.values()) if self.shared else seed for task, seed in seeds.items()}
        return {task: random.Random(own[task]).uniform(self.low, self.high) for task in task_ids}


def told(report: ConformanceReport, name: str) -> tuple[bool, str]:
    return next((c.ok, c.detail) for c in report.checks if c.name == name)


def test_tasks_that_share_their_luck_are_noticed(check: Check) -> None:
    ok, detail = told(check(Dice()), "independent tasks")
    assert ok, detail
    sharing = Dice()
    sharing.shared = True
    ok, detail = told(check(sharing), "independent tasks")
    assert not ok
    assert "seeds[task_id]" in detail


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31), tasks=st.integers(5, 40), trials=st.integers(3, 20), shared=st.booleans())
def test_the_spread_of_trials_tells_shared_luck_from_own(seed: int, tasks: int, trials: int, shared: bool) -> None:
    """Own luck: all agree that one check of a thousand errs. Shared: all tasks do as the first, the most there is."""
    draw = random.Random(seed)
    table = [[float(draw.random() < 0.5) for _ in range(trials)] for _ in range(tasks)]
    rows = table[:1] * tasks if shared else table
    found = trial_spread(
        Rollout(key=RolloutKey(agent="a", task_id=f"t{i}", trial=k), seed=0, status="ok", reward=reward)
        for i, row in enumerate(rows)
        for k, reward in enumerate(row)
    )
    if found is None:
        assert sum(len(set(row)) > 1 for row in rows) < 5
    elif shared:
        assert found.ratio == pytest.approx(tasks)
    else:
        assert found.ratio < found.bound * 2.5


def test_graded_rewards_that_never_reach_the_mark_are_told(make_engine: MakeEngine) -> None:
    benchmark = Dice()
    tried = check_benchmark(benchmark, engine=make_engine(benchmark))
    ok, detail = told(tried, "pass mark in reach")
    assert ok, "a control agent need not pass anything"
    assert "pass_at" in detail
    own = check_benchmark(benchmark, engine=make_engine(benchmark), agent="def run(session): ...")
    ok, detail = told(own, "pass mark in reach")
    assert not ok
    assert "from 1;" in detail

    class Marked(Dice):
        pass_at = 0.2

    easy = check_benchmark(Marked(), engine=make_engine(Marked()), agent="def run(session): ...")
    assert told(easy, "pass mark in reach") == (True, "rewards are whole, or some reach it")
    assert told(easy, "pass mark") == (True, "a task counts as passed from 0.2")


def test_whole_rewards_are_never_called_out_of_reach() -> None:
    def result(reward: float | None, pass_at: float = 1.0) -> Rollout:
        key = RolloutKey(agent="a", task_id="t", trial=0)
        return Rollout(key=key, seed=0, status="infra" if reward is None else "ok", reward=reward, pass_at=pass_at)

    assert out_of_reach([]) == ""
    assert out_of_reach([result(0.0), result(None)]) == ""
    assert out_of_reach([result(0.5), result(1.0)]) == ""
    assert out_of_reach([result(0.5, 0.5), result(0.2, 0.5)]) == ""
    assert "the highest is 0.5" in out_of_reach([result(0.5), result(0.0), result(None)])


def test_ids_that_are_plain_words_are_told(check: Check) -> None:
    class Words(Sound):
        def tasks(self, split: Split) -> Sequence[Task]:
            return [Task(id=f"{split} refund", split=split), Task(id=f"{split}-0042", split=split)]

    ok, detail = told(check(Words()), "task ids")
    assert ok
    assert "3 are plain words" in detail
    assert "train refund" in detail


class HalfBroken(BenchmarkRunner):
    """One task never has a result, another has none with the agent that does nothing."""

    name = "half-broken"

    def tasks(self, split: Split) -> Sequence[Task]:
        return [Task(id=f"{split}-{name}-1", split=split) for name in ("fine", "shy", "dead")]

    def run(self, agent: str, task_ids: Sequence[str], *, seeds: Mapping[str, int]) -> Mapping[str, float | None]:
        shy = None if "Ends at once" in agent else 0.0
        return {task: {"fine": 0.0, "shy": shy, "dead": None}[task.split("-")[1]] for task in task_ids}


def test_a_task_without_a_result_for_any_agent_is_named_as_broken(check: Check) -> None:
    report = check(HalfBroken())
    broken = next(found for found in report.checks if found.name == "broken tasks")
    assert not broken.ok
    assert "2 have no result for any agent: train-dead-1, validation-dead-1" in broken.detail
