"""Traces are found by what they are of; those of validation and test are out of a specialist's reach."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaloop.errors import StoreError
from sigmaloop.memory.evals import EvalFinished, EvalStarted, eval_journals, record_eval
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.schema import MIGRATIONS
from sigmaloop.memory.trace_form import pack_course, unpack_course
from sigmaloop.memory.traces import Traces
from sigmaloop.records import Course, ModelCall, Rollout, RolloutKey, Step, TraceFilter

ROOT = Path(__file__).parent.parent.parent
STEPS = (
    Step(index=0, kind="user", text="I want a refund."),
    Step(index=1, kind="act", tool="refund", arguments={"order": "#1"}, text="done"),
)
COURSE = Course(calls=(ModelCall(step=1, model="m", prompt="ab", input_tokens=9, seconds=0.5),), seen=(0.0, 0.25))
Make = Callable[..., Rollout]


@pytest.mark.parametrize("split", ["validation", "test", None])
def test_a_trace_that_is_not_of_training_is_kept_from_whoever_holds_the_journal(
    journal: Journal, make_rollout: Make, split: str | None
) -> None:
    rollout = make_rollout(split=split)
    journal.save_rollout(rollout, STEPS, course=COURSE)
    journal.append("kind", "e1", {})
    with pytest.raises(StoreError, match="kept apart"):
        journal.trace(rollout.id)
    journal.verify()
    assert journal.rollout(rollout.key) == rollout, "its result is no secret of the journal"
    with Traces(journal.path) as traces:
        found = traces.read(rollout.id)
    assert (found.rollout, found.steps, found.course) == (rollout, STEPS, COURSE)
    assert found.written > 0


def test_a_trace_of_training_is_read_by_both(journal: Journal, make_rollout: Make) -> None:
    rollout = make_rollout()
    journal.save_rollout(rollout, STEPS, course=COURSE)
    assert journal.trace(rollout.id) == STEPS
    with Traces(journal.path) as traces:
        assert traces.read(rollout.id).steps == STEPS


def test_only_the_reads_for_people_import_the_reader_of_all_traces() -> None:
    """Specialists get what `agents`, the nodes and the briefing hand them; none of these has a way to the reader."""
    packages = [p for p in ROOT.iterdir() if (p / "__init__.py").is_file() and p.name not in {"tests", "perf"}]
    importers = [
        str(path.relative_to(ROOT))
        for package in packages
        for path in sorted(package.rglob("*.py"))
        if not any(parent.is_symlink() for parent in path.parents)
        and "sigmaloop.memory.traces import" in path.read_text(encoding="utf-8")
    ]
    assert importers == ["graph/trace_reading.py"]
    served = [*(ROOT / "graph" / "nodes").glob("*.py"), ROOT / "graph" / "briefing.py", ROOT / "graph" / "services.py"]
    assert [path.name for path in served if "trace_reading" in path.read_text(encoding="utf-8")] == []


def test_nobody_else_selects_what_is_kept_apart() -> None:
    """The journal writes that table and its check hashes it; only the reader for people returns steps from it."""
    files = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "memory").glob("*.py")}
    naming = {name for name, text in files.items() if re.search(r"(INTO|FROM|JOIN|TABLE) apart\b", text)}
    assert naming == {"journal.py", "schema.py", "traces.py", "verification.py"}
    assert not re.search(r"(FROM|JOIN) apart|STEPS", files["journal.py"])


def test_a_changed_or_missing_trace_that_is_kept_apart_is_noticed(tmp_path: Path, make_rollout: Make) -> None:
    path = tmp_path / "journal.sqlite"
    for sql in ("UPDATE apart SET trace = x'00'", "DELETE FROM apart", "UPDATE rollouts SET trace = x'00'"):
        path.unlink(missing_ok=True)
        with Journal(path) as journal:
            journal.save_rollout(make_rollout(split="test"), STEPS)
            journal.append("kind", "e1", {})
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(sql)
        with Journal(path) as journal, pytest.raises(StoreError, match="is not what was written"):
            journal.verify()


def test_a_fault_without_a_split_gives_way_to_a_result_with_one(journal: Journal, make_rollout: Make) -> None:
    journal.save_rollout(make_rollout(reward=None, split=None), STEPS[:1])
    later = make_rollout(reward=1.0)
    journal.save_rollout(later, STEPS)
    journal.append("kind", "e1", {})
    journal.verify()
    with Traces(journal.path) as traces:
        assert traces.read(later.id).steps == STEPS == journal.trace(later.id)


SAVED = st.lists(
    st.tuples(
        st.sampled_from(["train", "validation", "test"]),
        st.sampled_from(["refund", "change"]),
        st.sampled_from([0.0, 1.0, None, "error"]),
        st.sampled_from(["a1", "a2"]),
    ),
    max_size=8,
)
CHOICE = st.builds(
    TraceFilter,
    split=st.sampled_from([None, "train", "test"]),
    request_type=st.sampled_from([None, "refund"]),
    outcome=st.sampled_from([None, "passed", "failed", "agent_error", "infra"]),
    agents=st.sampled_from([None, (), ("a1",), ("a1", "a2")]),
    limit=st.sampled_from([None, 2]),
)


@settings(max_examples=25, deadline=None)
@given(saved=SAVED, wanted=CHOICE)
def test_a_filter_finds_what_fits_and_nothing_else(
    saved: list[tuple[str, str, float | str | None, str]],
    wanted: TraceFilter,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    rollouts = []
    path = tmp_path_factory.mktemp("j") / "journal.sqlite"
    with Journal(path) as journal:
        for number, (split, kind, reward, agent) in enumerate(saved):
            status = {None: "infra", "error": "agent_error"}.get(reward, "ok")  # type: ignore[call-overload]
            made = Rollout.model_validate(
                {
                    "key": RolloutKey(agent=agent, task_id=f"t{number}", trial=0),
                    "seed": 1,
                    "split": split,
                    "request_type": kind,
                    "status": status,
                    "reward": 0.0 if reward == "error" else reward,
                }
            )
            rollouts.append(made)
            journal.save_rollout(made, STEPS)
    fits = [
        r
        for r in rollouts
        if wanted.split in (None, r.split)
        and wanted.request_type in (None, r.request_type)
        and (wanted.agents is None or r.key.agent in wanted.agents)
        and (wanted.outcome in (None, r.outcome) or (wanted.outcome == "failed" and r.status == "agent_error"))
    ]
    with Traces(path) as traces:
        assert [t.rollout for t in traces.find(wanted)] == (fits if wanted.limit is None else fits[-wanted.limit :])


def test_an_id_is_completed_from_its_beginning(journal: Journal, make_rollout: Make) -> None:
    rollouts = [make_rollout(f"t{n}") for n in range(40)]
    for rollout in rollouts:
        journal.save_rollout(rollout, STEPS)
    ids = sorted(rollout.id for rollout in rollouts)
    with Traces(journal.path) as traces:
        for beginning in (ids[0], ids[3][:2], "z"):
            assert traces.ids(beginning) == [found for found in ids if found.startswith(beginning)]


@given(
    course=st.builds(
        Course,
        calls=st.lists(
            st.builds(
                ModelCall,
                step=st.integers(0, 9),
                model=st.sampled_from(["", "m", "n"]),
                prompt=st.sampled_from(["", "00ff"]),
                input_tokens=st.integers(0, 10**6),
                output_tokens=st.integers(0, 99),
                seconds=st.sampled_from([None, 0.0, 1.5]),
            ),
            max_size=4,
        ).map(tuple),
        seen=st.lists(st.sampled_from([0.0, 0.125, 7.5]), max_size=3).map(tuple),
    )
)
@settings(max_examples=30, deadline=None)
def test_a_course_comes_back_as_it_was_stored(course: Course) -> None:
    assert unpack_course(pack_course(course)) == course


def test_a_journal_of_the_older_schema_keeps_its_head_and_sets_apart_what_was_no_traffic(
    tmp_path: Path, make_rollout: Make
) -> None:
    path = tmp_path / "journal.sqlite"
    drawn, other = make_rollout("drawn"), make_rollout("other", reward=0.0)
    with Journal(path) as journal:
        for rollout in (drawn, other):
            journal.save_rollout(rollout, STEPS)
        journal.append("batch_started", "batch:1", {"batch": 1, "tasks": ["drawn"]}, batch=1)
        head = journal.head()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript("DROP INDEX rollouts_by_outcome; DROP INDEX rollouts_by_time; DROP TABLE apart")
        for column in ("split", "request_type", "outcome", "written", "course"):
            connection.execute(f"ALTER TABLE rollouts DROP COLUMN {column}")
        connection.execute("PRAGMA user_version = 2")
    assert len(MIGRATIONS) == 3
    with pytest.raises(StoreError, match="older version"):
        Traces(path)
    with Journal(path, readonly=True) as journal:
        journal.verify()
    with Journal(path) as journal:
        journal.verify()
        assert journal.head() == head
        assert journal.trace(drawn.id) == STEPS
        with pytest.raises(StoreError, match="kept apart"):
            journal.trace(other.id)
    with Traces(path) as traces:
        assert traces.read(other.id).steps == STEPS
        assert [t.rollout.task_id for t in traces.find(TraceFilter(outcome="failed"))] == ["other"]


def started(**changes: object) -> EvalStarted:
    known = {"settings": {}, "benchmark": "b", "agent": "a", "split": "validation", "tasks": ("t1",), "trials": 1}
    return EvalStarted.model_validate({**known, **changes})


def test_an_interrupted_eval_goes_on_and_a_finished_or_other_one_is_left_alone(tmp_path: Path) -> None:
    def names(fact: EvalStarted, *, finish: bool = False) -> str:
        with record_eval(tmp_path, fact) as recording:
            if finish:
                recording.journal.write(EvalFinished(mean=1.0, passed=1))
            return recording.name

    assert names(started()) == names(started(), finish=True) == "eval-0001"
    assert names(started()) == "eval-0002"
    assert names(started(agent="b")) == "eval-0003"
    with record_eval(tmp_path, started(agent="b")) as one, record_eval(tmp_path, started(agent="b")) as other:
        assert (one.name, other.name) == ("eval-0003", "eval-0004"), "two at once never share a recording"
    (tmp_path / "evals" / "eval-0004" / "journal.sqlite").write_bytes(b"no database" * 500)
    assert names(started(agent="b")) == "eval-0005"
    assert list(eval_journals(tmp_path)) == [f"eval-000{n}" for n in (5, 4, 3, 2, 1)]
