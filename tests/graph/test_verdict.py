"""What the nodes make of a verdict: coverage, targets, the suite and its end, and what a baseline cannot show."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sigmaloop.eval.benchmark import BenchmarkRunner
from sigmaloop.graph.events import Event, SuiteGrown, VerdictGiven, Warned
from sigmaloop.graph.judging import AttemptJudge
from sigmaloop.graph.nodes.attempt import regression_gate
from sigmaloop.graph.nodes.conclude import promote
from sigmaloop.graph.nodes.observe import baseline
from sigmaloop.graph.prepare import prepare_run
from sigmaloop.graph.rollouts import run_covered
from sigmaloop.graph.services import Services
from sigmaloop.graph.sessions import open_services
from sigmaloop.graph.state import LoopState
from sigmaloop.records import Candidate, FailureRecord, RolloutKey, Split, Task, agent_hash, digest
from sigmaloop.report.material import read_material
from sigmaloop.report.summary import summarise
from sigmaloop.settings import load_settings

AGENT = "def run(session):\n    session.say('hello')\n"
BETTER = AGENT + "# mends train-0, train-1, train-2\n"


class Notes(BenchmarkRunner):
    """An agent passes the tasks that its text names."""

    name = "notes"

    def tasks(self, split: Split) -> Sequence[Task]:
        return [Task(id=f"{split}-{n}", split=split) for n in range(10)]

    def run(self, agent: str, task_ids: Sequence[str], *, seeds: Mapping[str, int]) -> Mapping[str, float | None]:
        return {task: float(task in agent) for task in task_ids}


class Sick(Notes):
    """One task always ends in a fault."""

    def run(self, agent: str, task_ids: Sequence[str], *, seeds: Mapping[str, int]) -> Mapping[str, float | None]:
        return {task: None if task == "train-9" else 1.0 for task in task_ids}


class Graded(Notes):
    """Rewards that never reach 1."""

    def run(self, agent: str, task_ids: Sequence[str], *, seeds: Mapping[str, int]) -> Mapping[str, float | None]:
        return dict.fromkeys(task_ids, 0.6)


class Marked(Graded):
    pass_at = 0.5


@pytest.fixture
def begun(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Services]]:
    """The services of a new run on one of the benchmarks above."""
    monkeypatch.setitem(sys.modules, "verdict_benchmarks", sys.modules[__name__])
    agent = tmp_path / "agent.py"
    agent.write_text(AGENT)
    with ExitStack() as stack:

        def begin(benchmark: str = "Notes", **changed: Any) -> Services:
            run_id, name = str(uuid.uuid4()), f"verdict_benchmarks:{benchmark}"
            prepare_run(run_id, load_settings(home=home, benchmark=name, agent=agent, upstream="simulated", **changed))
            return stack.enter_context(open_services(run_id, home=home))

        yield begin


def failing(services: Services, tasks: Sequence[str]) -> None:
    """One cluster, C001, whose failures are these tasks."""
    created = {"cluster_id": "C001", "title": "t", "root_cause": "r", "batch": 1}
    services.journal.append("cluster_created", "cluster:C001", created, batch=1)
    for task in tasks:
        failure = FailureRecord(
            rollout_id=RolloutKey(agent="a", task_id=task, trial=1).id, task_id=task, request_type="t", batch=1,
            mechanism="forgets it", what_failed="w", root_cause="r", should_have="s", severity=3,
        )  # fmt: skip
        payload = {"cluster_id": "C001", "batch": 1, "failure": failure.model_dump(mode="json")}
        services.journal.append("failure_assigned", f"assigned:{failure.id}", payload, batch=1)


def attempt(services: Services, number: int, parent: str, source: str) -> tuple[Candidate, LoopState]:
    """An admitted candidate for C001."""
    commit = services.versions.record(f"A000{number}", parent, source, "a change")
    candidate = Candidate(
        id=f"A000{number}", batch=1, attempt=1, cluster_id="C001", parent=parent, commit=commit,
        agent=agent_hash(source), hypothesis="h", kind="prompt", summary="s", diff=digest(source),
    )  # fmt: skip
    services.journal.put("candidate", candidate.id, candidate.model_dump(mode="json"), batch=1)
    state = LoopState(batch=1, candidate_id=candidate.id, cluster_id="C001", incumbent=parent, verdicts=[])  # type: ignore[typeddict-item]
    return candidate, state


def test_a_batch_that_is_covered_exactly_goes_on(begun: Callable[..., Services]) -> None:
    """Nine of ten valid are nine tenths; as binary fractions they were less."""
    services = begun("Sick", coverage_floor=0.9)
    pairs = [(task.id, 1) for task in services.benchmark.tasks("train")]
    rollouts = run_covered(services, lambda _: None, AGENT, pairs, stage="traffic", batch=1)
    assert sum(r.valid for r in rollouts) == 9


def test_a_full_suite_says_whom_it_refuses(begun: Callable[..., Services]) -> None:
    services = begun(policy="reference", suite_cap=1)
    failing(services, ["train-0", "train-1", "train-2"])
    candidate, state = attempt(services, 1, services.versions.baseline(), BETTER)
    events: list[Event] = []
    promote(state, services, events.append)
    grown = next(event for event in events if isinstance(event, SuiteGrown))
    assert (grown.tasks, grown.suite, grown.refused) == (1, 1, 2)
    assert [case.task_id for case in services.history.suite(candidate.commit)] == ["train-0"]
    material = read_material(services.paths, services.journal, condition="ready", incumbent=candidate.commit)
    summary = summarise(material)
    assert (summary.suite, summary.suite_refused) == (1, 2)


def test_a_suite_member_that_failed_again_is_a_target_and_is_scored_when_it_is_mended(
    begun: Callable[..., Services],
) -> None:
    services = begun(policy="paired", batches=1, canaries=0)
    failing(services, ["train-0", "train-1"])
    first, _ = attempt(services, 1, services.versions.baseline(), BETTER)
    for task in ("train-0", "train-1"):
        case = {"task_id": task, "candidate_id": first.id, "cluster_id": "C001", "batch": 1, "passes": 3}
        services.journal.append("promoted", f"promoted:{first.id}:{task}", case, batch=1)
    mended, state = attempt(services, 2, first.commit, BETTER + "# once more\n")
    inputs = AttemptJudge(services, lambda _: None).prepare_inputs(mended, batch=1)
    assert inputs.suite == inputs.failing == ("train-0", "train-1")
    assert regression_gate(state, services, lambda _: None)["outcome"] == "passed"
    assert services.history.clusters(mended.commit)["C001"].resolution_rate == 0
    promote(state, services, lambda _: None)
    assert services.history.clusters(mended.commit)["C001"].resolution_rate == 1
    assert len(services.history.suite(mended.commit)) == 2, "nobody is promoted twice"


def test_an_attempt_without_a_task_to_mend_is_rejected_and_told(begun: Callable[..., Services]) -> None:
    services = begun(policy="paired")
    failing(services, [])
    _, state = attempt(services, 1, services.versions.baseline(), BETTER)
    events: list[Event] = []
    sent = regression_gate(state, services, events.append)
    assert (sent["outcome"], sent["reason"]) == ("failed", "cluster_tasks_empty")
    verdict = next(event for event in events if isinstance(event, VerdictGiven)).verdict
    assert (verdict.gate, verdict.reason) == ("cluster_tasks", "cluster_tasks_empty")


@pytest.mark.parametrize(("benchmark", "warned"), [("Graded", True), ("Marked", False), ("Notes", False)])
def test_a_baseline_of_which_nothing_can_pass_is_told(
    begun: Callable[..., Services], benchmark: str, warned: bool
) -> None:
    services = begun(benchmark, batches=1, attempts=1, canaries=0, harmful_canaries=0)
    events: list[Event] = []
    baseline(LoopState(), services, events.append)
    assert ["pass_at" in event.message for event in events if isinstance(event, Warned)] == [True] * warned
