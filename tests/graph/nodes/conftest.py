"""A run in milliseconds: real SQLite, git and engine, a benchmark that reads the agent's text, scripted specialists."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest_nodes import AGENT, code_word

from sigmaloop.agents.filing import Filing, NamedDiagnosis, NewCause, Place
from sigmaloop.agents.prompt import prompt_hashes
from sigmaloop.errors import SpecialistError
from sigmaloop.eval.benchmark import BenchmarkRunner
from sigmaloop.graph.events import Event
from sigmaloop.graph.services import Services, make_gateway, make_supervisor
from sigmaloop.graph.state import LoopState
from sigmaloop.memory.facts import FORM, RunStarted
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.runs import RunPaths
from sigmaloop.records import Diagnosis, FailureRecord, Judgement, Proposal, Split, Task
from sigmaloop.settings import Settings, load_settings

SIZE = 10


class Notes(BenchmarkRunner):
    """An agent passes the tasks whose code words its text holds; one that it calls sick ends in a fault."""

    name = "notes"

    def tasks(self, split: Split) -> Sequence[Task]:
        return [Task(id=f"{split}-{n}", split=split, request_type="note", weight=1 + n) for n in range(SIZE)]

    def run(self, agent: str, task_ids: Sequence[str], *, seeds: Mapping[str, int]) -> Mapping[str, float | None]:
        words = {task: code_word(task) for task in task_ids}
        return {task: None if f"sick_{word}" in agent else float(word in agent) for task, word in words.items()}


class Miner:
    """Every failure has the mechanism that its task's number says: even or odd."""

    def mine(self, *, rollout: Any, task: Task, batch: int, **_: Any) -> tuple[FailureRecord, ...]:
        found = FailureRecord(
            rollout_id=rollout.id,
            task_id=task.id,
            request_type=task.request_type,
            batch=batch,
            mechanism="even" if int(task.id[-1]) % 2 == 0 else "odd",
            what_failed="the note is missing",
            root_cause="the text does not name it",
            should_have="name it",
            severity=3,
        )
        return (found,)


class Clusterer:
    """Founds a cluster for every mechanism that has none, and counts how often it is asked."""

    asked = 0

    def file(self, causes: Sequence[NewCause], clusters: Sequence[Any], **_: Any) -> Filing:
        self.asked += 1
        new = [cause.label for cause in causes if cause.cluster_id is None]
        said = [NamedDiagnosis(cluster=c.label, diagnosis=Diagnosis(common_cause="not named")) for c in causes]
        return Filing(places=tuple(Place(label=n, founder=n) for n in new), diagnoses=tuple(said))


class Engineer:
    """Hands in the texts that it was given, one a call; None: nothing usable."""

    def __init__(self) -> None:
        self.texts: list[str | None] = []
        self.briefs: list[Any] = []
        self.tools: Any = None

    def propose(self, brief: Any, tools: Any, *, scope: str) -> Proposal:
        self.briefs.append(brief)
        self.tools = tools
        text = self.texts.pop(0)
        if text is None:
            raise SpecialistError("the engineer handed in nothing")
        return Proposal(hypothesis="naming helps", kind="prompt", summary="names more", source=text)


class Judge:
    """Says what it is told to say."""

    veto = False

    def __init__(self) -> None:
        self.shown: list[dict[str, Any]] = []

    def judge(self, **shown: Any) -> Judgement:
        self.shown.append(shown)
        kind = "overfit" if self.veto else "sound"
        return Judgement(classification=kind, veto=self.veto, explanation="it was read", next_idea="name another")


@pytest.fixture(autouse=True)
def short_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """One synthetic run behind the plan's lines, which nobody reads here."""
    monkeypatch.setattr("sigmaloop.graph.planning.WORLDS", 1)


@pytest.fixture
def make_services(tmp_path: Path) -> Iterator[Callable[..., Services]]:
    """A run's services, not begun; keywords are settings, `text` is the agent's."""
    made: list[Services] = []

    def make(*, text: str = AGENT, **changes: Any) -> Services:
        given = {
            "home": tmp_path / "home",
            "upstream": "simulated",
            "batch_size": 6,
            "batches": 2,
            "attempts": 2,
            **changes,
        }
        settings: Settings = load_settings(**{"canaries": 0, "harmful_canaries": 0, "certify_trials": 1, **given})
        paths = RunPaths(settings.home, f"run-{len(made)}")
        paths.make()
        journal = Journal(paths.journal)
        gateway, supervisor = make_gateway(settings, journal=journal), make_supervisor(settings)
        services = Services(paths.run_id, settings, paths, journal, Notes(), gateway, supervisor)
        services.__dict__.update(miner=Miner(), clusterer=Clusterer(), engineer=Engineer(), judge=Judge())
        services.versions.begin(text, "baseline")
        journal.write(
            RunStarted(
                settings=settings.stored(),
                benchmark=Notes().fingerprint(),
                models=settings.models(),
                prompts=prompt_hashes(),
                simulated=True,
                tier="none",
                form=FORM,
            )
        )
        made.append(services)
        return services

    yield make
    for services in made:
        services.close()


class Loop:
    """Runs nodes one by one and keeps the state, as the graph does."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.state: LoopState = {"run_id": services.run_id}  # type: ignore[typeddict-item]
        self.news: list[Event] = []

    def go(self, *nodes: Callable[..., Any]) -> LoopState:
        for node in nodes:
            update = node(self.state, self.services, self.news.append)
            self.state.update(update)
        return self.state

    def mine(self, node: Callable[..., Any]) -> None:
        """The parallel miners, one after the other."""
        mined: list[str] = []
        for task in self.state["failed"]:
            sent = {"run_id": "r", "batch": self.state["batch"], "agent": self.state["incumbent"], "task_id": task}
            mined += node(sent, self.services, self.news.append)["mined"]
        self.state["mined"] = sorted(mined)


@pytest.fixture
def loop(make_services: Callable[..., Services]) -> Loop:
    return Loop(make_services())


@pytest.fixture
def loop_with(make_services: Callable[..., Services]) -> Callable[..., Loop]:
    """`loop` with other settings."""
    return lambda **changes: Loop(make_services(**changes))
