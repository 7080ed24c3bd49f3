"""A dry run shows what the model would be sent, and says where an agent fails."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox_tiers import on_this_side

from sigmaloop import target_agent
from sigmaloop.errors import SandboxError
from sigmaloop.tools.sandbox.child import frames
from sigmaloop.tools.sandbox.dry_run import MAX_CALLS, SENTENCE, DryRun, _Script, dry_run, example_of
from sigmaloop.tools.sandbox.supervisor import Supervisor

SHIPPED = (Path(str(target_agent.__file__)).parent / "agent.py").read_text()
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "find_customer",
            "description": "Find a customer.",
            "parameters": {
                "type": "object",
                "properties": {
                    "email": {"type": "string"},
                    "kind": {"enum": ["gold", "plain"]},
                    "limit": {"type": "integer", "minimum": 3},
                    "note": {"type": "string"},
                },
                "required": ["email", "kind", "limit"],
            },
        },
    },
    {"type": "function", "function": {"name": "other", "description": "Another."}},
]


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    with Supervisor(step_seconds=1, rollout_seconds=5, cpu_seconds=5, max_steps=10) as made:
        yield made


def rehearse(supervisor: Supervisor, source: str, tools: list[dict[str, Any]] = TOOLS) -> DryRun:
    return dry_run(supervisor, source, instructions="# Policy\nBe kind.", tools=tools, opening="Hello.")


def test_the_shipped_agent_passes_and_shows_what_the_model_is_sent(supervisor: Supervisor) -> None:
    tried = rehearse(supervisor, SHIPPED)
    assert (tried.ok, tried.detail) == (True, "")
    assert tried.first_request is not None
    system, user = tried.first_request["messages"]
    assert "Be kind." in system["content"]
    assert user == {"role": "user", "content": "Hello."}
    assert tried.transcript == (
        "model call 1 -> calls find_customer",
        'tool find_customer({"email": "example", "kind": "gold", "limit": 3}) -> {"status": "ok"}',
        "model call 2 -> says a sentence",
        f"said: {SENTENCE}; the user ends the conversation",
    )


def test_the_report_shows_the_effect_of_a_change(supervisor: Supervisor) -> None:
    noted = SHIPPED.replace("TOOL_NOTES = {}", 'TOOL_NOTES = {"find_customer": "Ask for the zip code first."}')
    report = rehearse(supervisor, noted).report()
    assert "The agent ran to its end." in report
    assert "[system] You are a customer service agent." in report
    assert "[tool] find_customer: Find a customer. Ask for the zip code first." in report


@pytest.mark.parametrize(
    ("source", "detail"),
    [
        (SHIPPED.replace("messages = build_context(session)", "messages = bild_context(session)"),
         "in run: NameError: name 'bild_context' is not defined"),
        (SHIPPED + "\nboom()\n", "NameError: name 'boom' is not defined"),
        (SHIPPED.replace("return session.call", "return session.cal"), "in use_tool: AttributeError"),
        ("def run(session):\n    while True: session.complete([])\n", f"more than {MAX_CALLS} model calls"),
        ("def run(session):\n    while True: pass\n", "step_seconds = 1"),
        ("def run(session):\n    import sys; sys.exit(0)\n", "agent.py line 2, in run: it called sys.exit(0)"),
        ("def run(session):\n    session.complete(None)\n", "messages is missing"),
        ("def run(session:\n", "agent.py line 1: SyntaxError"),
    ],
)  # fmt: skip
def test_a_failing_agent_is_told_where_it_fails(supervisor: Supervisor, source: str, detail: str) -> None:
    tried = rehearse(supervisor, source)
    assert not tried.ok
    assert detail in tried.detail
    assert f"The agent failed: {tried.detail}" in tried.report()


def test_an_agent_that_asks_no_model_runs_all_the_same(supervisor: Supervisor) -> None:
    tried = rehearse(supervisor, "def run(session):\n    session.submit({'answer': 4})\n")
    assert (tried.ok, tried.first_request, tried.transcript) == (True, None, ('submitted: {"answer": 4}',))


@pytest.mark.parametrize("tools", [[], [{}], [{"type": "function"}], [{"function": {"name": "x", "parameters": 5}}]])
def test_odd_tools_are_no_obstacle(supervisor: Supervisor, tools: list[dict[str, Any]]) -> None:
    source = "def run(session):\n    session.complete([], tools=session.tools)\n    session.say('x')\n"
    assert rehearse(supervisor, source, tools).ok
    assert rehearse(supervisor, source, tools).report()


def test_a_fault_of_ours_is_no_verdict_about_the_agent(supervisor: Supervisor) -> None:
    tools = [{"type": "function", "function": {"name": "x" * 5_000_000}}]
    with pytest.raises(SandboxError, match="could not be made"):
        rehearse(supervisor, SHIPPED, tools)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "example"),
        ({"type": "boolean"}, True),
        ({"type": "number"}, 1.0),
        ({"type": ["integer", "null"]}, 1),
        ({"type": "array", "items": {"type": "integer"}}, [1]),
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, None),
        ({"type": "string", "default": "d", "enum": ["a"]}, "d"),
        ({"const": 4}, 4),
        ({"properties": {"a": {"examples": ["x"]}}}, {"a": "x"}),
        ({}, {}),
    ],
)
def test_a_schema_has_a_plausible_value(schema: dict[str, Any], value: Any) -> None:
    assert example_of(schema) == value


words = st.sampled_from(
    ["type", "properties", "items", "required", "enum", "anyOf", "default", "minimum", "name", "parameters", "a"]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["object", "array", "integer", "number"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=5),
    max_leaves=20,
)


@given(json_values)
def test_no_schema_is_too_odd(schema: Any) -> None:
    json.dumps(example_of(schema))


@given(json_values)
def test_no_tools_are_too_odd_to_be_answered_and_reported(tools: Any) -> None:
    """What a candidate may offer the model is anything that JSON holds, at every place of a request."""
    for request in (
        {"messages": [tools], "tools": tools},
        {"messages": [], "tools": [tools]},
        {"messages": [], "tools": [{"function": tools}]},
        {"messages": [], "tools": [{"function": {"name": "f", "parameters": tools}}]},
    ):
        script = _Script("", [], "")
        frames.encode(script.llm(request))
        DryRun(ok=True, first_request=script.first_request).report()


@pytest.mark.parametrize("wanted", [None, 5, "a", {"a": 1}, [["a"]], ["b"]])
def test_a_malformed_schema_is_no_end_of_the_run(supervisor: Supervisor, wanted: Any) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": wanted}
    tools = [{"type": "function", "function": {"name": "f", "parameters": schema}}]
    assert rehearse(supervisor, f"def run(session):\n    session.complete([], tools={tools!r})\n").ok


HUGE = {
    "name": "{'name': 'x' * 4_194_200}",
    "default": "{'name': 'f', 'parameters': {'default': '\"' * 1_900_000}}",
    "name of an argument": "{'name': 'f', 'parameters': {'properties': {'\\\\' * 1_900_000: {}}}}",
}


@pytest.mark.parametrize("function", HUGE.values(), ids=HUGE.keys())
def test_a_tool_that_is_too_large_is_no_fault_of_ours(supervisor: Supervisor, function: str) -> None:
    source = f"def run(session):\n    session.complete([], tools=[{{'function': {function}}}])\n"
    assert rehearse(supervisor, source).detail == ""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_kill_from_outside_is_not_the_candidates_failure(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "import os, time\ndef run(session):\n    session.call('who', {'pid': os.getpid()})\n    time.sleep(.2)\n"
    killed: list[int] = []

    def strike(self: _Script, name: str, arguments: dict[str, Any]) -> str:
        if not killed:
            killed.append(on_this_side(arguments["pid"]))
            os.kill(killed[0], signal.SIGKILL)
        return ""

    monkeypatch.setattr(_Script, "act", strike)
    assert rehearse(supervisor, source).ok
    assert killed
