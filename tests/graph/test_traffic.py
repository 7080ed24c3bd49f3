"""Traffic follows the declared weights, whatever their scale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaloop.eval.benchmark import load_benchmark
from sigmaloop.eval.benchmarks.helpdesk.domains.desks import REQUEST_TYPES
from sigmaloop.graph.nodes.observe import sample_window
from sigmaloop.records import Task


def tasks_of(weights: Mapping[str, float]) -> list[Task]:
    return [Task(id=name, split="train", weight=weight) for name, weight in weights.items()]


def first_draws(tasks: list[Task], windows: int) -> Counter[str]:
    return Counter(sample_window(tasks, 1, seed=1, batch=batch)[0].id for batch in range(windows))


@pytest.mark.parametrize("scale", [1e-300, 1e-6, 1.0, 1e17, 1e300])
def test_the_scale_of_the_weights_changes_no_window(scale: float) -> None:
    weights = {f"t{i:02}": 1.0 + i % 5 for i in range(40)}
    plain, scaled = tasks_of(weights), tasks_of({name: weight * scale for name, weight in weights.items()})
    for batch in range(20):
        window = [task.id for task in sample_window(plain, 10, seed=3, batch=batch)]
        assert [task.id for task in sample_window(scaled, 10, seed=3, batch=batch)] == window


@pytest.mark.parametrize("weight", [5e-324, 1e-6, 1.0, 1e17, 1.7e308])
def test_equal_weights_are_drawn_equally_often(weight: float) -> None:
    tasks = tasks_of({f"t{i:02}": weight for i in range(20)})
    windows = 2_000
    drawn = first_draws(tasks, windows)
    expected = windows / 20
    assert len(drawn) == 20
    assert max(abs(count - expected) for count in drawn.values()) < 5 * sqrt(expected)


def test_a_task_is_drawn_as_often_as_its_weight_says() -> None:
    weights = {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0, "e": 10.0}
    windows = 4_000
    drawn = first_draws(tasks_of(weights), windows)
    for name, weight in weights.items():
        expected = windows * weight / 20
        assert abs(drawn[name] - expected) < 5 * sqrt(expected)


@settings(max_examples=50, deadline=None)
@given(weights=st.lists(st.sampled_from([1e-6, 1.0, 1e17]), min_size=1, max_size=30), size=st.integers(1, 40))
def test_a_window_repeats_no_task_and_takes_the_heavy_ones_first(weights: list[float], size: int) -> None:
    tasks = tasks_of({f"t{i:02}": weight for i, weight in enumerate(weights)})
    window = sample_window(tasks, size, seed=1, batch=1)
    assert len({task.id for task in window}) == len(window) == min(size, len(tasks))
    drawn = [task.weight for task in window]
    assert drawn == sorted(drawn, reverse=True), "a million times as heavy is as good as always first"


def test_the_shipped_benchmark_declares_frequencies_and_not_their_roots() -> None:
    declared: Counter[str] = Counter()
    for task in load_benchmark("helpdesk").tasks("train"):
        declared[task.request_type] += task.weight
    whole = sum(kind.weight for kind in REQUEST_TYPES.values())
    for name, kind in REQUEST_TYPES.items():
        assert declared[name] / sum(declared.values()) == pytest.approx(kind.weight / whole, abs=1e-4)
