"""Scores of an agent outside a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sigmaloop.errors import SigmaLoopError
from sigmaloop.eval.rollouts import RolloutEngine
from sigmaloop.eval.scoring import score_agent, summarise
from sigmaloop.gate.statistics import wilson_interval
from sigmaloop.records import Rollout, Task

MakeRollout = Callable[..., Rollout]


def test_an_agent_is_scored_by_request_type(make_engine: Callable[..., RolloutEngine], sums: Any) -> None:
    source = "def run(session):\n    session.say('5' if session.call('add', {'a': 2, 'b': 3}) else '')\n"
    tasks = [Task(id=f"t{i}", split="train", request_type="sums") for i in range(3)]
    tasks.append(Task(id="broken-open", split="train", request_type="trouble"))
    told: list[Rollout] = []
    found = score_agent(make_engine(), source, tasks, trials=2, on_done=told.append)
    assert (found.tasks, found.trials, found.mean, found.passed) == (4, 2, 1.0, 6)
    assert found.statuses == {"infra": 2, "ok": 6}
    assert found.by_request_type == {"sums": (6, 6)}
    assert len(told) == 8


def test_one_trial_of_pass_or_fail_has_wilsons_interval(outcomes: Callable[[str], dict[str, Rollout]]) -> None:
    table = outcomes("PPPFEI")
    found = summarise(list(table.values()), request_types=dict.fromkeys(table, "task"), trials=1)
    assert found.mean == pytest.approx(3 / 5)
    assert found.interval == wilson_interval(3, 5)
    assert found.statuses == {"agent_error": 1, "infra": 1, "ok": 4}
    assert found.by_request_type == {"task": (3, 5)}


def test_several_trials_are_averaged_per_task_first(make_rollout: MakeRollout) -> None:
    rollouts = [make_rollout("a", x, i) for i, x in enumerate("PPP")] + [make_rollout("b", "F")]
    found = summarise(rollouts, request_types={"a": "x", "b": "y"}, trials=3)
    assert found.mean == 0.5
    assert found.interval == (0.0, 1.0)  # two tasks, 1 and 0: a standard error of one half


def test_nothing_valid_is_an_error_that_says_why(outcomes: Callable[[str], dict[str, Rollout]]) -> None:
    with pytest.raises(SigmaLoopError, match="2 infrastructure faults"):
        summarise(list(outcomes("II").values()), request_types={"t000": "x", "t001": "x"}, trials=1)
