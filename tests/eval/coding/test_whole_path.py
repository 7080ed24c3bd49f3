"""The shipped agent repairs a repository: model, sandbox, tools, hidden checks, trace, all as in a run."""

from __future__ import annotations

from collections.abc import Callable

from sigmaloop.eval.benchmarks.coding import Coding
from sigmaloop.eval.benchmarks.coding.tasks import all_tasks
from sigmaloop.eval.rollouts import RolloutEngine
from sigmaloop.eval.store import MemoryStore
from sigmaloop.settings import Settings
from sigmaloop.tools.upstream.scripted import ScriptedModel, tool_call

TASK = next(task for task in all_tasks().values() if len(task.bugs) == 1)
BUG = TASK.bugs[0]


def test_the_shipped_agent_repairs_a_repository(make_engine: Callable[..., RolloutEngine]) -> None:
    model = ScriptedModel(
        [
            tool_call("read_file", {"path": BUG.file}),
            tool_call("run_tests", {}),
            tool_call("write_file", {"path": BUG.file, "content": TASK.repository.files[BUG.file]}),
            tool_call("run_tests", {}),
            "It is repaired.",
        ]
    )
    store = MemoryStore()
    engine = make_engine(Coding(), store=store, model=model, concurrency=1)
    (rollout,) = engine.run(Settings().agent_source(), [(TASK.task.id, 0)])
    assert (rollout.status, rollout.reward, rollout.steps) == ("ok", 1.0, 5)
    assert rollout.components == {"reported": 1.0, "kept": 1.0, "tests_kept": 1.0}
    seen = store.trace(rollout.id)
    assert [step.tool for step in seen if step.kind == "act"] == ["read_file", "run_tests", "write_file", "run_tests"]
    assert "FAILED" in seen[2].text
    assert seen[4].text.endswith(" 0 failed")


def test_an_agent_that_stops_after_reading_fails_with_a_reason(make_engine: Callable[..., RolloutEngine]) -> None:
    model = ScriptedModel([tool_call("list_files", {}), "I have looked at it."])
    engine = make_engine(Coding(), model=model, concurrency=1)
    (rollout,) = engine.run(Settings().agent_source(), [(TASK.task.id, 0)])
    assert (rollout.status, rollout.reward) == ("ok", 0.0)
    assert rollout.components["reported"] == 0.0
    assert "checks of what it should do fail" in rollout.detail
