"""The model goes on from whatever the harness shows it: windows, drafts, plans, reviews, summaries, odd requests."""

from __future__ import annotations

from typing import Any

import pytest

from sigmaloop.simulation.model import SimulatedModel

MODEL = SimulatedModel(redraw=False)
CALL = "reply = session.complete(messages, tools=tools)"
APPEND = "        messages.append(reply)\n"


@pytest.fixture(scope="module")
def tasks(benchmark: Any) -> list[str]:
    return [task.id for task in benchmark.tasks("train")][::4]


@pytest.fixture(scope="module")
def passed(tasks: list[str], play: Any) -> Any:
    def passed(source: str) -> float:
        return sum(play(source, task, model=MODEL) for task in tasks) / len(tasks)

    return passed


def changed(agent: str, old: str, new: str) -> str:
    assert old in agent
    return agent.replace(old, new)


def test_a_short_window_costs_and_a_long_one_does_not(agent: str, passed: Any) -> None:
    def window(n: int) -> float:
        shown = f"session.complete(messages[:2] + messages[2:][-{n}:], tools=tools)"
        return float(passed(changed(agent, "session.complete(messages, tools=tools)", shown)))

    plain, short, long = passed(agent), window(8), window(40)
    assert 0.1 < short < plain
    assert abs(long - plain) <= 0.04


def test_a_second_look_at_the_same_answer_changes_nothing(agent: str, passed: Any) -> None:
    look = """        draft = reply.get("content") or json.dumps(reply.get("tool_calls"))
        asked = [*messages, {"role": "assistant", "content": draft},
                 {"role": "user", "content": "Check your last answer against the policy, then give the final one."}]
        reply = session.complete(asked, tools=tools)["choices"][0]["message"]
"""
    assert passed(changed(agent, APPEND, look + APPEND)) == passed(agent)


@pytest.mark.parametrize("role", ["system", "assistant"])
def test_a_plan_helps_a_little_at_most(role: str, agent: str, passed: Any) -> None:
    start = "    messages = build_context(session)\n"
    plan = f"""    asked = [{{"role": "user", "content": "Write a short plan for this request: " + session.opening}}]
    plan = session.complete(asked)["choices"][0]["message"]["content"]
    messages.append({{"role": {role!r}, "content": "Plan: " + plan}})
"""
    assert -0.02 <= passed(changed(agent, start, start + plan)) - passed(agent) <= 0.1


def test_a_hint_after_a_result_is_a_note(agent: str, passed: Any) -> None:
    hint = '"content": result + "\\n\\nNote: before ending always ask whether there is anything else."})'
    assert passed(changed(agent, '"content": result})', hint)) >= passed(agent)


def text(asked: str, **request: Any) -> str:
    messages = [{"role": "system", "content": "You help."}, {"role": "user", "content": asked}]
    return str(MODEL.complete({"messages": messages, **request})["choices"][0]["message"]["content"])


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (
            "Write a plan for this customer: I want to return the lamp. Also, cancel order 12345.",
            "Finish every request",
        ),
        ("Review this draft.\n\nDraft:\nThis is done. Goodbye!\n\nIs anything wrong?", "anything else"),
        ("Review this draft.\n\nDraft:\nIs there anything else?\n\nIs anything wrong?", "in order"),
        ("Summarise the conversation so far.", "Summary"),
    ],
)
def test_a_request_without_tools_is_answered_in_kind(asked: str, answer: str) -> None:
    assert answer in text(asked)


PARTS = [{"type": "text", "text": "Please cancel order 12345, my email is a@b.com."}, {"type": "image_url"}]
ODD = {
    "parts and an image": [{"role": "user", "content": PARTS}],
    "an image alone": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}],
    "empty content": [{"role": "user", "content": ""}, {"role": "assistant", "content": None}],
    "unknown roles": [{"role": "critic", "content": "Ha."}, {"role": "user", "content": "I want to return the lamp."}],
    "no role": [{"content": "I want to return the lamp."}],
    "200 messages": [{"role": "user", "content": "I want my lamp."}, {"role": "assistant", "content": "Yes?"}] * 100,
    "results without calls": [{"role": "tool", "tool_call_id": "x", "content": "{}"}] * 3,
    "a policy in German": [
        {"role": "system", "content": "# Richtlinie\n\nHeute ist Mittwoch, der 14.05.2025. Nur bestätigte Kunden."},
        {"role": "user", "content": "I want to cancel order 12345. My email is a@b.com."},
    ],
}
TOOLS = [{"type": "function", "function": {"name": n}} for n in ("find_customer", "get_customer", "get_order")]


@pytest.mark.parametrize("messages", ODD.values(), ids=ODD)
@pytest.mark.parametrize("tools", [TOOLS, None])
def test_an_odd_request_is_answered_in_kind(messages: Any, tools: Any) -> None:
    message = MODEL.complete({"messages": messages, "tools": tools, "seed": 1})["choices"][0]["message"]
    assert message["content"] or message["tool_calls"]
    assert tools or "tool_calls" not in message


def test_words_beside_an_image_are_read() -> None:
    message = MODEL.complete({"messages": ODD["parts and an image"], "tools": TOOLS})["choices"][0]["message"]
    assert "a@b.com" in message["tool_calls"][0]["function"]["arguments"]
