"""The journal: what was written is there, once and unaltered, for every thread and process, or it says why not."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaloop.errors import BadInput, StoreError
from sigmaloop.memory.database import Database
from sigmaloop.memory.journal import Journal, VectorRow
from sigmaloop.memory.schema import MIGRATIONS, migrate
from sigmaloop.records import Rollout, Step, Usage

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FACT = st.tuples(st.sampled_from("abcdef"), st.sampled_from(["promoted", "ledger"]), st.integers(0, 9))


def tamper(path: Path, sql: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.executescript(sql)
    connection.close()


def test_an_event_comes_back_as_it_was_written(journal: Journal) -> None:
    journal.append("promoted", "p1", {"task_id": "t", "n": 1}, batch=3)
    journal.append("ledger", "l1", {"x": [1.5, None, "ü"]}, batch=4)
    first, second = journal.events()
    assert (first.seq, first.id, first.kind, first.batch, first.payload) == (
        1,
        "p1",
        "promoted",
        3,
        {"task_id": "t", "n": 1},
    )
    assert second.payload == {"x": [1.5, None, "ü"]}
    assert journal.events("ledger") == [second] == journal.events(batch=4)
    assert journal.events({"ledger", "promoted"}) == [first, second]
    assert journal.event("p1") == first
    assert journal.event("none") is None
    assert (journal.length(), journal.count("ledger")) == (2, 1)


def test_the_same_event_again_is_no_news(journal: Journal) -> None:
    journal.append("promoted", "p1", {"a": 1, "b": 2})
    head = journal.head()
    journal.append("promoted", "p1", {"b": 2, "a": 1})
    assert journal.head() == head
    assert journal.length() == 1


@pytest.mark.parametrize(
    ("kind", "payload", "batch"),
    [("promoted", {"a": 2}, 0), ("ledger", {"a": 1}, 0), ("promoted", {"a": 1}, 5)],
)
def test_another_event_under_a_known_id_is_refused_and_both_are_named(
    journal: Journal, kind: str, payload: dict[str, Any], batch: int
) -> None:
    journal.append("promoted", "p1", {"a": 1})
    with pytest.raises(StoreError) as caught:
        journal.append(kind, "p1", payload, batch=batch)
    text = str(caught.value)
    assert "'p1'" in text
    assert 'promoted (batch 0) {"a":1}' in text
    assert f"{kind} (batch {batch})" in text
    assert str(journal.path) in text
    assert journal.length() == 1
    journal.verify()


@settings(max_examples=40, deadline=None)
@given(payloads=st.lists(st.dictionaries(st.text(max_size=5), JSON, max_size=4), max_size=6))
def test_any_json_survives_and_replaying_a_run_changes_nothing(
    payloads: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("j") / "journal.sqlite"
    for _ in range(2):  # the second time as a resumed run would
        with Journal(path) as journal:
            for number, payload in enumerate(payloads):
                journal.append("kind", f"e{number}", payload)
            assert [event.payload for event in journal.events()] == payloads
            journal.verify()


@settings(max_examples=20, deadline=None)
@given(facts=st.lists(FACT, min_size=1, max_size=8), data=st.data())
def test_equal_histories_have_equal_heads_and_others_do_not(
    facts: list[tuple[str, str, int]], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def head(history: list[tuple[str, str, int]]) -> str:
        with Journal(tmp_path_factory.mktemp("j") / "journal.sqlite") as journal:
            for number, (word, kind, batch) in enumerate(history):
                journal.append(kind, f"e{number}", {"word": word}, batch=batch)
            return journal.head()

    other = data.draw(st.permutations(facts) | st.just(facts[:-1]))
    assert head(facts) == head(facts)
    assert (head(facts) == head(list(other))) == (facts == list(other))


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE events SET payload = '{\"n\":99}' WHERE seq = 2",
        "UPDATE events SET batch = 7 WHERE seq = 2",
        "UPDATE events SET kind = 'other' WHERE seq = 4",
        "UPDATE events SET hash = 'x' WHERE seq = 3",
        "DELETE FROM events WHERE seq = 1",
        "DELETE FROM events WHERE seq = 3",
        "DELETE FROM events WHERE seq = 5",  # the newest: no later hash covers it
        "DELETE FROM events",
        "UPDATE events SET seq = 9 WHERE seq = 2; UPDATE events SET seq = 2 WHERE seq = 3;"
        "UPDATE events SET seq = 3 WHERE seq = 9",
        "INSERT INTO events VALUES (6, 'e6', 'kind', 0, '{}', 'x', 0, '')",
    ],
)
def test_verify_finds_what_was_altered_removed_or_moved(tmp_path: Path, sql: str) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path) as journal:
        for number in range(1, 6):
            journal.append("kind", f"e{number}", {"n": number})
        journal.verify()
    tamper(path, sql)
    with Journal(path) as journal, pytest.raises(StoreError, match=r"journal\.sqlite.*(not what was written|missing)"):
        journal.verify()


def test_when_an_event_was_written_is_known_but_not_hashed(tmp_path: Path) -> None:
    heads = []
    for name in ("a", "b"):
        with Journal(tmp_path / name) as journal:
            journal.append("kind", "e", {"n": 1})
            times = journal.times()
            assert times is not None
            assert abs(times[1] - time.time()) < 60
            heads.append(journal.head())
    assert heads[0] == heads[1]
    tamper(tmp_path / "a", "UPDATE events SET written = 1")
    with Journal(tmp_path / "a") as journal:
        journal.verify()


def test_a_transaction_is_kept_whole_or_not_at_all(journal: Journal) -> None:
    with suppress(ZeroDivisionError), journal.transaction():
        journal.append("kind", "a", {})
        journal.put("thing", "x", {})
        raise ZeroDivisionError
    assert journal.length() == 0
    assert journal.get("thing", "x") is None
    with journal.transaction():
        journal.append("kind", "a", {})
        with pytest.raises(StoreError):
            journal.append("other", "a", {})
        journal.append("kind", "b", {})
    assert [event.id for event in journal.events()] == ["a", "b"]
    journal.verify()


def test_records_are_replaced_and_listed_by_batch_and_id(journal: Journal) -> None:
    journal.put("failure", "F2", {"v": 1}, batch=1)
    journal.put("failure", "F1", {"v": 2}, batch=2)
    journal.put("failure", "F0", {"v": 3}, batch=2)
    journal.put("failure", "F1", {"v": 4}, batch=2)
    assert journal.get("failure", "F1") == {"v": 4}
    assert [r["v"] for r in journal.all("failure")] == [1, 3, 4]
    assert [r["v"] for r in journal.all("failure", batch=2)] == [3, 4]
    assert journal.all("other") == []


def test_a_rollout_comes_back_with_its_trace(journal: Journal, make_rollout: Callable[..., Rollout]) -> None:
    rollout = make_rollout(reward=0.5, components={"database": 0.5}, usage=Usage(calls=2, cost=0.25))
    steps = (
        Step(index=0, kind="user", text="I want to return — something\n" * 50),
        Step(index=1, kind="act", tool="find", arguments={"q": ["a", {"b": None}], "lone": "\ud800"}, text="Error: no"),
    )
    journal.save_rollout(rollout, steps)
    assert journal.rollout(rollout.key) == rollout
    assert journal.trace(rollout.id) == steps
    with pytest.raises(StoreError, match="no rollout nothing"):
        journal.trace("nothing")


def test_an_infra_result_is_stored_but_gives_way(journal: Journal, make_rollout: Callable[..., Rollout]) -> None:
    infra = make_rollout(reward=None, detail="503")
    journal.save_rollout(infra, [])
    assert journal.rollout(infra.key) is None
    assert journal.rollouts() == [infra]
    again = make_rollout(reward=None, detail="504")
    journal.save_rollout(again, [])
    assert journal.rollouts() == [again]
    valid = make_rollout(reward=1.0)
    journal.save_rollout(valid, [])
    journal.save_rollout(infra, [])
    assert journal.rollouts() == [valid]


def test_a_valid_result_is_never_overwritten(journal: Journal, make_rollout: Callable[..., Rollout]) -> None:
    first = make_rollout(reward=1.0, wall_seconds=1.0)
    journal.save_rollout(first, [])
    journal.save_rollout(make_rollout(reward=1.0, wall_seconds=2.0), [])
    assert journal.rollout(first.key) == first
    with pytest.raises(StoreError, match=r"reward 1\.0 and now ok with 0\.0"):
        journal.save_rollout(make_rollout(reward=0.0), [])


def test_rollouts_are_listed_by_agent_task_and_trial(journal: Journal, make_rollout: Callable[..., Rollout]) -> None:
    made = [make_rollout(task, trial=trial, agent=agent) for agent in "ba" for task in ("t2", "t1") for trial in (1, 0)]
    for rollout in made:
        journal.save_rollout(rollout, [])
    keys = [(r.key.agent, r.task_id, r.key.trial) for r in journal.rollouts()]
    assert keys == sorted(keys)
    assert len(journal.rollouts(agent="a")) == 4
    assert {r.task_id for r in journal.rollouts(agent="a", task_ids=["t1", "t9"])} == {"t1"}
    assert journal.rollouts(task_ids=[]) == []


def test_a_paid_model_call_is_recalled_at_its_own_place_only(journal: Journal) -> None:
    journal.remember("scope", 0, "hash", {"choices": ["z", "a"], "lone": "\udfff"})
    journal.remember("scope", 0, "hash", {"choices": ["another"]})
    assert journal.recall("scope", 0, "hash") == {"choices": ["z", "a"], "lone": "\udfff"}
    assert journal.recall("scope", 1, "hash") is None
    assert journal.recall("scope", 0, "other") is None
    assert journal.recall("elsewhere", 0, "hash") is None


def test_calls_are_forgotten_with_the_rollout_that_they_made(
    journal: Journal, make_rollout: Callable[..., Rollout]
) -> None:
    for scope in ("mine", "other"):
        journal.remember(scope, 0, "h", {"n": 1})
    journal.save_rollout(make_rollout(reward=None), [], scope="mine")
    assert journal.recall("mine", 0, "h"), "a new try after an infra fault replays what was paid"
    with suppress(ZeroDivisionError), journal.transaction():
        journal.save_rollout(make_rollout(), [], scope="mine")
        raise ZeroDivisionError
    assert journal.recall("mine", 0, "h"), "not saved, not forgotten"
    journal.save_rollout(make_rollout(), [], scope="mine")
    assert journal.recall("mine", 0, "h") is None
    assert journal.recall("other", 0, "h")


def test_usage_is_counted_once_and_summed_exactly(journal: Journal) -> None:
    for number in range(10):
        for _ in range(2):
            usage = Usage(calls=1, input_tokens=10, output_tokens=2, cost=0.1)
            journal.add_usage(f"u{number}", "target", number % 2, f"t{number % 5}", usage)
    journal.add_usage("m", "failure_miner", 1, "", Usage(calls=3))
    assert journal.usage() == {
        "failure_miner": Usage(calls=3),
        "target": Usage(calls=10, input_tokens=100, output_tokens=20, cost=1.0),
    }
    assert journal.usage(batch=1)["target"].calls == 5
    assert journal.usage(task="t3")["target"].calls == 2
    assert journal.usage(task="nothing") == {}


def test_vectors_come_back_by_id_and_their_state_moves_with_every_change(journal: Journal) -> None:
    def row(id_: str, text: str) -> VectorRow:
        return VectorRow("failure", id_, "e", text, {"a": [1]}, b"\0\0\x80?")

    states = [journal.vector_state()]
    for rows in ([row("b", "x"), row("a", "y")], [row("b", "z")], [row("b", "w")]):
        journal.save_vectors(rows)
        states.append(journal.vector_state())
    assert len(set(states)) == len(states)
    assert journal.vectors("failure") == [row("a", "y"), row("b", "w")]
    assert journal.vectors("failure", ids=["b", "zz"]) == [row("b", "w")]
    assert journal.vector_counts() == {"failure": 2}


def test_threads_share_a_journal(journal: Journal) -> None:
    def work(name: str) -> None:
        for number in range(50):
            journal.append("kind", f"{name}{number}", {"n": number})
            journal.remember(name, number, "h", {})

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert journal.length() == 200
    journal.verify()


def test_another_process_or_reader_sees_what_is_committed_while_it_is_being_written(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path) as writer, Journal(path, readonly=True) as reader:
        writer.append("kind", "a", {})
        assert reader.length() == 1
        with writer.transaction():
            writer.append("kind", "b", {})
            assert reader.length() == 1
        assert reader.length() == 2
        with pytest.raises(StoreError, match="cannot be opened as needed"):
            reader.append("kind", "c", {})
    with Journal(path, readonly=True) as reader:
        assert reader.length() == 2


def test_two_writers_on_one_file_still_make_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path) as one, Journal(path) as two:
        for number in range(10):
            (one if number % 2 else two).append("kind", f"e{number}", {})
        one.verify()
        assert two.length() == 10


def test_a_missing_file_is_not_made_by_reading(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does not exist"):
        Journal(tmp_path / "none.sqlite", readonly=True)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_reported_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"these are notes, not a database\n" * 100)
    for readonly in (False, True):
        with pytest.raises(StoreError, match=r"journal\.sqlite is damaged; move it aside"):
            Journal(path, readonly=readonly)


def test_a_torn_file_is_reported_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path) as journal:
        for number in range(200):
            journal.append("kind", f"e{number}", {"text": "x" * 500})
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20_000] = b"\x55" * 20_000
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"journal\.sqlite"), Journal(path) as journal:
        journal.verify()


def test_a_damaged_payload_names_the_file_and_the_row(tmp_path: Path, make_rollout: Callable[..., Rollout]) -> None:
    path = tmp_path / "journal.sqlite"
    rollout = make_rollout()
    with Journal(path) as journal:
        journal.put("thing", "x", {})
        journal.save_rollout(rollout, [])
    tamper(path, "UPDATE records SET payload = '{'; UPDATE rollouts SET payload = '[]', trace = x'00'")
    with Journal(path) as journal:
        for read in (
            lambda: journal.get("thing", "x"),
            lambda: journal.rollout(rollout.key),
            lambda: journal.trace(rollout.id),
        ):
            with pytest.raises(StoreError, match=r"journal\.sqlite.*damaged"):
                read()


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    tamper(path, "CREATE TABLE recipes (name TEXT)")
    with pytest.raises(StoreError, match="something else"):
        Journal(path)


def test_a_folder_that_cannot_be_made_is_the_users_to_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInput, match="--home"):
        Journal(tmp_path / "file" / "run" / "journal.sqlite")


def test_migrations_run_in_order_and_once(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path) as journal:
        journal.append("kind", "e", {})
    later = (*MIGRATIONS, ("CREATE TABLE extra (n INTEGER)", "INSERT INTO extra VALUES (1)"))
    database = Database(path, readonly=True)
    with pytest.raises(StoreError, match="may only be read"):
        migrate(database, steps=later, readable=len(later))
    database.close()
    for _ in range(2):
        database = Database(path)
        migrate(database, steps=later)
        assert database.execute("SELECT n FROM extra") == [(1,)]
        assert database.execute("SELECT id FROM events") == [("e",)]
        database.close()
    with pytest.raises(StoreError, match="newer SigmaLoop"):
        Journal(path)


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    Journal(path).close()
    broken = (*MIGRATIONS, ("CREATE TABLE extra (n INTEGER)", "NONSENSE"))
    database = Database(path)
    with pytest.raises(StoreError):
        migrate(database, steps=broken)
    database.close()
    with Journal(path) as journal:
        assert journal.length() == 0
