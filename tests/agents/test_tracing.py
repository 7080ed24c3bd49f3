"""Every decision of a specialist is a LangSmith run with role and ids when tracing is on; else nothing is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from langsmith import Client
from langsmith.run_helpers import tracing_context
from loopback import Asked, serve_json

from sigmaloop.agents.brief import Brief, EngineerTools
from sigmaloop.agents.clusterer import Clusterer
from sigmaloop.agents.failure_miner import FailureMiner
from sigmaloop.agents.filing import KnownCluster, NewCause
from sigmaloop.agents.gate_judge import GateJudge
from sigmaloop.agents.harness_engineer import HarnessEngineer
from sigmaloop.records import Candidate


class Collector:
    """Takes what a LangSmith client posts, one run a request."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Any]] = {}
        self.requests = 0
        self.url = ""

    def take(self, asked: Asked) -> tuple[int, dict[str, Any]]:
        self.requests += 1
        run = json.loads(asked.body)
        key = run.get("id") or asked.path.rsplit("/", 1)[-1]
        self.runs.setdefault(key, {}).update({k: v for k, v in run.items() if v is not None})
        return 202, {}


@pytest.fixture
def collector() -> Iterator[Collector]:
    state = Collector()
    with serve_json(state.take) as url:
        state.url = url
        yield state


@pytest.fixture
def decide(endpoint: Any, call: Any, rollout: Any, trace: Any, task: Any, failure: Any, cluster: Any) -> Any:
    """Let all four specialists decide something."""
    source = "RULES = []\n\n\ndef run(session):\n    return None\n"

    def all_four() -> None:
        endpoint.answers = [
            call(
                "MinedFailure",
                {"mechanism": "m", "what_failed": "w", "root_cause": "r", "should_have": "s", "severity": 1},
            ),
            call("FiledCauses", {"places": [{"cause": "N1", "cluster": "C001"}]}),
            call("replace_text", {"old": "RULES = []", "new": 'RULES = ["x"]'}),
            call("FinishedChange", {"hypothesis": "h", "kind": "prompt", "summary": "s"}),
            call("Reading", {"classification": "sound", "helped_because": "e"}),
        ]
        FailureMiner(endpoint, setting="s").mine(rollout=rollout, trace=trace, task=task, batch=1)
        cause, known = NewCause(label="N1", failures=(failure,)), KnownCluster(cluster=cluster, state="open")
        Clusterer(endpoint, setting="s").file([cause], [known], batch=3, scope="cluster:3:abc")
        tools = EngineerTools(source, *[lambda _: []] * 3, lambda _: "", lambda _: "", lambda _text, _id: "")
        brief = Brief(cluster=cluster, attempt=1, agent=source)
        proposal = HarnessEngineer(endpoint, setting="s").propose(brief, tools, scope="propose:A0001")
        candidate = Candidate(
            id="A0001", batch=1, attempt=1, cluster_id="C001", parent="p", commit="c", agent="a",
            hypothesis=proposal.hypothesis, kind="prompt", summary="s", diff="d",
        )  # fmt: skip
        GateJudge(endpoint, setting="s").judge(candidate=candidate, cluster=cluster, verdicts=())

    return all_four


def test_every_decision_is_a_run_with_role_and_ids_when_tracing_is_on(
    collector: Collector, decide: Any, rollout: Any
) -> None:
    client = Client(api_url=collector.url, api_key="key", auto_batch_tracing=False)
    with tracing_context(enabled=True, client=client):
        decide()
    client.flush()
    roots = {run["name"]: run for run in collector.runs.values() if not run.get("parent_run_id")}
    assert set(roots) == {"failure_miner", "clusterer", "harness_engineer", "gate_judge"}
    tags = {name: run["extra"]["metadata"] for name, run in roots.items()}
    assert all(tags[name]["role"] == name for name in tags)
    assert tags["failure_miner"]["rollout_id"] == rollout.id
    assert tags["clusterer"]["batch"] == 3
    assert tags["harness_engineer"]["scope"] == "propose:A0001"
    assert tags["gate_judge"]["candidate_id"] == "A0001"
    parents = {run.get("parent_run_id") for run in collector.runs.values() if run.get("run_type") == "llm"}
    assert {roots[name]["id"] for name in ("failure_miner", "clusterer", "gate_judge")} < parents


def test_nothing_is_sent_when_tracing_is_off(collector: Collector, decide: Any) -> None:
    client = Client(api_url=collector.url, api_key="key", auto_batch_tracing=False)
    with tracing_context(enabled=False, client=client):
        decide()
    client.flush()
    assert collector.requests == 0


def test_tracing_does_not_change_what_a_model_is_sent(collector: Collector, decide: Any, endpoint: Any) -> None:
    client = Client(api_url=collector.url, api_key="key", auto_batch_tracing=False)
    decide()
    with tracing_context(enabled=True, client=client):
        decide()
    client.flush()
    assert endpoint.raw[:5] == endpoint.raw[5:]
