"""The law inside the loop: every policy ends a run, every decision recomputes, canaries and free tasks are caught."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from sigmaloop.eval.benchmark import EpisodeBenchmark, Score
from sigmaloop.gate.decision import Decision, discrepancies
from sigmaloop.gate.judging import STAGES
from sigmaloop.graph.judging import AttemptJudge
from sigmaloop.graph.prepare import prepare_run
from sigmaloop.graph.run import Run
from sigmaloop.graph.sessions import open_services
from sigmaloop.memory.journal import Journal
from sigmaloop.records import Split, Task
from sigmaloop.settings import load_settings

SMALL = {
    "benchmark": "small:Noisy", "batches": 2, "batch_size": 8, "attempts": 3, "certify_trials": 1,
    "concurrency": 2, "upstream": "simulated",
}  # fmt: skip


def decisions(run: Run) -> list[Decision]:
    with Journal(run.paths.journal, readonly=True) as journal:
        return [Decision.model_validate(e.payload) for e in journal.events("decision")]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Run]:
    """A run under a policy, gone to its end once."""

    @functools.cache
    def under(policy: str) -> Run:
        run = Run.start(load_settings(home=tmp_path_factory.mktemp(policy) / "home", policy=policy, **SMALL))
        run.go()
        return run

    return under


@pytest.mark.parametrize("policy", ["reference", "paired", "rigorous"])
def test_every_decision_of_a_run_recomputes_from_its_log(ended: Callable[[str], Run], policy: str) -> None:
    run = ended(policy)
    assert run.condition == "finished"
    logs = decisions(run)
    assert logs
    for log in logs:
        assert discrepancies(log) == (), log.subject.candidate_id
    judged = {log.subject.candidate_id: log for log in logs if not log.subject.canary}
    for entry in run.ledger():
        if entry.gate != "admission":
            log = judged[entry.candidate_id]
            assert log.kept == (entry.outcome == "kept")
            asked = {(row.task_id, row.trial) for row in log.rows if row.stage in STAGES}
            assert entry.rollouts == len(asked), "rollouts of the candidate, not cases"
        else:
            assert entry.rollouts == 0
    assert run.summary().policy == policy
    assert "kept" in [entry.outcome for entry in run.ledger()]
    beside = {log.subject.candidate_id for log in logs if any(row.stage == "control" for row in log.rows)}
    assert bool(beside) == (policy == "paired"), "its finalists are compared with an incumbent of the same hour"


@pytest.mark.parametrize("policy", ["paired", "reference"])
def test_a_decision_is_logged_with_the_faults_that_it_tolerated(home: Path, policy: str) -> None:
    """What is run again later, when the endpoint is well, is not what the gate has seen."""
    settings = load_settings(
        home=home, policy=policy, **{**SMALL, "benchmark": "small:Patchy", "coverage_floor": 0.6, "batches": 3}
    )
    run = Run.start(settings)
    while run.condition != "finished":
        run.go()
    ledger = {entry.candidate_id: entry for entry in run.ledger()}
    logs = [log for log in decisions(run) if not log.subject.canary]
    assert sum(finding.infra for log in logs for finding in log.findings) > 0
    for log in logs:
        entry = ledger[log.subject.candidate_id]
        assert log.kept == (entry.outcome == "kept")
        said = {verdict.gate: (verdict.outcome, verdict.message, verdict.infra) for verdict in entry.verdicts}
        for finding in log.findings:
            if finding.gate in said:
                assert (finding.outcome, finding.message, finding.infra) == said[finding.gate]
        assert discrepancies(log) == ()


def test_an_altered_decision_is_detected(ended: Callable[[str], Run]) -> None:
    log = next(log for log in decisions(ended("reference")) if any(row.stage == "validation" for row in log.rows))
    rows = list(log.rows)
    turned = rows[-1].model_copy(update={"reward": 1.0 - (rows[-1].reward or 0.0)})
    assert discrepancies(log.model_copy(update={"rows": (*rows[:-1], turned)}))


def test_canaries_go_through_the_gates_and_are_never_kept(home: Path) -> None:
    settings = load_settings(home=home, **{**SMALL, "canaries": 2, "harmful_canaries": 1, "max_attempts": 6})
    run = Run.start(settings)
    summary = run.go()
    sung = [log for log in decisions(run) if log.subject.canary]
    assert sung
    assert not any(log.kept for log in sung)
    assert not any(entry.candidate_id.startswith("K") for entry in run.ledger())
    with Journal(run.paths.journal, readonly=True) as journal:
        order = [e.id for e in journal.events() if e.kind in {"ledger", "decision"}]
    assert order[0].startswith(("ledger:A", "decision:A")), "a run begins with an attempt"
    assert "byte-identical" in summary.canaries
    assert "This policy keeps about" in summary.canaries
    assert sung[0].inputs.stages == ("validation",), "the first of each worth goes straight to the comparison"
    fresh = {row.trial for log in sung for row in log.rows}
    assert 0 not in fresh, "a canary that is answered from the store measures nothing"


class _Said:
    """Nothing to do: the score is what it is."""

    instructions, tools, opening = "", (), "hello"

    def __init__(self, reward: float) -> None:
        self._reward = reward

    def act(self, name: str, arguments: Mapping[str, Any]) -> str:
        return "Error: no tools"

    def say(self, text: str) -> str | None:
        self._reward = 1.0
        return None

    def submit(self, answer: Any) -> None:
        pass

    def score(self) -> Score:
        return Score(reward=self._reward)


class Greeting(EpisodeBenchmark):
    """Tasks that want a word; `train-0` is content with silence."""

    name = "greeting"

    def tasks(self, split: Split) -> Sequence[Task]:
        return [Task(id=f"{split}-{n}", split=split) for n in range(4)]

    def open(self, task_id: str, *, seed: int) -> _Said:
        return _Said(1.0 if task_id == "train-0" else 0.0)


def test_a_task_that_doing_nothing_passes_is_never_promoted(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "greeting_benchmark", sys.modules[__name__])
    agent = tmp_path / "agent.py"
    agent.write_text("def run(session):\n    session.say('hello')\n")
    run_id = str(uuid.uuid4())
    prepare_run(
        run_id, load_settings(home=home, benchmark="greeting_benchmark:Greeting", agent=agent, upstream="simulated")
    )
    with open_services(run_id, home=home) as services:
        kept = AttemptJudge(services, lambda _: None).fails_for_null_agent(["train-0", "train-1"], batch=1)
    assert kept == ("train-1",)
