"""The harness engineer: it changes a working copy with tools, is told of its mistakes, and tools in one change."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import pytest

from sigmaloop.agents.brief import Brief, EngineerTools, PastAttempt
from sigmaloop.agents.harness_engineer import HarnessEngineer
from sigmaloop.errors import BadInput, SandboxError, SpecialistError, UpstreamError
from sigmaloop.records import Proposal

SOURCE = resources.files("sigmaloop.target_agent").joinpath("agent.py").read_text(encoding="utf-8")
OLD = '    "Only do what the policy allows.",\n'
EDIT = {"old": OLD, "new": OLD + '    "Ask first.",\n'}
DONE = {"hypothesis": "It is not told.", "kind": "prompt", "summary": "Adds a rule."}


@pytest.fixture
def asked() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def tools(asked: list[tuple[str, str]]) -> EngineerTools:
    def search(name: str) -> Any:
        def find(query: str) -> list[str]:
            asked.append((name, query))
            return [f"{name} hit one", f"{name} hit two"]

        return find

    def read_trace(failure_id: str) -> str:
        if failure_id != "F1":
            raise BadInput(f"no failure {failure_id}")
        return "[0] USER: hello"

    def dry_run(source: str) -> str:
        asked.append(("dry_run", source))
        return "ok"

    def replay(source: str, failure_id: str) -> str:
        asked.append((f"replay {failure_id}", source))
        if failure_id != "F1":
            raise BadInput(f"no failure {failure_id}")
        return "It failed: no refund\n[3] REFUSED by the agent's code: ask first"

    looks = (search("failures"), search("learnings"), search("attempts"))
    return EngineerTools(SOURCE, *looks, read_trace, dry_run, replay)


@pytest.fixture
def propose(endpoint: Any, cluster: Any, tools: EngineerTools) -> Any:
    def ask(*, calls: int = 16, **changes: Any) -> Proposal:
        brief = Brief(
            **{
                "cluster": cluster,
                "attempt": 2,
                "agent": SOURCE,
                "attempts": (PastAttempt(kind="tool", summary="Notes a tool.", outcome="rejected", gate="validation"),),
                "learnings": ("Notes on tools did not help.",),
                **changes,
            }
        )
        return HarnessEngineer(endpoint, setting="s", calls=calls).propose(brief, tools, scope="propose:A0003")

    return ask


def tool_results(endpoint: Any) -> dict[str, str]:
    """What each tool call of the conversation got back, by call id; the last one wins."""
    return {m["tool_call_id"]: m["content"] for m in endpoint.requests[-1]["messages"] if m["role"] == "tool"}


def test_a_change_is_made_on_a_working_copy_and_handed_in(endpoint: Any, propose: Any, call: Any, asked: Any) -> None:
    endpoint.answers = [
        call("read_agent", {}),
        call("replace_text", EDIT),
        call("dry_run", {}),
        call("FinishedChange", DONE),
    ]
    proposal = propose()
    assert proposal.source == SOURCE.replace(OLD, EDIT["new"])
    assert (proposal.kind, proposal.summary) == ("prompt", "Adds a rule.")
    assert asked == [("dry_run", proposal.source)]
    assert endpoint.scopes == [("harness_engineer", "propose:A0003")]
    assert len(endpoint.requests) == 4


def test_the_engineer_is_shown_cluster_failures_attempts_and_learnings(
    endpoint: Any, propose: Any, call: Any, cluster: Any
) -> None:
    endpoint.answers = [call("replace_text", EDIT), call("FinishedChange", DONE)]
    propose()
    system, user = (m["content"] for m in endpoint.requests[0]["messages"])
    assert system.startswith("You are the harness engineer of SigmaLoop.")
    for shown in (
        cluster.title,
        cluster.failures[0].should_have,
        "[tool] Notes a tool. -> rejected by validation",
        "Notes on tools did not help.",
        "attempt 2",
    ):
        assert shown in user
    assert cluster.failures[0].task_id not in user
    names = [t["function"]["name"] for t in endpoint.requests[0]["tools"]]
    assert names == [
        "read_agent",
        "replace_text",
        "search_failures",
        "search_learnings",
        "search_attempts",
        "read_trace",
        "replay",
        "dry_run",
        "FinishedChange",
    ]
    assert 'RULES = [\n    "Only do what the policy allows."' in user


def test_look_ups_answer_with_texts(endpoint: Any, propose: Any, call: Any, asked: Any) -> None:
    looks = [call(f"search_{name}", {"query": "confirm"}) for name in ("failures", "learnings", "attempts")]
    endpoint.answers = [
        *looks,
        call("read_trace", {"failure_id": "F1"}),
        call("replace_text", EDIT),
        call("FinishedChange", DONE),
    ]
    propose()
    said = [m["content"] for m in endpoint.requests[-1]["messages"] if m["role"] == "tool"]
    assert said[:4] == [
        "- failures hit one\n- failures hit two",
        "- learnings hit one\n- learnings hit two",
        "- attempts hit one\n- attempts hit two",
        "[0] USER: hello",
    ]
    assert asked == [("failures", "confirm"), ("learnings", "confirm"), ("attempts", "confirm")]


MISTAKES = {
    "a text that is not there": ("replace_text", {"old": "no such text", "new": "x"}, "occurs 0 times"),
    "a text that occurs twice": ("replace_text", {"old": "messages", "new": "x"}, "must occur once"),
    "a missing argument": ("replace_text", {"old": OLD}, "new"),
    "an unknown tool": ("delete_file", {"path": "/"}, "not a valid tool"),
    "an unknown failure": ("read_trace", {"failure_id": "F9"}, "no failure F9"),
    "arguments that are not JSON": ("replace_text", "{old: new", "JSON"),
    "an unfit hand-in": ("FinishedChange", {**DONE, "kind": "magic"}, "kind"),
}


@pytest.mark.parametrize(("tool", "arguments", "fault"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_go_back_to_the_engineer(
    endpoint: Any, propose: Any, call: Any, tool: str, arguments: Any, fault: str
) -> None:
    endpoint.answers = [call(tool, arguments), call("replace_text", EDIT), call("FinishedChange", DONE)]
    proposal = propose()
    assert "Ask first." in proposal.source
    answered = [m for m in endpoint.requests[1]["messages"] if m["role"] in ("tool", "user")][1:]
    assert any(fault in m["content"] for m in answered)


def test_a_turn_without_a_tool_call_is_repaired(endpoint: Any, propose: Any, call: Any) -> None:
    endpoint.answers = [{"content": "Let me think."}, call("replace_text", EDIT), call("FinishedChange", DONE)]
    assert "Ask first." in propose().source
    assert "No tool was called" in endpoint.requests[1]["messages"][-1]["content"]


def test_a_hand_in_as_plain_json_counts(endpoint: Any, propose: Any, call: Any) -> None:
    endpoint.answers = [call("replace_text", EDIT), {"content": f"```json\n{json.dumps(DONE)}\n```"}]
    assert propose().summary == "Adds a rule."


def test_two_edits_of_one_turn_are_made_in_order(endpoint: Any, propose: Any, call: Any) -> None:
    second = {"old": '    "Ask first.",\n', "new": '    "Ask first, always.",\n'}
    endpoint.answers = [call("replace_text", EDIT, "replace_text", second), call("FinishedChange", DONE)]
    assert "Ask first, always." in propose().source


def test_an_edit_and_the_hand_in_may_come_in_one_turn(endpoint: Any, propose: Any, call: Any) -> None:
    endpoint.answers = [call("replace_text", EDIT, "FinishedChange", DONE)]
    assert "Ask first." in propose().source


def test_an_edit_that_breaks_the_file_is_pointed_out(endpoint: Any, propose: Any, call: Any) -> None:
    broken = {"old": "RULES = [", "new": "RULES = ("}
    endpoint.answers = [call("replace_text", broken), call("FinishedChange", DONE)]
    propose()
    assert "does not compile" in next(iter(tool_results(endpoint).values()))


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([("FinishedChange", DONE)], "unchanged"),
        (
            [("replace_text", EDIT), ("replace_text", {"old": EDIT["new"], "new": OLD}), ("FinishedChange", DONE)],
            "unch",
        ),
        ([("read_agent", {})] * 4, "within 4 calls"),
        ([("replace_text", EDIT), ("read_agent", {}), ("read_agent", {}), ("read_agent", {})], "within 4 calls"),
    ],
)
def test_an_attempt_without_a_change_is_unusable(
    endpoint: Any, propose: Any, call: Any, answers: Any, reason: str
) -> None:
    endpoint.answers = [call(*answer) for answer in answers]
    with pytest.raises(SpecialistError, match=reason):
        propose(calls=4)


def test_an_engineer_that_only_talks_is_unusable(endpoint: Any, propose: Any) -> None:
    endpoint.answers = [{"content": f"thinking {i}"} for i in range(3)]
    with pytest.raises(SpecialistError, match="handed in nothing"):
        propose()
    assert len(endpoint.requests) == 3


def test_a_turn_that_the_token_limit_cut_off_is_not_acted_on_but_asked_for_again(
    endpoint: Any, propose: Any, call: Any
) -> None:
    half = {**call("replace_text", {**EDIT, "new": "half of it"}), "finish_reason": "length"}
    endpoint.answers = [half, call("replace_text", EDIT), call("FinishedChange", DONE)]
    source = propose().source
    assert EDIT["new"] in source
    assert "half of it" not in source
    assert "cut off" in endpoint.requests[1]["messages"][-1]["content"]


def test_an_engineer_whose_turns_are_always_cut_off_is_unusable(endpoint: Any, propose: Any, call: Any) -> None:
    endpoint.answers = [{**call("FinishedChange", DONE), "finish_reason": "length"}] * 2
    with pytest.raises(SpecialistError, match="cut off at the token limit"):
        propose()


def test_an_engineer_whose_conversation_overflows_has_an_attempt_that_failed(
    endpoint: Any, propose: Any, call: Any
) -> None:
    endpoint.answers = [call("read_agent", {}), (400, "This model's maximum context length is 8192 tokens.")]
    with pytest.raises(SpecialistError, match="no longer fits the model's context"):
        propose()


@pytest.mark.parametrize("status", [500, 402])
def test_a_fault_of_the_endpoint_is_no_unusable_attempt(endpoint: Any, propose: Any, call: Any, status: int) -> None:
    endpoint.answers = [call("read_agent", {}), status]
    with pytest.raises(UpstreamError):
        propose()


def test_a_broken_machine_ends_the_attempt(endpoint: Any, propose: Any, call: Any, tools: EngineerTools) -> None:
    def no_sandbox(source: str) -> str:
        raise SandboxError("the sandbox did not start")

    object.__setattr__(tools, "dry_run", no_sandbox)
    endpoint.answers = [call("dry_run", {})]
    with pytest.raises(SandboxError, match="did not start"):
        propose()


def test_the_same_attempt_sends_the_same_bytes(endpoint: Any, propose: Any, call: Any) -> None:
    answers = [
        call("replace_text", {"old": "nowhere", "new": ""}),
        {"content": "hm"},
        call("replace_text", EDIT),
        call("FinishedChange", DONE),
    ]
    endpoint.answers = answers * 2
    assert propose() == propose()
    assert endpoint.raw[:4] == endpoint.raw[4:]


def test_a_change_is_tried_on_the_real_task_before_it_is_handed_in(
    endpoint: Any, propose: Any, call: Any, asked: Any
) -> None:
    endpoint.answers = [
        call("replace_text", EDIT),
        call("replay", {"failure_id": "F9"}),
        *[call("replay", {"failure_id": "F1"})] * 4,
        call("FinishedChange", DONE),
    ]
    changed = propose().source
    assert asked == [("replay F9", changed), *[("replay F1", changed)] * 3], "an unknown failure costs no replay"
    said = [m["content"] for m in endpoint.requests[-1]["messages"] if m["role"] == "tool"][1:]
    assert "no failure F9" in said[0]
    assert "REFUSED by the agent's code: ask first" in said[1]
    assert "(0 replays left)" in said[3]
    assert "all 3 replays of this attempt are used" in said[4]
