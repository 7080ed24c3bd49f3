"""An altered history is noticed: every event, every rollout, and which rollouts each event rests on."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaloop.errors import StoreError
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.schema import MIGRATIONS
from sigmaloop.records import Rollout, RolloutKey, Step, Usage

TRACE = [Step(index=0, kind="say", text="Your refund is on its way.")]


def made(task: str = "t", *, trial: int = 0, reward: float | None = 0.0, **fields: Any) -> Rollout:
    return Rollout(
        key=RolloutKey(agent="a", task_id=task, trial=trial),
        seed=1,
        status="infra" if reward is None else "ok",
        reward=reward,
        **{"split": "train", **fields},
    )


def tamper(path: Path, sql: str, *values: Any) -> int:
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(sql, values).rowcount


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two events, each resting on two rollouts, and one rollout that no event covers yet."""
    path = tmp_path / "journal.sqlite"
    with Journal(path) as journal:
        for batch in (1, 2):
            for task in ("t1", "t2"):
                journal.save_rollout(made(task, trial=batch), TRACE)
            journal.append("batch_started", f"batch:{batch}", {"batch": batch}, batch=batch)
        journal.save_rollout(made("tail"), TRACE)
        journal.verify()
    return path


def problem(path: Path) -> str:
    with Journal(path) as journal, pytest.raises(StoreError) as caught:
        journal.verify()
    return str(caught.value)


ALTERED = [
    """UPDATE rollouts SET payload = replace(payload, '"reward":0.0', '"reward":1.0') WHERE task_id = 't2'""",
    "UPDATE rollouts SET payload = replace(payload, '\"seed\":1', '\"seed\":2') WHERE task_id = 't2'",
    "UPDATE rollouts SET payload = '[]' WHERE task_id = 't2'",
    "UPDATE rollouts SET payload = x'ff' WHERE task_id = 't2'",
    "UPDATE rollouts SET trace = x'00' WHERE task_id = 't2'",
    "UPDATE rollouts SET trace = (SELECT trace FROM rollouts WHERE task_id = 'other') WHERE task_id = 't2'",
    "UPDATE rollouts SET status = 'infra' WHERE task_id = 't2'",
    "UPDATE rollouts SET agent = 'b' WHERE task_id = 't2'",
    "UPDATE rollouts SET trial = 9 WHERE task_id = 't2'",
    "UPDATE rollouts SET hash = '' WHERE task_id = 't2'",
    "UPDATE rollouts SET covered_by = 0 WHERE task_id = 't2'",
    "UPDATE rollouts SET covered_by = 99 WHERE task_id = 't2'",
]


@pytest.mark.parametrize("sql", ALTERED)
def test_an_altered_rollout_is_named(path: Path, sql: str) -> None:
    with Journal(path) as journal:
        journal.save_rollout(made("other"), [Step(index=0, kind="say", text="Something else.")])
    assert tamper(path, sql) == 2
    text = problem(path)
    assert "task t2, trial" in text
    assert "put back a copy or start a new run" in text
    assert str(path) in text


def test_an_altered_reward_that_no_event_covers_yet_is_noticed_too(path: Path) -> None:
    tamper(path, """UPDATE rollouts SET payload = replace(payload, '0.0', '1.0') WHERE task_id = 'tail'""")
    assert "task tail" in problem(path)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM rollouts WHERE task_id = 't1' AND trial = 2",
        "UPDATE rollouts SET covered_by = 2 WHERE covered_by = 3",
        "UPDATE rollouts SET covered_by = 3 WHERE covered_by = 2",
    ],
)
def test_a_missing_added_or_moved_rollout_is_noticed_at_the_event_that_rests_on_it(path: Path, sql: str) -> None:
    assert tamper(path, sql)
    text = problem(path)
    assert "the rollouts that event 2 ('batch:2') rests on" in text
    assert "put back a copy" in text


def test_a_rollout_that_no_event_covers_may_be_missing(path: Path) -> None:
    """A process that was killed may not have stored it, either: it is run again."""
    tamper(path, "DELETE FROM rollouts WHERE task_id = 'tail'")
    with Journal(path) as journal:
        journal.verify()


def test_what_an_event_rests_on_cannot_be_taken_out_of_its_hash(path: Path) -> None:
    tamper(path, "DELETE FROM rollouts WHERE covered_by = 2")
    tamper(path, "UPDATE events SET rollouts = '' WHERE seq = 2")
    assert "event 2 (found 'batch:2' at 2) is not what was written" in problem(path)


SAVED = st.lists(
    st.tuples(st.sampled_from(["t1", "t2", "t3", "t4"]), st.sampled_from([0.0, 1.0])), unique_by=lambda x: x[0]
)


@settings(max_examples=30, deadline=None)
@given(stages=st.lists(SAVED, min_size=1, max_size=3), data=st.data())
def test_the_head_depends_on_what_was_measured_not_on_the_order_in_which_it_came(
    stages: list[list[tuple[str, float]]], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def head(stages: list[list[tuple[str, float]]], **fields: Any) -> str:
        with Journal(tmp_path_factory.mktemp("j") / "journal.sqlite") as journal:
            for number, stage in enumerate(stages):
                for task, reward in stage:
                    journal.save_rollout(made(task, trial=number, reward=reward, **fields), TRACE)
                journal.append("kind", f"e{number}", {})
            journal.verify()
            return journal.head()

    known = head(stages)
    assert known == head([data.draw(st.permutations(stage)) for stage in stages], wall_seconds=9.0, tier="landlock")
    changed = [*stages[:-1], [*stages[-1], ("t9", 1.0)]]
    assert known != head(changed)
    assert head(changed) != head([*stages[:-1], [*stages[-1], ("t9", 0.0)]])


def test_a_fault_is_no_evidence_and_a_run_that_met_one_ends_in_the_same_head(tmp_path: Path) -> None:
    heads = []
    for name, faults in (("calm", ()), ("stormy", ("503", "504"))):
        with Journal(tmp_path / name) as journal:
            for detail in faults:
                journal.save_rollout(made(reward=None, detail=detail), [])
            journal.append("kind", "e1", {})
            journal.verify()
            for detail in faults:
                journal.save_rollout(made(reward=None, detail=f"{detail} again"), [])
            journal.save_rollout(made(reward=1.0), TRACE)
            journal.append("kind", "e2", {})
            journal.verify()
            heads.append(journal.head())
    assert heads[0] == heads[1]


def test_a_killed_run_that_repeats_itself_ends_in_the_same_head(tmp_path: Path) -> None:
    heads = []
    for name, kills in (("once", 0), ("killed", 3)):
        for _ in range(kills + 1):
            with Journal(tmp_path / name) as journal:
                for task in ("t1", "t2", "t3"):
                    journal.save_rollout(made(task, usage=Usage(calls=2)), TRACE)
                journal.append("kind", "e1", {})
                journal.verify()
        with Journal(tmp_path / name) as journal:
            heads.append(journal.head())
    assert heads[0] == heads[1]


def test_only_what_is_new_is_checked_again(path: Path) -> None:
    read: list[int] = []
    with Journal(path) as journal:
        real = journal._db.execute

        def counted(sql: str, values: Any = ()) -> list[Any]:
            rows = real(sql, values)
            read.append(len(rows) if "FROM rollouts" in sql or "FROM events" in sql else 0)
            return rows

        journal.verify_new()
        journal._db.execute = counted  # type: ignore[method-assign]
        for number in range(5):
            read.clear()
            journal.save_rollout(made(f"new{number}"), TRACE)
            journal.append("kind", f"new{number}", {})
            read.clear()
            journal.verify_new()
            assert sum(read) <= 4, "the event it stands at, the new event, and at most two new rollouts"


def test_what_is_new_and_wrong_is_found_and_so_is_another_file_in_its_place(path: Path) -> None:
    with Journal(path) as journal:
        journal.verify_new()
        journal.append("kind", "later", {"n": 1})
    tamper(path, "UPDATE events SET payload = '{\"n\":2}' WHERE id = 'later'")
    with Journal(path, readonly=True) as journal, pytest.raises(StoreError, match="event 3"):
        journal.verify_new()
    tamper(path, "UPDATE events SET payload = '{\"n\":1}' WHERE id = 'later'")
    with Journal(path, readonly=True) as journal:
        journal.verify_new()
    tamper(path, "UPDATE events SET hash = 'x' WHERE seq = 3")
    with Journal(path, readonly=True) as journal, pytest.raises(StoreError, match="event 3"):
        journal.verify_new()


def old_journal(path: Path) -> None:
    """A file as it was written before rollouts were covered."""
    with Journal(path) as journal:
        journal.append("run_started", "run_started", {})
        journal.save_rollout(made("t1", reward=1.0), TRACE)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP INDEX rollouts_by_event")
        for index in ("rollouts_by_outcome", "rollouts_by_time"):
            connection.execute(f"DROP INDEX {index}")
        connection.execute("DROP TABLE apart")
        newest = [("rollouts", name) for name in ("split", "request_type", "outcome", "written", "course")]
        for table, column in (*newest, ("events", "rollouts"), ("rollouts", "hash"), ("rollouts", "covered_by")):
            connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        connection.execute("PRAGMA user_version = 1")


def test_a_journal_from_before_is_read_as_it_is_and_covered_once_its_run_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    old_journal(path)
    with Journal(path, readonly=True) as journal:
        journal.verify()
        assert [r.reward for r in journal.rollouts()] == [1.0]
        before = journal.head()
    with Journal(path) as journal:
        journal.verify()
        assert journal.head() == before
        journal.append("kind", "next", {})
    tamper(path, """UPDATE rollouts SET payload = replace(payload, '"reward":1.0', '"reward":0.0')""")
    assert "task t1" in problem(path)


def test_an_altered_event_of_a_journal_from_before_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    old_journal(path)
    tamper(path, "UPDATE events SET payload = '{\"forged\":1}'")
    with Journal(path, readonly=True) as journal, pytest.raises(StoreError, match="event 1"):
        journal.verify()


def test_a_damaged_rollout_of_a_journal_from_before_stops_the_change_and_leaves_the_file(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    old_journal(path)
    tamper(path, "UPDATE rollouts SET trace = x'00'")
    with pytest.raises(StoreError, match="a rollout is damaged"):
        Journal(path)
    with Journal(path, readonly=True) as journal:
        assert journal.length() == 1
    assert len(MIGRATIONS) == 3


UNWRITABLE = [
    ({"batch": -1}, "batch is -1"),
    ({"batch": "1"}, "batch is '1'"),
    ({"batch": True}, "batch is True"),
    ({"batch": 2**70}, "batch is 1180591620717411303424"),
    ({"kind": ""}, "kind is ''"),
    ({"id": ""}, "id is ''"),
    ({"id": 7}, "id is 7"),
    ({"id": "\ud800"}, "id is"),
    ({"payload": ["no", "object"]}, "its payload is list, not an object"),
    ({"payload": {"x": float("nan")}}, "its payload is no JSON"),
    ({"payload": {"x": [float("inf")]}}, "its payload is no JSON"),
    ({"payload": {"x": {1, 2}}}, "its payload is no JSON"),
    ({"payload": {"x": {"title": "cut off \ud83d"}}}, "it holds half a character, at"),
    ({"payload": {"\udfff": 1}}, "it holds half a character, at"),
]


@pytest.mark.parametrize(("wrong", "told"), UNWRITABLE)
def test_what_could_not_be_read_back_is_never_written(path: Path, wrong: dict[str, Any], told: str) -> None:
    with Journal(path) as journal:
        before = (journal.length(), journal.head())
        fact = {"kind": "kind", "id": "new", "payload": {}, "batch": 1, **wrong}
        with pytest.raises(StoreError) as caught:
            journal.append(fact["kind"], fact["id"], fact["payload"], batch=fact["batch"])
        assert "was not written" in str(caught.value)
        assert told in str(caught.value)
        str(caught.value).encode()  # can be printed
        assert (journal.length(), journal.head()) == before
        assert len(journal.events()) == before[0]


def test_whole_characters_beyond_the_first_65536_may_be_written(path: Path) -> None:
    payload = {"text": "\U0001f600 \\ud83d", "😀": "\\ud83d\\"}
    with Journal(path) as journal:
        journal.append("kind", "smile", payload)
        event = journal.event("smile")
        assert event is not None
        assert event.payload == payload
        assert json.dumps(event.payload)
        journal.verify()


def test_the_same_result_again_changes_no_head(journal: Journal, make_rollout: Callable[..., Rollout]) -> None:
    journal.save_rollout(make_rollout(), TRACE)
    journal.append("kind", "e1", {})
    journal.save_rollout(make_rollout(wall_seconds=3.0), TRACE)
    journal.append("kind", "e2", {})
    journal.verify()
    head = journal.head()
    assert len(head) == 64
