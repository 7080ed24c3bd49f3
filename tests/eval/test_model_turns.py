"""What an agent's own code did between model and world stands in the trace: refusals, plans, retries, refused calls."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sigmaloop.agents.trace_text import trace_text
from sigmaloop.errors import UpstreamError
from sigmaloop.eval.benchmark import Score
from sigmaloop.eval.model_turns import MOST_HIDDEN, ModelTurns
from sigmaloop.eval.session import EpisodeSession


class Desk:
    """Every tool answers `ok`."""

    instructions, tools, opening = "Serve.", (), "Cancel it."

    def act(self, name: str, arguments: Mapping[str, Any]) -> str:
        return "ok"

    def say(self, text: str) -> str | None:
        return "fine"

    def submit(self, answer: object) -> None: ...

    def score(self) -> Score:
        return Score(reward=1)


def reply(text: str = "", *calls: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    made = [
        {"id": f"c{n}", "type": "function", "function": {"name": name, "arguments": json.dumps(args)}}
        for n, (name, args) in enumerate(calls)
    ]
    return {"choices": [{"message": {"role": "assistant", "content": text, "tool_calls": made or None}}]}


@pytest.fixture
def session() -> EpisodeSession:
    """An episode whose model gives the answers in `answers`, one a call."""
    opened = EpisodeSession(Desk(), lambda request: request["answer"])
    opened.init()
    return opened


def told(call_id: str, text: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": text}


def ask(session: EpisodeSession, answer: dict[str, Any], *messages: dict[str, Any]) -> None:
    session.llm({"messages": list(messages), "answer": answer})


def lines(session: EpisodeSession) -> list[str]:
    return trace_text(session.trace).splitlines()[1:]


def test_a_call_that_the_agents_code_refused_is_in_the_trace_with_its_text(session: EpisodeSession) -> None:
    ask(session, reply("", ("cancel", {"id": "R1"})))
    ask(session, reply("Done."), {"role": "assistant"}, told("c0", "Not done: ask for a yes first."))
    session.say("Done.")
    assert lines(session) == [
        '[1] CALL cancel {"id": "R1"}',
        "[1] REFUSED by the agent's code: Not done: ask for a yes first.",
        "[2] AGENT: Done.",
        "[3] USER: fine",
    ]
    assert session.trace[1].kind == "refused"


def test_of_two_calls_the_one_that_was_made_is_no_refusal(session: EpisodeSession) -> None:
    ask(session, reply("", ("look", {}), ("cancel", {"id": 1})))
    session.act("look", {})
    ask(session, reply("x"), {"role": "assistant"}, told("c0", "ok"), told("c1", "no"))
    assert [(step.kind, step.tool) for step in session.trace[1:]] == [("act", "look"), ("refused", "cancel")]


def test_a_plan_and_a_self_check_stand_beside_what_was_said(session: EpisodeSession) -> None:
    ask(session, reply("Plan: look first."))
    ask(session, reply("I will look."))
    session.say("I will look.")
    ask(session, reply("Draft."))
    session.say("Better.")
    kinds = [(step.kind, step.text) for step in session.trace[1:]]
    assert ("model", "Plan: look first.") in kinds
    assert ("model", "Draft.") in kinds
    assert ("model", "I will look.") not in kinds


def test_a_retry_in_code_is_told_from_a_call_of_the_model(session: EpisodeSession) -> None:
    ask(session, reply("", ("look", {})))
    session.act("look", {})
    session.act("look", {})
    assert [step.by_code for step in session.trace[1:]] == [False, True]
    assert "made by the agent's code" in trace_text(session.trace)


def test_an_agent_without_a_model_acts_of_its_own(session: EpisodeSession) -> None:
    session.act("look", {})
    assert not session.trace[1].by_code


def test_a_refused_model_call_is_in_the_trace() -> None:
    def refuse(_: Any) -> Any:
        raise UpstreamError("context_length_exceeded", status=400)

    session = EpisodeSession(Desk(), refuse)
    with pytest.raises(UpstreamError):
        session.llm({"messages": []})
    assert "context_length_exceeded" in session.trace[-1].text


def test_an_agent_that_loops_does_not_fill_the_journal() -> None:
    turns, seen = ModelTurns(), 0
    for _ in range(2 * MOST_HIDDEN):
        seen += len(turns.request([]))
        turns.reply(reply("again " * 1_000))
    assert seen == MOST_HIDDEN


odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "choices", "message", "tool_calls", "function", "content", "id"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(messages=odd, answer=odd)
def test_whatever_travels_between_agent_and_model_breaks_nothing(messages: Any, answer: Any) -> None:
    turns = ModelTurns()
    turns.request(messages)
    turns.reply(answer)
    turns.act("x", messages)
    turns.request(answer)
