"""A perfect agent passes in any style; each sloppy or lying one keeps what its fault leaves unharmed. No model.

Every ninth task here; `perf/fairness.py` plays all of them.
"""

from statistics import fmean

import pytest

from sigmaloop.eval.benchmarks.helpdesk.scripted.agent import ScriptedAgent
from sigmaloop.eval.benchmarks.helpdesk.scripted.sloppy import SLOPPY, NeverAsks, SloppyAgent
from sigmaloop.eval.benchmarks.helpdesk.scripted.styles import STYLES, TERSE, Style
from sigmaloop.eval.benchmarks.helpdesk.tasks import all_tasks

TASKS = tuple(all_tasks().values())[::9]


@pytest.mark.parametrize("style", STYLES, ids=[style.name for style in STYLES])
def test_a_perfect_agent_passes_whatever_its_style(style: Style) -> None:
    lost = [task.task.id for task in TASKS if ScriptedAgent(task, style).play().reward < 1.0]
    assert len(lost) <= 0.01 * len(TASKS), lost


@pytest.mark.parametrize("agent", SLOPPY)
def test_a_fault_costs_what_it_harms(agent: type[SloppyAgent]) -> None:
    wrong = [
        (task.task.id, task.kind.name)
        for task in TASKS
        if bool(agent(task, TERSE).play().reward) != agent.deserves(task)
    ]
    assert len(wrong) <= 0.02 * len(TASKS), wrong


def test_never_asking_costs_far_more_than_the_corrections() -> None:
    kept = fmean(NeverAsks(task, TERSE).play().reward for task in TASKS)
    corrected = fmean(any(case.correction for case in task.script.cases) for task in TASKS)
    assert kept < 1 - 3 * corrected


def test_what_is_missing_says_which_fault_it_was() -> None:
    told = {agent.__name__: {agent(task, TERSE).play().missing for task in TASKS} for agent in SLOPPY}
    assert any("agreed" in missing for missing in told["NeverAsks"])
    assert any("claimed or promised" in missing for missing in told["Promises"])
