"""The specialists serve any benchmark: one about repairing code is asked and told nothing of customers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import pytest

from sigmaloop.agents.brief import Brief, EngineerTools, PastAttempt
from sigmaloop.agents.clusterer import Clusterer
from sigmaloop.agents.failure_miner import FailureMiner, Known
from sigmaloop.agents.filing import KnownCluster, NewCause
from sigmaloop.agents.gate_judge import GateJudge
from sigmaloop.agents.harness_engineer import HarnessEngineer
from sigmaloop.agents.lessons import lesson
from sigmaloop.agents.prompt import render
from sigmaloop.agents.trace_text import trace_text
from sigmaloop.eval.benchmark import EpisodeBenchmark, Score
from sigmaloop.eval.session import EpisodeSession
from sigmaloop.records import (
    Candidate,
    ChangeKind,
    Cluster,
    GateName,
    Judgement,
    LedgerEntry,
    Rollout,
    RolloutKey,
    Split,
    Task,
    Verdict,
)

HELPDESK = re.compile(
    r"\b(customers?|clients?|callers?|refund\w*|orders?|airlines?|retail\w*|telecom\w*|flights?|reservations?|"
    r"passengers?|shops?|products?|bills?|invoices?|phones?|vouchers?|helpdesk|service agent|conversations?|"
    r"e-mails?|transfers?)\b",
    re.IGNORECASE,
)
SOURCE = 'RULES = ["Run the tests."]\n\n\ndef run(session):\n    session.submit("x = 1")\n'


class Repair:
    """One function with a fault in it; the tests say whether the submitted text is right."""

    instructions = "Repair the function. Keep its signature."
    tools = (
        {"type": "function", "function": {"name": "run_tests", "description": "Runs the tests.", "parameters": {}}},
    )
    opening = "mean() fails for an empty list."
    patch = ""

    def act(self, name: str, arguments: Mapping[str, Any]) -> str:
        return "1 failed: test_mean_of_nothing"

    def say(self, text: str) -> str | None:
        return "Submit a patch."

    def submit(self, answer: object) -> None:
        self.patch = str(answer)

    def score(self) -> Score:
        return Score(reward=float("if not" in self.patch), missing="test_mean_of_nothing still fails")


class Repairs(EpisodeBenchmark):
    name = "repairs"
    setting = "An agent repairs Python functions until their tests pass."

    def tasks(self, split: Split) -> Sequence[Task]:
        return [Task(id=f"{split}-{number}", split=split, request_type="empty_input") for number in range(3)]

    def open(self, task_id: str, *, seed: int) -> Repair:
        return Repair()


@pytest.fixture(scope="module")
def played() -> EpisodeSession:
    """A failed rollout of the benchmark, with its trace."""
    session = EpisodeSession(Repairs().open("train-0", seed=1), lambda request: {})
    session.init()
    session.act("run_tests", {"path": "tests"})
    session.say("I will guard against the empty list.")
    session.submit("return sum(values) / len(values)")
    return session


MINED = {
    "mechanism": "empty input not considered", "what_failed": "A test still fails.", "severity": 3,
    "root_cause": "The agent does not run the tests again.", "should_have": "Run the tests after every edit.",
    "evidence": [{"step": 1, "quote": "1 failed: test_mean_of_nothing"}],
}  # fmt: skip


@pytest.fixture
def requests(endpoint: Any, call: Any, played: EpisodeSession) -> dict[str, list[dict[str, Any]]]:
    """What each specialist sends on this benchmark, with a repair turn each; the engineer uses every tool it has."""
    benchmark, task = Repairs(), Repairs().tasks("train")[0]
    score = played.score()
    rollout = Rollout(
        key=RolloutKey(agent="ab" * 8, task_id=task.id, trial=0), seed=1, status="ok", reward=0.0, detail=score.missing
    )
    verdicts = [
        Verdict(candidate_id="A0001", gate=gate, outcome="failed", reason="r", message="m")
        for gate in get_args(GateName)
    ]
    unusable = {"content": "I do not know."}
    change = {"hypothesis": "It is not told.", "kind": "prompt", "summary": "Adds a rule."}
    edit = {"old": '"Run the tests."', "new": '"Run the tests after every edit."'}
    sent: dict[str, list[dict[str, Any]]] = {}

    def record(name: str) -> None:
        sent[name], endpoint.requests = endpoint.requests, []

    endpoint.answers = [unusable, call("MinedFailure", MINED)]
    known = Known(instructions=Repair.instructions, agent=SOURCE, passing=played.trace)
    (failure,) = FailureMiner(endpoint, setting=benchmark.setting).mine(
        rollout=rollout, trace=played.trace, task=task, batch=1, known=known
    )
    record("failure_miner")

    cluster = Cluster(id="C001", title="no tests run", root_cause="r", created_batch=0, failures=(failure,))
    endpoint.answers = [
        call("FiledCauses", {"places": [{"cause": "N1", "cluster": "C007"}]}),
        400,
        call("FiledCauses", {"places": [{"cause": "N1", "cluster": "C001"}]}),
    ]
    file_one(Clusterer(endpoint, setting=benchmark.setting), failure, cluster)
    record("clusterer")

    endpoint.answers = [
        call("read_agent", {}),
        *(call(f"search_{name}", {"query": "tests"}) for name in ("failures", "learnings", "attempts")),
        call("read_trace", {"failure_id": failure.id}),
        unusable,
        call("replace_text", {"old": "nowhere", "new": ""}),
        call("replace_text", edit),
        call("replay", {"failure_id": failure.id}),
        call("dry_run", {}),
        call("FinishedChange", {**change, "kind": "magic"}),
        call("FinishedChange", change),
    ]
    past = [PastAttempt(kind=kind, summary="s", outcome="rejected", gate="validation") for kind in get_args(ChangeKind)]
    learnings = lessons()
    proposal = HarnessEngineer(endpoint, setting=benchmark.setting).propose(
        Brief(cluster=cluster, attempts=tuple(past), learnings=tuple(learnings), attempt=1, agent=SOURCE),
        EngineerTools(
            SOURCE,
            *[lambda query: [f"a hit for {query}"]] * 3,
            lambda _id: trace_text(played.trace),
            lambda _text: "ok",
            lambda _text, _id: "It passed.",
        ),
        scope="propose:A0001",
    )
    record("harness_engineer")

    candidate = Candidate(
        id="A0001", batch=1, attempt=1, cluster_id="C001", parent="p", commit="c", agent="a",
        hypothesis=proposal.hypothesis, kind=proposal.kind, summary=proposal.summary, diff=json.dumps(edit),
    )  # fmt: skip
    endpoint.answers = [unusable, call("Reading", {"classification": "sound", "failed_because": "It is general."})]
    GateJudge(endpoint, setting=benchmark.setting).judge(candidate=candidate, cluster=cluster, verdicts=verdicts)
    record("gate_judge")
    return sent


def file_one(clusterer: Clusterer, failure: Any, cluster: Cluster) -> None:
    cause, known = NewCause(label="N1", failures=(failure,)), KnownCluster(cluster=cluster, state="open")
    clusterer.file([cause], [known], batch=1, scope="cluster:1:abc")


def lessons() -> list[str]:
    """Every lesson that there is: by kind of change, gate and classification."""
    entry = LedgerEntry(
        candidate_id="A0001", batch=1, attempt=1, cluster_id="C001", cluster_title="no tests run", parent="p",
        commit="c", agent="a", kind=None, summary="Adds a rule.", hypothesis="h", outcome="kept", gate=None, reason="r",
    )  # fmt: skip
    kept = [entry.model_copy(update={"kind": kind}) for kind in (None, *get_args(ChangeKind))]
    rejected = [
        e.model_copy(update={"outcome": "rejected", "gate": g}) for e in kept for g in (None, *get_args(GateName))
    ]
    judgements = [None, Judgement(classification="risky", explanation="Too broad.")]
    return [lesson(e, judgement).model_dump_json() for e in (*kept, *rejected) for judgement in judgements]


def words_of(request: Mapping[str, Any]) -> str:
    """Everything of a request that the model reads, tools and their fields included."""
    return json.dumps([request["messages"], request.get("tools")], ensure_ascii=False)


def test_no_specialist_is_asked_or_told_anything_of_customer_service(requests: Any) -> None:
    assert {name: len(sent) for name, sent in requests.items()} == {
        "failure_miner": 2, "clusterer": 3, "harness_engineer": 12, "gate_judge": 2,
    }  # fmt: skip
    found = {
        (name, match[0])
        for name, sent in requests.items()
        for one in sent
        for match in HELPDESK.finditer(words_of(one))
    }
    assert not found


def test_every_specialist_is_told_the_benchmarks_setting_in_its_system_message(requests: Any) -> None:
    for sent in requests.values():
        for one in sent:
            assert f"The agent's setting: {Repairs.setting}\n" in one["messages"][0]["content"]
            assert all(Repairs.setting not in str(message["content"]) for message in one["messages"][1:])


def test_no_lesson_speaks_of_customer_service() -> None:
    assert len(lessons()) == 96
    assert not {match[0] for text in lessons() for match in HELPDESK.finditer(text)}


def test_a_setting_can_neither_close_a_section_nor_grow_without_end(endpoint: Any, call: Any, failure: Any) -> None:
    endpoint.answers = [call("FiledCauses", {"places": [{"cause": "N1", "cluster": "new"}]})]
    cluster = Cluster(id="C001", title="t", root_cause="r", created_batch=0, failures=(failure,))
    file_one(Clusterer(endpoint, setting="</cluster>" + "long " * 1_000), failure, cluster)
    system = endpoint.requests[0]["messages"][0]["content"]
    assert "</cluster>" not in system
    assert len(system) < len(render("clusterer", setting="", causes="", clusters="", passing="").system) + 500


def test_a_failure_of_this_benchmark_is_mined_and_quoted(requests: Any, played: EpisodeSession) -> None:
    shown = requests["failure_miner"][0]["messages"][1]["content"]
    assert "How it ended: test_mean_of_nothing still fails" in shown
    assert "RESULT 1 failed: test_mean_of_nothing" in shown
    assert trace_text(played.trace) in shown


def test_the_helpdesks_words_would_be_noticed() -> None:
    assert {m[0] for m in HELPDESK.finditer("A customer of the airline wants the order refunded.")} == {
        "customer", "airline", "order", "refunded",
    }  # fmt: skip
