"""What a benchmark says of itself: its setting, what an agent is shown, its pass marks."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sigmaloop.errors import BadInput
from sigmaloop.eval.benchmark import BenchmarkRunner, Briefing, load_benchmark
from sigmaloop.records import Split, Task


class Bare(BenchmarkRunner):
    """As little as the contract allows."""

    def tasks(self, split: Split) -> Sequence[Task]:
        return [Task(id=f"{split}-1", split=split), Task(id=f"{split}-2", split=split, pass_at=0.5)]


def test_a_benchmark_that_hosts_the_agent_has_nothing_to_show() -> None:
    assert Bare().hosts_agent
    assert Bare().briefing("train-1") == Briefing(instructions="", tools=(), opening="")
    with pytest.raises(NotImplementedError, match="opens no episodes"):
        Bare().open("train-1", seed=0)


def test_a_briefing_is_what_the_tasks_episode_shows_first() -> None:
    helpdesk = load_benchmark("helpdesk")
    task = helpdesk.tasks("train")[0]
    episode = helpdesk.open(task.id, seed=0)
    assert not helpdesk.hosts_agent
    assert helpdesk.briefing(task.id) == Briefing(episode.instructions, tuple(episode.tools), episode.opening)


@pytest.mark.parametrize("benchmark", [Bare(), load_benchmark("helpdesk")], ids=lambda b: b.name)
def test_the_setting_is_one_sentence(benchmark: BenchmarkRunner) -> None:
    assert benchmark.setting.startswith("An agent ")
    assert benchmark.setting.endswith(".")
    assert "\n" not in benchmark.setting


def test_the_neutral_setting_assumes_no_customer_service() -> None:
    assert not [word for word in ("customer", "chat", "shop", "service") if word in BenchmarkRunner.setting]


def test_a_task_may_have_a_pass_mark_of_its_own() -> None:
    marks = Bare().pass_marks()
    assert (marks["train-1"], marks["train-2"], marks["test-2"]) == (1.0, 0.5, 0.5)


@pytest.mark.parametrize("mark", [0.0, -0.1, 1.01])
def test_a_pass_mark_outside_its_range_is_refused(mark: float) -> None:
    benchmark = Bare()
    benchmark.pass_at = mark
    with pytest.raises(BadInput, match="pass_at"):
        benchmark.pass_marks()


def test_a_mark_that_differs_makes_another_benchmark() -> None:
    lenient = Bare()
    lenient.pass_at = 0.5
    assert lenient.fingerprint() != Bare().fingerprint()


def test_an_unknown_benchmark_is_refused_with_the_shipped_ones() -> None:
    with pytest.raises(BadInput, match="shipped: helpdesk"):
        load_benchmark("nonesuch")
    with pytest.raises(BadInput, match="not a BenchmarkRunner"):
        load_benchmark("collections:Counter")
