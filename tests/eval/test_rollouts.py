"""The engine on a toy benchmark, behind the real wall and gateway."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sandbox_tiers import on_this_side
from waiting import wait_for

from sigmaloop.errors import ModelUnavailable, StoreError, UpstreamError
from sigmaloop.eval.crowding import crowding
from sigmaloop.eval.rollouts import Drained, RolloutEngine
from sigmaloop.eval.session import TEXT_LIMIT
from sigmaloop.eval.store import MemoryStore
from sigmaloop.memory.journal import Journal
from sigmaloop.records import Rollout, Step, agent_hash
from sigmaloop.tools.upstream.scripted import ScriptedModel, tool_call

MakeEngine = Callable[..., RolloutEngine]

SILENT = "def run(session):\n    pass\n"
SUM = """
def run(session):
    result = session.call("add", {"a": 2, "b": 3})
    while session.say("It is " + result) is not None:
        pass
"""
MODEL = """
import json
def run(session):
    messages = [{"role": "user", "content": session.opening}]
    while True:
        reply = session.complete(messages, tools=session.tools)["choices"][0]["message"]
        messages.append(reply)
        for call in reply.get("tool_calls") or []:
            result = session.call(call["function"]["name"], json.loads(call["function"]["arguments"]))
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
        if not reply.get("tool_calls") and session.say(reply["content"]) is None:
            return
"""


def pairs(*tasks: str) -> list[tuple[str, int]]:
    return [(task, 0) for task in tasks]


def one(engine: RolloutEngine, source: str, task: str = "train-0") -> Rollout:
    (rollout,) = engine.run(source, pairs(task))
    return rollout


def test_a_good_agent_is_ok_with_the_benchmarks_reward(make_engine: MakeEngine, sums: Any) -> None:
    rollout = one(make_engine(), SUM)
    assert (rollout.status, rollout.reward, rollout.components, rollout.detail) == (
        "ok",
        1.0,
        {"answer": 1.0},
        "",
    )
    assert (rollout.steps, rollout.key.agent) == (2, agent_hash(SUM))
    assert rollout.tier in ("bubblewrap", "landlock", "seatbelt")
    assert rollout.seed == rollout.key.seed(7) == sums.opened[0].seed


def test_an_agent_that_does_nothing_is_scored_and_told_what_is_missing(make_engine: MakeEngine) -> None:
    rollout = one(make_engine(), SILENT)
    assert (rollout.status, rollout.reward, rollout.detail) == ("ok", 0.0, "the sum")


@pytest.mark.parametrize(
    "source",
    [
        "def run(session):\n    raise KeyError('order')\n",
        "import os\ndef run(session):\n    os._exit(0)\n",
        "def run(session):\n    raise SystemExit(0)\n",
        "def run(session:\n",
        "answer = 5\n",
        "def run(session):\n    while True:\n        session.call('add', {})\n",
        "def run(session):\n    while True:\n        session.complete([{'role': 'user', 'content': 'x'}])\n",
    ],
    ids=["exception", "exit", "SystemExit", "syntax", "no run", "endless steps", "endless model calls"],
)
def test_whatever_the_agent_does_wrong_is_an_agent_error_with_reward_zero(make_engine: MakeEngine, source: str) -> None:
    store = MemoryStore()
    rollout = one(make_engine(store=store), source)
    assert (rollout.status, rollout.reward) == ("agent_error", 0.0)
    assert rollout.detail
    assert "\n" not in rollout.detail
    last = store.trace(rollout.id)[-1]
    assert (last.kind, last.text[:40]) == ("error", rollout.detail[:40])


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ("broken-open", "FileNotFoundError: tasks.json"),
        ("broken-act", "RuntimeError: the database is on fire"),
        ("broken-say", "a text was expected, not int"),
        ("broken-score", "ZeroDivisionError: no gold"),
        ("nan-score", "a score must be finite"),
    ],
)
def test_whatever_the_benchmark_does_wrong_is_infra_with_its_reason(
    make_engine: MakeEngine, sums: Any, task: str, reason: str
) -> None:
    rollout = one(make_engine(), SUM, task)
    assert (rollout.status, rollout.reward) == ("infra", None)
    assert reason in rollout.detail
    assert rollout.detail.endswith("(try 3)")
    assert len(sums.opened) == 3


def test_an_agent_cannot_turn_the_benchmarks_fault_into_a_result(make_engine: MakeEngine) -> None:
    source = "def run(session):\n    try:\n        session.call('add', {})\n    finally:\n        raise KeyError\n"
    assert one(make_engine(), source, "broken-act").status == "infra"


def test_infrastructure_faults_are_tried_again_within_a_bound(make_engine: MakeEngine, sums: Any) -> None:
    first, second = make_engine().run(SUM, pairs("flaky-2", "flaky-3"))
    assert (first.status, first.reward) == ("ok", 1.0)
    assert second.status == "infra"
    assert [e.task for e in sums.opened].count("flaky-3") == 3


def test_a_failing_endpoint_is_infra_and_never_the_agents_fault(make_engine: MakeEngine) -> None:
    model = ScriptedModel([UpstreamError("no answer", status=503)], repeat=True)
    rollout = one(make_engine(model=model), MODEL)
    assert (rollout.status, len(model.requests)) == ("infra", 3)
    assert "no answer" in rollout.detail


def test_an_endpoint_that_refuses_the_key_is_not_tried_again(make_engine: MakeEngine) -> None:
    model = ScriptedModel([ModelUnavailable("bad key", status=503)], repeat=True)
    assert one(make_engine(model=model), MODEL).status == "infra"
    assert len(model.requests) == 1


def test_a_model_call_carries_the_rollouts_seed_and_is_metered(make_engine: MakeEngine) -> None:
    model = ScriptedModel([tool_call("add", {"a": 2, "b": 3}), "It is 5."])
    store = MemoryStore()
    rollout = one(make_engine(model=model, store=store), MODEL)
    assert rollout.reward == 1.0
    assert [r["seed"] for r in model.requests] == [rollout.seed] * 2
    assert rollout.usage.calls == 2
    assert store.usage() == {"target": rollout.usage}


TELLS = """
import os, time
def run(session):
    reply = session.complete([{"role": "user", "content": session.opening}])["choices"][0]["message"]["content"]
    session.call("add", {"a": os.getpid(), "b": 0})
    session.say(reply)
"""


def struck(sums: Any, times: int) -> None:
    """The first so many children that make a tool call are killed from outside while it is made."""

    def arm(episode: Any) -> None:
        if len(sums.opened) <= times:
            episode.act = lambda name, arguments: (os.kill(on_this_side(arguments["a"]), signal.SIGKILL), "5")[1]

    sums.on_open = arm


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_rollout_whose_process_is_killed_is_played_again_and_nothing_is_paid_twice(
    make_engine: MakeEngine, sums: Any, tmp_path: Path
) -> None:
    with Journal(tmp_path / "a.sqlite") as journal:
        undisturbed = one(make_engine(store=journal, journal=journal), TELLS)
    sums.opened.clear()
    struck(sums, times=1)
    with Journal(tmp_path / "b.sqlite") as journal:
        model = ScriptedModel(["It is 5."])
        rollout = one(make_engine(model=model, store=journal, journal=journal), TELLS)
        assert (len(sums.opened), len(model.requests)) == (2, 1)
        assert rollout.evidence == undisturbed.evidence
        assert (rollout.status, rollout.reward, rollout.usage) == ("ok", 1.0, undisturbed.usage)
        assert journal.usage() == {"target": rollout.usage}
        assert [step.kind for step in journal.trace(rollout.id)] == ["user", "act", "say"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_rollout_that_is_killed_twice_is_the_agents_error(make_engine: MakeEngine, sums: Any) -> None:
    struck(sums, times=2)
    rollout = one(make_engine(), TELLS)
    assert (rollout.status, rollout.reward) == ("agent_error", 0.0)
    assert rollout.detail == "its process was killed by SIGKILL"
    assert len(sums.opened) == 2


def test_more_rollouts_than_the_cores_carry_are_warned_of() -> None:
    assert crowding(32, cores=2) is None
    assert "up to 32 is fine here" in str(crowding(33, cores=2))
    assert crowding(1) is None


def test_what_an_agent_does_to_itself_is_not_played_again(make_engine: MakeEngine, sums: Any) -> None:
    assert one(make_engine(), "import os\ndef run(session):\n    os.abort()\n").status == "agent_error"
    assert len(sums.opened) == 1


def test_a_trace_is_what_the_parent_saw(make_engine: MakeEngine) -> None:
    store = MemoryStore()
    rollout = one(make_engine(store=store), SUM, "chatty-1")
    assert store.trace(rollout.id) == (
        Step(index=0, kind="user", text="What is 2 + 3?"),
        Step(index=1, kind="act", text="5", tool="add", arguments={"a": 2, "b": 3}),
        Step(index=2, kind="say", text="It is 5"),
        Step(index=3, kind="user", text="Thanks! And why?"),
        Step(index=4, kind="say", text="It is 5"),
    )


def test_nothing_happens_after_the_end_of_a_conversation(make_engine: MakeEngine, sums: Any) -> None:
    source = """
def run(session):
    session.submit("five")
    session.submit("six")
    assert session.call("add", {"a": 1}).startswith("Error: the conversation is over")
    assert session.say("5") is None
"""
    rollout = one(make_engine(), source)
    assert (rollout.status, rollout.reward) == ("ok", 0.0)
    assert (sums.opened[0].submitted, sums.opened[0].called, sums.opened[0].said) == (["five"], [], [])


def test_an_answer_that_comes_after_the_goodbye_is_not_taken(make_engine: MakeEngine, sums: Any) -> None:
    one(make_engine(), "def run(session):\n    session.say('bye')\n    session.submit('5')\n")
    assert (sums.opened[0].said, sums.opened[0].submitted) == (["bye"], [])


def test_arguments_that_are_no_object_or_too_large_never_reach_the_episode(make_engine: MakeEngine, sums: Any) -> None:
    source = f"""
def run(session):
    assert session.call("add", [2, 3]).startswith("Error:")
    assert session.call("add", {{"a": "x" * {TEXT_LIMIT}}}).startswith("Error:")
    session.say("5" * {2 * TEXT_LIMIT})
"""
    store = MemoryStore()
    rollout = one(make_engine(store=store), source)
    assert (rollout.status, rollout.reward) == ("ok", 1.0)
    assert sums.opened[0].called == []
    assert len(sums.opened[0].said[0]) == TEXT_LIMIT
    assert max(len(step.text) for step in store.trace(rollout.id)) <= TEXT_LIMIT


def test_results_come_in_the_order_asked_and_repeats_are_run_once(make_engine: MakeEngine, sums: Any) -> None:
    asked = [("train-2", 1), ("train-0", 0), ("train-2", 0), ("train-0", 0)]
    rollouts = make_engine().run(SUM, asked)
    assert [(r.task_id, r.key.trial) for r in rollouts] == asked
    assert len(sums.opened) == 3
    assert len({r.seed for r in rollouts}) == 3


def test_stored_results_are_told_but_not_run_again(make_engine: MakeEngine, sums: Any) -> None:
    engine, told = make_engine(), []
    first = engine.run(SUM, pairs("train-0", "train-1"))
    again = engine.run(SUM, pairs("train-1", "train-0", "train-2"), on_done=told.append)
    assert again[:2] == first[::-1]
    assert told == [again[0], again[1], again[2]]
    assert len(sums.opened) == 3
    engine.run(SILENT, pairs("train-0"))
    assert len(sums.opened) == 4


def test_results_are_told_in_the_calling_thread(make_engine: MakeEngine) -> None:
    threads: set[int] = set()
    tasks = [f"train-{i}" for i in range(6)]
    engine = make_engine(on_done=lambda _rollout: threads.add(threading.get_ident()))
    engine.run(SUM, pairs(*tasks))
    assert threads == {threading.get_ident()}


def test_as_many_rollouts_run_at_once_as_the_concurrency_says(make_engine: MakeEngine, sums: Any) -> None:
    meeting = threading.Barrier(6, timeout=10)
    sums.on_open = lambda _episode: meeting.wait()
    rollouts = make_engine(concurrency=6).run(SUM, pairs(*[f"train-{i}" for i in range(12)]))
    assert all(r.passed for r in rollouts)


def test_a_drain_finishes_what_is_in_flight_and_a_new_engine_does_the_rest(make_engine: MakeEngine, sums: Any) -> None:
    store, asked = MemoryStore(), pairs(*[f"train-{i}" for i in range(20)])
    engine = make_engine(store=store, concurrency=2)
    finished: list[Rollout] = []

    def stop_after_three(rollout: Rollout) -> None:
        finished.append(rollout)
        if len(finished) == 3:
            engine.drain()

    with pytest.raises(Drained, match="of 20 rollouts"):
        engine.run(SUM, asked, on_done=stop_after_three)
    assert 3 <= len(finished) < 20
    assert len(sums.opened) == len(finished)
    assert engine.run(SUM, [(r.task_id, 0) for r in finished]) == finished
    with pytest.raises(Drained):
        engine.run(SUM, pairs("train-19"))
    assert all(r.passed for r in make_engine(store=store).run(SUM, asked))
    assert len(sums.opened) == 20


@pytest.fixture
def ctrl_c() -> Iterator[Callable[[], None]]:
    """Interrupts the main thread as Ctrl-C does, also where the tests run in a worker that ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_drains_too(make_engine: MakeEngine, sums: Any, ctrl_c: Callable[[], None]) -> None:
    store, asked = MemoryStore(), pairs(*[f"train-{i}" for i in range(12)])
    engine = make_engine(store=store, concurrency=2)

    def interrupt(_: object) -> None:
        if len(sums.opened) == 4:
            ctrl_c()
        if len(sums.opened) >= 4:
            wait_for(lambda: engine.draining)  # or the rollouts could all end before the interrupt is heard

    sums.on_open = interrupt
    with pytest.raises(Drained):
        engine.run(SUM, asked)
    assert engine.draining
    opened = len(sums.opened)
    assert 4 <= opened < 12
    sums.on_open = lambda _: None
    make_engine(store=store).run(SUM, asked)
    assert len(sums.opened) == 12, "all that was in flight had been stored"


def test_a_broken_store_stops_the_run_with_its_own_error(make_engine: MakeEngine, sums: Any) -> None:
    class Broken(MemoryStore):
        def save_rollout(self, rollout: Rollout, trace: Sequence[Step], /, **more: Any) -> None:
            raise StoreError("disk full")

    with pytest.raises(StoreError, match="disk full"):
        make_engine(store=Broken(), concurrency=1).run(SUM, pairs(*[f"train-{i}" for i in range(30)]))
    assert len(sums.opened) < 30


def test_a_broken_call_journal_stops_the_run_instead_of_looking_like_a_bad_endpoint(
    make_engine: MakeEngine, sums: Any
) -> None:
    class Broken:
        def recall(self, scope: str, index: int, request_hash: str) -> None:
            raise StoreError("journal damaged")

    with pytest.raises(StoreError, match="journal damaged"):
        make_engine(journal=Broken(), concurrency=1).run(MODEL, pairs(*[f"train-{i}" for i in range(30)]))
    assert len(sums.opened) < 30


def test_the_journal_is_a_store_and_replays_calls_of_a_try_that_failed(make_engine: MakeEngine, tmp_path: Path) -> None:
    """The model's first answer is paid once, although the rollout is tried three times and then resumed."""
    with Journal(tmp_path / "journal.sqlite") as journal:
        lost = UpstreamError("lost", status=502)
        model = ScriptedModel([tool_call("add", {"a": 2, "b": 3}), lost, lost, lost])
        failed = one(make_engine(model=model, store=journal, journal=journal), MODEL)
        assert (failed.status, len(model.requests)) == ("infra", 4)
        assert journal.usage() == {}
        model = ScriptedModel(["It is 5."])
        engine = make_engine(model=model, store=journal, journal=journal)
        rollout = one(engine, MODEL)
        assert (rollout.reward, len(model.requests), rollout.usage.calls) == (1.0, 1, 2)
        assert journal.usage() == {"target": rollout.usage}
        assert journal.rollout(rollout.key) == rollout
        assert [step.kind for step in journal.trace(rollout.id)] == ["user", "act", "say"]


def test_how_a_task_ended_is_told_of_training_tasks_only(
    make_engine: MakeEngine, sums: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(sums), "explain", lambda self, episode: f"expected 5, got {episode.said}")
    engine, splits = make_engine(), ("train", "validation", "test")
    told = {split: one(engine, SILENT, sums.tasks(split)[0].id).explanation for split in splits if sums.tasks(split)}
    assert told.pop("train") == "expected 5, got []"
    assert told
    assert set(told.values()) == {""}
