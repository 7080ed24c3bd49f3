"""What fails again and again ends an attempt, a candidate or a task, and never the run; an outage still pauses it."""

from __future__ import annotations

import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from langgraph.errors import GraphInterrupt

from sigmaloop.errors import BudgetSpent, SandboxError
from sigmaloop.eval.benchmark import EpisodeBenchmark, Score
from sigmaloop.graph import faults
from sigmaloop.graph.build import ENDINGS
from sigmaloop.graph.events import Event, Noted, Paused
from sigmaloop.graph.faults import died_before, outlive, place_of
from sigmaloop.graph.judging import AttemptJudge
from sigmaloop.graph.prepare import prepare_run
from sigmaloop.graph.proposing import repeated
from sigmaloop.graph.rehearsal import rehearsed
from sigmaloop.graph.rollouts import covered, run_covered, same_fault
from sigmaloop.graph.services import Services
from sigmaloop.graph.sessions import open_services
from sigmaloop.memory.journal import Journal
from sigmaloop.records import Candidate, Rollout, RolloutKey, Split, Task, agent_hash
from sigmaloop.settings import load_settings
from sigmaloop.tools.sandbox.dry_run import DryRun

AGENT = "def run(session):\n    session.say('hello')\n"
SILENT = "def run(session):\n    pass\n"


def silent(_: Event) -> None:
    pass


class _Said:
    """A word is enough; `sick` tasks end in a fault of the desk, `gone` candidates as well."""

    instructions, tools, opening = "", (), "hello"

    def __init__(self, *, needs_word: bool) -> None:
        self._needs_word, self._said = needs_word, False

    def act(self, name: str, arguments: Mapping[str, Any]) -> str:
        return "Error: no tools"

    def say(self, text: str) -> str | None:
        self._said = True
        return None

    def submit(self, answer: Any) -> None:
        pass

    def score(self) -> Score:
        if self._needs_word and not self._said:
            raise ConnectionError("nobody spoke on line 7")
        return Score(reward=1.0)


class Desk(EpisodeBenchmark):
    """Tasks that are passed by anybody, but for those named in `sick`, which nobody can open."""

    name = "desk"
    sick: ClassVar[set[str]] = set()
    needs_word: ClassVar[bool] = False
    """Whether an agent that says nothing ends every rollout in a fault."""
    opened: ClassVar[Counter[str]] = Counter()

    def tasks(self, split: Split) -> Sequence[Task]:
        return [Task(id=f"{split}-{n}", split=split) for n in range(4)]

    def open(self, task_id: str, *, seed: int) -> _Said:
        if seed:
            self.opened[task_id] += 1
        if task_id in self.sick and seed:
            raise ConnectionError(f"the desk is closed at {seed}")
        return _Said(needs_word=self.needs_word)


@pytest.fixture
def desk(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[type[Desk], Services]]:
    """The benchmark, and the services of a run on it that was not begun."""
    Desk.sick, Desk.needs_word = set(), False
    Desk.opened.clear()
    monkeypatch.setitem(sys.modules, "desk_benchmark", sys.modules[__name__])
    file = tmp_path / "agent.py"
    file.write_text(AGENT)
    run_id = str(uuid.uuid4())
    prepare_run(run_id, load_settings(home=home, benchmark="desk_benchmark:Desk", agent=file, upstream="simulated"))
    with open_services(run_id, home=home) as services:
        yield Desk, services


PAIRS = [(f"train-{n}", 1) for n in range(4)]


def traffic(services: Services, told: list[Event]) -> list[Rollout]:
    return run_covered(services, told.append, AGENT, PAIRS, stage="traffic", batch=1, spare=True)


def test_a_task_that_always_faults_is_left_out_and_told(desk: tuple[type[Desk], Services]) -> None:
    benchmark, services = desk
    benchmark.sick = {"train-2"}
    told: list[Event] = []
    rollouts = traffic(services, told)
    assert [r.task_id for r in rollouts if not r.valid] == ["train-2"]
    assert services.history.unusable_tasks() == {"train-2"}
    assert services.history.unusable_tasks(before=1) == frozenset(), "the batch that found it keeps its window"
    assert ["train-2" in e.message for e in told if isinstance(e, Noted)] == [True]
    assert not [e for e in told if isinstance(e, Paused)]
    opened = benchmark.opened["train-2"]
    assert opened == 6, "two coverings of three tries each"


def test_when_nothing_else_runs_either_it_is_an_outage_and_no_task_is_blamed(
    desk: tuple[type[Desk], Services], monkeypatch: pytest.MonkeyPatch
) -> None:
    benchmark, services = desk
    monkeypatch.setattr("sigmaloop.graph.rollouts.interrupt", pause)
    run_covered(services, silent, AGENT, [("train-0", 0)], stage="traffic")
    benchmark.sick = {f"train-{n}" for n in range(4)}
    told: list[Event] = []
    for _ in range(3):
        with pytest.raises(GraphInterrupt):
            traffic(services, told)
    assert services.history.unusable_tasks() == frozenset()
    assert sum(isinstance(e, Paused) for e in told) == 3
    benchmark.sick = set()
    assert all(r.valid for r in traffic(services, told))


def test_most_of_a_window_is_left_out_only_after_a_person_has_looked(
    desk: tuple[type[Desk], Services], monkeypatch: pytest.MonkeyPatch
) -> None:
    benchmark, services = desk
    monkeypatch.setattr("sigmaloop.graph.rollouts.interrupt", pause)
    benchmark.sick = {"train-1", "train-2", "train-3"}
    with pytest.raises(GraphInterrupt):
        traffic(services, [])
    assert sum(r.valid for r in traffic(services, [])) == 1
    assert services.history.unusable_tasks() == benchmark.sick


def pause(why: object) -> None:
    """Outside of a graph, a pause is only an exception."""
    raise GraphInterrupt


def test_a_resumed_outage_runs_its_faults_once_however_often_it_paused(tmp_path: Path) -> None:
    """Answers to earlier pauses are passed over without running anything again."""
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.graph import END, START, StateGraph
    from langgraph.types import Command

    from sigmaloop.graph.rollouts import wait

    tried: list[int] = []

    def node(state: dict[str, int]) -> dict[str, int]:
        tried.append(1)
        if len(tried) < 5:
            wait({"message": "out of order"})
        return {"n": len(tried)}

    graph = StateGraph(dict)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    graph.add_edge("node", END)
    compiled: Any = graph.compile(checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "t"}}
    compiled.invoke({"n": 0}, config)
    for resumed in range(2, 5):
        compiled.invoke(Command(resume="resume"), config)
        assert len(tried) == resumed
        assert compiled.get_state(config).interrupts
    compiled.invoke(Command(resume="resume"), config)
    assert len(tried) == 5
    assert not compiled.get_state(config).next


@example(10, 1, "0.9")
@given(st.integers(1, 60), st.integers(0, 60), st.sampled_from(["0.95", "0.9", "0.8", "0.5"]))
def test_coverage_is_counted_in_whole_numbers(total: int, faults: int, floor: str) -> None:
    faults = min(faults, total - 1)
    key = RolloutKey(agent="a", task_id="t", trial=0)
    made = [
        Rollout(key=key, seed=1, status="infra" if n < faults else "ok", reward=None if n < faults else 1.0)
        for n in range(total)
    ]
    assert covered(made, Fraction(floor)) == (Fraction(total - faults, total) >= Fraction(floor))
    assert covered(made, Fraction(floor), {"t"}), "a task that does not count leaves nothing uncovered"


def test_a_fault_is_the_same_whatever_its_numbers() -> None:
    assert same_fault("closed at 0x7f3a12 (try 3)") == same_fault("closed at 0x11 (try 1)")
    assert same_fault("closed") != same_fault("open")


# A candidate


@pytest.fixture
def candidate(desk: tuple[type[Desk], Services]) -> Candidate:
    services = desk[1]
    parent = services.versions.baseline()
    made = Candidate(
        id="A0001", batch=1, attempt=1, cluster_id="C001", parent=parent,
        commit=services.versions.record("A0001", parent, SILENT, "A0001: silent"), agent=agent_hash(SILENT),
        hypothesis="h", kind="prompt", summary="s", diff="d",
    )  # fmt: skip
    services.journal.append("attempt", "attempt:A0001", {"parent": parent}, batch=1)
    services.journal.put("candidate", "A0001", made.model_dump(mode="json"))
    return made


def test_a_candidate_that_alone_meets_faults_is_unmeasurable(
    desk: tuple[type[Desk], Services], candidate: Candidate
) -> None:
    benchmark, services = desk
    judge = AttemptJudge(services, silent)
    inputs = judge.prepare_inputs(candidate, batch=1)
    benchmark.needs_word = True
    finding = judge.measure(candidate, inputs, "validation")
    assert (finding.outcome, finding.reason) == ("failed", "unmeasurable")
    assert "cannot be measured" in finding.message


def test_in_an_outage_the_candidate_is_not_blamed(desk: tuple[type[Desk], Services], candidate: Candidate) -> None:
    benchmark, services = desk
    judge = AttemptJudge(services, silent)
    inputs = judge.prepare_inputs(candidate, batch=1)
    benchmark.sick = {f"validation-{n}" for n in range(4)}
    finding = judge.measure(candidate, inputs, "validation")
    assert finding.outcome == "indecisive"
    benchmark.sick = set()
    assert judge.measure(candidate, inputs, "validation").outcome != "indecisive"


def test_a_change_that_cannot_be_rehearsed_while_its_parent_can_has_failed() -> None:
    assert not rehearsed(unless(SILENT), AGENT, SILENT).ok
    with pytest.raises(SandboxError):
        rehearsed(unless(SILENT, AGENT), AGENT, SILENT)
    runs = iter([SandboxError("busy"), DryRun(ok=True), DryRun(ok=True)])

    def once(_: str) -> DryRun:
        result = next(runs)
        if isinstance(result, Exception):
            raise result
        return result

    assert rehearsed(once, AGENT, SILENT).ok, "a passing fault is nobody's"


def unless(*broken: str) -> Callable[[str], DryRun]:
    def run(source: str) -> DryRun:
        if source in broken:
            raise SandboxError("no frame came")
        return DryRun(ok=True)

    return run


@pytest.mark.parametrize(
    ("again", "same"),
    [
        (SILENT + "# once more\n", True),
        ('def run(session):\n    """Says nothing."""\n    pass\n', True),
        ("def run(session):\n    return None\n", False),
    ],
)
def test_a_rejected_program_stays_rejected_under_another_comment(
    desk: tuple[type[Desk], Services], candidate: Candidate, again: str, same: bool
) -> None:
    services = desk[1]
    entry = {
        "candidate_id": "A0001", "batch": 1, "attempt": 1, "cluster_id": "C001", "cluster_title": "t",
        "parent": candidate.parent, "commit": candidate.commit, "agent": candidate.agent, "kind": "prompt",
        "summary": "s", "hypothesis": "h", "outcome": "rejected", "gate": "validation", "reason": "r",
    }  # fmt: skip
    services.journal.append("ledger", "ledger:A0001", entry, batch=1)
    other = candidate.model_copy(update={"id": "A0002"})
    assert repeated(services, other, AGENT, again) == ("A0001" if same else "")
    elsewhere = services.versions.record("A0003", candidate.parent, AGENT + "\n\nLIMIT = 3\n", "A0003: limit")
    moved = other.model_copy(update={"parent": elsewhere})
    found = repeated(services, moved, AGENT + "\n\nLIMIT = 3\n", again + "\n\nLIMIT = 3\n")
    assert found == ("A0001" if same else ""), "the same edit on another incumbent"


# An exception


def state_of(candidate: Candidate) -> dict[str, Any]:
    return {
        "batch": 1, "attempts_total": 1, "candidate_id": candidate.id, "cluster_id": "C001",
        "incumbent": candidate.parent, "verdicts": [],
    }  # fmt: skip


def test_the_second_death_of_one_exception_ends_the_attempt_in_another_process(
    desk: tuple[type[Desk], Services], candidate: Candidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, state = desk[1], state_of(candidate)

    def validation_gate(*_: object) -> dict[str, Any]:
        raise RuntimeError(f"no such thing at {object()!r}\nmore")

    with pytest.raises(RuntimeError):
        outlive(validation_gate, ENDINGS["validation_gate"], state, services, silent)
    update = outlive(validation_gate, ENDINGS["validation_gate"], state, services, silent)
    assert (update["outcome"], update["reason"]) == ("failed", "fault")
    (verdict,) = services.history.verdicts(update["verdicts"])
    assert verdict.gate == "validation"
    assert verdict.message.startswith("RuntimeError: no such thing")
    later = {**state, "candidate_id": "A0002"}
    with pytest.raises(RuntimeError):
        outlive(validation_gate, ENDINGS["validation_gate"], later, services, silent)


@pytest.mark.parametrize(
    "problem", [BudgetSpent("spent"), OSError("no space left"), SandboxError("none"), GraphInterrupt()]
)
def test_what_a_person_has_to_mend_is_nobodys_attempt(
    desk: tuple[type[Desk], Services], candidate: Candidate, problem: Exception
) -> None:
    def review(*_: object) -> dict[str, Any]:
        raise problem

    for _ in range(3):
        with pytest.raises(type(problem)):
            outlive(review, ENDINGS["review"], state_of(candidate), desk[1], silent)


def test_deaths_are_counted_in_the_journal_and_leave_its_chain_alone(tmp_path: Path) -> None:
    place = place_of("propose", {"batch": 1, "attempts_total": 0})
    with Journal(tmp_path / "journal.sqlite") as journal:
        head = journal.head()
        assert not died_before(journal, place, KeyError("a"))
        assert not died_before(journal, place, KeyError("b"))
    with Journal(tmp_path / "journal.sqlite") as journal:
        assert died_before(journal, place, KeyError("a"))
        assert not died_before(journal, place_of("propose", {"batch": 2}), KeyError("a"))
        assert journal.head() == head
    assert faults.described(ValueError()) == "ValueError"
