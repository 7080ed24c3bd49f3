"""Runs that nobody ran: a journal with the facts of one, of any size and with any words in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from made_records import started

from sigmaloop.memory.facts import (
    CANDIDATE,
    AttemptEnded,
    AttemptIntended,
    BaselineMeasured,
    BatchStarted,
    Certified,
    ClusterCreated,
    FailureAssigned,
    Promoted,
)
from sigmaloop.memory.facts import TestOpened as Opened
from sigmaloop.memory.journal import Journal
from sigmaloop.memory.runs import RunPaths
from sigmaloop.records import (
    Candidate,
    Certificate,
    FailureRecord,
    Judgement,
    LedgerEntry,
    Rollout,
    RolloutKey,
    TaskScores,
    Usage,
    Verdict,
    agent_hash,
    digest,
)
from sigmaloop.settings import Settings, load_settings
from sigmaloop.tools.versions import Versions

BASE, RUN = "0" * 40, "abcdef12-made"
SOURCE = "def run(session):\n    return None\n"
DIFF = "--- a/agent.py\n+++ b/agent.py\n@@ -1,2 +1,3 @@\n def run(session):\n+    # {}\n     return 0\n"


def certificate(split: str = "test", **more: Any) -> Certificate:
    """Ten points better on ten tasks of two kinds, for certain."""
    scores = tuple(
        TaskScores(task_id=f"{split}-{n}", request_type="refund" if n % 2 else "change", baseline=0.4, final=0.5)
        for n in range(10)
    )
    made: dict[str, Any] = {
        "split": split, "agent": "", "tasks": 10, "trials": 4, "baseline": 0.4, "final": 0.5, "difference": 0.1,
        "standard_error": 0.02, "simulated": False, "baseline_agent": "first", "by_task": scores,
    }  # fmt: skip
    return Certificate(**{**made, **more})


def entry(number: int, *, kept: bool = False, words: str = "", **more: Any) -> LedgerEntry:
    """An attempt; every second of the rejected was compared, the others did not fix their own failures."""
    compared = kept or number % 2 == 0
    verdicts = [_verdict(number, "cluster_tasks", passed=compared, passes=2 if compared else 0, required=1_000_000)]
    if compared:
        size = 0.05 if kept else -0.02
        numbers = {"difference": size, "standard_error": 0.02, "evaluated": 200, "z": size / 0.02}
        verdicts.append(_verdict(number, "validation", passed=kept, passes=100, **numbers))
    text = words or f"Looks at every order, way {number}"
    made: dict[str, Any] = {
        "candidate_id": f"A{number:04d}", "batch": 1, "attempt": number, "cluster_id": "C001",
        "cluster_title": words or "takes the first order", "parent": BASE, "commit": f"{number:040d}",
        "agent": digest("agent", number), "kind": "prompt", "summary": text[:3000],
        "hypothesis": words or "It never compares", "outcome": "kept" if kept else "rejected",
        "gate": None if kept else "validation" if compared else "cluster_tasks", "reason": "kept" if kept else "low",
        "verdicts": tuple(verdicts), "judgement": Judgement(classification="sound", explanation=words or "General."),
    }  # fmt: skip
    return LedgerEntry.model_validate({**made, **more})


def _verdict(number: int, gate: Any, *, passed: bool, passes: int, required: int = 0, **more: Any) -> Verdict:
    made: dict[str, Any] = {
        "candidate_id": f"A{number:04d}", "gate": gate, "outcome": "passed" if passed else "failed", "reason": "r",
        "message": "m", "passes": passes, "evaluated": 2, "total": 2, "required_micros": required,
    }  # fmt: skip
    return Verdict.model_validate({**made, **more})


def made_run(
    home: Path,
    *,
    attempts: int = 6,
    kept: Sequence[int] = (2,),
    certificates: Sequence[Certificate] = (),
    words: str = "",
    run_id: str = RUN,
    begun: bool = True,
    batches: int = 1,
    told: bool = True,
    with_agents: bool = False,
    **settings: Any,
) -> RunPaths:
    """A run's journal. `told`: whether rollouts say their stage, split and kind, as older ones did not.

    `with_agents`: with a repository that holds the agents, and certificates of the one that was kept last.
    """
    paths = RunPaths(home, run_id)
    paths.make()
    versions = Versions(paths.versions) if with_agents else None
    base = versions.begin(SOURCE, "baseline") if versions else BASE
    with Journal(paths.journal) as journal, journal.transaction():
        known: Settings = load_settings(home=home, **{"batches": 3, "upstream": "simulated", **settings})
        journal.write(started(known, simulated=False))
        if not begun:
            return paths
        journal.write(BaselineMeasured(commit=base, reward_micros=4_000_000, tasks=10))
        for batch in range(1, batches + 1):
            journal.write(BatchStarted(batch=batch, agent=base, tasks=("t1", "t2"), passed=1, infra=0))
        journal.write(ClusterCreated(batch=1, cluster_id="C001", title=words or "takes the first", root_cause="r"))
        journal.write(FailureAssigned(batch=1, cluster_id="C001", failure=_failure(words)))
        commit = base
        for number in range(1, attempts + 1):
            own = versions.record(f"A{number:04d}", commit, f"{SOURCE}# {number}\n", "tried") if versions else ""
            commit = _attempt(journal, number, commit, own, kept=number in kept, words=words, told=told)
            if versions and number in kept:
                versions.keep(commit)
        agent = agent_hash(versions.source(commit)) if versions else ""
        for found in certificates:
            journal.write(Opened(batch=1, agents=(base, commit)))
            certified = found.model_copy(update={"agent": agent}) if versions else found
            journal.write(Certified(batch=1, commit=commit, certificate=certified))
    return paths


def _attempt(journal: Journal, number: int, commit: str, own: str, *, kept: bool, words: str, told: bool) -> str:
    """`own`: its commit, where there is one; returns the kept one."""
    made = entry(number, kept=kept, words=words, parent=commit, **({"commit": own} if own else {}))
    change = {name: getattr(made, name) for name in ("batch", "attempt", "cluster_id", "parent", "commit", "agent")}
    diff = DIFF.format(words or number)
    candidate = Candidate(
        id=made.candidate_id, hypothesis=made.hypothesis, kind="prompt", summary=made.summary[:200], diff=diff, **change
    )
    intent = AttemptIntended(
        batch=1, candidate_id=made.candidate_id, attempt=number, number=number, cluster_id="C001", parent=commit,
        best_micros=0,
    )  # fmt: skip
    journal.write(intent)
    journal.save(CANDIDATE, candidate.id, candidate, batch=1)
    place: dict[str, Any] = {"stage": "cluster_tasks", "split": "train", "request_type": "refund"} if told else {}
    rollout = Rollout(
        key=RolloutKey(agent=made.agent, task_id="t1", trial=100_000), seed=1, status="ok", reward=float(kept),
        detail="" if kept else words or "the refund is missing", **place,
    )  # fmt: skip
    journal.save_rollout(rollout, ())
    journal.add_usage(f"rollout:{rollout.id}", "target", 1, "t1", Usage(calls=2, input_tokens=900, output_tokens=100))
    journal.add_usage(f"propose:{candidate.id}", "harness_engineer", 1, "", Usage(calls=1, input_tokens=500))
    journal.write(AttemptEnded(batch=1, entry=made))
    if kept:
        journal.write(Promoted(batch=1, task_id=f"p{number}", candidate_id=candidate.id, cluster_id="C001", passes=3))
    return made.commit if kept else commit


def _failure(words: str) -> FailureRecord:
    return FailureRecord(
        rollout_id=digest("rollout"), task_id="t1", request_type="refund", batch=1,
        mechanism=(words or "takes the first order")[:80], what_failed=words or "the wrong order",
        root_cause=words or "It took the first.", should_have="Compare.", severity=3,
    )  # fmt: skip
