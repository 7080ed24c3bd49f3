"""A training task's ending is told with the first fact that was expected; of every other task nothing is told."""

from __future__ import annotations

from typing import Any

import pytest

from sigmaloop.eval.benchmarks.helpdesk.benchmark import Helpdesk
from sigmaloop.eval.benchmarks.helpdesk.explaining import explanation


@pytest.mark.parametrize(
    ("state", "gold", "said"),
    [
        ({"a": {"x": 1}}, {"a": {"x": 1}}, ""),
        ({"o": {"o1": {"is": "open"}}}, {"o": {"o1": {"is": "cancelled"}}}, "o.o1.is is open; expected cancelled"),
        ({}, {"refunds": {"r1": {"to": "gift card"}}}, "refunds is missing; expected"),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, "a.b (2) is 2.0; expected 3.0"),
        ({"transfers": {"t": {"x": 1}}}, {}, "it was not expected"),
    ],
)  # fmt: skip
def test_the_first_difference_is_named(state: Any, gold: Any, said: str) -> None:
    found = explanation(state, gold, spoken=(), needs=())
    assert said in found if said else found == ""


def test_every_training_task_that_nobody_worked_on_is_explained_and_a_finished_one_is_not() -> None:
    benchmark = Helpdesk()
    for task in benchmark.tasks("train")[::25]:
        idle = benchmark.open(task.id, seed=0)
        assert bool(benchmark.explain(idle)) == (idle.score().reward < 1)
        worked = benchmark.open(task.id, seed=0)
        for step in benchmark.oracle(task.id):
            worked.act(step.tool, step.arguments) if step.kind == "act" else worked.say(step.text)
        assert benchmark.explain(worked) == ""
