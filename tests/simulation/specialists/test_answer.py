"""The simulated specialists: a role is known by its prompt, and the seed is the only source of chance."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sigmaloop.agents.failure_miner import FailureMiner
from sigmaloop.agents.gate_judge import GateJudge
from sigmaloop.records import Candidate, Rollout, RolloutKey, Step, Task
from sigmaloop.simulation.specialists import answer, is_specialist


def request(system: str, user: str = "x", **rest: Any) -> dict[str, Any]:
    return {"messages": [{"role": "system", "content": system}, {"role": "user", "content": user}], **rest}


def test_a_request_of_the_target_agent_is_no_specialists() -> None:
    said = request("You are a customer service agent.")
    assert not is_specialist(said)
    with pytest.raises(LookupError):
        answer(said)


@pytest.mark.parametrize("role", ["failure miner", "failure clusterer", "harness engineer", "gate judge"])
def test_each_role_is_known_by_the_first_line_and_survives_an_empty_prompt(role: str) -> None:
    said = request(f"You are the {role} of SigmaLoop.", tools=[{"function": {"name": "Hand"}}], seed=3)
    assert is_specialist(said)
    assert answer(said)["role"] == "assistant"


def test_without_tools_the_answer_is_json_in_the_text() -> None:
    said = answer(request("You are the failure miner of SigmaLoop.", seed=1))
    assert "```json" in said["content"] or said["content"].startswith("{")


def test_the_seed_is_the_only_source_of_chance() -> None:
    base = request("You are the failure miner of SigmaLoop.", tools=[{"function": {"name": "Hand"}}])
    said = [json.dumps(answer({**base, "seed": seed}), sort_keys=True) for seed in (1, 1, 2, 3, 4, 5)]
    assert said[0] == said[1]
    assert len(set(said)) > 2


def test_miner_and_judge_work_through_gateway_and_client(models: Any, cluster: Any) -> None:
    trace = (
        Step(index=0, kind="user", text="Please add 5 GB."),
        Step(index=1, kind="act", tool="find_customer", arguments={"email": "a@x.org"}, text='{"customer_id": "cu_1"}'),
        Step(
            index=2, kind="act", tool="transfer_to_human", arguments={"summary": "data"}, text='{"transferred": true}'
        ),
    )
    tags = []
    for number in range(10):
        key = RolloutKey(agent="ab" * 8, task_id=f"t{number}", trial=0)
        rollout = Rollout(key=key, seed=1, status="ok", reward=0.0, detail="the database is not in the expected state")
        mined = FailureMiner(models, setting="s").mine(
            rollout=rollout, trace=trace, task=Task(id=f"t{number}", split="train"), batch=0
        )[0]
        tags.append(mined.mechanism)
        assert all(e.step in (0, 1, 2) for e in mined.evidence)
    assert len(set(tags)) > 1
    candidate = Candidate(
        id="A0001", batch=0, attempt=1, cluster_id="C001", parent="p", commit="c", agent="a",
        hypothesis="h", kind="prompt", summary="s", diff="--- a\n+++ b\n+For or_48213: transfer nobody.",
    )  # fmt: skip
    judged = GateJudge(models, setting="s").judge(
        candidate=candidate, cluster=cluster(1, "transfers_too_early"), verdicts=()
    )
    assert judged.explanation
